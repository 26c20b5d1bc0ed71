"""`anlan listen`: takes what devices send. Safe to kill: what was not committed was not confirmed, and comes again."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from typing import Annotated

import typer
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from anlan.kernel import catalogue
from anlan.kernel.text import Refusal
from anlan.presentation import checks, mqtt, parent
from anlan.presentation.gb26875 import Panels
from anlan.presentation.hearing import Hearing
from anlan.presentation.listening import Listener

logger = logging.getLogger(__name__)
app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def listen() -> None:
    """接收设备：MQTT，或 GB/T 26875.3 用户信息传输装置。可以随时中断。

    Listen to devices: MQTT, or transmission devices of GB/T 26875.3. May be stopped at any moment.
    """


@app.command("mqtt")
def listen_mqtt() -> None:
    """接收 MQTT 设备；服务器地址在 ANLAN_MQTT_URL。

    Listen to devices that speak MQTT; the broker's address is in ANLAN_MQTT_URL.
    """
    if not settings.MQTT_URL:
        raise Refusal(
            "没有设置 ANLAN_MQTT_URL，不知道连哪台消息服务器；例如 mqtts://anlan:密码@127.0.0.1:8883。",
            "ANLAN_MQTT_URL is not set; it says which broker, as in mqtts://anlan:password@127.0.0.1:8883.",
        )
    checks.refuse_problems(catalogue.current())
    hearing = Hearing("mqtt")
    where = broker()
    listener = mqtt.Listener(
        where,
        mqtt.clock(lambda told, at: hearing.json(told, at=at), timezone.now),
        idle=lambda: hearing.be_there(at=timezone.now()),
        ready=lambda: typer.echo(f"开始接收 / Listening: {where.host}:{where.port}  {where.topic}"),
    )
    listener.run(stopped())
    typer.echo(f"收到 {hearing.heard} 条。 / {hearing.heard} messages were new.")


@app.command("gb26875")
def listen_gb26875(
    address: Annotated[str, typer.Option(help="监听地址:端口；默认取 ANLAN_GB26875_LISTEN / Address and port")] = "",
) -> None:
    """接收 GB/T 26875.3 用户信息传输装置（TCP）。协议不验身份，也不加密：只在设备专网里使用。

    Listen to transmission devices of GB/T 26875.3 (TCP). The protocol proves nobody: keep it in a network of its own.
    """
    host, port = _address(address or settings.GB26875_LISTEN or "127.0.0.1:5300")
    checks.refuse_problems(catalogue.current())
    panels = Panels(now=timezone.now, zone=timezone.get_default_timezone())
    listener = Listener(panels, moment=timezone.localtime, host=host, port=port, spoilt=panels.spoilt)
    try:
        asyncio.run(_until_stopped(listener, panels, stopped()))
    except OSError as error:
        raise Refusal(
            f"不能在 {host}:{port} 接收（{error.strerror}）。请换一个端口，或停掉占用它的程序。",
            f"Cannot listen on {host}:{port} ({error.strerror}). Choose another port, or stop what uses it.",
        ) from error


async def _until_stopped(listener: Listener, panels: Panels, stop: threading.Event) -> None:
    async with listener:
        host, port = listener.address
        typer.echo(f"开始接收 / Listening: {host}:{port}  GB/T 26875.3")
        while not stop.is_set():
            try:
                await panels.flush()
            except DatabaseError:
                logger.exception("数据库暂不可用 / The database is away")
            for _ in range(10):
                if not stop.is_set():
                    await asyncio.sleep(0.5)
    await panels.flush()


def _address(written: str) -> tuple[str, int]:
    host, _, port = written.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise Refusal(
            f"“{written}”应写成 地址:端口，例如 10.0.0.5:5300。",
            f"“{written}” is written address:port, as in 10.0.0.5:5300.",
        )
    return host.strip("[]"), int(port)


def broker() -> mqtt.Broker:
    """The broker that the settings name."""
    return mqtt.Broker.at(
        settings.MQTT_URL, topic=settings.MQTT_TOPIC, client=settings.MQTT_CLIENT, version=settings.MQTT_VERSION,
        ca=settings.MQTT_CA, certificate=settings.MQTT_CERTIFICATE, key=settings.MQTT_KEY,
    )  # fmt: skip


def stopped() -> threading.Event:
    """Set when this process is asked to end, by a signal or with the one that started it."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parent.end_with_parent()
    return stop
