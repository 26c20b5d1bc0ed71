"""What a frame of GB/T 26875.3-2011 tells: the information objects of each type, as values. Pure.

Layouts and bits are those of an open transcription of the standard (github.com/ActorLancer/GB-T-26875.3.2011-rs),
checked against a working codec; they have not been compared with the printed standard. On types 1 to 4 all agree; there
is open code that adds a time of six bytes to each object of the others, which does not fit here. The meaning and the
unit of an analogue value are left to the device's declaration: the transcription contradicts itself on pressure.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo
from struct import Struct, error
from typing import Final, NamedTuple, TypeAlias

from anlan.intake.sensors.gb26875_states import DeviceActs, DeviceCondition, PartCondition, SystemActs, SystemCondition

TEXT: Final = "gb18030"
_WORDS = 31  # bytes of a part's description


class Unencodable(ValueError):
    """A value does not fit the field it belongs into."""


class PartAddress(int):
    """Four bytes, low first: the zone (区号) in the first two, the number in it (位号) in the others."""

    __slots__ = ()

    @property
    def zone(self) -> int:
        return self & 0xFFFF

    @property
    def number(self) -> int:
        return self >> 16


class Stamp(NamedTuple):
    """A moment as the device's clock tells it: six plain binary bytes, which may be no moment at all."""

    second: int
    minute: int
    hour: int
    day: int
    month: int
    year: int

    @classmethod
    def of(cls, moment: datetime) -> Stamp:
        """The wall clock of `moment` where it stands; years 2000 to 2099."""
        if not 2000 <= moment.year <= 2099:
            raise Unencodable(f"The year {moment.year} does not fit two digits after 2000.")
        return cls(moment.second, moment.minute, moment.hour, moment.day, moment.month, moment.year - 2000)

    def moment(self, zone: tzinfo) -> datetime | None:
        """The moment in the device's `zone`; None where its clock was never set or is broken."""
        if self.year > 99:
            return None
        try:
            return datetime(2000 + self.year, self.month, self.day, self.hour, self.minute, self.second, tzinfo=zone)
        except ValueError:
            return None


class SystemState(NamedTuple):
    """Type 1: the state of a building's fire protection system."""

    system: int
    address: int
    state: SystemCondition
    at: Stamp

    @classmethod
    def read(cls, system: int, address: int, state: int, *at: int) -> SystemState:
        return cls(system, address, SystemCondition(state), Stamp(*at))

    def fields(self) -> tuple[int, ...]:
        return (self.system, self.address, self.state, *self.at)


class PartState(NamedTuple):
    """Type 2: the state of one part, with the words the panel knows it by."""

    system: int
    address: int
    part: int
    part_address: PartAddress
    state: PartCondition
    text: str
    at: Stamp

    @classmethod
    def read(
        cls, system: int, address: int, part: int, place: int, state: int, text: bytes, *at: int
    ) -> PartState:  # fmt: skip
        return cls(system, address, part, PartAddress(place), PartCondition(state), words(text), Stamp(*at))

    def fields(self) -> tuple[int | bytes, ...]:
        text = written(self.text, most=_WORDS)
        return (self.system, self.address, self.part, self.part_address, self.state, text, *self.at)


class Analogue(NamedTuple):
    """Type 3: a measured value, signed, in the steps of its quantity."""

    system: int
    address: int
    part: int
    part_address: PartAddress
    quantity: int
    value: int
    at: Stamp

    @classmethod
    def read(
        cls, system: int, address: int, part: int, place: int, quantity: int, value: int, *at: int
    ) -> Analogue:  # fmt: skip
        return cls(system, address, part, PartAddress(place), quantity, value, Stamp(*at))

    def fields(self) -> tuple[int, ...]:
        return (self.system, self.address, self.part, self.part_address, self.quantity, self.value, *self.at)


class Operation(NamedTuple):
    """Type 4: somebody operated a system."""

    system: int
    address: int
    acts: SystemActs
    operator: int
    at: Stamp

    @classmethod
    def read(cls, system: int, address: int, acts: int, operator: int, *at: int) -> Operation:
        return cls(system, address, SystemActs(acts), operator, Stamp(*at))

    def fields(self) -> tuple[int, ...]:
        return (self.system, self.address, self.acts, self.operator, *self.at)


class SystemVersion(NamedTuple):
    """Type 5: the version of a system's program."""

    system: int
    address: int
    major: int
    minor: int

    @classmethod
    def read(cls, *fields: int) -> SystemVersion:
        return cls(*fields)

    def fields(self) -> tuple[int, ...]:
        return self


class PartSetup(NamedTuple):
    """Type 7: that a part exists, and its words."""

    system: int
    address: int
    part: int
    part_address: PartAddress
    text: str

    @classmethod
    def read(cls, system: int, address: int, part: int, place: int, text: bytes) -> PartSetup:
        return cls(system, address, part, PartAddress(place), words(text))

    def fields(self) -> tuple[int | bytes, ...]:
        return (self.system, self.address, self.part, self.part_address, written(self.text, most=_WORDS))


class SystemClock(NamedTuple):
    """Type 8: what a system's clock shows."""

    system: int
    address: int
    at: Stamp

    @classmethod
    def read(cls, system: int, address: int, *at: int) -> SystemClock:
        return cls(system, address, Stamp(*at))

    def fields(self) -> tuple[int, ...]:
        return (self.system, self.address, *self.at)


