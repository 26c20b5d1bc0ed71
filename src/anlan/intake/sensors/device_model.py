"""The vocabulary of a device model: what one make of device tells, and how it is taken. One file a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue
from anlan.kernel.catalogue import Basis, Catalogue, Declaration, Kind
from anlan.kernel.refusals import Misdeclared, unknown
from anlan.kernel.text import Text

Sort = Literal["smoke", "heat", "gas", "water_pressure", "electrical", "manual", "unit", "panel", "other"]
Told = Literal[
    "alarm", "doubtful", "test", "clear", "fault", "mended", "battery", "normal", "heartbeat", "value"
]  # fmt: skip
SORTS: Final[dict[Sort, Text]] = {
    "smoke": Text(zh="感烟探测器", en="Smoke detector"),
    "heat": Text(zh="感温探测器", en="Heat detector"),
    "gas": Text(zh="可燃气体探测器", en="Gas detector"),
    "water_pressure": Text(zh="消防水压监测", en="Water pressure gauge"),
    "electrical": Text(zh="电气火灾监测", en="Electrical monitor"),
    "manual": Text(zh="手动报警按钮", en="Manual call point"),
    "unit": Text(zh="智安单元", en="Smart-security unit"),
    "panel": Text(zh="用户信息传输装置", en="Transmission device"),
    "other": Text(zh="其他设备", en="Other device"),
}
TOLD: Final[dict[Told, Text]] = {
    "alarm": Text(zh="报警", en="alarm"),
    "doubtful": Text(zh="报警（可能是测试）", en="alarm (possibly a test)"),
    "test": Text(zh="测试", en="test"),
    "clear": Text(zh="报警解除", en="alarm over"),
    "fault": Text(zh="故障", en="fault"),
    "mended": Text(zh="故障恢复", en="fault over"),
    "battery": Text(zh="电量低", en="low battery"),
    "normal": Text(zh="正常", en="normal"),
    "heartbeat": Text(zh="心跳", en="heartbeat"),
    "value": Text(zh="读数", en="reading"),
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Part):
    """What a reading means: outside it is an alarm or a fault; inside by `margin` it is over. In the model's unit."""

    alarm_above: float | None = None
    alarm_below: float | None = None
    fault_above: float | None = None
    fault_below: float | None = None
    margin: float = Field(default=0, ge=0)
    unit: str = ""


class Mqtt(_Part):
    """Where a JSON message says what: dotted paths, a number for the place in a list ("data.0.state").

    `kinds` turns what stands at `kind` into what is told; a word that stands in none is held for a person. A message
    without `kind` that has a `value` is a reading. `at` is read as ISO 8601 or as seconds or milliseconds since 1970.
    """

    kind: str = ""
    kinds: dict[Told, tuple[str, ...]] = {}
    sequence: str = ""
    at: str = ""
    value: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.kind and not self.value:
            raise Misdeclared("kind 和 value 至少写一个", "give kind or value, or both")
        if bool(self.kind) != bool(self.kinds):
            raise Misdeclared("kind 与 kinds 要一起写", "kind and kinds come together")
        words = [word for each in self.kinds.values() for word in each]
        if len(words) != len(set(words)):
            raise Misdeclared("kinds 里同一个词写了两次", "a word stands twice in kinds")
        return self


class Example(_Part):
    """A message as it comes over the wire, and what must be understood; "" = nothing, it is held. Run as a test."""

    payload: str
    tells: Told | Literal[""]
    value: float | None = None
    sequence: int | None = None


class DeviceModel(Declaration):
    """One make of device. Times are in minutes.

    `topic` is what a report of its alarm is about. `test_bit` (GB/T 26875.3): by the letter of the standard bit 0 of a
    state is 0 in a test; "means_test" where this model is known to do so, "means_nothing" where it is known not to;
    where nobody knows, such an alarm is put before a person as possibly a test. `heartbeat` 0: it sends none and never
    falls silent. An alarm is over once it has been told to be over for `clear_after`, or was not repeated for
    `forget_after`. `chatter_times` within `chatter_within`, or `false_times` within `false_days`, make a maintenance
    item. `quantities` (GB/T 26875.3) are the steps of the analogue values it sends, in the unit of `limits`, by the
    quantity's number.
    """

    title: Text
    sort: Sort
    summary: Text | None = None
    topic: str = "fire_alarm"
    test_bit: Literal["means_test", "means_nothing", "unknown"] = "unknown"
    heartbeat: float = Field(default=0, ge=0)
    missed: int = Field(default=2, ge=1)
    clear_after: float = Field(default=10, ge=0)
    forget_after: float = Field(default=1440, gt=0)
    chatter_times: int = Field(default=4, ge=2, le=20)
    chatter_within: float = Field(default=60, gt=0)
    false_times: int = Field(default=3, ge=1)
    false_days: int = Field(default=30, ge=1)
    limits: Limits | None = None
    quantities: dict[str, float] = {}
    mqtt: Mqtt | None = None
    basis: Basis | None = None
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.examples and self.mqtt is None:
            raise Misdeclared("有 examples 就要写 [mqtt]", "examples need [mqtt]")
        if self.mqtt and not self.examples:
            raise Misdeclared("[mqtt] 要有 examples", "[mqtt] needs examples")
        return self

    @property
    def silent_after(self) -> float | None:
        """After how many minutes without a word it counts as silent; None: never."""
        return self.heartbeat * self.missed if self.heartbeat else None


DEVICE_MODELS: Final = Kind("device_models", DeviceModel)


class AlarmRules(Declaration):
    """How alarms are grouped and which sites should be fitted; the file "default" holds, a pack overrides it.

    Alarms of one site and panel within `window` minutes are one case. From `flood_points` points within `flood_seconds`
    on, the case is tagged as a flood. `fitted`: kinds of site, each with the sorts of device it should have.
    """

    title: Text
    window: float = Field(default=30, gt=0)
    flood_points: int = Field(default=20, ge=2)
    flood_seconds: float = Field(default=60, gt=0)
    fitted: dict[str, tuple[Sort, ...]] = {}
    basis: tuple[Basis, ...] = ()


ALARM_RULES: Final = Kind("alarm_rules", AlarmRules)


def all_models() -> dict[str, DeviceModel]:
    """Every declared model by key."""
    return catalogue.current().all(DEVICE_MODELS)


def model(key: str) -> DeviceModel:
    """The model `key`; raises `Undeclared` when no file declares it."""
    return catalogue.current().get(DEVICE_MODELS, key)


def rules() -> AlarmRules:
    """The rules in force."""
    return catalogue.current().get(ALARM_RULES, "default")


def strangers(declared: DeviceModel, known: Catalogue) -> Iterator[tuple[str, Text]]:
    """What a model names that nobody declares."""
    topics = known.all(TOPICS)
    if declared.topic not in topics:
        yield "topic", unknown("类别", "topic", declared.topic, topics)
    for name in declared.quantities:
        if not name.isdigit() or int(name) > 255:
            yield f"quantities.{name}", Text(zh="应是 0 到 255 的数字。", en="Must be a number from 0 to 255.")
