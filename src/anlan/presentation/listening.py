"""The listener for fire alarm transmission devices (GB/T 26875.3-2011 over TCP): it confirms what is kept.

The protocol proves nobody's identity and hides nothing: listen on loopback or in a network of devices, not in the open.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import TracebackType
from typing import Self

from anlan.intake.sensors.gb26875 import Command, Decoder, Frame, Malformed, Reason, confirm, deny, encode
from anlan.intake.sensors.gb26875_contents import DeviceState, PartState, Stamp, SystemState

logger = logging.getLogger(__name__)

Handler = Callable[[Sequence[Frame]], Awaitable[None]]
"""Keeps the frames of several devices and returns once they are committed. It must bear the same frame twice: a device
that was not answered in time sends it again."""

# What one connection can have unanswered, in bytes: as nothing more is read of it meanwhile, a thousand of them that
# flood while the handler is stuck hold some 200 MB.
_PIECE = 8 * 1024
# A device neither commands the centre nor asks it anything.
_NOT_OURS = frozenset({Command.CONTROL, Command.REQUEST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a connection is borne. Times are in seconds."""

    connections: int = 1000
    silence: float = 300  # without one good frame; devices send a heartbeat every half minute or so
    patience: float = 0.5  # before looking for whole frames behind one that does not go on
    rubbish: int = 64 * 1024  # bytes without one good frame among them
    batch: int = 1000  # frames in one call of the handler, or what one connection had at once
    writing: float = 10  # for a device to take its answers
    ending: float = 10  # for what is being handled when the listener is stopped


