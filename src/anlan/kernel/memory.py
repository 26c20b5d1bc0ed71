"""How memory is kept while very much is made at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave out the search for cycles while much is made that stays: it would walk through all of it again and again.

    What nobody holds any more is freed at once as ever; only what holds itself waits. Also a decorator.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
