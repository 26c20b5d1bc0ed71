"""The pages of docs/howto are followed literally: one new file, their own commands, and the thing is used for real."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from PIL import Image

from anlan.casework import cases, triage
from anlan.casework.acts import NotAllowed
from anlan.casework.cases import Doing
from anlan.casework.models import Case
from anlan.index.editions import edition
from anlan.intake import photos, reports, signing
from anlan.intake.channel import CHANNELS, paths
from anlan.intake.models import Photo, Report
from anlan.intake.topic import TOPICS, propose
from anlan.intake.wire import Signature, messages, parse
from anlan.kernel import catalogue
from anlan.presentation import checks, followers
from howto import HOWTO, ROOT, Page, follow, in_order, page, promised, shell
from installation import Installation
from world import World, world

PAGES = (
    "add-a-procedure",
    "add-a-topic",
    "add-a-channel",
    "add-a-town",
    "weigh-duplicates",
    "connect-sensors",
    "add-a-fact-table",
    "add-an-indicator",
    "publish-an-index",
)
SEVERAL = ("add-an-index",)
"""The pages that tell to write files of several kinds, which belong together."""
# The other pages' commands touch no database, so one run of them is enough.
STORED = ("add-a-channel", "add-a-town", "add-a-fact-table", "add-an-index")
FOLLOWED = (*PAGES, *SEVERAL, "README") if connection.vendor == "sqlite" else STORED
CHINESE = ".zh-CN"
COUNT = """
import django; django.setup()
from anlan.casework.models import Case
from anlan.intake.models import Quarantined, Report
from anlan.ledger.models import Personal
print(sorted(Case.objects.values_list("procedure", "topic", "area__code")))
print(Report.objects.exclude(reporter=None).count(), Personal.objects.filter(kind="reporter").count())
print(Quarantined.objects.get().row_no, Quarantined.objects.get().reasons[0]["zh"])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a reader who has just begun."""
    return tmp_path


def report(town: World, **told: str) -> Report:
    """What the grid worker of the town tells on the form."""
    form = catalogue.current().get(CHANNELS, "officer_form")
    message = {"client_id": "1", "description": "说明", "area": town.grid.code, **told}
    received = reports.receive(form, message, by=town.grid_worker, at=town.at)
    assert received.report is not None
    return received.report


def said_of(read: Page, folder: Path, right: str, wrong: str) -> list[str]:
    """What the check says in both languages when the page's file has this mistake."""
    written = {path: path.read_text("utf-8") for path in read.write(folder) if path.suffix == ".toml"}
    path, before = next((path, text) for path, text in written.items() if right in text)
    path.write_text(before.replace(right, wrong, 1), encoding="utf-8")
    with catalogue.using([ROOT / "packs/qinglan", folder / "packs/mine"]) as known:
        found = [problem.sentence for problem in checks.problems(known)]
    return [sentence for text in found for sentence in (text.zh, text.en)]


# ---------------------------------------------------------------- the pages themselves


@pytest.mark.parametrize(
    "name", [*PAGES, *SEVERAL, "import-a-file", "connect-by-webhook", "connect-open311", "read-the-facts", "README"]
)
def test_both_languages_carry_the_same_blocks(name: str) -> None:
    assert page(name).blocks == page(name + CHINESE).blocks


def test_every_page_exists_in_both_languages_and_is_found_from_the_first() -> None:
    names = {path.name for path in HOWTO.glob("*.md")}
    english = {name for name in names if not name.endswith(f"{CHINESE}.md")}
    assert names == english | {name.replace(".md", f"{CHINESE}.md") for name in english}
    first = (HOWTO / "README.md").read_text("utf-8") + (HOWTO / f"README{CHINESE}.md").read_text("utf-8")
    assert [name for name in sorted(names) if f"]({name})" not in first] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_tells_to_write_one_declaration_in_a_pack(name: str) -> None:
    assert page(name).declaration().file.startswith("packs/mine/")
    assert page(name).mistakes


@pytest.mark.parametrize("name", SEVERAL)
def test_a_page_tells_to_write_files_that_belong_together_in_a_pack(name: str) -> None:
    files = [Path(each.file) for each in page(name).declarations]
    assert all(file.is_relative_to("packs/mine") for file in files)
    assert [file.parent.name for file in files] == ["indices", "indicators", "indicators", "indicators", "rules"]
    assert page(name).mistakes


MISTAKES = [
    pytest.param(name, number, id=f"{name}-{mistake.wrong}")
    for name in (*PAGES, *SEVERAL)
    for number, mistake in enumerate(page(name).mistakes)
]


@pytest.mark.parametrize(("name", "number"), MISTAKES)
def test_the_check_says_of_a_mistake_what_the_page_says(name: str, number: int, folder: Path) -> None:
    english, chinese = page(name).mistakes[number], page(name + CHINESE).mistakes[number]
    assert (english.right, english.wrong) == (chinese.right, chinese.wrong)
    said = said_of(page(name), folder, english.right, english.wrong)
    assert any(english.said in sentence for sentence in said), said
    assert any(chinese.said in sentence for sentence in said), said
    files = [Path(each.file).name for each in page(name).declarations]
    assert all(any(file in sentence for file in files) for sentence in said), said


