"""A process that serves for another one does not outlive it, not even when that one is killed."""

from __future__ import annotations

import os
import threading
import time

VARIABLE = "ANLAN_PARENT"
"""Set by the process that starts others, to its own number."""


def end_with_parent() -> None:
    """Ends this process soon after the one that started it is gone; does nothing where nobody asked for it."""
    parent = os.environ.get(VARIABLE)
    # Not only while it still is the parent: it may have been killed while this process was starting.
    if parent and os.getpid() != int(parent):
        threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    # Not an orderly end: whoever could have asked for one is gone, and a transaction that is cut off never happened.
    os._exit(1)
