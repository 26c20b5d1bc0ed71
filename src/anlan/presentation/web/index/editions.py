"""The editions of an index: drafted, signed by another, published, withdrawn; what each changed; and the replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from anlan.index.counting import period as periods
from anlan.index.editions import edition as editions
from anlan.index.editions import replaying
from anlan.index.editions.edition import STATES, Change, Deed, Edition, Manifest, State
from anlan.index.scoring.spec import INDICES
from anlan.kernel import catalogue
from anlan.kernel.text import Refusal, Text
from anlan.places import register
from anlan.places.models import Officer
from anlan.places.record import day_of
from anlan.presentation import publishing
from anlan.presentation.permissions import NotFound, NotPermitted, needs
from anlan.presentation.saying import name, say
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.index import asked, charts
from anlan.presentation.web.index.asked import ACTION, Sight
from anlan.presentation.web.index.trust import PAGES, tabs
from anlan.presentation.web.lists import Column, Empty, Table, table

TITLE: Final = PAGES["index_editions"]
LATEST: Final = 24
LIGHTS: Final[dict[State, str]] = {"draft": "none", "signed": "soon", "published": "ok", "withdrawn": "closed"}
DEEDS: Final[dict[State, Text]] = {
    "signed": Text(zh="签发", en="Sign"),
    "published": Text(zh="发布", en="Publish"),
    "withdrawn": Text(zh="撤回", en="Withdraw"),
}
DONE: Final[dict[State, Text]] = {
    "signed": Text(zh="已签发，等待发布。", en="Signed; it waits to be published."),
    "published": Text(zh="已发布，所有看统计的人都能看到。", en="Published: everybody who may see figures sees it."),
    "withdrawn": Text(zh="已撤回，原样留在这里。", en="Withdrawn; it stays here as it was."),
}
DRAFT: Final = Text(zh="起草一版", en="Draft an edition")
WHY: Final = Text(zh="为什么撤回", en="Why it is withdrawn")
NO_DEED: Final = Text(zh="请在要办的那一版上点按钮。", en="Use the buttons of the edition that it is about.")
NOTHING: Final = Empty(
    Text(zh="还没有一版", en="No edition yet"),
    Text(
        zh="先用 anlan facts export 导出事实，再由有起草权限的人在这里按期起草；另一个人复核签发之后才能发布。",
        en="Export the facts with anlan facts export; then somebody who may draft does so here, period by period. "
        "Another person signs it before it can be published.",
    ),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One edition on the page."""

    edition: Edition
    manifest: Manifest
    words: Text
    state: Text
    light: str
    url: str
    deeds: list[tuple[Text, Deed, str]]
    changed: Text | None
    changes: Table | None
    restated: tuple[str, ...]
    acts: Sequence[State]
    own: bool
    form: Form | None


@needs(ACTION)
def index_editions(request: Asked, index: str) -> HttpResponse:
    """Every edition that this person may see, the newest period first."""
    return _page(request, index)


def _page(request: Asked, index: str, form: Form | None = None, *, status: int = 200) -> HttpResponse:
    found = visible(request, index)[:LATEST]
    drafting = form or (_form(request, index) if _may(request, "draft") else None)
    title = _title(index, found)
    people = _people(found)
    sight = asked.sight(request, found[0]) if found else None
    said = {
        "title": title, "heading": TITLE, "index": index, "shown": [_shown(request, each, people) for each in found],
        "empty": NOTHING, "form": drafting, "trust": tabs(sight, "index_editions") if sight else [],
        "deeds": {state: words for state, words in DEEDS.items() if state != "withdrawn"},
        "crumbs": sight.crumbs((TITLE, "")) if sight else [(title, "")], "may_replay": _may_any(request),
    }  # fmt: skip
    return render(request, "index/editions.html", said, status=status)


def visible(request: Asked, index: str) -> list[Edition]:
    """The editions of an index that somebody may see, the last first. Raises NotFound where nothing is for them."""
    every = list(editions.every(publishing.root(), index))[::-1]
    mine = [each for each in every if _counts(request, each)]
    if (every and not mine) or (not every and index not in catalogue.current().all(INDICES)):
        raise NotFound
    return [each for each in mine if asked.may_see(request, each)]


def _counts(request: Asked, edition: Edition) -> bool:
    """Whether an edition has anything in the trees in which this person sees figures."""
    sight = asked.sight(request, edition)
    return any(sight.sees(path) for path in sight.ranks.of_area)


def _may(request: Asked, state: State) -> bool:
    return bool(request.reach.may(publishing.ACTIONS[state]))


