"""Publishing an index: drafted by one, signed by another who has seen it worked out again, and published.

An edition is a folder (`anlan.index.editions`); that it was drafted, signed and published is in the ledger, with its
digests. What is signed must be what the ledger says was drafted.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from anlan.facts import manifest as fact_manifest
from anlan.facts.manifest import Manifest as Exported
from anlan.facts.store import Store
from anlan.facts.verify import NothingThere
from anlan.index.counting import period
from anlan.index.counting.period import Period
from anlan.index.editions import assessment, digest, edition, replaying
from anlan.index.editions.assessment import Spec
from anlan.index.editions.edition import Change, Edition, Facts, Manifest, SealMark, State
from anlan.index.rulebook.deductions import Ranking
from anlan.index.rulebook.integrity import seed_of
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal
from anlan.ledger import events
from anlan.ledger.events import NewEvent
from anlan.ledger.models import Event
from anlan.places.models import Officer
from anlan.places.scope import Reach
from anlan.presentation import facts as place_of_facts
from anlan.presentation import index_checks

NAMESPACE: Final = UUID("5f0c1a52-6f0b-5d0e-9d6b-0f7a3f1f6a11")
"""Of the subjects of editions in the ledger: the same edition has the same id everywhere."""
DONE: Final[dict[State, str]] = {
    "draft": "index.drafted",
    "signed": "index.signed",
    "published": "index.published",
    "withdrawn": "index.withdrawn",
}
ACTIONS: Final[dict[State, str]] = {
    "draft": "index.draft",
    "signed": "index.sign",
    "published": "index.publish",
    "withdrawn": "index.publish",
}
"""What each state asks of whoever brings an edition there."""


class NotYours(Refusal):
    """The index counts areas that lie beyond the officer's posts."""

    status = 403

    def __init__(self, index: str, area: str) -> None:
        super().__init__(
            f"指数“{index}”算到了您职责之外的辖区（{area}），不能由您办理；请由覆盖全部辖区的岗位办理。",
            f"The index “{index}” counts areas beyond your posts ({area}); somebody whose post covers all of them must "
            "do this.",
        )


class SamePerson(Refusal):
    """Whoever drafted an edition cannot sign it."""

    def __init__(self) -> None:
        super().__init__(
            "起草人不能签发自己起草的一版；请由另一位有签发权限的人复核后签发。",
            "Whoever drafted an edition cannot sign it; another person with that right must look at it and sign.",
        )


class NotOver(Refusal):
    """The facts do not reach the period's end yet."""

    def __init__(self, wanted: Period, reached: str) -> None:
        super().__init__(
            f"事实数据只到 {reached}，{wanted.words.zh}还没有完；过期末后执行 anlan facts export，再起草一版。",
            f"The facts reach {reached}, and {wanted.words.en} is not over; run anlan facts export after its end and "
            "draft again.",
        )


class Unlike(Refusal):
    """Worked out again, or compared with the ledger, an edition is not what it says."""


class NoPeriodOf(Refusal):
    """An index is not worked out for such short periods."""

    def __init__(self, spec: Spec, wanted: Period) -> None:
        own = period.KINDS[spec.index.period]
        super().__init__(
            f"指数“{spec.index.key}”按{own.zh}计算，不能按{wanted.words.zh}计算。",
            f"The index “{spec.index.key}” is worked out by the {own.en}, not for {wanted.words.en}.",
            field="period",
        )


def root() -> Path:
    """Where editions lie."""
    return Path(settings.DATA) / "index"


def draft(index: str, wanted: str, *, by: Officer | None, reach: Reach | None, at: datetime) -> Edition:
    """Work an index out for a period from the facts as they are, and keep it as a draft.

    Without an officer (a machine's turn) nobody's reach is asked. Raises whatever keeps it from being worked out; then
    nothing is kept.
    """
    when = period.read(wanted)
    known = catalogue.current()
    spec = assessment.spec_of(known, index)
    index_checks.refuse(known, index)
    if list(period.KINDS).index(when.kind) < list(period.KINDS).index(spec.index.period):
        raise NoPeriodOf(spec, when)
    store = place_of_facts.store()
    exported = _exported(store)
    files = {name: file.sha256 for name, file in exported.files.items() if name.split("/")[0] in spec.counted}
    history = _history(spec, when)
    root().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".aside-", dir=root()) as aside:  # where facts can be kept by a link
        folder = _local(store, files, Path(aside))
        assessment.keep_spec(known, spec, Path(aside, "spec"))
        with assessment.opened(folder, spec.tables) as engine:
            made = assessment.assess(spec, engine, when, history=history, seed=seed_of(index, when.name))
        if reach is not None:
            _check_reach(index, made.tables, reach, "draft")
        tables = {**made.tables, "history": assessment.history_table(history)}
        said = _manifest(spec, when, tables, exported, files, by=by, at=at, spec_folder=Path(aside, "spec"))
        return _kept(said, tables, spec=Path(aside, "spec"), facts=folder)


