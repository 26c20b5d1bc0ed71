"""From a wire to the database: what devices sent is sorted, and kept with all that follows from it in one transaction.

Whoever listens confirms a message only after `keep` has returned.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import DataError, IntegrityError, transaction

from anlan.casework import alarms
from anlan.intake.sensors import episodes, readings, signals, strays
from anlan.intake.sensors.readings import Unread
from anlan.intake.sensors.roster import Known, Roster
from anlan.intake.sensors.signals import Heard
from anlan.intake.sensors.strays import Lost
from anlan.kernel.text import Text

logger = logging.getLogger(__name__)

THERE_EVERY: Final = timedelta(seconds=15)
"""How often a listener writes down that it is there."""
Message = tuple[str, bytes]
"""What a device sent: its code, as the topic names it, and the payload."""
SPOILT: Final = (ValueError, TypeError, LookupError, ArithmeticError, DataError, IntegrityError)
"""What one message can do to its batch; everything else lies with the database and is tried again."""
ERROR: Final = Text(
    zh="这条消息在保存时出错，已原样留存，请联系维护人员。",
    en="This message failed while it was being kept; it is held as it came. Tell whoever maintains the system.",
)


@dataclass(slots=True)
class Hearing:
    """One listener's memory and counts; used by one thread."""

    wire: str
    roster: Roster = field(default_factory=Roster)
    heard: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    _there_at: datetime | None = None

    def keep(
        self, heard: Sequence[Heard], lost: Sequence[Lost], *, at: datetime,
        counted: Counter[tuple[str, str]] | None = None,
    ) -> None:  # fmt: skip
        """Everything of a batch, committed when this returns. Raises what the database raises, with nothing kept."""
        with transaction.atomic():
            self._be_there(at)
            taken = signals.take(heard, at=at)
            if lost or counted:
                strays.hold(self.wire, lost, at=at, counted=counted)
            alarms.answer(taken.reports, at=at)
        self._there_at = self._there_at if self._is_there(at) else at
        self.heard += taken.new
        self.lost.update(each.reason for each in lost)

    def be_there(self, *, at: datetime) -> None:
        """Nothing came, but somebody listens."""
        if not self._is_there(at):
            with transaction.atomic():
                self._be_there(at)
            self._there_at = at

    def _is_there(self, at: datetime) -> bool:
        return self._there_at is not None and at - self._there_at < THERE_EVERY

    def _be_there(self, at: datetime) -> None:
        if not self._is_there(at):
            episodes.listening(self.wire, at=at)

    def json(self, told: Sequence[Message], *, at: datetime) -> None:
        """Keep JSON messages, by the codes of their devices. One that cannot be kept is held alone, not the others with
        it. Raises `OperationalError` and its like while the database is away.
        """
        try:
            self._json(told, at)
        except SPOILT:
            logger.exception("一批消息保存出错，逐条再试 / A batch failed; each message alone")
            for code, payload in told:
                self._alone(code, payload, at)

    def _alone(self, code: str, payload: bytes, at: datetime) -> None:
        try:
            self._json([(code, payload)], at)
        except SPOILT:
            logger.exception("一条消息保存出错，已留存待核 / A message failed and is held: %s", code)
            self.keep([], [Lost(code, "error", ERROR, shown(payload), urgent=True)], at=at)

    def _json(self, told: Sequence[Message], at: datetime) -> None:
        self.roster.look()
        known = self.roster.by_code(code for code, _ in told)
        heard: list[Heard] = []
        lost: list[Lost] = []
        for code, payload in told:
            device = known[code]
            if device is None or device.retired or device.model is None:
                lost.append(unknown(code, device, shown(payload)))
                continue
            got = readings.read(device.model, payload)
            if isinstance(got, Unread):
                lost.append(Lost(code, got.reason, got.text, shown(payload), device.area_path, urgent=True))
            else:
                words = f"读数 {got.value:g}" if got.value is not None else ""
                heard.append(Heard(device, got, shown(payload), words))
        self.keep(heard, lost, at=at)


def shown(payload: bytes) -> str:
    """The bytes as text that every database keeps."""
    return payload.decode("utf-8", "replace").replace("\x00", "\u2400")


def unknown(source: str, device: Known | None, raw: str, *, urgent: bool = False) -> Lost:
    """A message of a device that is not registered, is retired, or whose model nobody declares."""
    if device is None:
        text = Text(
            zh=f"没有登记编号或地址为 {source} 的设备：请核实后登记，或停掉它。",
            en=f"No device {source} is registered: find out what it is and register it, or stop it.",
        )
        return Lost(source, "unknown", text, raw, urgent=urgent)
    if device.retired:
        text = Text(
            zh=f"设备 {device.code} 已停用，却还在发消息：请核实是否拆错，或重新登记。",
            en=f"The device {device.code} is retired and still sends: check whether the right one was taken down.",
        )
        return Lost(source, "retired", text, raw, device.area_path, urgent=urgent)
    text = Text(
        zh=f"设备 {device.code} 的型号没有声明文件，读不懂它的消息：请补上型号文件。",
        en=f"No file declares the model of the device {device.code}, so it cannot be read: add one.",
    )
    return Lost(source, "model", text, raw, device.area_path, urgent=True)
