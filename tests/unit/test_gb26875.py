"""Frames of fire alarm transmission devices (GB/T 26875.3-2011)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alarm_frames import AT, CENTRE, DEVICE, FIRE, OBJECTS, alarm, decoded, head, only, reasons, state
from anlan.intake.sensors import gb26875
from anlan.intake.sensors import gb26875_contents as contents
from anlan.intake.sensors.gb26875 import (
    Command,
    Decoder,
    Frame,
    Malformed,
    Reason,
    confirm,
    deny,
    encode,
)
from anlan.intake.sensors.gb26875_contents import PartState, Stamp, Unencodable
from anlan.intake.sensors.gb26875_states import DeviceActs, DeviceCondition, PartCondition, SystemCondition

# Printed as examples beside the transcription of the standard.
SMOKE = bytes.fromhex(
    "4040 0100 0101 203A091A090C 790300000000 385B01000000 3000 02"
    "02 01  01 01 28 0A000200 0200 202020202020202020202020202020202020202020202020202020202020 00 023A091A090C"
    "46 2323"
)
MAINS = bytes.fromhex("4040 0100 0101 203A091A090C 790300000000 385B01000000 0900 02 15 01 08 023A091A090C 42 2323")
GUARD = bytes.fromhex("4040 0100 0101 203A091A090C 790300000000 385B01000000 0A00 02 18 01 20 01 023A091A090C 5F 2323")
VERSION = bytes.fromhex("4040 0100 0101 203A091A090C 790300000000 385B01000000 0400 02 19 01 01 01 C7 2323")
CLOCK = bytes.fromhex("4040 0100 0101 203A091A090C 790300000000 385B01000000 0800 02 1C 01 023A091A090C 40 2323")
CONFIRMED = bytes.fromhex("4040 0100 0101 233A091A090C 385B01000000 790300000000 0000 03 AB 2323")
DENIED = bytes.fromhex("4040 0100 0101 233A091A090C 385B01000000 790300000000 0000 06 AE 2323")


def summed(told: bytes) -> bytes:
    """The same frame with the right sum for what was changed in it."""
    return told[:-3] + bytes([sum(told[2:-3]) & 0xFF]) + told[-2:]


def test_a_fire_alarm_is_read_byte_by_byte() -> None:
    frame = only(FIRE)
    assert frame == Frame(head(0x0102), 2, (state(5),))
    (part,) = frame.objects
    assert isinstance(part, PartState)
    assert (part.part, part.part_address.zone, part.part_address.number, part.text) == (40, 2, 5, "三楼")
    assert part.at.moment(UTC) == datetime(2026, 11, 22, 8, 15, 29, tzinfo=UTC)
    assert frame.raw == FIRE


def test_a_fire_alarm_is_written_byte_by_byte() -> None:
    assert encode(Frame(head(0x0102), 2, (state(5),))) == FIRE


def test_the_published_examples_are_read() -> None:
    at = Stamp(2, 58, 9, 26, 9, 12)
    smoke = only(SMOKE).objects[0]
    assert isinstance(smoke, PartState)
    assert (smoke.part_address.number, smoke.part_address.zone, smoke.text, smoke.at) == (2, 10, "", at)
    assert only(MAINS).objects == (contents.DeviceState(DeviceCondition(8), at),)
    assert DeviceCondition(8).mains_fault
    assert only(GUARD).objects == (contents.DeviceOperation(DeviceActs(0x20), 1, at),)
    assert DeviceActs(0x20).guard_answered
    assert only(VERSION).objects == (contents.DeviceVersion(1, 1),)
    assert only(CLOCK).objects == (contents.DeviceClock(at),)


def test_the_published_confirmation_and_denial_answer_the_published_alarm() -> None:
    sent = Stamp(0x23, 58, 9, 26, 9, 12)
    assert encode(confirm(only(SMOKE), sent=sent)) == CONFIRMED
    assert encode(deny(only(SMOKE), sent=sent)) == DENIED
    assert only(CONFIRMED).head.command == Command.CONFIRM
    assert only(DENIED).head.command == Command.DENY


def test_the_published_example_of_a_fire_reads_as_a_test_by_the_letter() -> None:
    smoke = only(SMOKE).objects[0]
    assert isinstance(smoke, PartState)
    assert (smoke.state.fire, smoke.state.testing, smoke.state.alarm) == (True, True, False)


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0b0, {"testing"}),
        (0b1, set()),
        (0b10, {"testing", "fire"}),
        (0b11, {"fire", "alarm"}),
        (0b101, {"fault"}),
        (0b1001, {"shielded"}),
        (0b10001, {"supervised"}),
        (0b100001, {"started"}),
        (0b1000001, {"feedback"}),
        (0b10000001, {"delay"}),
        (0b100000001, {"power_fault"}),
    ],
)
def test_a_test_and_a_fire_and_a_fault_are_different_things(bits: int, words: set[str]) -> None:
    names = "testing fire fault shielded supervised started feedback delay power_fault alarm".split()
    assert {name for name in names if getattr(PartCondition(bits), name)} == words


def test_a_system_tells_of_more_than_a_part() -> None:
    names = "mains_fault backup_fault bus_fault manual reconfigured reset".split()
    for number, name in enumerate(names, start=8):
        assert [other for other in names if getattr(SystemCondition(1 | 1 << number), other)] == [name]


def test_a_heartbeat_and_an_answer_have_no_data() -> None:
    for command in (Command.SEND, Command.CONFIRM, Command.DENY):
        told = encode(Frame(head(command=command)))
        assert len(told) == 30
        assert only(told) == Frame(head(command=command))


def test_an_answer_repeats_the_number_and_turns_the_addresses_round() -> None:
    sent = AT._replace(second=31)
    for answer, command in ((confirm(alarm(77), sent=sent), 3), (deny(alarm(77), sent=sent), 6)):
        assert answer == Frame(head(77)._replace(sent=sent, source=CENTRE, target=DEVICE, command=command))


def test_no_object_at_all_is_a_frame_that_tells_nothing() -> None:
    told = encode(Frame(head(), 2, ()))
    assert told[27:29] == b"\x02\x00"
    assert only(told) == Frame(head(), 2, ())


def test_objects_without_a_count_do_not_fit() -> None:
    none = bytearray(FIRE)
    none[28] = 0
    assert reasons(decoded(summed(bytes(none)))) == ["fit"]


@pytest.mark.parametrize(("kind", "count"), [(1, 2), (2, 0), (2, 2), (2, 255), (6, 1), (26, 1), (26, 2), (28, 3)])
def test_data_that_does_not_fit_its_count_is_malformed(kind: int, count: int) -> None:
    told = bytearray(FIRE)
    told[27], told[28] = kind, count
    (found,) = decoded(summed(bytes(told)))
    assert isinstance(found, Malformed)
    assert (found.reason, found.size, found.deniable) == (Reason.FIT, len(FIRE), True)
    assert found.head == only(FIRE).head


def test_data_of_a_single_byte_does_not_fit() -> None:
    told = encode(Frame(head(), unread=b"\xc8"))
    assert only(told).unread == b"\xc8"
    assert reasons(decoded(summed(told[:27] + b"\x02" + told[28:]))) == ["fit"]


@pytest.mark.parametrize("kind", sorted(OBJECTS))
def test_as_many_objects_fit_as_the_standard_allows(kind: int) -> None:
    most, _ = OBJECTS[kind]
    (one,) = contents.read(kind, 1, bytes(_size(kind))) or ()
    assert len(only(encode(Frame(head(), kind, (one,) * most))).objects) == most
    if kind in (1, 2, 3, 4, 7, 24):
        with pytest.raises(Unencodable, match="a frame holds 1024"):
            encode(Frame(head(), kind, (one,) * (most + 1)))


def _size(kind: int) -> int:
    """Bytes of one object: what the standard says, and six for its time where it has one."""
    return {1: 10, 2: 46, 3: 16, 4: 10, 5: 4, 6: 3, 7: 38, 8: 8, 21: 7, 24: 8, 25: 2, 26: 1, 28: 6}[kind]


def test_what_is_not_the_standards_own_is_kept_as_it_came() -> None:
    for foreign in (Frame(head(), unread=b"\xc8\x01any"), Frame(head(command=200), unread=b"\x02")):
        assert only(encode(foreign)) == foreign


@pytest.mark.parametrize("command", [0, 7, 127])
def test_an_unknown_command_is_malformed_and_can_be_denied(command: int) -> None:
    told = bytearray(FIRE)
    told[26] = command
    (found,) = decoded(summed(bytes(told)))
    assert isinstance(found, Malformed)
    assert (found.reason, found.deniable) == (Reason.COMMAND, True)
    assert deny(found, sent=AT).head.serial == 0x0102


def test_each_damage_has_its_reason_and_is_counted() -> None:
    longer = FIRE[:24] + b"\x01\x04" + FIRE[26:]
    damages = {
        "start": b"!" + FIRE[1:],
        "length": longer,
        "end": FIRE[:-1] + b"!",
        "checksum": FIRE[:-3] + b"\xa0##",
        "cut": FIRE[:-1],
    }
    for reason, told in damages.items():
        decoder = Decoder()
        found = decoder.feed(told) + decoder.finish()
        assert reasons(found) == [reason]
        assert dict(decoder.malformed) == {reason: 1}
        assert sum(each.size for each in found if isinstance(each, Malformed)) == len(told)


def test_a_damaged_answer_is_not_answered() -> None:
    for command in (Command.CONFIRM, Command.ANSWER, Command.DENY):
        told = encode(Frame(head(command=command)))
        (found,) = decoded(told[:-3] + bytes([told[-3] ^ 1]) + told[-2:])
        assert isinstance(found, Malformed)
        assert not found.deniable


def test_what_has_no_head_cannot_be_denied() -> None:
    with pytest.raises(ValueError, match="nothing can be denied"):
        deny(Malformed(Reason.START, 3, b"abc"), sent=AT)


def test_a_clock_that_was_never_set_does_not_lose_the_alarm() -> None:
    for stamp in (Stamp(0, 0, 0, 0, 0, 0), Stamp(0, 0, 0, 30, 2, 26), Stamp(60, 0, 0, 1, 1, 26), Stamp(*[255] * 6)):
        frame = only(encode(Frame(head()._replace(sent=stamp), 2, (state(),))))
        assert frame.objects == (state(),)
        assert frame.head.sent.moment(UTC) is None


def test_the_bytes_of_a_time_are_not_decimal_digits_in_pairs() -> None:
    assert Stamp.of(datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)) == AT
    assert FIRE[6:12] == bytes(AT)
    with pytest.raises(Unencodable):
        Stamp.of(datetime(1999, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ("三楼".encode("gb18030"), "三楼"),
        ("三楼".encode("gb18030") + b"   ", "三楼"),
        ("三楼".encode("gb18030") + b"\0left over", "三楼"),
        ("𠮷㐀é".encode("gb18030"), "𠮷㐀é"),
        ("楼".encode("gb18030") + b"\xc8", "楼�"),
        (b"\xff\xff", "��"),
    ],
)
def test_a_text_is_read_however_it_is_filled_up_or_cut_off(told: bytes, text: str) -> None:
    frame = only(summed(FIRE[:38] + told.ljust(31, b"\0") + FIRE[69:]))
    assert [each.text for each in frame.objects if isinstance(each, PartState)] == [text]


@pytest.mark.parametrize(
    "frame",
    [
        Frame(head()._replace(serial=65536)),
        Frame(head()._replace(source=2**48)),
        Frame(head()._replace(target=-1)),
        Frame(head(command=7)),
        Frame(head(), unread=bytes(1025)),
        Frame(head(), 2, (state(text="字" * 16),)),
        Frame(head(), 2, (state(text="\0"),)),
        Frame(head(), 2, (state(text="\ud800"),)),
        Frame(head(), 1, (state(),)),
        Frame(head(), 99, ()),
        Frame(head(), 2, (state(),), unread=b"more"),
        Frame(head(), 6, (contents.SystemSetup(256, 0, ""),)),
        Frame(head(), 25, (contents.DeviceVersion(0, 0),) * 256),
    ],
)
def test_what_does_not_fit_is_not_written(frame: Frame) -> None:
    with pytest.raises(Unencodable):
        encode(frame)


def test_a_frame_may_be_as_full_as_it_can_be_and_no_fuller() -> None:
    full = Frame(head(Command.CONTROL), unread=bytes(gb26875.MOST_DATA))
    assert only(encode(full)).unread == full.unread
    with pytest.raises(Unencodable, match=str(gb26875.MOST_DATA)):
        encode(Frame(head(Command.CONTROL), unread=bytes(gb26875.MOST_DATA + 1)))
