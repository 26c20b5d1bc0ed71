"""Frames of GB/T 26875.3-2011, in which fire alarm transmission devices speak to a centre: bytes to values and back.

Pure, and without a clock. Taken from an open transcription of the standard
(github.com/ActorLancer/GB-T-26875.3.2011-rs), checked against a working codec; not compared with the printed text.

    @@ · serial 2 · version 2 · time 6 · source 6 · target 6 · length 2 · command 1 · data 0–1024 · sum 1 · ##

Numbers are little-endian, the bytes of a time are plain binary, the length counts the data alone, and the sum is that
of everything between the start and itself, modulo 256. Such a sum finds every single wrong bit. It does not find two
errors that cancel each other, two bytes that changed places, or one in 256 of wilder damages; and nothing in a frame
proves who sent it. What was accepted is therefore what was received, not what is true.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from struct import Struct, error
from typing import NamedTuple

from anlan.intake.sensors import gb26875_contents as contents
from anlan.intake.sensors.gb26875_contents import Content, Stamp, Unencodable

START, END = b"@@", b"##"
MOST_DATA = 1024
EMPTY = 30
"""The length of a frame without data, in bytes."""
LONGEST = EMPTY + MOST_DATA
_SAMPLE = 64
_LENGTH_AT, _DATA_AT = 24, 27
_HEAD = Struct("<HBB6BIHIHHB")


class Command(IntEnum):
    """What a frame is for. 128 to 255 are the makers' own, any other is unknown."""

    CONTROL = 1
    SEND = 2
    CONFIRM = 3
    REQUEST = 4
    ANSWER = 5
    DENY = 6


OWN = range(128, 256)
_KNOWN = frozenset({*Command, *OWN})
_TELLING = frozenset({Command.CONTROL, Command.SEND, Command.REQUEST, Command.ANSWER})
_ANSWERING = frozenset({Command.CONFIRM, Command.ANSWER, Command.DENY})


