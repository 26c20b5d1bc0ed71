"""Streams of frames, whole, split, damaged and mixed with rubbish."""

from __future__ import annotations

import tracemalloc
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from alarm_frames import FIRE, FRAMES, alarm, decoded, frames, fuzzed, head, heartbeat, only, reasons, state
from anlan.intake.sensors.gb26875 import LONGEST, Decoder, Frame, Malformed, Reason, encode


@given(FRAMES)
def test_any_frame_comes_back_as_it_was(frame: Frame) -> None:
    assert repr(only(encode(frame))) == repr(frame)


@given(st.data())
def test_however_the_stream_is_split_the_same_is_found(data: st.DataObject) -> None:
    pieces = data.draw(st.lists(FRAMES.map(encode) | st.binary(max_size=60), max_size=5))
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder = Decoder()
    found = []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += decoder.feed(stream[start:stop])
    assert found + decoder.finish() == decoded(stream)
    one_by_one = Decoder()
    assert [each for byte in stream for each in one_by_one.feed(bytes([byte]))] + one_by_one.finish() == decoded(stream)


def test_every_single_wrong_bit_of_an_alarm_is_found_and_the_next_frame_too() -> None:
    after = heartbeat(9)
    for number in range(len(FIRE) * 8):
        damaged = bytearray(FIRE)
        damaged[number // 8] ^= 1 << number % 8
        found = decoded(bytes(damaged) + encode(after))
        assert frames(found) == [after], number
        assert reasons(found), number


@given(FRAMES, st.integers(min_value=0))
def test_a_wrong_bit_beside_the_length_never_makes_another_frame(frame: Frame, number: int) -> None:
    told = bytearray(encode(frame))
    place, bit = number // 8 % len(told), number % 8
    told[place] ^= 1 << bit
    if place not in (24, 25):
        assert frames(decoded(bytes(told))) == []


def test_two_errors_that_cancel_each_other_are_beyond_such_a_sum() -> None:
    quiet = Frame(head(), 2, (state(7, condition=0b1),))
    damaged = bytearray(encode(quiet))
    damaged[34] ^= 0b10  # the detector's number
    damaged[36] ^= 0b10  # its fire
    assert only(bytes(damaged)) == Frame(head(), 2, (state(5, condition=0b11),))


@given(
    st.binary(max_size=3000)
    | st.lists(st.sampled_from([b"@", b"@@", b"#", b"##", b"\0", FIRE[:30], FIRE])).map(b"".join)
)
@example(b"@" * 3000)
@example(b"@@" + bytes(22) + b"\x00\x04" + bytes(2000))
def test_no_bytes_raise_and_less_than_a_frame_is_kept(stream: bytes) -> None:
    decoder = Decoder()
    found = decoder.feed(stream)
    assert decoder.waiting < LONGEST
    found += decoder.overtake()
    assert decoder.waiting < LONGEST
    found += decoder.finish()
    assert decoder.waiting == 0
    sizes = [len(each.raw) if isinstance(each, Frame) else each.size for each in found]
    assert sum(sizes) >= len(stream)
    assert all(len(each.raw) <= LONGEST for each in found)


@given(st.binary(max_size=1200), FRAMES)
@example(b"@", alarm())
@example(b"@@" + bytes(22) + b"\x00\x04\x02", alarm())
def test_after_rubbish_the_next_good_frame_is_found(rubbish: bytes, frame: Frame) -> None:
    assert frame in decoded(rubbish + encode(frame))


@given(st.binary(max_size=900), FRAMES)
@example(b"@@" + bytes(22) + b"\x00\x04\x02", alarm())
def test_a_frame_behind_the_false_beginning_of_another_need_not_wait(rubbish: bytes, frame: Frame) -> None:
    decoder = Decoder()
    assert frame in decoder.feed(rubbish + encode(frame)) + decoder.overtake()


def test_a_good_frame_within_the_reach_of_a_bad_one_is_found() -> None:
    for lead in (b"@@" + bytes(22) + (len(FIRE) - 3).to_bytes(2, "little") + b"\x02", b"@", b"@@@", FIRE[:-3]):
        assert frames(decoded(lead + FIRE)) == [only(FIRE)], lead


def test_half_a_start_at_the_end_of_a_piece_is_kept() -> None:
    decoder = Decoder()
    assert decoder.feed(FIRE + FIRE[:1]) == [only(FIRE)]
    assert decoder.feed(FIRE[1:]) == [only(FIRE)]
    assert not decoder.malformed


def test_a_slow_frame_is_not_overtaken_by_nothing() -> None:
    decoder = Decoder()
    assert decoder.feed(FIRE[:50]) == []
    assert decoder.overtake() == []
    assert frames(decoder.feed(FIRE[50:])) == [only(FIRE)]
    assert not decoder.malformed


def test_what_was_overtaken_is_counted_as_cut_off() -> None:
    decoder = Decoder()
    assert decoder.feed(b"@@" + bytes(22) + b"\x00\x04\x02" + FIRE + FIRE + b"@") == []
    assert frames(decoder.overtake()) == [only(FIRE)] * 2
    assert dict(decoder.malformed) == {Reason.CUT: 1}
    assert frames(decoder.feed(FIRE[1:])) == [only(FIRE)]


def test_a_frame_in_the_text_of_a_frame_is_text() -> None:
    inner = encode(heartbeat())
    assert len(inner) <= 31
    frame = Frame(head(command=200), unread=inner)
    assert decoded(encode(frame)) == [frame]


def test_a_stretch_of_rubbish_is_told_once_with_its_size_and_its_beginning() -> None:
    rubbish = b"GET / HTTP/1.1\r\nHost: somewhere\r\n\r\n" * 100
    decoder = Decoder()
    assert decoder.feed(rubbish) == []
    assert decoder.skipped == len(rubbish)
    told, fire = decoder.feed(FIRE)
    assert told == Malformed(Reason.START, len(rubbish), rubbish[:64])
    assert fire == only(FIRE)
    assert decoder.skipped == 0


def test_twenty_thousand_damaged_frames_do_no_harm() -> None:
    decoder, good, seen = Decoder(), encode(alarm()), 0
    damaged = list(fuzzed(Random(26875), 20_000))  # noqa: S311 - the same each time
    try:
        for number, (told, _, _) in enumerate(damaged):
            if number == 17_000:  # counting what is kept makes everything slow
                tracemalloc.start()
            found = decoder.feed(told + good if number % 10 == 0 else told)
            if number % 100 == 0:
                found += decoder.overtake()
            seen += sum(each.raw == good for each in found)
        found = decoder.finish()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen + sum(each.raw == good for each in found) == 2_000
    assert kept < 100_000
    assert set(decoder.malformed) == set(Reason)