# ---------------------------------------------------------------- followed to the letter


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_page_followed_literally_does_what_it_says(name: str, folder: Path, installation: Installation) -> None:
    read = page(name)
    said = follow(read, folder, installation)
    for number, lines in promised(read):
        assert in_order(lines, said[number]) == [], said[number]
    if name == "add-a-procedure":
        assert (folder / "dangerous_tree.svg").read_text("utf-8").startswith("<svg")
    if name == "README":
        file = folder / read.declaration().file
        schema = read.declaration().body.splitlines()[0].removeprefix("#:schema ")
        assert (file.parent / schema).is_file()
    if name == "add-an-index":
        # What the page works out by hand.
        assert scores(installation, "told_well", "2026-03") == [85.5, 75.0, 62.5]
    if name == "add-a-channel":
        assert imported(folder, installation) == [
            "[('incident', 'street_order', '990101001001'), ('request', 'streetlight', '990101001001')]",
            "1 1",
            "4 第 4 行「诉求内容」是空的：必须填写。",
        ]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_the_shell_of_the_page_of_webhooks_signs_as_the_door_checks(
    which: int, folder: Path, installation: Installation
) -> None:
    read = page("connect-by-webhook")
    [sending] = [block for block in read.blocks if block.language == "bash" and not block.file]
    read.write(folder)
    # What curl would send is printed instead, one argument a line.
    told = shell(f'secret=s3cret\ncurl() {{ printf "%s\\n" "$@"; }}\n{sending.body}', folder, installation)
    calls = told.split("http://127.0.0.1:8000/hooks/hotline\n")[1:]
    lines = calls[which].splitlines()
    named = dict(line.split(": ", 1) for line in lines if line.startswith("X-Anlan"))
    body = lines[lines.index("--data-binary") + 1].encode()
    scheme = Signature()
    assert signing.is_signed(
        named[scheme.header],
        ["s3cret"],
        scheme,
        timestamp=named[scheme.timestamp],
        nonce=named[scheme.nonce],
        body=body,
    )
    channel = catalogue.current().get(CHANNELS, "hotline_orders")
    assert channel.webhook is not None
    [cells] = messages(channel.webhook, paths(channel), parse(body))
    assert cells["orderNo"] == ["RX-2", "RX-1", "RX-3"][which]


def scores(installation: Installation, index: str, period: str) -> list[float]:
    """The scores of what is published of an index, best first."""
    made = edition.published(installation.data / "index", index)[period]
    assert made.manifest.published is not None
    return [row["rounded"] for row in made.ranks(peer="towns").sort_by("rank").to_pylist()]


def imported(folder: Path, installation: Installation) -> list[str]:
    """What stands in the database once the followers have read the import, with the page's packs."""
    (folder / "count.py").write_text(COUNT, encoding="utf-8")
    packs = "export ANLAN_PACKS=packs/qinglan:packs/mine\n"
    return shell(f"{packs}anlan work --once > /dev/null\npython count.py\n", folder, installation).splitlines()


# ---------------------------------------------------------------- used through the verbs


@pytest.mark.django_db
def test_a_report_of_the_new_topic_is_proposed_received_and_routed(folder: Path) -> None:
    page("add-a-topic").write(folder)
    with catalogue.using([folder / "packs/mine"]) as known:
        town = world()
        assert propose(known.all(TOPICS), "二号楼电梯停了")[0] == "lift"
        told = report(town, topic="电梯故障", description="电梯停在三楼")
        route = triage.propose(told).route
        assert route is not None
        assert (route.procedure, route.lead) == ("incident", town.enforcement.pk)
        followers.drain(at=town.at)
        case = Case.objects.get()
        assert (case.topic, case.procedure, case.reports_count) == ("lift", "incident", 1)


@pytest.mark.django_db
def test_a_case_walks_through_the_new_procedure_to_its_end(folder: Path, media: Path) -> None:
    page("add-a-procedure").write(folder)
    with catalogue.using([folder / "packs/mine"]):
        town = world()
        told = report(town, topic="other", description="大树要倒了")
        case = triage.accept(told, procedure="dangerous_tree", topic="other", by=town.triage, at=town.at)
        assert (case.step, case.clock, case.number[:3]) == ("told", "handle", "SH-")
        act(town, case, "dispatch", "dispatcher", department=town.housing.pk)
        picture = io.BytesIO()
        Image.new("RGB", (40, 30), "green").save(picture, "JPEG")
        after = photos.keep(picture.getvalue(), "after.jpg", stage="after", by=town.handler, at=town.at)
        act(town, case, "cut", "handler", photo=after, result="已清除枯枝")
        with pytest.raises(NotAllowed):
            act(town, case, "confirm", "handler")
        act(town, case, "again", "supervisor", reason="还有一枝")
        act(town, case, "cut", "handler", photo=after, result="全部清除")
        closed = act(town, case, "confirm", "grid_worker")
        assert (closed.step, closed.outcome, closed.reworks) == ("safe", "cured", 1)


def act(town: World, case: Case, key: str, who: str, *, photo: Photo | None = None, **data: object) -> Case:
    """Done by somebody of the cast, an hour after the last."""
    by = getattr(town, who)
    at = town.at + timedelta(hours=1 + Case.objects.get(pk=case.pk).rev)
    doing = Doing(key, data, photos=(photo,) if photo else ())
    return cases.act(case.pk, doing, by=by, reach=town.reach(by, at=at), at=at)
