"""门口状态: every way in and out, and every loop behind it, for the page and for `anlan doors`.

Another kind of door is a function in `DOORS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Min, Q, Sum

from anlan.casework import feeds, forwards
from anlan.casework.models import Forward, Sending, Subscriber
from anlan.intake import doors, hooks
from anlan.intake.doors import Door, State
from anlan.intake.models import Client, Ear, HookCount, Stray
from anlan.kernel.text import Text
from anlan.ledger import follow
from anlan.ledger.models import Cursor
from anlan.places.record import day_of
from anlan.presentation.followers import FOLLOWERS

BEHIND: Final = 5000
"""So many unread events are more than a loop clears between two looks."""
ASLEEP: Final = timedelta(minutes=5)
LATE: Final = timedelta(minutes=15)
"""What is not sent after that long has been tried more than once."""

TITLES: Final = {
    "cases": Text(zh="立案", en="Opening cases"),
    "moves": Text(zh="事项流转", en="Moves of cases"),
    "deadlines": Text(zh="时限", en="Deadlines"),
    "counters": Text(zh="计数", en="Counters"),
    "notices": Text(zh="提醒", en="Notices"),
    "doors": Text(zh="门口计数", en="Counting at the doors"),
    "alarms": Text(zh="设备报警", en="Alarms of devices"),
    "additions": Text(zh="来件的后续补充", en="What is added to orders later"),
    "later": Text(zh="催办、补充和撤回", en="Pressing, adding and withdrawing"),
    "receipts": Text(zh="回执编号", en="Numbers of receipts"),
    "remarks": Text(zh="上报人的留言", en="Remarks of reporters"),
    "pushes": Text(zh="警情推送", en="Pushes of police calls"),
    "forwards": Text(zh="转送其他平台", en="Passing cases on"),
    "watches": Text(zh="居民订阅的进展", en="News for those who follow a report"),
}
WORDS: Final[dict[State, Text]] = {
    "well": Text(zh="正常", en="Well"),
    "held": Text(zh="有待核", en="Held"),
    "silent": Text(zh="没有来件", en="Silent"),
    "stuck": Text(zh="积压", en="Behind"),
    "never": Text(zh="未用过", en="Never used"),
}
WORST: Final[tuple[State, ...]] = ("stuck", "silent", "held", "well", "never")


def channels(at: datetime, _: Q) -> Sequence[Door]:
    """The channels by which messages come in."""
    return doors.look(at=at)


def machines(at: datetime, here: Q) -> Iterator[Door]:
    """The systems that post signed messages: what was refused today."""
    today: dict[str, Counter[str]] = {}
    lasts: dict[str, datetime] = {}
    for row in HookCount.objects.filter(day=day_of(at)):
        today.setdefault(row.client, Counter())[row.kind] += row.count
        lasts[row.client] = max(row.last_at, lasts.get(row.client, row.last_at))
    for client in Client.objects.filter(here, is_active=True).order_by("name"):
        counted = today.get(client.name, Counter())
        refused = Counter({kind: many for kind, many in counted.items() if kind in hooks.REFUSED})
        title = Text(zh=client.title, en=client.title)
        yield Door(
            key=f"client:{client.name}", title=title, kind="machine", last_at=lasts.get(client.name),
            day=counted["delivered"], held=refused.total(),
            state="held" if refused else "well" if client.name in lasts else "never", says=_refused(refused),
        )  # fmt: skip


def _refused(refused: Counter[str]) -> Text | None:
    if not refused:
        return None
    zh = "、".join(f"{hooks.COUNTED[kind].zh} {many}" for kind, many in refused.most_common())
    en = ", ".join(f"{hooks.COUNTED[kind].en}: {many}" for kind, many in refused.most_common())
    return Text(zh=f"今天拒绝了：{zh}。", en=f"Refused today: {en}.")


def listeners(at: datetime, _: Q) -> Iterator[Door]:
    """The listeners for devices: until when they listened, and what came that nobody could use."""
    strays = dict(Stray.objects.filter(day=day_of(at)).values_list("wire").annotate(many=Sum("count")))
    for ear in Ear.objects.order_by("wire"):
        deaf = at - ear.heard_until > ASLEEP
        many = strays.get(ear.wire, 0)
        silent = Text(
            zh=f"监听停在 {_minutes(at - ear.heard_until)} 分钟前：请确认 anlan listen {ear.wire} 在运行。",
            en=f"Nobody has listened for {_minutes(at - ear.heard_until)} minutes: does anlan listen {ear.wire} run?",
        )
        lost = Text(zh=f"今天有 {many} 条用不上的消息。", en=f"{many} messages of today are of no use to anybody.")
        yield Door(
            key=f"listener:{ear.wire}", title=Text(zh=f"设备监听 {ear.wire}", en=f"Listener {ear.wire}"),
            kind="listener", last_at=ear.heard_until, held=many,
            state="silent" if deaf else "held" if many else "well", says=silent if deaf else lost if many else None,
        )  # fmt: skip


def subscribers(at: datetime, here: Q) -> Iterator[Door]:
    """The systems that are told of cases, and the servers that cases are passed on to."""
    queued: dict[int, tuple[int, datetime | None]] = {
        row["subscriber"]: (row["n"], row["since"])
        for row in Sending.objects.filter(state="waiting")
        .values("subscriber")
        .annotate(n=Count("pk"), since=Min("queued_at"))
    }
    dead = dict(Sending.objects.filter(state="dead").values_list("subscriber").annotate(n=Count("pk")))
    for each in Subscriber.objects.filter(here, is_active=True).order_by("name"):
        waits, since = queued.get(each.pk, (0, None))
        title = Text(zh=each.title, en=each.title)
        yield _out(f"subscriber:{each.name}", title, waits, since, dead.get(each.pk, 0), each.sent_at, at)
    for target, group in _forwards().items():
        waits, since, lost, last = group
        yield _out(
            f"forward:{target}", Text(zh=f"转出 {target}", en=f"Passed on to {target}"), waits, since, lost, last, at
        )


def _forwards() -> dict[str, tuple[int, datetime | None, int, datetime | None]]:
    under_way, lost = Q(state__in=("waiting", "sending", "closing")), Q(state__in=forwards.FOR_A_PERSON)
    rows = Forward.objects.values("target").annotate(
        waits=Count("pk", filter=under_way), since=Min("made_at", filter=under_way), lost=Count("pk", filter=lost),
        last=Max("sent_at"),
    )  # fmt: skip
    return {row["target"]: (row["waits"], row["since"], row["lost"], row["last"]) for row in rows}


def _out(
    key: str, title: Text, waits: int, since: datetime | None, lost: int, last: datetime | None, at: datetime
) -> Door:
    stuck = since is not None and at - since > LATE
    late = Text(zh=f"{waits} 件还没送到，最早的已等 {_minutes(at - (since or at))} 分钟。",
                en=f"{waits} have not arrived yet, the oldest for {_minutes(at - (since or at))} minutes.")  # fmt: skip
    given_up = Text(
        zh=f"{lost} 件送不到，要人看一眼再送。", en=f"{lost} could not be sent; somebody must look at them."
    )
    return Door(
        key=key, title=title, kind="out", last_at=last, held=waits + lost, held_since=since,
        state="stuck" if stuck else "held" if lost else "well" if last or waits else "never",
        says=late if stuck else given_up if lost else None,
    )  # fmt: skip


def _minutes(span: timedelta) -> int:
    return max(1, round(span.total_seconds() / 60))


def loops(at: datetime, here: Q) -> Iterator[Door]:
    """Who reads on in the ledger: what is not read yet has not become a case, a deadline or a notice."""
    moved = dict(Cursor.objects.values_list("name", "moved_at"))
    for name, title in ({name: TITLES[name] for name in FOLLOWERS} | _told(here)).items():
        oldest = follow.oldest_unread(name)
        yield _loop(name, title, follow.lag(name) if oldest else 0, oldest, moved.get(name), at)


def _told(here: Q) -> dict[str, Text]:
    """The cursor of each subscriber, and what its loop does."""
    return {
        feeds.cursor_of(each): Text(zh=f"送给{each.title}", en=f"Feed for {each.title}")
        for each in Subscriber.objects.filter(here, is_active=True)
    }


def _loop(
    name: str, title: Text, behind: int, oldest: datetime | None, moved_at: datetime | None, at: datetime
) -> Door:
    stands = oldest is not None and at - oldest > ASLEEP
    state: State = "stuck" if stands or behind > BEHIND else "well"
    says = Text(
        zh=f"还有 {behind} 个事件没有处理：请确认 anlan work 在运行。",
        en=f"{behind} events are not dealt with yet: see that anlan work is running.",
    )
    return Door(
        key=f"loop:{name}", title=title, kind="loop", last_at=moved_at, held=behind, held_since=oldest,
        state=state, says=says if state == "stuck" else None,
    )  # fmt: skip


DOORS: Final[tuple[tuple[Text, Callable[[datetime, Q], Sequence[Door] | Iterator[Door]]], ...]] = (
    (Text(zh="来件渠道", en="Channels"), channels),
    (Text(zh="推送来件的系统", en="Systems that post"), machines),
    (Text(zh="设备监听", en="Listeners for devices"), listeners),
    (Text(zh="送出", en="Outgoing"), subscribers),
    (Text(zh="后台循环", en="Loops"), loops),
)


def every(*, at: datetime, here: Q | None = None) -> list[tuple[Text, list[Door]]]:
    """The doors by group, the worst of each group first; of other systems only those whose area is `here`."""
    groups = [
        (title, sorted(look(at, here or Q()), key=lambda door: (WORST.index(door.state), door.key)))
        for title, look in DOORS
    ]
    return [(title, group) for title, group in groups if group]


def are_well(groups: Sequence[tuple[Text, Sequence[Door]]]) -> bool:
    """Whether nothing is stuck or silent. What is held waits for people and is no fault of a door."""
    return not any(door.state in ("stuck", "silent") for _, group in groups for door in group)
