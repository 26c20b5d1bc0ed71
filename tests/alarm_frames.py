"""Frames of GB/T 26875.3 to test with: any good one, and damaged ones by the million."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from hypothesis import strategies as st

from anlan.intake.sensors import gb26875_contents as contents
from anlan.intake.sensors.gb26875 import OWN, Command, Decoder, Frame, Head, Malformed, encode
from anlan.intake.sensors.gb26875_contents import Content, PartAddress, PartState, Stamp
from anlan.intake.sensors.gb26875_states import DeviceActs, DeviceCondition, PartCondition, SystemActs, SystemCondition

AT = Stamp(30, 15, 8, 22, 11, 26)
DEVICE, CENTRE = 0x060504030201, 0x10

# Worked out by hand from the table of the standard. The sum: 3 serial, 1 version, 112 time, 21 source, 16 target,
# 48 length, 2 command, 3 type and count, 44 system and part, 7 address, 3 state, 812 text, 111 time; 1183 mod 256 = 9F.
FIRE = bytes.fromhex(
    "4040 0201 0100 1E0F08160B1A 010203040506 100000000000 3000 02"
    "02 01  01 03 28 02000500 0300 C8FDC2A5 000000000000000000000000000000000000000000000000000000 1D0F08160B1A"
    "9F 2323"
)

_byte = st.integers(0, 0xFF)
_two = st.integers(0, 0xFFFF)
_six = st.integers(0, 2**48 - 1)
_place = st.integers(0, 2**32 - 1).map(PartAddress)
_stamp = st.builds(Stamp, _byte, _byte, _byte, _byte, _byte, _byte)


def texts(most: int) -> st.SearchStrategy[str]:
    """What fits so many bytes and comes back as it was: trailing spaces are filling, a zero byte is the end."""
    letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    return st.text(letters, max_size=most).map(lambda text: _cut(text, most))


def _cut(text: str, most: int) -> str:
    while len(text.encode(contents.TEXT)) > most:
        text = text[:-1]
    return text.rstrip(" ")


_condition = st.builds(SystemCondition, _two)
OBJECTS: dict[int, tuple[int, st.SearchStrategy[Content]]] = {
    1: (102, st.builds(contents.SystemState, _byte, _byte, _condition, _stamp)),
    2: (22, st.builds(PartState, _byte, _byte, _byte, _place, st.builds(PartCondition, _two), texts(31), _stamp)),
    3: (63, st.builds(contents.Analogue, _byte, _byte, _byte, _place, _byte, st.integers(-32768, 32767), _stamp)),
    4: (102, st.builds(contents.Operation, _byte, _byte, st.builds(SystemActs, _byte), _byte, _stamp)),
    5: (1, st.builds(contents.SystemVersion, _byte, _byte, _byte, _byte)),
    6: (3, st.builds(contents.SystemSetup, _byte, _byte, texts(255))),
    7: (26, st.builds(contents.PartSetup, _byte, _byte, _byte, _place, texts(31))),
    8: (1, st.builds(contents.SystemClock, _byte, _byte, _stamp)),
    21: (1, st.builds(contents.DeviceState, st.builds(DeviceCondition, _byte), _stamp)),
    24: (127, st.builds(contents.DeviceOperation, st.builds(DeviceActs, _byte), _byte, _stamp)),
    25: (1, st.builds(contents.DeviceVersion, _byte, _byte)),
    26: (1, st.builds(contents.DeviceSetup, texts(255))),
    28: (1, st.builds(contents.DeviceClock, _stamp)),
}
"""How many objects of each type a frame may hold by the standard, and any such object."""


def heads(*commands: int) -> st.SearchStrategy[Head]:
    return st.builds(
        Head, _two, _byte, _byte, _stamp, _six, _six, st.sampled_from([int(command) for command in commands])
    )


@st.composite
def _with_objects(draw: st.DrawFn) -> Frame:
    kind = draw(st.sampled_from(sorted(OBJECTS)))
    most, one = OBJECTS[kind]
    head = draw(heads(Command.CONTROL, Command.SEND, Command.REQUEST, Command.ANSWER))
    return Frame(head, kind, tuple(draw(st.lists(one, max_size=min(most, 6)))))


_foreign = st.binary(min_size=1, max_size=1024)
FRAMES = (
    _with_objects()
    | st.builds(Frame, heads(*Command, OWN.start, OWN.stop - 1))
    | st.builds(Frame, heads(Command.CONFIRM, Command.DENY, *OWN), unread=_foreign)
    | st.builds(Frame, heads(Command.SEND), unread=_foreign.filter(lambda data: data[0] not in contents.TYPES))
)
"""Any frame there can be."""


def head(serial: int = 1, *, command: int = Command.SEND, source: int = DEVICE) -> Head:
    return Head(serial, 1, 0, AT, source, CENTRE, command)


def state(number: int = 5, *, condition: int = 0b11, text: str = "三楼") -> PartState:
    """A smoke detector in zone 2 that tells of a fire in normal running, unless it is told otherwise."""
    return PartState(1, 3, 40, PartAddress(2 | number << 16), PartCondition(condition), text, AT._replace(second=29))


def alarm(serial: int = 1, *, source: int = DEVICE, number: int = 5) -> Frame:
    return Frame(head(serial, source=source), 2, (state(number),))


def heartbeat(serial: int = 1, *, source: int = DEVICE) -> Frame:
    return Frame(head(serial, source=source))


def decoded(told: bytes) -> list[Frame | Malformed]:
    decoder = Decoder()
    return decoder.feed(told) + decoder.finish()


def only(told: bytes) -> Frame:
    (frame,) = decoded(told)
    assert isinstance(frame, Frame), frame
    return frame


def frames(found: list[Frame | Malformed]) -> list[Frame]:
    return [each for each in found if isinstance(each, Frame)]


def reasons(found: list[Frame | Malformed]) -> list[str]:
    return [each.reason.value for each in found if isinstance(each, Malformed)]


def some(random: Random) -> Frame:
    """One of the frames that devices send most, with numbers of its own."""
    top = head(random.getrandbits(16), source=random.getrandbits(48))
    kind = random.choice((None, 2, 2, 2, 1, 3, 21))
    if kind is None:
        return Frame(top)
    count = random.randint(1, 3)
    makers: dict[int, Callable[[], Content]] = {
        1: lambda: contents.SystemState(1, 0, SystemCondition(random.getrandbits(14)), AT),
        2: lambda: state(random.getrandbits(16), condition=random.getrandbits(9), text=f"{random.randint(1, 9)}层烟感"),
        3: lambda: contents.Analogue(11, 1, 91, PartAddress(7), 4, random.randint(0, 3200), AT),
        21: lambda: contents.DeviceState(DeviceCondition(random.getrandbits(7)), AT),
    }
    return Frame(top, kind, tuple(makers[kind]() for _ in range(count)))


class Damaged(NamedTuple):
    """What arrives, the good frame it was made of (none for rubbish), and what was done to it."""

    told: bytes
    made_of: bytes
    by: str


def fuzzed(random: Random, count: int) -> Iterator[Damaged]:
    """So many damaged frames and pieces of rubbish."""
    good = [encode(some(random)) for _ in range(2000)]
    ways = list(_DAMAGES.items())
    for _ in range(count):
        if random.random() < 0.15:
            yield Damaged(_rubbish(random), b"", "rubbish")
        else:
            told = random.choice(good)
            by, damage = random.choice(ways)
            yield Damaged(damage(random, bytearray(told)), told, by)


def _rubbish(random: Random) -> bytes:
    letters = random.choice((None, b"@", b"@#", b"@#\x00\x02\x1e", b"GET / HTTP/1.1\r\n"))
    size = random.randint(1, 90)
    return random.randbytes(size) if letters is None else bytes(random.choices(letters, k=size))


def _bit(random: Random, told: bytearray) -> bytes:
    told[random.randrange(len(told))] ^= 1 << random.randrange(8)
    return bytes(told)


def _bytes(random: Random, told: bytearray) -> bytes:
    for _ in range(random.randint(1, 8)):
        told[random.randrange(len(told))] = random.getrandbits(8)
    return bytes(told)


def _swap(random: Random, told: bytearray) -> bytes:
    one, other = random.randrange(2, len(told)), random.randrange(2, len(told))
    told[one], told[other] = told[other], told[one]
    return bytes(told)


def _short(random: Random, told: bytearray) -> bytes:
    return bytes(told[: random.randrange(1, len(told))])


def _gap(random: Random, told: bytearray) -> bytes:
    start = random.randrange(len(told))
    return bytes(told[:start] + told[start + random.randint(1, 20) :])


def _more(random: Random, told: bytearray) -> bytes:
    start = random.randrange(len(told))
    return bytes(told[:start] + random.choice((b"@", b"@@", b"##", random.randbytes(3))) + told[start:])


def _length(random: Random, told: bytearray) -> bytes:
    told[24], told[25] = random.getrandbits(8), random.choice((0, 0, 1, 2, 3, 4, 255))
    return bytes(told)


def _count(random: Random, told: bytearray) -> bytes:
    """A wrong count of objects, or command, under a right sum."""
    at = random.choice((26, 27, 28)) if len(told) > 30 else 26
    told[at] = random.getrandbits(8)
    told[-3] = sum(told[2:-3]) & 0xFF
    return bytes(told)


_DAMAGES = {
    "bit": _bit,
    "bytes": _bytes,
    "places": _swap,
    "short": _short,
    "gap": _gap,
    "more": _more,
    "length": _length,
    "resummed": _count,
}
