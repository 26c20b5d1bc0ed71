"""A transmission device's side of a line to the listener, and a listener to talk to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from alarm_frames import AT
from anlan.intake.sensors.gb26875 import Decoder, Frame, Malformed, confirm, encode
from anlan.presentation.listening import Handler, Limits, Listener

MOMENT = datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)
QUICK = Limits(silence=5, patience=0.05)


class Device:
    """A transmission device's side of the line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.decoder = reader, writer, Decoder()
        self.heard: list[Frame | Malformed] = []

    async def send(self, *told: Frame | bytes) -> None:
        self.writer.write(b"".join(each if isinstance(each, bytes) else encode(each) for each in told))
        await self.writer.drain()

    async def answers(self, count: int = 1) -> list[Frame | Malformed]:
        """The next so many answers; fewer where the centre hangs up first."""
        async with asyncio.timeout(10):
            while len(self.heard) < count and (data := await self.reader.read(65536)):
                self.heard += self.decoder.feed(data)
        found, self.heard = self.heard[:count], self.heard[count:]
        return found

    async def silence(self, seconds: float = 0.15) -> bool:
        """Whether nothing comes for so long."""
        try:
            async with asyncio.timeout(seconds):
                return not await self.reader.read(1)
        except TimeoutError:
            return True

    async def hung_up_on(self) -> bool:
        async with asyncio.timeout(10):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                pass
        return True

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


async def call(listener: Listener) -> Device:
    return Device(*await asyncio.open_connection(*listener.address))


class Keeper:
    """A handler that remembers what it was given."""

    def __init__(self) -> None:
        self.batches: list[Sequence[Frame]] = []

    async def __call__(self, frames: Sequence[Frame]) -> None:
        self.batches.append(frames)

    @property
    def frames(self) -> list[Frame]:
        return [frame for batch in self.batches for frame in batch]


def served(handler: Handler, talk: Callable[[Listener], Awaitable[None]], *, limits: Limits = QUICK) -> Listener:
    """What is left of a listener after `talk`."""

    async def run() -> Listener:
        async with Listener(handler, moment=lambda: MOMENT, limits=limits) as listener:
            await talk(listener)
        assert listener.connections == 0
        return listener

    return asyncio.run(run())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what the listener does on its own tells nobody
            await asyncio.sleep(0.01)


def confirmed(*frames: Frame) -> list[Frame]:
    return [confirm(frame, sent=AT) for frame in frames]
