"""How memory is kept while very much is made at once, and in a process that serves for long."""

from __future__ import annotations

import atexit
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


def settle() -> None:
    """Call when a process is ready to serve: what is here stays, and no later search for cycles walks through it."""
    gc.collect()
    gc.freeze()
    # At the very end all of it goes: libraries that count what is left would complain in the log.
    atexit.register(gc.unfreeze)
