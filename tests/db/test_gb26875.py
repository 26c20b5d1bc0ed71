"""Transmission devices of GB/T 26875.3 in the database: parts, states, tests that may be none, and who calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from alarm_frames import fuzzed, head, heartbeat, some, state
from anlan.casework.models import Case, Notice
from anlan.intake.models import Device, Episode, Quarantined, Signal, Stray
from anlan.intake.sensors import devices, strays
from anlan.intake.sensors.device_model import DEVICE_MODELS
from anlan.intake.sensors.gb26875 import Decoder, Frame, Malformed, encode
from anlan.intake.sensors.gb26875_contents import Analogue, DeviceState, PartAddress, Stamp, SystemState
from anlan.intake.sensors.gb26875_states import DeviceCondition, SystemCondition
from anlan.kernel import catalogue
from anlan.presentation.gb26875 import Panels
from world import SHANGHAI, World, world

SOURCE = 77
FIRE, SURE = 0b10, 0b11


@pytest.fixture
def town() -> World:
    made = world()
    devices.register(code="panel", model="gb_panel", site=made.site, address=str(SOURCE), by=None, at=made.at)
    return made


class Line:
    """A listener's handler with a clock of its own, and frames as a decoder gives them."""

    def __init__(self, town: World) -> None:
        self.at = town.at
        self.panels = Panels(now=lambda: self.at, zone=SHANGHAI)

    def hear(self, *told: Frame, peer: str = "10.1.2.3", minutes: float = 0) -> None:
        self.at += timedelta(minutes=minutes)
        stamped = [replace(each, head=each.head._replace(sent=Stamp.of(self.at.astimezone(SHANGHAI)))) for each in told]
        decoder = Decoder()
        frames = [one for each in stamped for one in decoder.feed(encode(each)) if isinstance(one, Frame)]
        assert len(frames) == len(told)
        self.panels.keep([replace(frame, peer=peer) for frame in frames])


@pytest.fixture
def line(town: World) -> Line:
    return Line(town)


def part(number: int, condition: int, *, serial: int = 1, kind: int = 40, at: datetime | None = None) -> Frame:
    told = state(number, condition=condition)._replace(part=kind)
    return Frame(head(serial, source=SOURCE), 2, (told,))


def test_a_fire_that_may_be_a_test_is_put_before_a_person_and_says_so(line: Line) -> None:
    line.hear(part(5, FIRE))
    case = Case.objects.get()
    assert "可能是测试" in case.title
    assert (case.step, Notice.objects.count()) == ("alarmed", 2)
    assert Episode.objects.get().trouble == "doubtful"


def test_a_fire_with_bit_0_set_is_an_alarm_though_a_doubtful_one_stands(line: Line) -> None:
    line.hear(part(5, FIRE))
    line.hear(part(5, SURE, serial=2), minutes=1)
    assert list(Episode.objects.order_by("began_at").values_list("trouble", flat=True)) == ["doubtful", "alarm"]
    assert Case.objects.get().reports_count == 2


def test_a_model_that_is_known_to_mean_it_opens_nothing_in_a_test(line: Line, tmp_path: Path) -> None:
    declared = catalogue.current().origin(DEVICE_MODELS, "gb_part").read_text("utf-8")
    folder = tmp_path / "pack/device_models"
    folder.mkdir(parents=True)
    (folder / "gb_part.toml").write_text(
        declared.replace("clear_after", 'test_bit = "means_test"\nclear_after'), "utf-8"
    )
    with catalogue.using([tmp_path / "pack"]):
        line.hear(part(5, FIRE))
        assert (Case.objects.count(), Signal.objects.get().kind) == (0, "test")
        line.hear(part(5, SURE, serial=2), minutes=1)
        assert Case.objects.count() == 1


def test_parts_are_registered_with_their_panel_and_are_one_case(line: Line, town: World) -> None:
    line.hear(Frame(head(1, source=SOURCE), 2, tuple(state(n, condition=SURE) for n in range(20))))
    line.hear(part(99, SURE, serial=2, kind=23), minutes=1)
    parts = Device.objects.filter(panel__code="panel")
    assert parts.count() == 21
    assert {each.site_id for each in parts} == {town.site.pk}
    assert parts.get(address__endswith="-99").model == "gb_button"
    case = Case.objects.get()
    assert case.reports_count == 21
    assert case.by_devices.flood_at is not None
    assert "手动报警按钮" in Notice.objects.order_by("-at", "-id")[0].text_zh
    line.hear(part(99, 1, serial=3), part(99, SURE, serial=4), minutes=1)
    assert Case.objects.get().reports_count == 21


