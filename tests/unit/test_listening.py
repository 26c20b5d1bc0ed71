"""The listener for fire alarm transmission devices, on real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import pytest

from alarm_frames import AT, alarm, heartbeat
from anlan.intake.sensors.gb26875 import Command, Frame, Reason, deny, encode
from anlan.presentation.listening import Limits, Listener
from device import QUICK, Device, Keeper, call, confirmed, served, until


def test_it_listens_on_this_machine_alone_unless_told_otherwise() -> None:
    async def talk(listener: Listener) -> None:
        assert listener.address[0] == "127.0.0.1"

    served(Keeper(), talk)


def test_a_frame_is_confirmed_once_the_handler_has_returned_and_not_before() -> None:
    committed = asyncio.Event()

    async def handler(frames: Sequence[Frame]) -> None:
        await committed.wait()

    async def talk(listener: Listener) -> None:
        device = await call(listener)
        await device.send(alarm(7))
        assert await device.silence()
        committed.set()
        assert await device.answers() == confirmed(alarm(7))
        await device.close()

    served(handler, talk)


def test_what_the_handler_fails_to_keep_is_not_confirmed_and_is_taken_when_sent_again() -> None:
    keeper, failing = Keeper(), True

    async def handler(frames: Sequence[Frame]) -> None:
        await keeper(frames)
        if failing:
            raise OSError("the disk is full")

    async def talk(listener: Listener) -> None:
        nonlocal failing
        device = await call(listener)
        await device.send(alarm(7))
        assert await device.silence()
        failing = False
        await device.send(alarm(7))
        assert await device.answers() == confirmed(alarm(7))
        assert await device.silence()
        await device.close()

    served(handler, talk)
    assert keeper.frames == [alarm(7), alarm(7)]


def test_devices_at_once_share_a_batch_and_each_gets_its_own_answers_in_order() -> None:
    keeper = Keeper()

    async def handler(frames: Sequence[Frame]) -> None:
        await asyncio.sleep(0.02)
        await keeper(frames)

    async def one(listener: Listener, number: int) -> None:
        device = await call(listener)
        told = [alarm(serial, source=number) for serial in range(10)]
        for frame in told:
            await device.send(frame)
        assert await device.answers(10) == confirmed(*told)
        await device.close()

    async def talk(listener: Listener) -> None:
        await asyncio.gather(*(one(listener, number) for number in range(30)))

    served(handler, talk)
    assert len(keeper.frames) == 300
    assert len(keeper.batches) < 60
    for number in range(30):
        serials = [frame.head.serial for frame in keeper.frames if frame.head.source == number]
        assert serials == list(range(10))


def test_a_batch_is_no_larger_than_declared() -> None:
    keeper = Keeper()

    async def handler(frames: Sequence[Frame]) -> None:
        await asyncio.sleep(0.02)
        await keeper(frames)

    async def talk(listener: Listener) -> None:
        devices = [await call(listener) for _ in range(9)]
        for device in devices:
            await device.send(alarm())
        for device in devices:
            assert await device.answers() == confirmed(alarm())
            await device.close()

    served(handler, talk, limits=Limits(batch=4))
    assert max(map(len, keeper.batches)) <= 4
    assert len(keeper.frames) == 9


def test_a_fire_is_taken_before_everything_that_waits() -> None:
    keeper, free = Keeper(), asyncio.Event()

    async def handler(frames: Sequence[Frame]) -> None:
        await keeper(frames)
        await free.wait()

    async def talk(listener: Listener) -> None:
        devices = [await call(listener) for _ in range(12)]
        for number, device in enumerate(devices):
            await device.send(alarm(number) if number == 11 else heartbeat(number))
            await until(lambda: bool(keeper.batches))
        await asyncio.sleep(0.1)
        free.set()
        for device in devices:
            await device.answers()
            await device.close()

    served(handler, talk, limits=Limits(batch=2))
    assert [frame.head.serial for frame in keeper.frames] == [0, 11, *range(1, 11)]


def test_of_a_device_that_floods_no_more_is_taken_at_once_than_a_piece() -> None:
    keeper = Keeper()

    async def talk(listener: Listener) -> None:
        device, told = await call(listener), [heartbeat(serial) for serial in range(3000)]
        await device.send(*told)
        assert await device.answers(3000) == confirmed(*told)
        await device.close()

    served(keeper, talk)
    assert max(map(len, keeper.batches)) <= 8192 // 30 + 1
    assert len(keeper.frames) == 3000


def test_a_frame_that_cannot_be_kept_does_not_hold_back_other_devices() -> None:
    keeper = Keeper()

    async def handler(frames: Sequence[Frame]) -> None:
        await asyncio.sleep(0.02)
        if any(frame.head.serial == 666 for frame in frames):
            raise ValueError("cannot be kept")
        await keeper(frames)

    async def talk(listener: Listener) -> None:
        bad, *good = [await call(listener) for _ in range(5)]
        for device in (good[0], bad, *good[1:]):
            await device.send(alarm(666 if device is bad else 1))
        for device in good:
            assert await device.answers() == confirmed(alarm(1))
        assert await bad.silence()
        for device in (bad, *good):
            await device.close()

    served(handler, talk)
    assert keeper.frames == [alarm(1)] * 4


def test_a_slow_sender_is_heard_to_the_end() -> None:
    keeper = Keeper()

    async def talk(listener: Listener) -> None:
        device, told = await call(listener), encode(alarm(3))
        for start in range(0, len(told), 20):
            await device.send(told[start : start + 20])
            await asyncio.sleep(2 * QUICK.patience)
        assert await device.answers() == confirmed(alarm(3))
        await device.close()

    assert not served(keeper, talk).malformed
    assert keeper.frames == [alarm(3)]


def test_half_a_frame_and_then_nothing_harms_nobody() -> None:
    keeper = Keeper()

    async def talk(listener: Listener) -> None:
        half, whole = await call(listener), await call(listener)
        await half.send(encode(alarm())[:40])
        await half.close()
        await whole.send(alarm(2))
        assert await whole.answers() == confirmed(alarm(2))
        await whole.close()
        await until(lambda: not listener.connections)

    assert dict(served(keeper, talk).malformed) == {Reason.CUT: 1}
    assert keeper.frames == [alarm(2)]


def test_a_damaged_frame_is_denied_and_confirmed_when_it_comes_whole() -> None:
    keeper, told = Keeper(), bytearray(encode(alarm(9)))
    told[40] ^= 1

    async def talk(listener: Listener) -> None:
        device = await call(listener)
        await device.send(bytes(told))
        assert await device.answers() == [deny(alarm(9), sent=AT)]
        await device.send(alarm(9))
        assert await device.answers() == confirmed(alarm(9))
        await device.close()

    assert dict(served(keeper, talk).malformed) == {Reason.CHECKSUM: 1}
    assert keeper.frames == [alarm(9)]


def test_an_alarm_behind_what_looks_like_a_long_frame_is_not_delayed() -> None:
    async def talk(listener: Listener) -> None:
        device = await call(listener)
        await device.send(b"@@" + bytes(22) + b"\x00\x04\x02", alarm(4))
        assert await device.answers() == confirmed(alarm(4))
        await device.close()

    assert dict(served(Keeper(), talk).malformed) == {Reason.CUT: 1}


def test_an_answer_is_kept_and_not_answered_and_a_command_from_a_device_is_denied() -> None:
    keeper = Keeper()
    answer = Frame(heartbeat(5).head._replace(command=Command.CONFIRM))
    order = Frame(heartbeat(6).head._replace(command=Command.CONTROL))

    async def talk(listener: Listener) -> None:
        device = await call(listener)
        await device.send(answer, order, heartbeat(7))
        assert await device.answers(2) == [deny(order, sent=AT), *confirmed(heartbeat(7))]
        assert await device.silence()
        await device.close()

    served(keeper, talk)
    assert keeper.frames == [answer, order, heartbeat(7)]


def test_who_talks_nothing_but_rubbish_is_hung_up_on() -> None:
    async def talk(listener: Listener) -> None:
        other = await call(listener)
        await other.send(b"GET / HTTP/1.1\r\n" * 100)
        assert await other.hung_up_on()
        await other.close()

    listener = served(Keeper(), talk, limits=Limits(rubbish=1000))
    assert dict(listener.closed) == {"rubbish": 1}


@pytest.mark.parametrize("told", [b"", b"@@" + bytes(22) + b"\x00\x04\x02", b"@"])
def test_who_tells_nothing_whole_for_a_declared_time_is_hung_up_on(told: bytes) -> None:
    async def talk(listener: Listener) -> None:
        device = await call(listener)
        await device.send(heartbeat())
        assert await device.answers() == confirmed(heartbeat())
        before = asyncio.get_running_loop().time()
        writing = asyncio.create_task(dribble(device, told))
        assert await device.hung_up_on()
        assert asyncio.get_running_loop().time() - before < 3
        writing.cancel()
        await device.close()

    listener = served(Keeper(), talk, limits=Limits(silence=0.4, patience=0.05))
    assert dict(listener.closed) == {"silent": 1}


async def dribble(device: Device, told: bytes) -> None:
    for byte in told:
        await device.send(bytes([byte]))
        await asyncio.sleep(0.1)


def test_a_heartbeat_in_time_keeps_the_line_open() -> None:
    async def talk(listener: Listener) -> None:
        device = await call(listener)
        for serial in range(8):
            await device.send(heartbeat(serial))
            assert await device.answers() == confirmed(heartbeat(serial))
            await asyncio.sleep(0.1)
        await device.close()

    assert not served(Keeper(), talk, limits=Limits(silence=0.6)).closed


def test_no_more_connections_than_declared() -> None:
    async def talk(listener: Listener) -> None:
        first, second, third = [await call(listener) for _ in range(3)]
        assert await third.hung_up_on()
        await first.send(alarm())
        assert await first.answers() == confirmed(alarm())
        await first.close()
        await until(lambda: listener.connections == 1)
        fourth = await call(listener)
        await fourth.send(alarm(4))
        assert await fourth.answers() == confirmed(alarm(4))
        for device in (second, third, fourth):
            await device.close()

    assert dict(served(Keeper(), talk, limits=Limits(connections=2)).closed) == {"full": 1}


def test_a_device_that_never_takes_its_answers_is_let_go() -> None:
    async def talk(listener: Listener) -> None:
        assert listener._server is not None
        listener._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # full soon
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(line, listener.address)
        sending = asyncio.create_task(loop.sock_sendall(line, encode(heartbeat()) * 100_000))
        await until(lambda: bool(listener.closed))
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        line.close()

    assert dict(served(Keeper(), talk, limits=Limits(writing=0.2)).closed) == {"slow": 1}


def test_stopping_lets_the_handler_finish_confirms_and_then_hangs_up() -> None:
    begun, committed, keeper = asyncio.Event(), asyncio.Event(), Keeper()

    async def handler(frames: Sequence[Frame]) -> None:
        begun.set()
        await committed.wait()
        await keeper(frames)

    async def talk(listener: Listener) -> None:
        busy, idle = await call(listener), await call(listener)
        await busy.send(alarm(1))
        await begun.wait()
        address, stopping = listener.address, asyncio.create_task(listener.stop())
        assert await idle.hung_up_on()
        with pytest.raises(OSError, match=r"refused|failed"):
            await asyncio.open_connection(*address)
        assert not keeper.frames
        committed.set()
        assert await busy.answers() == confirmed(alarm(1))
        assert await busy.hung_up_on()
        await stopping
        for device in (busy, idle):
            await device.close()

    served(handler, talk)
    assert keeper.frames == [alarm(1)]


def test_stopping_does_not_wait_for_ever() -> None:
    async def handler(frames: Sequence[Frame]) -> None:
        await asyncio.sleep(60)

    async def talk(listener: Listener) -> None:
        device = await call(listener)
        await device.send(alarm(1))
        await asyncio.sleep(0.05)
        async with asyncio.timeout(3):
            await listener.stop()
        assert await device.answers() == []
        await device.close()

    served(handler, talk, limits=Limits(ending=0.1))
