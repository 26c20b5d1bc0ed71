"""The states and acts in a frame of GB/T 26875.3-2011, bit by bit. Pure.

The bits are those of an open transcription of the standard (github.com/ActorLancer/GB-T-26875.3.2011-rs), those of a
part checked against a working codec; they have not been compared with the printed standard.
"""

from __future__ import annotations


class Bit:
    """One bit of a state, read as a word."""

    def __init__(self, number: int, *, when: int = 1) -> None:
        self.number, self.when = number, when

    def __get__(self, state: int, owner: type) -> bool:
        return (state >> self.number & 1) == self.when


class _Condition(int):
    """What parts and systems have in common. Bit 0 is 1 in normal running and 0 in a test.

    The transcription's own example of a real fire leaves bit 0 at 0, and so may devices: whether `alarm` can be relied
    on is a question to each model of device, and nobody's to be answered here.
    """

    __slots__ = ()
    testing = Bit(0, when=0)
    fire = Bit(1)
    fault = Bit(2)
    shielded = Bit(3)
    supervised = Bit(4)
    started = Bit(5)
    feedback = Bit(6)
    delay = Bit(7)

    @property
    def alarm(self) -> bool:
        """A fire, and not one that somebody tries out."""
        return self.fire and not self.testing


class PartCondition(_Condition):
    """The state of a part; bits 9 to 15 are reserved."""

    __slots__ = ()
    power_fault = Bit(8)


class SystemCondition(_Condition):
    """The state of a whole system; bits 14 and 15 are reserved."""

    __slots__ = ()
    mains_fault = Bit(8)
    backup_fault = Bit(9)
    bus_fault = Bit(10)
    manual = Bit(11)
    reconfigured = Bit(12)
    reset = Bit(13)


class DeviceCondition(int):
    """The state of the transmission device itself, one byte; bit 7 is reserved."""

    __slots__ = ()
    testing = Bit(0, when=0)
    fire = Bit(1)
    fault = Bit(2)
    mains_fault = Bit(3)
    backup_fault = Bit(4)
    link_fault = Bit(5)
    line_fault = Bit(6)

    @property
    def alarm(self) -> bool:
        """A fire, and not one that somebody tries out."""
        return self.fire and not self.testing


class SystemActs(int):
    """What somebody did at a system, bit by bit."""

    __slots__ = ()
    reset = Bit(0)
    silenced = Bit(1)
    alarm_by_hand = Bit(2)
    alarm_cleared = Bit(3)
    self_test = Bit(4)
    confirmed = Bit(5)
    test = Bit(6)


class DeviceActs(int):
    """What somebody did at the transmission device, bit by bit."""

    __slots__ = ()
    reset = Bit(0)
    silenced = Bit(1)
    alarm_by_hand = Bit(2)
    alarm_cleared = Bit(3)
    self_test = Bit(4)
    guard_answered = Bit(5)
    test = Bit(6)
