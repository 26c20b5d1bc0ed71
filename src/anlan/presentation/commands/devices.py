"""`anlan devices`: the register of devices from the command line, and what a broker must know of it."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer
from django.conf import settings
from django.utils import timezone

from anlan.intake.models import Device
from anlan.intake.sensors import broker, device_model, devices, rabbit
from anlan.intake.sensors.broker import Listens
from anlan.kernel.text import Refusal
from anlan.places import sites
from anlan.presentation.commands.serve import prepare

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
Code = Annotated[str, typer.Argument(help="设备编号 / Number of the device")]


class Kind(StrEnum):
    """A broker that the files are for."""

    MOSQUITTO = "mosquitto"
    RABBITMQ = "rabbitmq"


@app.callback()
def devices_() -> None:
    """设备：登记、发密码、列出，并写出消息服务器的密码和权限文件。

    Devices: register, give a password, list, and write the broker's password and rights files.
    """


@app.command("add")
def add(
    code: Code,
    model: Annotated[str, typer.Option(help="型号 / Model")],
    site: Annotated[str, typer.Option(help="场所编号 / Code of the site")],
    name: Annotated[str, typer.Option(help="装在哪里 / Where it hangs")] = "",
    panel: Annotated[str, typer.Option(help="所在面板的编号 / The panel it hangs on")] = "",
    address: Annotated[str, typer.Option(help="面板上的地址，或装置的源地址 / Its address")] = "",
    networks: Annotated[str, typer.Option(help="允许的网段 / Networks it may call from")] = "",
) -> None:
    """登记一台设备。

    Register a device.
    """
    prepare()
    hangs_on = _found(panel) if panel else None
    made = devices.register(
        code=code, model=model, site=sites.find(site), name=name, panel=hangs_on, address=address, networks=networks,
        by=None, at=timezone.now(),
    )  # fmt: skip
    typer.echo(f"{made.code}  {device_model.model(model).title.zh}  {made.area.name_zh}")


@app.command("password")
def password(code: Code) -> None:
    """给设备发一个新密码，只显示这一次；旧密码随下一次写出密码文件失效。

    Give a device a new password, shown this once; the old one ends when the password file is next written.
    """
    prepare()
    typer.echo(devices.issue_secret(_found(code), by=None, at=timezone.now()))


@app.command("list")
def list_() -> None:
    """列出在用的设备。

    List the devices in service.
    """
    prepare()
    rows = Device.objects.filter(retired_date=None).order_by("code").select_related("site")
    for device in rows:
        heard = timezone.localtime(device.heard_at).strftime("%Y-%m-%d %H:%M") if device.heard_at else "–"
        typer.echo(f"{device.code:<24}{device.model:<18}{heard:<18}{device.site.name if device.site else ''}")


@app.command("broker")
def write_broker(
    folder: Annotated[Path, typer.Argument(help="写到哪个文件夹 / Folder to write into")],
    port: Annotated[int, typer.Option(min=1, max=65535, help="端口 / Port")] = 8883,
    address: Annotated[str, typer.Option(help="只在这个地址上接收 / Listen on this address only")] = "",
    ca: Annotated[str, typer.Option(help="签发机构证书 / Certificate authority")] = "",
    certificate: Annotated[str, typer.Option(help="服务器证书 / The broker's certificate")] = "",
    key: Annotated[str, typer.Option(help="服务器私钥 / The broker's key")] = "",
    kind: Annotated[Kind, typer.Option(help="哪一种服务器 / Which broker")] = Kind.MOSQUITTO,
) -> None:
    """写出 Mosquitto 或 RabbitMQ 的密码、权限和配置文件；账号和密码取自 ANLAN_MQTT_URL 和设备登记。

    Write the password, rights and configuration files of Mosquitto or RabbitMQ, from ANLAN_MQTT_URL and the register.
    """
    prepare()
    parts = urlsplit(settings.MQTT_URL)
    if not parts.username or not parts.password:
        raise Refusal(
            "请先在 ANLAN_MQTT_URL 里写上监听用的账号和密码，例如 mqtts://anlan:一串长密码@127.0.0.1:8883。",
            "Put the listener's name and password into ANLAN_MQTT_URL first: mqtts://anlan:a-long-one@127.0.0.1:8883.",
        )
    folder, listener = folder.resolve(), (unquote(parts.username), unquote(parts.password))
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    listens = Listens(
        port=port, address=address, folder=str(folder), data=str(data), ca=ca, certificate=certificate, key=key
    )
    if kind is Kind.RABBITMQ:
        _rabbit(folder, listener, listens)
    else:
        data.mkdir(exist_ok=True)
        _mosquitto(folder, listener, listens)


def _mosquitto(folder: Path, listener: tuple[str, str], listens: Listens) -> None:
    _write(folder / broker.PASSWORDS, broker.passwords(listener))
    _write(folder / broker.RIGHTS, broker.rights(listener[0], settings.MQTT_TOPIC))
    _write(folder / broker.CONFIGURATION, broker.configuration(listens))
    typer.echo(f"mosquitto -c {folder / broker.CONFIGURATION}")


def _rabbit(folder: Path, listener: tuple[str, str], listens: Listens) -> None:
    known = rabbit.definitions(listener, settings.MQTT_TOPIC)
    _write(folder / rabbit.DEFINITIONS, known)
    _write(folder / rabbit.CONFIGURATION, rabbit.configuration(listens))
    _write(folder / rabbit.PLUGINS, rabbit.plugins())
    _write(folder / rabbit.ENVIRONMENT, rabbit.environment())
    if old := rabbit.unknown():
        typer.echo(
            f"这些设备的密码早于 RabbitMQ 的支持，要重新发密码才能进来：{'、'.join(old)} / "
            f"The passwords of these devices are older than what RabbitMQ needs; give them new ones: {', '.join(old)}",
            err=True,
        )
    typer.echo(f"rabbitmqctl import_definitions {folder / rabbit.DEFINITIONS}")


def _write(path: Path, text: str) -> None:
    """Readable by its owner alone, and whole or not at all."""
    made = path.with_suffix(".new")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    made.replace(path)


def _found(code: str) -> Device:
    device = Device.objects.select_related("area").filter(code=code).first()
    if device is None:
        raise devices.NoDevice(code)
    return device
