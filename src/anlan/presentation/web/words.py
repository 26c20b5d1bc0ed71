"""Moments, spans and deadlines as people say them, in both languages. Pure: every function is told what time it is."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone

from anlan.kernel.text import Text

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
WEEKDAYS: tuple[Text, ...] = (
    Text(zh="周一", en="Mon"),
    Text(zh="周二", en="Tue"),
    Text(zh="周三", en="Wed"),
    Text(zh="周四", en="Thu"),
)
WEEKDAYS += (Text(zh="周五", en="Fri"), Text(zh="周六", en="Sat"), Text(zh="周日", en="Sun"))


def _local(moment: datetime) -> datetime:
    # The town has one time zone; Django's own answer, which may differ by thread, takes as long as all the words.
    return moment.astimezone(timezone.get_default_timezone())


def day(value: date, *, today: date) -> Text:
    """A date; the year is left out when it is this year."""
    zh, en = f"{value.month}月{value.day}日", f"{value.day} {MONTHS[value.month - 1]}"
    if value.year != today.year:
        zh, en = f"{value.year}年{zh}", f"{en} {value.year}"
    return Text(zh=zh, en=en)


def moment(value: datetime, *, now: datetime) -> Text:
    """A date and local time of day; today and yesterday are said so."""
    local, here = _local(value), _local(now)
    clock = f"{local:%H:%M}"
    ago = (here.date() - local.date()).days
    if ago == 0:
        return Text(zh=f"今天 {clock}", en=f"today {clock}")
    if ago == 1:
        return Text(zh=f"昨天 {clock}", en=f"yesterday {clock}")
    said = day(local.date(), today=here.date())
    return Text(zh=f"{said.zh} {clock}", en=f"{said.en} {clock}")


def stamp(value: datetime, *, now: datetime) -> Text:
    """A date and local time of day, never "today": for deadlines and printed pages."""
    local = _local(value)
    said = day(local.date(), today=_local(now).date())
    return Text(zh=f"{said.zh} {local:%H:%M}", en=f"{said.en} {local:%H:%M}")


def plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def span(length: timedelta) -> Text:
    """How long, in at most two units: "1 天 3 小时"; never less than one minute."""
    minutes = max(1, int(abs(length.total_seconds()) // 60))
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    parts = [(days, "天", "day"), (hours, "小时", "hour"), (left, "分钟", "minute")]
    first = next(i for i, part in enumerate(parts) if part[0])
    shown = [part for part in parts[first : first + 2] if part[0]]
    return Text(
        zh=" ".join(f"{count} {zh}" for count, zh, _ in shown),
        en=" ".join(plural(count, en) for count, _, en in shown),
    )


def time_left(due: datetime, *, now: datetime, working_days: int | None = None) -> Text:
    """The time to a deadline both ways: "还剩 2 个工作日（11月24日 17:30）", "超期 1 天 3 小时（…）".

    `working_days` (whole ones left, when the clock counts them) is preferred as soon as it is at least one.
    """
    when = stamp(due, now=now)
    if due < now:
        late = span(now - due)
        return Text(zh=f"超期 {late.zh}（{when.zh}）", en=f"{late.en} late ({when.en})")
    left = span(due - now)
    if working_days:
        left = Text(zh=f"{working_days} 个工作日", en=plural(working_days, "working day"))
    return Text(zh=f"还剩 {left.zh}（{when.zh}）", en=f"{left.en} left ({when.en})")