@dataclass(eq=False, slots=True)
class _Connection:
    """One device, or whoever else called."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    decoder: Decoder = field(default_factory=Decoder)
    reading: asyncio.Task[None] | None = None  # set while it waits for bytes, and may be ended without loss

    @property
    def peer(self) -> str:
        found = self.writer.get_extra_info("peername") or ("?", 0)
        return f"{found[0]}:{found[1]}"

    @property
    def host(self) -> str:
        return str((self.writer.get_extra_info("peername") or ("?", 0))[0])


@dataclass(eq=False, slots=True)
class _Waiting:
    """Frames of one connection on their way to the handler; `kept` tells whether it took them."""

    frames: list[Frame]
    kept: asyncio.Future[bool]


class Listener:
    """Takes frames from any number of devices to one handler, and confirms a frame once the handler has returned.

    A handler that raises leaves its frames unconfirmed, and the devices send them again. Frames of one connection keep
    their order. `moment` gives the local time that answers carry; `spoilt` is told of malformed frames and who sent
    them, and must be quick. Use it as `async with`, or `start` and `stop` it.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        moment: Callable[[], datetime],
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits | None = None,
        spoilt: Callable[[str, Malformed], None] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.malformed: Counter[Reason] = Counter()
        self.closed: Counter[str] = Counter()  # connections that were ended from here: full, silent, rubbish, slow
        self._handler, self._moment, self._asked = handler, moment, (host, port)
        self._spoilt = spoilt
        self._server: asyncio.Server | None = None
        self._worker: asyncio.Task[None] | None = None
        self._stopping = False
        self._open: dict[asyncio.Task[None], _Connection] = {}
        self._fires: deque[_Waiting] = deque()  # the standard wants these before all else
        self._others: deque[_Waiting] = deque()
        self._some = asyncio.Event()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, once started."""
        if self._server is None:
            raise RuntimeError("The listener is not started.")
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    @property
    def connections(self) -> int:
        return len(self._open)

    async def start(self) -> None:
        """Listens from now on. Raises `OSError` where the address is taken."""
        host, port = self._asked
        self._stopping = False
        self._server = await asyncio.start_server(self._called, host, port, limit=_PIECE)
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Takes no more, lets the handler finish what it has, confirms that, and hangs up."""
        if self._server is None or self._worker is None:
            return
        self._stopping = True
        self._server.close()
        for connection in self._open.values():
            if connection.reading is not None:
                connection.reading.cancel()
        if self._open:
            await asyncio.wait(list(self._open), timeout=self.limits.ending)
        for task in [*self._open, self._worker]:
            task.cancel()
        await asyncio.gather(*self._open, self._worker, return_exceptions=True)
        self._server = self._worker = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(reader, writer)
        if self._stopping or len(self._open) >= self.limits.connections:
            self._end("full", connection)
            writer.close()
            return
        task = asyncio.create_task(self._serve(connection))
        self._open[task] = connection
        task.add_done_callback(self._open.pop)

    async def _serve(self, connection: _Connection) -> None:
        """One connection from its beginning to its end."""
        try:
            self._end(await self._converse(connection), connection)
        except TimeoutError:
            self._end("slow", connection)
        except OSError:
            pass  # the device is gone; what it was not answered it will send again
        finally:
            await _hang_up(connection.writer)

    def _end(self, why: str, connection: _Connection) -> None:
        if why:
            self.closed[why] += 1
            counts = ", ".join(f"{reason} {count}" for reason, count in connection.decoder.malformed.items())
            logger.warning("连接被关闭 / Connection closed: %s (%s; %s)", connection.peer, why, counts)

    async def _converse(self, connection: _Connection) -> str:
        """Why the connection was ended from here; empty where the device hung up."""
        now, decoder = asyncio.get_running_loop().time, connection.decoder
        until = now() + self.limits.silence
        while not (self._stopping or connection.reader.at_eof()):
            try:
                found = await self._hear(connection, until - now())
            except TimeoutError:
                return "silent"
            await self._answer(connection, found)
            if any(isinstance(one, Frame) for one in found):
                until = now() + self.limits.silence
            if decoder.skipped > self.limits.rubbish:
                return "rubbish"
        if not self._stopping:
            await self._answer(connection, decoder.finish())
        return ""

    async def _hear(self, connection: _Connection, seconds: float) -> list[Frame | Malformed]:
        """What comes next. Raises `TimeoutError` when that takes longer."""
        decoder = connection.decoder
        if decoder.waiting and seconds > self.limits.patience:
            try:
                return decoder.feed(await self._read(connection, self.limits.patience))
            except TimeoutError:
                if found := decoder.overtake():
                    return found
                seconds -= self.limits.patience
        return decoder.feed(await self._read(connection, seconds))

    async def _read(self, connection: _Connection, seconds: float) -> bytes:
        connection.reading = asyncio.current_task()
        try:
            async with asyncio.timeout(seconds):
                return await connection.reader.read(_PIECE)
        finally:
            connection.reading = None

    async def _answer(self, connection: _Connection, found: Sequence[Frame | Malformed]) -> None:
        """Denies what is broken or not for us at once, and confirms what was sent once it is kept."""
        frames = [replace(one, peer=connection.host) for one in found if isinstance(one, Frame)]
        broken = [one for one in found if isinstance(one, Malformed)]
        self.malformed.update(one.reason for one in broken)
        if self._spoilt is not None:
            for one in broken:
                self._spoilt(connection.host, one)
        foreign = [frame for frame in frames if frame.head.command in _NOT_OURS]
        sent = [frame for frame in frames if frame.head.command == Command.SEND]
        await self._tell(connection, [deny(one, sent=self._now()) for one in broken if one.deniable])
        await self._tell(connection, [deny(one, sent=self._now()) for one in foreign])
        if frames and await self._keep(frames):
            await self._tell(connection, [confirm(one, sent=self._now()) for one in sent])

    def _now(self) -> Stamp:
        return Stamp.of(self._moment())

    async def _tell(self, connection: _Connection, answers: Sequence[Frame]) -> None:
        if answers:
            connection.writer.write(b"".join([encode(answer) for answer in answers]))
            async with asyncio.timeout(self.limits.writing):
                await connection.writer.drain()

    async def _keep(self, frames: list[Frame]) -> bool:
        waiting = _Waiting(frames, asyncio.get_running_loop().create_future())
        (self._fires if any(map(_tells_of_fire, frames)) else self._others).append(waiting)
        self._some.set()
        return await waiting.kept

    async def _work(self) -> None:
        """One batch after the other: what came while one was being kept is kept together next."""
        while True:
            await self._some.wait()
            self._some.clear()
            while batch := self._next():
                await self._hand_over(batch)

    def _next(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        room = self.limits.batch
        for queue in (self._fires, self._others):
            while queue and (not batch or room >= len(queue[0].frames)):
                batch.append(queue.popleft())
                room -= len(batch[-1].frames)
        return batch

    async def _hand_over(self, batch: Sequence[_Waiting]) -> None:
        """Asks the handler for all at once; where it fails, for each connection alone: none spoils another's."""
        together = await self._handled([frame for each in batch for frame in each.frames])
        for each in batch:
            kept = together or (len(batch) > 1 and await self._handled(each.frames))
            if not each.kept.done():
                each.kept.set_result(kept)

    async def _handled(self, frames: Sequence[Frame]) -> bool:
        try:
            await self._handler(frames)
        except Exception:
            logger.exception("%d 个数据包未能保存，等待重发 / Frames were not kept and will be sent again", len(frames))
            return False
        return True


def _tells_of_fire(frame: Frame) -> bool:
    """Also of one that may be a test: that is not for a queue to decide."""
    return any(isinstance(one, PartState | SystemState | DeviceState) and one.state.fire for one in frame.objects)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Closes, after what was written has gone out; a device that takes nothing is not waited for."""
    writer.close()
    try:
        async with asyncio.timeout(1):
            await writer.wait_closed()
    except OSError:  # a timeout among them
        writer.transport.abort()