def _may_any(request: Asked) -> bool:
    return any(_may(request, state) for state in STATES)


def _title(index: str, found: Sequence[Edition]) -> Text:
    if found:
        return found[0].manifest.title
    return catalogue.current().get(INDICES, index).title


def _people(found: Sequence[Edition]) -> Mapping[int, Officer]:
    ids = [each.manifest.made_by for each in found]
    ids += [deed.by for each in found for deed in _deeds(each.manifest).values()]
    return register.current().rows(Officer.objects.all(), ids)


def _deeds(manifest: Manifest) -> dict[State, Deed]:
    told: dict[State, Deed | None] = {
        "draft": Deed(by=manifest.made_by, at=manifest.made_at), "signed": manifest.signed,
        "published": manifest.published, "withdrawn": manifest.withdrawn,
    }  # fmt: skip
    return {state: deed for state, deed in told.items() if deed is not None}


WORDS: Final[dict[State, Text]] = {
    "draft": Text(zh="起草", en="Drafted"),
    "signed": Text(zh="签发", en="Signed"),
    "published": Text(zh="发布", en="Published"),
    "withdrawn": Text(zh="撤回", en="Withdrawn"),
}


def _named(people: Mapping[int, Officer], deed: Deed) -> str:
    return people[deed.by].name if deed.by is not None and deed.by in people else ""


def _shown(request: Asked, edition: Edition, people: Mapping[int, Officer]) -> Shown:
    manifest, sight = edition.manifest, asked.sight(request, edition)
    deeds = [(WORDS[state], deed, _named(people, deed)) for state, deed in _deeds(manifest).items()]
    own = manifest.made_by == request.user.pk
    acts = [
        state for state in editions.NEXT[manifest.state]
        if state != "withdrawn" and _may(request, state) and not (state == "signed" and own)
    ]  # fmt: skip
    withdraw = "withdrawn" in editions.NEXT[manifest.state] and _may(request, "withdrawn")
    waits = own and manifest.state == "draft" and _may(request, "signed")
    return Shown(
        edition, manifest, edition.period.words, STATES[manifest.state], LIGHTS[manifest.state],
        sight.url("index_edition"), deeds, _changed(manifest), _changes(sight, manifest.changes), manifest.restated,
        acts, waits, _withdrawing(edition) if withdraw else None,
    )  # fmt: skip


def _changed(manifest: Manifest) -> Text | None:
    """What a later edition changed, in a sentence."""
    if manifest.corrects is None:
        return None
    many, files = len(manifest.changes), len(manifest.restated)
    what = Text(zh="得分和名次都没有变", en="no score and no place changed")
    if many:
        what = Text(zh=f"{many} 个辖区的得分或名次有变", en=f"scores or places of {many} areas changed")
    facts = Text(zh="", en="")
    if files:
        facts = Text(zh=f"，{files} 个事实文件重述过", en=f"; {files} files of facts were restated")
    number = manifest.corrects
    return Text(
        zh=f"更正第 {number} 版：{what.zh}{facts.zh}。", en=f"It corrects edition {number}: {what.en}{facts.en}."
    )


def _changes(sight: Sight, changes: Sequence[Change]) -> Table | None:
    seen = [each for each in changes if sight.sees(each.area_path)]
    if not seen:
        return None
    seen.sort(key=lambda each: -abs((each.after or 0.0) - (each.before or 0.0)))
    columns = (
        Column(Text(zh="辖区", en="Area"), lambda each: name(sight.named(each.area_path))),
        Column(Text(zh="原得分", en="Score before"), lambda each: charts.figure(each.before), css="num"),
        Column(Text(zh="现得分", en="Score now"), lambda each: charts.figure(each.after), css="num"),
        Column(Text(zh="原名次", en="Place before"), lambda each: each.rank_before or "–", css="num"),
        Column(Text(zh="现名次", en="Place now"), lambda each: each.rank_after or "–", css="num"),
    )
    return table(seen, columns, caption=Text(zh="变了的辖区", en="Areas that changed"), quiet_caption=True)


# ---------------------------------------------------------------- drafting, signing, publishing, withdrawing


def _form(request: Asked, index: str) -> Form:
    """Drafting a period: the last one that is over unless something else is written."""
    kind = catalogue.current().get(INDICES, index).period if index in catalogue.current().all(INDICES) else "month"
    last = periods.around(day_of(request.at), kind).before
    hint = Text(
        zh="如 2026-11（月）、2026-Q4（季）。先算一遍再存为草稿，数据多时要等一会儿。",
        en="Such as 2026-11 (a month) or 2026-Q4 (a quarter). It is worked out and kept as a draft; much data takes "
        "a while.",
    )
    asks = [Ask("period", Text(zh="哪一期", en="Which period"), hint=hint, value=last.name, longest=20)]
    return Form(asks, DRAFT, hidden={"deed": "draft"}, prefix="draft-", action=_act_url(index))