def test_the_same_frame_again_is_kept_once(line: Line) -> None:
    line.hear(part(5, SURE))
    line.hear(part(5, SURE))
    assert (Signal.objects.count(), Episode.objects.count()) == (1, 1)


def test_faults_of_parts_systems_and_the_device_are_one_thing_to_mend(line: Line) -> None:
    at = Stamp.of(line.at.astimezone(SHANGHAI))
    line.hear(
        part(5, 0b101),
        Frame(head(2, source=SOURCE), 1, (SystemState(1, 0, SystemCondition(1 | 1 << 8), at),)),
        Frame(head(3, source=SOURCE), 21, (DeviceState(DeviceCondition(1 | 1 << 3), at),)),
        heartbeat(4, source=SOURCE),
    )
    case = Case.objects.get()
    assert (case.procedure, case.reports_count) == ("device_upkeep", 3)
    assert Notice.objects.count() == 0
    line.hear(part(5, 1, serial=5), minutes=1)
    assert Episode.objects.filter(ended_at=None).count() == 2


def test_a_reading_is_kept_with_its_value(line: Line) -> None:
    at = Stamp.of(line.at.astimezone(SHANGHAI))
    line.hear(Frame(head(1, source=SOURCE), 3, (Analogue(11, 1, 91, PartAddress(7), 4, 320, at),)))
    assert (Signal.objects.get().kind, Signal.objects.get().value) == ("value", 320)


def test_a_stranger_and_one_from_a_wrong_network_are_held_and_open_no_case(line: Line, town: World) -> None:
    devices.change(Device.objects.get(code="panel"), networks="10.1.0.0/16", by=None, at=town.at)
    line.hear(part(5, SURE), peer="192.168.0.9")
    stranger = Frame(head(2, source=1234), 2, (state(5, condition=SURE),))
    line.hear(stranger)
    line.hear(stranger)
    assert Case.objects.count() == Signal.objects.count() == 0
    held = {each.reasons[0]["field"]: each for each in Quarantined.objects.all()}
    assert set(held) == {"network", "unknown"}
    assert "192.168.0.9" in held["network"].reasons[0]["zh"]
    assert held["network"].area_path == town.grid.path
    assert Stray.objects.get(reason="unknown").count == 2
    line.hear(part(5, SURE, serial=9))
    assert Case.objects.count() == 1


def test_twenty_thousand_damaged_frames_are_counted_to_the_last_and_few_are_kept(line: Line) -> None:
    decoder, spoilt = Decoder(), 0
    for number, one in enumerate(fuzzed(Random(5), 20_000)):  # noqa: S311 - found again by its seed
        for each in decoder.feed(one.told):
            if isinstance(each, Malformed):
                line.panels.spoilt("10.9.9.9", each)
                spoilt += 1
        if number % 2000 == 0:
            samples, line.panels.samples = line.panels.samples, []
            counted, line.panels.counted = line.panels.counted, type(line.panels.counted)()
            line.panels.keep([], samples, counted)
    line.panels.keep([], line.panels.samples, line.panels.counted)
    rows = Stray.objects.filter(source="10.9.9.9")
    assert sum(rows.values_list("count", flat=True)) == spoilt > 5000
    assert Quarantined.objects.count() <= 7 * strays.OF_ONE
    assert all(each.reasons[0]["zh"] for each in Quarantined.objects.all()[:20])


def test_every_frame_that_is_no_rubbish_can_be_read_by_the_default_models(line: Line) -> None:
    """Whatever good frames a device sends, from whichever part: nothing raises."""
    random = Random(7)  # noqa: S311 - found again by its seed
    told = [some(random) for _ in range(300)]
    told = [replace(each, head=each.head._replace(source=SOURCE)) for each in told]
    line.hear(*told)
    assert Signal.objects.count() >= 300
    assert Device.objects.filter(panel__code="panel").count() > 10