def move(found: Edition, state: State, *, by: Officer, reach: Reach, at: datetime, why: str = "") -> Edition:
    """Sign, publish or withdraw an edition. Signing works it out again first, from what it keeps alone.

    Raises SamePerson, NotOver, Unlike, NotYours, Spoilt, WrongState.
    """
    _check_reach(found.manifest.index, {"ranks": found.ranks(), "scores": found.scores()}, reach, state)
    if state not in edition.NEXT[found.manifest.state]:
        raise edition.WrongState(found, state)
    if state != "withdrawn":
        _check_ledger(found)
        found.check()
    if state == "signed":
        _check_signing(found, by)
    with transaction.atomic():
        _record(found.manifest, state, by=by, at=at, why=why)
        return edition.move(found, state, by=by.pk, at=at, why=why)


def subject(found: Manifest) -> UUID:
    """The edition's id in the ledger."""
    return uuid5(NAMESPACE, f"{found.index}/{found.period}/{found.number}")


# ---------------------------------------------------------------- what stands in the way


def _check_signing(found: Edition, by: Officer) -> None:
    if by.pk in (found.manifest.made_by, *(event.by for event in _told(found) if event.kind == DONE["draft"])):
        raise SamePerson
    end = timezone.make_aware(datetime.combine(found.period.after.first, time()))
    if found.manifest.facts.cut_off < end:
        reached = timezone.localtime(found.manifest.facts.cut_off).strftime("%Y-%m-%d %H:%M")
        raise NotOver(found.period, reached)
    again = replaying.replay(found)
    if not again.same:
        first = again.differences[0]
        place = f"{first.table}:{first.row}:{first.column}"
        raise Unlike(
            f"{found.name} 重算的结果与所存不同（{place}：{first.kept} ≠ {first.found}），不能签发；请重新起草。",
            f"{found.name} worked out again differs from what is kept ({place}: {first.kept} ≠ {first.found}); it "
            "cannot be signed. Draft it again.",
        )


def _told(found: Edition) -> list[Event]:
    """What the ledger says was done with an edition, in order."""
    return list(events.history(subject(found.manifest)))


def _check_ledger(found: Edition) -> None:
    """That this very result is what the ledger says was drafted, and stands where the ledger says that it stands."""
    told = _told(found)
    said = [event.data for event in told if event.kind == DONE["draft"]]
    if not said or any(said[0][name] != getattr(found.manifest, name) for name in ("result_sha256", "spec_sha256")):
        raise Unlike(
            f"{found.name} 与台账里起草时的记录不符，可能被改动过；请重新起草。",
            f"{found.name} is not what the ledger says was drafted; it may have been changed. Draft it again.",
        )
    if told[-1].kind != DONE[found.manifest.state]:
        now = edition.STATES[found.manifest.state]
        raise Unlike(
            f"{found.name} 的文件写着“{now.zh}”，台账里没有这一步，可能被改动过；请重新起草。",
            f"The file of {found.name} says “{now.en}”, but the ledger knows of no such step; it may have been "
            "changed. Draft it again.",
        )


def _check_reach(index: str, tables: Mapping[str, Any], reach: Reach, state: State) -> None:
    """That the post covers every area that is ranked; every area with a score where none is."""
    action = ACTIONS[state]
    ranked, scored = (tables[name]["area_path"].unique().to_pylist() for name in ("ranks", "scores"))
    for area in ranked or scored:
        if not reach.covers(action, area_path=area):
            raise NotYours(index, area)


# ---------------------------------------------------------------- what a draft is made of


def _exported(store: Store) -> Exported:
    found = fact_manifest.read(store)
    if found is None or not found.cut_off:
        raise NothingThere(
            f"{store.shown} 里没有事实表。请先执行 anlan facts export。",
            f"No facts lie in {store.shown}. Run anlan facts export first.",
        )
    return found


def _reached(exported: Exported, at: datetime) -> datetime:
    """Up to when everything that was recorded is in the facts: now, if the ledger has nothing that was not exported.

    What editions themselves write into the ledger is no fact.
    """
    tx, seq = exported.cursor
    later = Event.objects.filter(Q(tx__gt=tx) | Q(tx=tx, seq__gt=seq)).exclude(kind__startswith="index.")
    return datetime.fromisoformat(exported.cut_off) if later.exists() else at


