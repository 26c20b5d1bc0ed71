"""(f) A million damaged frames of fire alarm devices, how fast good ones are read, and how fast they are confirmed."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from alarm_frames import Damaged, alarm, fuzzed, head, state
from anlan.intake.sensors.gb26875 import Decoder, Frame, encode
from anlan.presentation.listening import Listener
from benchmarks.rows import Row, row, timed, told

DAMAGED, FEW = 1_000_000, 20_000
EVERY = 10  # damaged frames to one good one
QUIET = 100  # damaged frames to one pause in which the decoder looks behind an unfinished frame
DEVICES = 20
NOTHING = "–"  # no database takes part


def run(*, small: bool) -> list[Row]:
    """The seed is fixed, so that whatever is found can be found again."""
    count = FEW if small else DAMAGED
    return [*_damaged(count), *_good(count // 20), *_confirmed(count // 50)]


def _damaged(count: int) -> list[Row]:
    """Everything through one decoder, as if one line had carried it all."""
    decoder, good = Decoder(), encode(alarm())
    ways, believed, recent = Counter[str](), Counter[str](), deque[Damaged](maxlen=200)
    found, slowest, processor, waiting, memory = 0, 0.0, 0.0, 0, [0]
    for number, one in enumerate(fuzzed(Random(26875), count)):
        before = time.thread_time()
        results = decoder.feed(one.told if number % EVERY else one.told + good)
        if number % QUIET == 0:
            results += decoder.overtake()
        spent = time.thread_time() - before
        slowest, processor, waiting = max(slowest, spent), processor + spent, max(waiting, decoder.waiting)
        found += sum(each.raw == good for each in results)
        ways[one.by] += 1
        recent.append(one)
        believed.update(_maker(each.raw, recent) for each in results if isinstance(each, Frame) and each.raw != good)
        if number % (count // 10) == count // 20:
            memory.append(_resident())
    lost = -(-count // EVERY) - found - sum(each.raw == good for each in decoder.finish())
    kinds = ", ".join(f"{reason} {number:,}" for reason, number in sorted(decoder.malformed.items()))
    return [
        row("f", "Damaged frames read without harm", NOTHING, [count], "", note=kinds),
        row("f", "Good frames among them that were lost", NOTHING, [lost], "", at_most=0, note=f"of {found + lost:,}"),
        row("f", "Frames that nobody sent, of several pieces", NOTHING, [believed["several"]], ""),
        _passed("One wrong bit", ways["bit"], believed["bit"]),
        _passed("One to eight wrong bytes", ways["bytes"], believed["bytes"]),
        _passed("Two bytes that changed places", ways["places"], believed["places"]),
        row("f", "Memory, from 5 % to 95 % of the run", NOTHING, [(memory[-1] - memory[1]) / 1024], "MB", at_most=1,
            note=f"{memory[1] / 1024:.1f} MB, then {memory[-1] / 1024:.1f} MB; at most {waiting:,} bytes kept"),
        row("f", "The slowest piece, processor time", NOTHING, [slowest * 1e3], "ms", at_most=50),
        row("f", "Damaged frames a second, processor time", NOTHING, [count / processor], "a second"),
    ]  # fmt: skip


def _maker(raw: bytes, recent: Iterable[Damaged]) -> str:
    """The damage that made this frame; none where it was sent as it is. A frame may have waited for later pieces."""
    if any(raw == each.made_of for each in recent):
        return ""
    return next((each.by for each in recent if raw in each.told), "several")


def _passed(how: str, damaged: int, believed: int) -> Row:
    """The share of damages that made a frame which nobody sent."""
    share = [believed / damaged * 100]
    return row("f", f"{how}: passed the sum", NOTHING, share, "%", note=f"{believed:,} of {damaged:,}")


def _resident() -> int:
    """The memory this process has now, in kB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def _good(count: int) -> list[Row]:
    """Frames of two parts each, in pieces as a socket gives them."""
    stream = encode(Frame(head(), 2, (state(1), state(2)))) * count
    walls, processors = [], []
    for _ in range(5):
        decoder = Decoder()
        with timed() as spent:
            read = sum(len(decoder.feed(stream[start : start + 65536])) for start in range(0, len(stream), 65536))
        assert read == decoder.frames == count
        walls.append(count / spent.wall)
        processors.append(count / spent.processor)
    return [
        row("f", "Good frames a second", NOTHING, walls, "a second", note="two parts each"),
        row("f", "Good frames a second, processor time", NOTHING, processors, "a second"),
    ]


def _confirmed(count: int) -> list[Row]:
    """Devices in the same process send a frame, wait for its confirmation, and send the next."""
    seconds = asyncio.run(_conversations(count // DEVICES))
    note = f"{DEVICES} devices in the same process, one frame at a time each, a handler that keeps nothing"
    return [row("f", "Frames confirmed a second, on loopback", NOTHING, [count / seconds], "a second", note=note)]


async def _conversations(count: int) -> float:
    async def handler(frames: Sequence[Frame]) -> None: ...

    async with Listener(handler, moment=lambda: datetime.now(UTC)) as listener:
        before = time.perf_counter()
        await asyncio.gather(*(_converse(listener, number, count) for number in range(DEVICES)))
        return time.perf_counter() - before


async def _converse(listener: Listener, source: int, count: int) -> None:
    reader, writer = await asyncio.open_connection(*listener.address)
    for serial in range(count):
        writer.write(encode(alarm(serial & 0xFFFF, source=source)))
        answer = await reader.readexactly(30)
        assert answer[2:4] == (serial & 0xFFFF).to_bytes(2, "little")
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    told(run)
