"""Transmission devices of GB/T 26875.3, from the listener into the database: who they are, and what they tell.

A device is known by its registered source address, and let in only from its declared networks: the protocol itself
proves nothing. What it tells of a part that nobody has registered is kept, for the part is then registered with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, tzinfo
from typing import Final

from django.db import Error as DatabaseFailure
from django.db import close_old_connections, transaction

from anlan.intake.models import Device
from anlan.intake.sensors import device_model, devices, gb_reading
from anlan.intake.sensors.device_model import DeviceModel
from anlan.intake.sensors.gb26875 import Frame, Malformed, Reason
from anlan.intake.sensors.gb26875_contents import PartState
from anlan.intake.sensors.roster import Known
from anlan.intake.sensors.signals import Heard
from anlan.intake.sensors.strays import Lost
from anlan.kernel.text import Refusal, Text
from anlan.presentation.hearing import Hearing, unknown

logger = logging.getLogger(__name__)

PART, BUTTON = "gb_part", "gb_button"
"""The models of parts that are registered because their panel speaks of them."""
MOST_PARTS: Final = 5000
"""Of one panel; a panel that speaks of more is not to be believed, and the panel itself is taken for the part."""
SAMPLES: Final = 100
"""Malformed frames that are remembered until they are written down; the others are only counted."""
SPOILT: Final[dict[Reason, Text]] = {
    Reason.START: Text(zh="两个数据包之间有不是数据包的字节。", en="Between two frames stand bytes that are none."),
    Reason.LENGTH: Text(zh="声明的长度超过 1024 字节。", en="More than 1,024 bytes are announced."),
    Reason.END: Text(zh="长度所指之处没有结束符。", en="There is no end where the length says."),
    Reason.CUT: Text(zh="数据包没有说完就断了。", en="The frame was cut off."),
    Reason.CHECKSUM: Text(zh="校验和不符。", en="The checksum is wrong."),
    Reason.COMMAND: Text(zh="命令字节不认识。", en="The command is unknown."),
    Reason.FIT: Text(zh="对象个数与长度不符。", en="The count of objects does not fit the length."),
}


class Panels:
    """The handler of a listener: frames in, and back once they are committed. Its database work has its own thread."""

    def __init__(self, *, now: Callable[[], datetime], zone: tzinfo) -> None:
        self.hearing = Hearing("gb26875")
        self.counted: Counter[tuple[str, str]] = Counter()
        self.samples: list[Lost] = []
        self._now, self._zone = now, zone
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gb26875")

    async def __call__(self, frames: Sequence[Frame]) -> None:
        samples, self.samples = self.samples, []
        counted, self.counted = self.counted, Counter()
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self.keep, frames, samples, counted)
        except Exception:
            self.samples = [*samples, *self.samples][:SAMPLES]
            self.counted += counted
            raise

    async def flush(self) -> None:
        """Write down what was malformed, and that somebody listens, though nothing good came."""
        await self(())

    def spoilt(self, host: str, one: Malformed) -> None:
        """Remember a malformed frame: every one in the count, the first of them as they came."""
        reason = f"frame_{one.reason}"
        if len(self.samples) < SAMPLES:
            self.samples.append(Lost(host, reason, SPOILT[one.reason], one.raw.hex()))
        else:
            self.counted[host, reason] += 1

    def keep(
        self, frames: Sequence[Frame], samples: Sequence[Lost] = (), counted: Counter[tuple[str, str]] | None = None
    ) -> None:
        """Commit what the frames tell. Raises what the database raises; then nothing is kept and nothing confirmed."""
        at = self._now()
        try:
            with transaction.atomic():
                heard, lost = self._sorted(frames, at)
                self.hearing.keep(heard, [*lost, *samples], at=at, counted=counted)
        except DatabaseFailure:
            close_old_connections()
            raise

    def _sorted(self, frames: Sequence[Frame], at: datetime) -> tuple[list[Heard], list[Lost]]:
        self.hearing.roster.look()
        panels = self.hearing.roster.sources(str(frame.head.source) for frame in frames)
        heard: list[Heard] = []
        lost: list[Lost] = []
        for frame in frames:
            panel = panels[str(frame.head.source)]
            urgent = gb_reading.tells_of_fire(frame)
            if panel is None or panel.retired or panel.model is None:
                lost.append(unknown(f"gb-{frame.head.source}", panel, frame.raw.hex(), urgent=urgent))
            elif not devices.may_call(panel.networks, frame.peer):
                lost.append(_foreign(panel, frame, urgent))
            else:
                heard += self._said(panel, panel.model, frame, at)
        return heard, lost

    def _said(self, panel: Known, model: DeviceModel, frame: Frame, at: datetime) -> list[Heard]:
        places = {gb_reading.address_of(each): each for each in frame.objects}
        known = {gb_reading.PANEL: panel}
        parts = self.hearing.roster.parts(panel) if set(places) - {gb_reading.PANEL} else {}
        for address, each in places.items():
            if address != gb_reading.PANEL:
                part = parts.get(address) or self._enter(panel, address, each, len(parts), at)
                known[address] = part
                parts.setdefault(address, part)
        models = {address: part.model or model for address, part in known.items()}
        said = gb_reading.read(frame, models, zone=self._zone)
        return [Heard(known[each.address], each.reading, each.raw, each.words) for each in said]

    def _enter(self, panel: Known, address: str, each: object, count: int, at: datetime) -> Known:
        """A part that nobody has registered, entered where its panel is; the panel itself where that cannot be."""
        if count >= MOST_PARTS:
            return panel
        model = BUTTON if isinstance(each, PartState) and each.part in gb_reading.BUTTONS else PART
        owner = Device.objects.select_related("area", "site").get(pk=panel.id)
        name = each.text.replace("\x00", "")[:60] if isinstance(each, PartState) else ""
        try:
            with transaction.atomic():
                made = devices.register(
                    code=f"{panel.code[:40]}-{address}", model=model, site=owner.site, area=owner.area, name=name,
                    panel=owner, address=address, by=None, at=at,
                )  # fmt: skip
        except Refusal:
            logger.warning("部件未能登记，记到面板上 / A part could not be registered: %s %s", panel.code, address)
            return panel
        part = Known(
            made.pk, made.code, device_model.model(model), panel.id, address, "", False, False, made.area_path, None
        )
        self.hearing.roster.add(panel, part)
        return part


def _foreign(panel: Known, frame: Frame, urgent: bool) -> Lost:
    text = Text(
        zh=f"从 {frame.peer} 来的数据包自称是设备 {panel.code}，但它只允许从 {panel.networks} 来：请核实是谁。",
        en=f"A frame from {frame.peer} says it is the device {panel.code}, which may only call from {panel.networks}: "
        "find out who it is.",
    )
    return Lost(f"gb-{frame.head.source}", "network", text, frame.raw.hex(), panel.area_path, urgent)
