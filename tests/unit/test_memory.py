"""How memory is kept: the search for cycles rests while very much is made, and skips what a server begins with."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from anlan.kernel.memory import uncollected


@pytest.fixture(autouse=True)
def searching() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_the_search_rests_while_much_is_made_and_goes_on_after_it() -> None:
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_search_goes_on_although_something_failed() -> None:
    with pytest.raises(KeyError), uncollected():
        raise KeyError
    assert gc.isenabled()


def test_within_another_it_rests_until_the_outer_one_ends() -> None:
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_who_had_switched_the_search_off_finds_it_off() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()


SETTLED = """
import atexit, gc
from anlan.kernel import memory
class Knot:
    def __del__(self):
        print("gone")
gc.disable()
knot = Knot()
knot.itself = knot
del knot
atexit.register(lambda: print("thawed" if gc.get_freeze_count() == 0 else "frozen"))  # runs after what settle registers
memory.settle()
print("frozen" if gc.get_freeze_count() > 1000 else "thawed")
"""


def test_a_server_drops_what_is_dead_skips_what_stays_and_lets_go_at_its_end() -> None:
    said = subprocess.run([sys.executable, "-c", SETTLED], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["gone", "frozen", "thawed"]
    assert said.stderr == ""
