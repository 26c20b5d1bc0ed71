"""What a frame of GB/T 26875.3 tells of a panel and its parts, by their models. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Final, NamedTuple

import orjson

from anlan.intake.sensors.alarms import Standing, means
from anlan.intake.sensors.device_model import DeviceModel, Told
from anlan.intake.sensors.gb26875 import Frame
from anlan.intake.sensors.gb26875_contents import Analogue, Content, DeviceState, PartState, Stamp, SystemState
from anlan.intake.sensors.gb26875_states import DeviceCondition, PartCondition, SystemCondition
from anlan.intake.sensors.readings import Reading, print_of

PANEL: Final = ""
"""The address of the panel itself."""
BUTTONS: Final = frozenset({23})
"""Part types that somebody presses."""
_NEVER: Final = Standing()
_Condition = PartCondition | SystemCondition | DeviceCondition


class Said(NamedTuple):
    """One thing a frame tells: of the part at `address` (`PANEL`: of the panel itself), with the words for a person.

    `part` is the part's type, where one is told.
    """

    address: str
    part: int | None
    reading: Reading
    raw: str
    words: str


def address_of(each: Content) -> str:
    """Where on the panel an object is: system address, zone and number; of a whole system, the system."""
    if isinstance(each, PartState | Analogue):
        return f"{each.address}-{each.part_address.zone}-{each.part_address.number}"
    if isinstance(each, SystemState):
        return f"s{each.system}-{each.address}"
    return PANEL


def tells_of_fire(frame: Frame) -> bool:
    """Whether anything in it tells of a fire, a test or not."""
    return any(isinstance(one, PartState | SystemState | DeviceState) and one.state.fire for one in frame.objects)


def read(frame: Frame, models: dict[str, DeviceModel], *, zone: tzinfo) -> list[Said]:
    """Everything a frame tells; `models` has that of each address in it, `PANEL` among them. `zone` is that of the
    devices' clocks.
    """
    serial, raw = frame.head.serial, frame.raw
    said = []
    for place, each in enumerate(frame.objects):
        address = address_of(each)
        for turn, (kind, value) in enumerate(_told(each, models[address])):
            stamp = getattr(each, "at", None)
            at = stamp.moment(zone) if isinstance(stamp, Stamp) else None
            reading = Reading(kind, serial, at, value, print_of(raw + bytes([place, turn])))
            said.append(Said(address, getattr(each, "part", None), reading, _shown(each), _words(each, value)))
    if not said:
        reading = Reading("heartbeat", serial, frame.head.sent.moment(zone), None, print_of(raw))
        said.append(Said(PANEL, None, reading, raw.hex(), ""))
    return said


def _told(each: Content, model: DeviceModel) -> Iterator[tuple[Told, float | None]]:
    if isinstance(each, Analogue):
        value = each.value * model.quantities.get(str(each.quantity), 1.0)
        declared = str(each.quantity) in model.quantities
        yield (means(value, model.limits, _NEVER) if declared else "value"), value
    elif isinstance(each, PartState | SystemState | DeviceState):
        for kind in condition(each.state, model):
            yield kind, None
    else:
        yield "heartbeat", None


def condition(state: _Condition, model: DeviceModel) -> list[Told]:
    """What a state means. Bit 0 is 0 in a test by the letter of the standard; whether a model keeps to that, its
    declaration says. Where it does not, a fire is never taken for a test: a person is asked.
    """
    testing = state.testing and model.test_bit == "means_test"
    if testing:
        return ["test"]
    fault = state.fault or _other_fault(state)
    if state.fire:
        sure = model.test_bit == "means_nothing" or not state.testing
        return ["alarm" if sure else "doubtful", *(["fault"] if fault else [])]  # type: ignore[list-item]
    return ["clear", "fault"] if fault else ["normal"]


def _other_fault(state: _Condition) -> bool:
    if isinstance(state, PartCondition):
        return state.power_fault
    if isinstance(state, SystemCondition):
        return state.mains_fault or state.backup_fault or state.bus_fault
    return state.mains_fault or state.backup_fault or state.link_fault or state.line_fault


def _shown(each: Content) -> str:
    told = {name: value for name, value in zip(each._fields, each, strict=True) if name != "at"}
    return orjson.dumps({"type": type(each).__name__} | {k: v if isinstance(v, str) else int(v) for k, v in told.items()
                                                         if isinstance(v, str | int)}).decode()  # fmt: skip


def _words(each: Content, value: float | None) -> str:
    if isinstance(each, PartState):
        return f"{each.text or '部件'}（{each.part_address.zone} 区 {each.part_address.number} 号）"
    if isinstance(each, Analogue) and value is not None:
        return f"{each.part_address.zone} 区 {each.part_address.number} 号，读数 {value:g}"
    return f"系统 {each.system}" if isinstance(each, SystemState) else ""
