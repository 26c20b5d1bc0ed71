"""The devices that a listener has met, kept in memory until one of them changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from anlan.intake.models import Device, Roll
from anlan.intake.sensors import devices
from anlan.intake.sensors.device_model import DeviceModel

MOST: Final = 500_000
"""So many are kept; then it begins again, so that memory has an end."""


@dataclass(slots=True)
class Known:
    """A device as a listener remembers it, until the roll is renewed."""

    id: int
    code: str
    model: DeviceModel | None
    panel: int | None
    address: str
    networks: str
    retired: bool
    troubled: bool
    area_path: str
    heard_at: datetime | None


class Roster:
    """The devices a listener has met, by code, or by (panel, address); read again when any of them has changed."""

    def __init__(self) -> None:
        self._stamp: int | None = None
        self._known: dict[Any, Known | None] = {}

    def look(self) -> None:
        """Once a batch: forget everything if something has changed."""
        stamp = Roll.objects.filter(pk=1).values_list("stamp", flat=True).first()
        if stamp != self._stamp or len(self._known) > MOST:
            self._known.clear()
            self._stamp = stamp

    def by_code(self, codes: Iterable[str]) -> dict[str, Known | None]:
        """The devices with these codes; None where there is none."""
        wanted = set(codes)
        if missing := [code for code in wanted if code not in self._known]:
            found = {known.code: known for known in _known(Device.objects.filter(code__in=missing))}
            self._known |= {code: found.get(code) for code in missing}
        return {code: self._known[code] for code in wanted}

    def sources(self, addresses: Iterable[str]) -> dict[str, Known | None]:
        """The transmission devices with these source addresses."""
        wanted = {(None, address) for address in addresses}
        if missing := [key for key in wanted if key not in self._known]:
            told = Device.objects.filter(panel=None, address__in=[address for _, address in missing])
            found = {(None, known.address): known for known in _known(told)}
            self._known |= {key: found.get(key) for key in missing}
        return {address: self._known[None, address] for _, address in wanted}

    def parts(self, panel: Known) -> dict[str, Known]:
        """Every part of a panel, by its address on it."""
        key = ("parts", panel.id)
        if key not in self._known:
            for known in _known(Device.objects.filter(panel=panel.id)):
                self._known[panel.id, known.address] = known
            self._known[key] = None
        return {
            place[1]: known for place, known in self._known.items()
            if isinstance(place, tuple) and place[0] == panel.id and known is not None
        }  # fmt: skip

    def add(self, panel: Known, part: Known) -> None:
        self._known[panel.id, part.address] = part


_COLUMNS: Final = (
    "pk", "code", "model", "panel", "address", "networks", "retired_date", "heard_at", "area_path", "alarm", "fault_at",
    "battery_at", "silent_at", "chatter_at",
)  # fmt: skip


def _known(found: Any) -> Iterator[Known]:
    for pk, code, model, panel, address, networks, retired, heard_at, path, *trouble in found.values_list(*_COLUMNS):
        declared = devices.model_of(model)
        yield Known(pk, code, declared, panel, address, networks, retired is not None, any(trouble), path, heard_at)