class DeviceState(NamedTuple):
    """Type 21: the state of the transmission device itself."""

    state: DeviceCondition
    at: Stamp

    @classmethod
    def read(cls, state: int, *at: int) -> DeviceState:
        return cls(DeviceCondition(state), Stamp(*at))

    def fields(self) -> tuple[int, ...]:
        return (self.state, *self.at)


class DeviceOperation(NamedTuple):
    """Type 24: somebody operated the transmission device."""

    acts: DeviceActs
    operator: int
    at: Stamp

    @classmethod
    def read(cls, acts: int, operator: int, *at: int) -> DeviceOperation:
        return cls(DeviceActs(acts), operator, Stamp(*at))

    def fields(self) -> tuple[int, ...]:
        return (self.acts, self.operator, *self.at)


class DeviceVersion(NamedTuple):
    """Type 25: the version of the transmission device's program."""

    major: int
    minor: int

    @classmethod
    def read(cls, *fields: int) -> DeviceVersion:
        return cls(*fields)

    def fields(self) -> tuple[int, ...]:
        return self


class DeviceClock(NamedTuple):
    """Type 28: what the transmission device's clock shows."""

    at: Stamp

    @classmethod
    def read(cls, *at: int) -> DeviceClock:
        return cls(Stamp(*at))

    def fields(self) -> tuple[int, ...]:
        return self.at


class SystemSetup(NamedTuple):
    """Type 6: a system described in words, as long as they need to be."""

    system: int
    address: int
    text: str


class DeviceSetup(NamedTuple):
    """Type 26: the transmission device described in words."""

    text: str


Fixed: TypeAlias = (
    SystemState | PartState | Analogue | Operation | SystemVersion | PartSetup | SystemClock
    | DeviceState | DeviceOperation | DeviceVersion | DeviceClock
)  # fmt: skip
Content: TypeAlias = Fixed | SystemSetup | DeviceSetup

_SYSTEM_SETUP, _DEVICE_SETUP = 6, 26
_SYSTEM_LEAD = Struct("<BBB")
_FIXED: Final[dict[int, tuple[Struct, type[Fixed]]]] = {
    1: (Struct("<BBH6B"), SystemState),
    2: (Struct("<BBBIH31s6B"), PartState),
    3: (Struct("<BBBIBh6B"), Analogue),
    4: (Struct("<BBBB6B"), Operation),
    5: (Struct("<BBBB"), SystemVersion),
    7: (Struct("<BBBI31s"), PartSetup),
    8: (Struct("<BB6B"), SystemClock),
    21: (Struct("<B6B"), DeviceState),
    24: (Struct("<BB6B"), DeviceOperation),
    25: (Struct("<BB"), DeviceVersion),
    28: (Struct("<6B"), DeviceClock),
}
TYPES: Final = frozenset({*_FIXED, _SYSTEM_SETUP, _DEVICE_SETUP})
"""The types that a device sends up. Any other is kept as it came."""


def read(kind: int, count: int, body: bytes) -> tuple[Content, ...] | None:
    """The `count` objects of a type of `TYPES`; None where the body is too short or too long for them."""
    if kind not in _FIXED:
        return _setups(kind, count, body)
    pattern, value = _FIXED[kind]
    if len(body) != count * pattern.size:
        return None
    return tuple([value.read(*fields) for fields in pattern.iter_unpack(body)])


def write(kind: int, objects: Iterable[Content]) -> bytes:
    """The body that `read` reads again. Raises `Unencodable`."""
    return b"".join([_written(kind, each) for each in objects])


def _written(kind: int, each: Content) -> bytes:
    try:
        if isinstance(each, SystemSetup) and kind == _SYSTEM_SETUP:
            text = written(each.text, most=255)
            return _SYSTEM_LEAD.pack(each.system, each.address, len(text)) + text
        if isinstance(each, DeviceSetup) and kind == _DEVICE_SETUP:
            text = written(each.text, most=255)
            return bytes([len(text)]) + text
        pattern, value = _FIXED.get(kind, (None, None))
        if pattern is not None and isinstance(each, Fixed) and type(each) is value:
            return pattern.pack(*each.fields())
    except error as wrong:
        raise Unencodable(f"{each}: {wrong}") from wrong
    raise Unencodable(f"A {type(each).__name__} is nothing that a frame of type {kind} can tell.")


def _setups(kind: int, count: int, body: bytes) -> tuple[Content, ...] | None:
    """Objects that tell their own length."""
    found: list[Content] = []
    lead = 3 if kind == _SYSTEM_SETUP else 1
    place = 0
    while place + lead <= len(body) and len(found) < count:
        start = place + lead
        place = start + body[start - 1]
        text = words(body[start:place])
        found.append(SystemSetup(body[start - 3], body[start - 2], text) if lead == 3 else DeviceSetup(text))
    return tuple(found) if len(found) == count and place == len(body) else None


def words(told: bytes) -> str:
    """The text before the first zero byte, without the spaces it is filled up with; damaged characters become �."""
    return told.partition(b"\0")[0].rstrip(b" ").decode(TEXT, "replace")


def written(text: str, *, most: int) -> bytes:
    """The bytes of `text`, at most so many. Raises `Unencodable`."""
    if "\0" in text:
        raise Unencodable("A zero byte would end the text early.")
    try:
        told = text.encode(TEXT)
    except UnicodeEncodeError as wrong:
        raise Unencodable(str(wrong)) from wrong
    if len(told) > most:
        raise Unencodable(f"The text takes {len(told)} bytes; there is room for {most}.")
    return told
