"""What a device's JSON message says, read by its model's declaration. Pure: no database, no clock."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from math import isfinite
from typing import Any, NamedTuple

import orjson

from anlan.intake.sensors.alarms import Standing, means
from anlan.intake.sensors.device_model import DeviceModel, Mqtt, Told
from anlan.kernel.text import Text

LARGEST = 64 * 1024
"""Bytes of a message; a device that sends more sends something else."""
_SHOWN = 40
_HIGHEST = 2**63 - 1
_MILLISECONDS = 100_000_000_000  # seconds of the year 5138: a larger number counts milliseconds
_NEVER = Standing()


class Reading(NamedTuple):
    """What a message tells. `at` is the device's own moment, if it tells one; `sequence` its own number, if it has one.
    `print` is that of the whole message.
    """

    kind: Told
    sequence: int | None
    at: datetime | None
    value: float | None
    print: int


class Unread(NamedTuple):
    """Why a message cannot be used: a short `reason` to count by, and a sentence."""

    reason: str
    text: Text


def print_of(told: bytes) -> int:
    """63 bits by which the same message is known again."""
    return int.from_bytes(blake2b(told, digest_size=8).digest()) >> 1


def read(model: DeviceModel, payload: bytes) -> Reading | Unread:
    """The message of a device of this model, or why it cannot be used."""
    mqtt = model.mqtt
    if mqtt is None:
        return _unread(
            "model",
            f"型号“{model.title.zh}”没有声明怎样读 JSON 消息，请在型号文件里补上 [mqtt]。",
            f"The model “{model.title.en}” does not declare how JSON messages are read; add [mqtt].",
        )
    if len(payload) > LARGEST:
        return _unread("size", f"消息有 {len(payload)} 字节，太大了。", f"{len(payload)} bytes are too many.")
    try:
        told = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return _unread("json", "不是 JSON，请检查设备的上报格式。", "This is no JSON; check what the device sends.")
    if not isinstance(told, dict):
        return _unread("json", "JSON 的最外层应是一个对象 { }。", "The JSON must be an object { }.")
    return _read(model, mqtt, told, payload)


def _read(model: DeviceModel, mqtt: Mqtt, told: dict[str, Any], payload: bytes) -> Reading | Unread:
    value = _number(_at(told, mqtt.value)) if mqtt.value else None
    kind: Told = "value"
    if mqtt.kind:
        word = _at(told, mqtt.kind)
        meant = _kinds(mqtt).get(_word(word)) if word is not None else "value" if value is not None else None
        if meant is None:
            return _strange(mqtt, word)
        kind = meant
    elif value is None:
        return _unread("value", f"“{mqtt.value}”处没有读数。", f"There is no reading at “{mqtt.value}”.")
    if kind == "value" and value is not None and model.limits is not None:
        kind = means(value, model.limits, _NEVER)
    sequence = _whole(_at(told, mqtt.sequence)) if mqtt.sequence else None
    return Reading(kind, sequence, _moment(_at(told, mqtt.at)) if mqtt.at else None, value, print_of(payload))


def _strange(mqtt: Mqtt, word: Any) -> Unread:
    shown = _word(word)[:_SHOWN] if word is not None else ""
    return _unread(
        "kind",
        f"“{mqtt.kind}”处写的是“{shown}”，型号文件没有声明它是什么意思；请核实后补进 kinds。",
        f"“{shown}” stands at “{mqtt.kind}”, and the model does not declare what it means; add it to kinds.",
    )


def _unread(reason: str, zh: str, en: str) -> Unread:
    return Unread(reason, Text(zh=zh, en=en))


@lru_cache(maxsize=256)
def _kinds_of(kinds: tuple[tuple[Told, tuple[str, ...]], ...]) -> dict[str, Told]:
    return {word: kind for kind, words in kinds for word in words}


_known: dict[int, tuple[Mqtt, dict[str, Told]]] = {}


def _kinds(mqtt: Mqtt) -> dict[str, Told]:
    found = _known.get(id(mqtt))
    if found is None or found[0] is not mqtt:
        found = _known[id(mqtt)] = (mqtt, _kinds_of(tuple(mqtt.kinds.items())))
    return found[1]


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(int(step) if step.isdigit() else step for step in path.split("."))


def _at(told: Any, path: str) -> Any:
    """What stands at a path; None where nothing does."""
    if "." not in path:
        return told.get(path)
    for step in _steps(path):
        if isinstance(told, dict):
            told = told.get(str(step))
        elif isinstance(told, list) and isinstance(step, int) and step < len(told):
            told = told[step]
        else:
            return None
    return told


def _word(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _HIGHEST else None


def _moment(value: Any) -> datetime | None:
    """A moment after 2000 and before 2100; None where the device's clock tells none."""
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return None
        if found.tzinfo is None:
            return None
    else:
        number = _number(value)
        if number is None:
            return None
        number = number / 1000 if abs(number) > _MILLISECONDS else number
        if not 0 <= number < 5_000_000_000:
            return None
        found = datetime.fromtimestamp(number, UTC)
    return found if 2000 <= found.year < 2100 else None


def strangers(model: DeviceModel) -> list[tuple[str, Text]]:
    """The examples of a model that are not read as they say, each with the field and a sentence."""
    found = []
    for number, example in enumerate(model.examples):
        got = read(model, example.payload.encode())
        tells = got.kind if isinstance(got, Reading) else ""
        wrong = tells != example.tells
        if isinstance(got, Reading) and not wrong:
            wrong = (example.value is not None and got.value != example.value) or (
                example.sequence is not None and got.sequence != example.sequence
            )
        if wrong:
            said = got.text if isinstance(got, Unread) else Text(zh=f"读出的是 {got}", en=f"{got} is read")
            found.append((f"examples[{number}]", said))
    return found