def _local(store: Store, files: dict[str, str], aside: Path) -> Path:
    """The facts in a folder of this machine, each file proven to be what the manifest says."""
    folder = aside / "facts"
    for name, wanted in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if store.local:
            _link(Path(store.path(name)), place)
        else:
            place.write_bytes(store.read(name) or b"")
        if not place.is_file() or digest.of_file(place) != wanted:
            raise Unlike(
                f"事实文件 {name} 与清单不符：可能正在导出，或已损坏。请执行 anlan facts verify 后再试。",
                f"The facts {name} are not what the list says: an export may be running, or they are damaged. Run "
                "anlan facts verify, then try again.",
            )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _link(source: Path, place: Path) -> None:
    try:
        place.hardlink_to(source)
    except OSError:
        if source.is_file():
            shutil.copyfile(source, place)


def _history(spec: Spec, when: Period) -> list[Ranking]:
    """The published rankings that the index's rules look at."""
    kinds, periods = assessment.wanted_history(spec, when)
    found = []
    for each in edition.published(root(), spec.index.key).values():
        told = each.period
        if told in periods or (told.kind in kinds and told.last in when):
            found.append(assessment.published_ranking(told, each.ranks()))
    return sorted(found, key=lambda ranking: ranking.period)


def _manifest(
    spec: Spec, when: Period, tables: dict[str, Any], exported: Exported, files: dict[str, str], *,
    by: Officer | None, at: datetime, spec_folder: Path,
) -> Manifest:  # fmt: skip
    result = digest.of_tables({name: tables[name] for name in edition.SCHEMAS})
    seal = SealMark(number=exported.seal.number, chain=exported.seal.chain_sha256) if exported.seal else None
    said = Manifest(
        index=spec.index.key, period=when.name, number=0, state="draft", title=spec.index.title,
        spec_sha256=digest.of_folder(spec_folder),
        facts=Facts(cut_off=_reached(exported, at), files=files),
        seed=seed_of(spec.index.key, when.name), seal=seal, made_at=at, made_by=by.pk if by else None,
        result_sha256=result, history_sha256=digest.of_table(tables["history"]), made_with=_made_with(),
    )  # fmt: skip
    before = edition.published(root(), spec.index.key).get(when.name)
    if before is None:
        return said
    compared = {
        "corrects": before.manifest.number,
        "changes": tuple(_changes(before.ranks(), tables["ranks"])),
        "restated": tuple(sorted(_unlike(before.manifest.facts.files, files))),
    }
    return said.model_copy(update=compared)


def _made_with() -> dict[str, str]:
    return {name: version(name) for name in ("anlan", "duckdb", "numpy", "pyarrow", "scipy")}


def _changes(before: Any, after: Any) -> Iterator[Change]:
    """Areas whose final score or place is not what it was; of an area in several groups the first."""
    was, now = ({row["area_path"]: row for row in reversed(table.to_pylist())} for table in (before, after))
    for area in sorted({*was, *now}):
        one, other = was.get(area, {}), now.get(area, {})
        if (one.get("score"), one.get("rank")) != (other.get("score"), other.get("rank")):
            yield Change(
                area_path=area, before=one.get("score"), after=other.get("score"), rank_before=one.get("rank"),
                rank_after=other.get("rank"),
            )  # fmt: skip


def _unlike(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """The files of facts that were added, removed or restated."""
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def _kept(said: Manifest, tables: dict[str, Any], *, spec: Path, facts: Path) -> Edition:
    """The folder and its event, or neither."""
    made = edition.write(root(), said, tables, spec=spec, facts=facts)
    with _removed_unless_done(made.folder), transaction.atomic():
        _record(made.manifest, "draft", by=said.made_by, at=said.made_at)
    return made


@contextmanager
def _removed_unless_done(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _record(said: Manifest, state: State, *, by: Officer | int | None, at: datetime, why: str = "") -> None:
    data: dict[str, Any] = {
        "index": said.index, "period": said.period, "number": said.number, "result_sha256": said.result_sha256,
        "spec_sha256": said.spec_sha256,
    }  # fmt: skip
    if state == "draft":
        data |= {
            "facts_sha256": digest.of_names(said.facts.files), "cut_off": said.facts.cut_off.isoformat(),
            "seal": said.seal.model_dump() if said.seal else None, "seed": said.seed, "corrects": said.corrects,
            "changed": len(said.changes),
        }  # fmt: skip
    if why:
        data["why"] = why
    key = f"{DONE[state]}/{said.index}/{said.period}/{said.number}"
    who = by.pk if isinstance(by, Officer) else by
    events.append(NewEvent(DONE[state], subject(said), by=who, at=at, recorded_at=at, key=key, data=data))
