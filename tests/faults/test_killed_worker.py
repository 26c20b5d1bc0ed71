"""The loops are killed in the middle of a batch: the counters equal the history, and nothing is told twice."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from audit import audit
from installation import Installation
from serving import looping

BUSY = str(Path(__file__).parent.parent / "busy_town.py")
KILLS = 6


@pytest.fixture
def busy(installation: Installation) -> Installation:
    """A town where much has happened that no loop has read yet."""
    installation.python(BUSY)
    return installation


def test_counters_equal_the_history_after_the_loops_were_killed_again_and_again(busy: Installation) -> None:
    for kill in range(KILLS):
        with looping(busy) as loops:
            # Later each time: it is killed while it starts, while it counts, while it rings and while it seals.
            time.sleep(1.5 + kill * 0.7)
            loops.send_signal(signal.SIGKILL)
            assert loops.wait() == -signal.SIGKILL
    found = audit(busy)
    assert found.cases == 250
    assert (found.caches, found.tallies, found.twice) == ([], [], [])
    assert "The ledger is whole." in busy.anlan("ledger", "verify").stdout


@pytest.mark.parametrize("place", ["tallies written", "cases remembered", "cursor moved"])
def test_a_batch_that_was_cut_off_is_counted_once(busy: Installation, place: str) -> None:
    for _ in range(2):
        killed = busy.python(BUSY, place, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert audit(busy).tallies == []