class Head(NamedTuple):
    """Who says it to whom, when, and as which number. An answer repeats the number of what it answers."""

    serial: int
    version: int
    user_version: int
    sent: Stamp
    source: int
    target: int
    command: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose sum is right. Without data, `kind` is None: a confirmation, a denial, a heartbeat.

    The standard's text lets answers be empty; a sent frame without data is the makers' heartbeat, by their practice.
    `unread` is data whose layout the standard does not give for a device's way up: makers' own commands and types,
    and whatever comes with a confirmation. `raw` is the frame as it came, and `peer` the network address it came from,
    where a listener has filled it in; they take no part in comparing.
    """

    head: Head
    kind: int | None = None
    objects: tuple[Content, ...] = ()
    unread: bytes = b""
    raw: bytes = field(default=b"", compare=False, repr=False)
    peer: str = field(default="", compare=False, repr=False)


class Reason(StrEnum):
    """Why bytes are no frame."""

    START = "start"  # between two frames stands something that does not begin like one
    LENGTH = "length"  # more data announced than a frame may have
    END = "end"  # no end where the length says
    CUT = "cut"  # the stream ended, or went on with another frame, before the end
    CHECKSUM = "checksum"
    COMMAND = "command"  # an unknown one
    FIT = "fit"  # the data is longer or shorter than its count of objects


@dataclass(frozen=True, slots=True)
class Malformed:
    """`size` bytes that are no frame, of which `raw` keeps a frame's worth or the first few.

    A frame with start and end in place has a `head`, which may be what is damaged.
    """

    reason: Reason
    size: int
    raw: bytes
    head: Head | None = None

    @property
    def deniable(self) -> bool:
        """Whether the standard wants it denied: what is itself an answer is not answered."""
        return self.head is not None and self.head.command not in _ANSWERING


def encode(frame: Frame) -> bytes:
    """The bytes of `frame`. Raises `Unencodable` where a value does not fit."""
    data = frame.unread if frame.kind is None else _identified(frame)
    if len(data) > MOST_DATA:
        raise Unencodable(f"{len(data)} bytes of data; a frame holds {MOST_DATA}.")
    if frame.head.command not in _KNOWN:
        raise Unencodable(f"No receiver knows a command {frame.head.command}.")
    serial, version, user, sent, source, target, command = frame.head
    addresses = (source & 0xFFFFFFFF, source >> 32, target & 0xFFFFFFFF, target >> 32)
    try:
        told = _HEAD.pack(serial, version, user, *sent, *addresses, len(data), command) + data
    except error as wrong:
        raise Unencodable(f"{frame.head}: {wrong}") from wrong
    return START + told + bytes([sum(told) & 0xFF]) + END


def _identified(frame: Frame) -> bytes:
    if frame.kind not in contents.TYPES or frame.unread or len(frame.objects) > 255:
        raise Unencodable(f"Type {frame.kind} with {len(frame.objects)} objects and other data is no frame.")
    return bytes([frame.kind, len(frame.objects)]) + contents.write(frame.kind, frame.objects)


def confirm(frame: Frame, *, sent: Stamp) -> Frame:
    """What tells the sender of `frame` that it arrived and is kept."""
    return Frame(_answer(frame.head, sent, Command.CONFIRM))


def deny(told: Frame | Malformed, *, sent: Stamp) -> Frame:
    """What tells the sender that it must send again. Raises `ValueError` for bytes that have no head."""
    if told.head is None:
        raise ValueError("Without its number nothing can be denied.")
    return Frame(_answer(told.head, sent, Command.DENY))


def _answer(head: Head, sent: Stamp, command: Command) -> Head:
    return head._replace(sent=sent, source=head.target, target=head.source, command=command)


class Decoder:
    """Frames out of a stream of bytes, in whatever pieces it comes; raises on no input and keeps less than one frame.

    Every good frame that is not inside another one is found: after anything malformed, reading goes on at its second
    byte. Every byte is in a `Frame` or in a `Malformed`. However the stream is split, the results are the same.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.malformed: Counter[Reason] = Counter()
        self.skipped = 0  # bytes since the last good frame that are in none
        self._rest = bytearray()
        self._reported = 0  # how many of the next bytes were already reported as malformed
        self._run: Reason | None = None  # a stretch that begins like no frame, reported once it has ended
        self._run_size = 0
        self._run_begin = bytearray()

    @property
    def waiting(self) -> int:
        """Bytes of a frame that has begun."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Frame | Malformed]:
        """What `data` completes."""
        self._rest += data
        return self._read_on()

    def overtake(self) -> list[Frame | Malformed]:
        """What is complete behind a frame that is not, for when nothing more has come for a while.

        Rubbish can look like the beginning of a long frame; an alarm behind it must not wait until that is filled up.
        Where nothing is complete, the beginning stays and may yet be continued. A frame that somebody wrote into the
        data of one that stopped in the middle would be read as well.
        """
        found: list[Frame | Malformed] = []
        while (place := self._next_good()) > 0:
            found += self._read_on(cut=place)
        return found

    def finish(self) -> list[Frame | Malformed]:
        """What is left when the stream has ended."""
        found = self._read_on(cut=LONGEST)
        self._end_run(found)
        return found

    def _next_good(self) -> int:
        """Where in the rest a complete good frame begins; -1 where none does."""
        place = self._rest.find(START)
        while place >= 0 and not isinstance(_at(self._rest, place), Frame):
            place = self._rest.find(START, place + 1)
        return place

    def _read_on(self, *, cut: int = 0) -> list[Frame | Malformed]:
        """Reads until a frame is incomplete that begins at `cut` or later."""
        found: list[Frame | Malformed] = []
        rest, place = self._rest, 0
        while (start := rest.find(START, place)) >= 0:
            self._pass(start, place)
            one = _at(rest, start)
            if one is None and start >= cut:
                place = start
                break
            if isinstance(one, Frame):
                self._end_run(found)
                found.append(one)
                self.frames += 1
                self.skipped = self._reported = 0
                place = start + len(one.raw)
            else:
                self._refuse(one or Malformed(Reason.CUT, 0, b""), found)
                self._pass(start + 1, start)
                place = start + 1
        else:
            # A single @ at the very end may be half of a start.
            stop = len(rest) - (cut < len(rest) > place and rest.endswith(b"@"))
            self._pass(stop, place)
            place = stop
        del rest[:place]
        return found

    def _refuse(self, one: Malformed, found: list[Frame | Malformed]) -> None:
        """Reports a malformed frame at once, where it has its end, or begins a stretch that is reported at its own."""
        if self._reported:
            return
        if one.head is not None:
            self._end_run(found)
            found.append(one)
            self.malformed[one.reason] += 1
            self._reported = one.size
        elif self._run is None:
            self._run = one.reason

    def _pass(self, stop: int, start: int) -> None:
        """Counts the bytes from `start` to `stop` as part of no frame."""
        self.skipped += stop - start
        known = min(self._reported, stop - start)
        self._reported -= known
        start += known
        if start < stop:
            self._run = self._run or Reason.START
            self._run_size += stop - start
            self._run_begin += self._rest[start : min(stop, start + _SAMPLE - len(self._run_begin))]

    def _end_run(self, found: list[Frame | Malformed]) -> None:
        if self._run is not None:
            found.append(Malformed(self._run, self._run_size, bytes(self._run_begin)))
            self.malformed[self._run] += 1
        self._run, self._run_size = None, 0
        self._run_begin.clear()


def _at(rest: bytearray, start: int) -> Frame | Malformed | None:
    """The frame that begins at `start`, or why it is none; None as long as that cannot be said."""
    have = len(rest) - start
    if have < _LENGTH_AT + 2:
        return None
    length = rest[start + _LENGTH_AT] | rest[start + _LENGTH_AT + 1] << 8
    if length > MOST_DATA:
        return Malformed(Reason.LENGTH, 0, b"")
    size = EMPTY + length
    if have < size:
        return None
    raw = bytes(rest[start : start + size])
    if not raw.endswith(END):
        return Malformed(Reason.END, 0, b"")
    head = _head(raw)
    if sum(raw[2:-3]) & 0xFF != raw[-3]:
        return Malformed(Reason.CHECKSUM, size, raw, head)
    if head.command not in _KNOWN:
        return Malformed(Reason.COMMAND, size, raw, head)
    return _told(head, raw)


def _head(raw: bytes) -> Head:
    serial, version, user, *sent, source, source_high, target, target_high, _, command = _HEAD.unpack_from(raw, 2)
    addresses = source | source_high << 32, target | target_high << 32
    return Head(serial, version, user, Stamp(*sent), *addresses, command)


def _told(head: Head, raw: bytes) -> Frame | Malformed:
    data = raw[_DATA_AT:-3]
    if not data:
        return Frame(head, raw=raw)
    if head.command not in _TELLING:
        return Frame(head, unread=data, raw=raw)
    if data[0] not in contents.TYPES:
        return Frame(head, unread=data, raw=raw)
    objects = contents.read(data[0], data[1], data[2:]) if len(data) > 1 else None
    if objects is None:
        return Malformed(Reason.FIT, len(raw), raw, head)
    return Frame(head, kind=data[0], objects=objects, raw=raw)