def _act_url(index: str) -> str:
    return reverse("index_edition_act", args=[index])


def _withdrawing(edition: Edition) -> Form:
    manifest = edition.manifest
    prefix = f"withdraw-{manifest.period}-{manifest.number}-"
    hidden = {"deed": "withdrawn", "period": manifest.period, "number": manifest.number}
    return Form(
        [Ask("why", WHY, "longtext")], DEEDS["withdrawn"], hidden=hidden, danger=True, prefix=prefix,
        action=_act_url(manifest.index),
    )  # fmt: skip


@require_POST
@needs(ACTION)
def index_edition_act(request: Asked, index: str) -> HttpResponse:
    """Draft, sign, publish, withdraw or replay; each asks its own right."""
    seen = visible(request, index)
    deed = request.POST.get("deed", "")
    if deed == "draft":
        return _draft(request, index)
    if deed not in (*DEEDS, "replay"):
        messages.error(request, say(NO_DEED))
        return redirect("index_editions", index=index)
    found = _asked(request, seen)
    acts: dict[str, Callable[[], Text]] = {
        "replay": lambda: _replayed(request, found),
        **{state: _moving(request, found, state) for state in DEEDS},
    }
    try:
        messages.success(request, say(acts[deed]()))
    except (NotPermitted, NotFound):
        raise
    except Refusal as refusal:
        messages.error(request, say(refusal.text))
    return redirect("index_editions", index=index)


def _asked(request: Asked, seen: Sequence[Edition]) -> Edition:
    """The edition that the form names, if it is one that this person may see."""
    named = request.POST.get("period", ""), request.POST.get("number", "")
    for each in seen:
        if (each.manifest.period, str(each.manifest.number)) == named:
            return each
    raise NotFound


def _draft(request: Asked, index: str) -> HttpResponse:
    if not _may(request, "draft"):
        raise NotPermitted
    form = _form(request, index)
    made = form.carry_out(
        request, lambda a: publishing.draft(index, a["period"], by=request.user, reach=request.reach, at=request.at)
    )
    if made is None:
        return _page(request, index, form, status=422)
    messages.success(request, say(_drafted(made)))
    return redirect("index_editions", index=index)


def _drafted(made: Edition) -> Text:
    words, number = made.period.words, made.manifest.number
    return Text(
        zh=f"{words.zh}第 {number} 版已起草，请另一个人复核签发。",
        en=f"Edition {number} of {words.en} is drafted; another person must look at it and sign.",
    )


def _moving(request: Asked, found: Edition, state: State) -> Callable[[], Text]:
    def moved() -> Text:
        if not _may(request, state):
            raise NotPermitted
        why = request.POST.get("why", "").replace("\x00", "").strip()[:1000]
        if state == "withdrawn" and not why:
            raise NoReason
        publishing.move(found, state, by=request.user, reach=request.reach, at=request.at, why=why)
        return DONE[state]

    return moved


class NoReason(Refusal):
    """What was published is not withdrawn without a word."""

    def __init__(self) -> None:
        super().__init__("请写明为什么撤回。", "Say why it is withdrawn.", field="why")


def _replayed(request: Asked, found: Edition) -> Text:
    if not _may_any(request):
        raise NotPermitted
    again = replaying.replay(found)
    digest = again.result_sha256[:12]
    if again.same:
        return Text(
            zh=f"{found.name} 只用封存的事实和声明重算，每一位都相同（{digest}…）。",
            en=f"{found.name}, worked out again from what it keeps alone, is the same to the last bit ({digest}…).",
        )
    places = list(_places(again))
    raise Differs(found, places)


def _places(again: replaying.Replayed) -> Iterator[str]:
    for each in again.differences:
        yield f"{each.table}:{each.row}:{each.column} {each.kept} ≠ {each.found}"


class Differs(Refusal):
    """Worked out again, an edition is not what it says."""

    def __init__(self, found: Edition, places: Sequence[str]) -> None:
        shown = "；".join(places)
        super().__init__(
            f"{found.name} 重算的结果与封存的不同：{shown}。请不要引用这一版，并从备份核对。",
            f"{found.name} worked out again differs from what is kept: {shown}. Do not rely on it; compare a backup.",
        )
