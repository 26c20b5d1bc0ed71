"""Who may see and do what: role × area subtree × department, decided here and nowhere else.

Lists, pages, the API and exports all ask a `Reach`. It is read with one query and is pure data from then on, kept until
places change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from anlan.kernel.text import Refusal
from anlan.places import register
from anlan.places.models import Officer, Post
from anlan.places.record import day_of
from anlan.places.role import ACTIONS, ReachKind, role

NOTHING = Q(pk__in=())
Departments = str | Callable[[frozenset[int]], Q] | None
Owners = str | Callable[[int], Q] | None


class NotCertified(Refusal):
    """The officer's certificate has lapsed: a certified role may only look until it is renewed."""


class BeyondReach(Refusal):
    """Somebody would give, or take over, more than is theirs."""

    status = 403


def under(path: str, field: str = "area_path") -> Q:
    """The rows whose `field` lies in the subtree of `path`, as one range that an index on `field` answers.

    A path is lower-case letters and digits closed by "/", and "0" follows "/" in ASCII and in every collation in
    use, so "33/07/" ≤ x < "33/070" is exactly what begins with "33/07/". The empty path is the whole tree.
    """
    if not path:
        return Q()
    return Q(**{f"{field}__gte": path, f"{field}__lt": f"{path[:-1]}0"})


def within(paths: Iterable[str], field: str = "area_path") -> Q:
    """The rows in any of the subtrees; none when there are no paths."""
    outermost = _outermost(paths)
    if not outermost:
        return NOTHING
    condition = under(outermost[0], field)
    for path in outermost[1:]:
        condition |= under(path, field)
    return condition


def _outermost(paths: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not kept or not path.startswith(kept[-1]):
            kept.append(path)
    return kept


@dataclass(frozen=True, slots=True)
class Hold:
    """What one post gives: `actions` at the role's reach, `area_actions` over the whole subtree of `path`."""

    role: str
    reach: ReachKind
    path: str
    actions: frozenset[str]
    area_actions: frozenset[str]
    department: int | None
    party: int | None
    compels: bool
    lapsed_on: date | None
    certificate: str

    def counts(
        self, officer: int, departments: Collection[int], owners: Collection[int | None], party: int | None
    ) -> bool:
        """Whether a thing with these departments, owners and party is within the role's reach."""
        if self.reach == "area":
            return True
        if self.reach == "department":
            return self.department is not None and self.department in departments
        if self.reach == "own":
            return officer in owners
        return self.party is not None and self.party == party


class Reach:
    """Everything an officer may do on one day, and where. Nothing is allowed that no post allows."""

    def __init__(self, officer: int, holds: Sequence[Hold]) -> None:
        self.officer = officer
        self.holds = tuple(holds)

    def may(self, action: str) -> bool:
        """Whether `action` is allowed anywhere at all."""
        _known(action)
        return any(action in hold.actions or action in hold.area_actions for hold in self.holds)

    def covers(
        self,
        action: str,
        *,
        area_path: str,
        departments: Collection[int] = (),
        owners: Collection[int | None] = (),
        party: int | None = None,
    ) -> bool:
        """Whether `action` is allowed on a thing at `area_path` with these departments, owners and party."""
        _known(action)
        return any(
            action in hold.area_actions
            or (action in hold.actions and hold.counts(self.officer, departments, owners, party))
            for hold in self.holds
            if area_path.startswith(hold.path)
        )

    def q(
        self,
        action: str,
        *,
        area: str = "area_path",
        department: Departments = None,
        owner: Owners = None,
        party: str | None = None,
    ) -> Q:
        """The rows on which `action` is allowed: `covers`, said as a filter.

        `area` names the path column. `department` and `owner` are column names, or functions from the ids to a
        condition where a thing has several (lead and assisting); a reach whose column is not given matches nothing.
        """
        _known(action)
        condition = within((hold.path for hold in self._wide(action)), area)
        for hold in self._narrow(action):
            condition |= under(hold.path, area) & _narrowed(hold, self.officer, department, owner, party)
        return condition

    def roles_at(
        self,
        area_path: str,
        *,
        departments: Collection[int] | None = None,
        owners: Collection[int | None] = (),
        party: int | None = None,
        action: str = "",
    ) -> frozenset[str]:
        """The roles held over `area_path`. With `departments`, only those whose reach takes in that very thing, or
        which may do `action` on anything there."""
        return frozenset(
            hold.role
            for hold in self.holds
            if area_path.startswith(hold.path)
            and hold.lapsed_on is None
            and (
                departments is None
                or action in hold.area_actions
                or hold.counts(self.officer, departments, owners, party)
            )
        )

    def departments(self) -> frozenset[int]:
        """The departments in which the officer holds a post that has not lapsed."""
        return frozenset(h.department for h in self.holds if h.department is not None and h.lapsed_on is None)

    def parties(self) -> frozenset[int]:
        """The parties for which the officer stands."""
        return frozenset(hold.party for hold in self.holds if hold.party is not None)

    def areas(self, action: str) -> list[str]:
        """The outermost paths under which `action` is allowed on something."""
        _known(action)
        return _outermost(h.path for h in self.holds if action in h.actions or action in h.area_actions)

    def check_hands_on(self, actions: Iterable[str], area_path: str) -> None:
        """Raise `BeyondReach` where `actions` hold a power to administer that is not held over `area_path` itself.

        Whoever appoints a handler need not be one; but nobody makes an administrator of more than they administer.
        """
        for action in actions:
            if action.endswith(".edit") and not self.covers(action, area_path=area_path):
                words = ACTIONS[action]
                raise BeyondReach(
                    f"您在这个辖区没有“{words.zh}”的权限，也就不能给别人；请由上级管理员办理。",
                    f"You may not '{words.en}' in this area yourself, so you cannot let others; ask the administrator "
                    "above you.",
                )

    def administers(self, officer: Officer, action: str, *, at: datetime) -> bool:
        """Whether every post `officer` holds, or will hold, lies where `action` is allowed (one query).

        Nobody rises by taking over somebody who reaches further.
        """
        lasting = Q(valid_to=None) | Q(valid_to__gt=day_of(at))
        paths = Post.objects.filter(lasting, officer=officer).values_list("area__path", flat=True)
        return self.may(action) and all(self.covers(action, area_path=path) for path in paths)

    def compels(self, area_path: str) -> bool:
        """Whether the officer may order, seal or fine at `area_path`: a certified role, its certificate valid."""
        return any(h.compels and h.lapsed_on is None and area_path.startswith(h.path) for h in self.holds)

    def check_certified(self, area_path: str) -> None:
        """Raise `NotCertified` when the only thing that stands in the way at `area_path` is a lapsed certificate."""
        for hold in self.holds:
            if hold.lapsed_on is not None and area_path.startswith(hold.path):
                raise NotCertified(
                    f"您的执法证 {hold.certificate} 已于 {hold.lapsed_on} 到期，只能查看；"
                    "请管理员登记新的有效期后再办理。",
                    f"Your certificate {hold.certificate} lapsed on {hold.lapsed_on}, so you may only look; "
                    "ask the administrator to enter its new validity, then act.",
                )

    def _wide(self, action: str) -> list[Hold]:
        return [h for h in self.holds if action in h.area_actions or (h.reach == "area" and action in h.actions)]

    def _narrow(self, action: str) -> list[Hold]:
        return [h for h in self.holds if h.reach != "area" and action in h.actions and action not in h.area_actions]


def check_another(officer: Officer, *, by: Officer | None) -> None:
    """Raise `BeyondReach` where `by` would raise themselves: posts, certificates and passwords come from another."""
    if by is not None and by.pk == officer.pk:
        raise BeyondReach(
            "不能给自己任命岗位、登记执法证或重设密码；请由另一位管理员办理（自己的密码在“修改密码”里改）。",
            "Nobody gives themselves a post, a certificate or a new password; ask another administrator (you change "
            "your own password on its own page).",
        )


def check_speaks_for(officer: Officer, *, by: Officer | None) -> None:
    """Raise `BeyondReach` where `by` would act as another person: a token is one's own, or a system's."""
    if by is not None and by.pk != officer.pk and not officer.is_machine:
        raise BeyondReach(
            "令牌只能发给自己，或发给登记为系统的账号，不能以他人的名义发放；请为那个系统登记一个账号。",
            "A token is issued to oneself or to an account that is a system, never on behalf of another person; enter "
            "an account for that system.",
            field="officer",
        )


def posts_of(officer: Officer, *, at: datetime) -> tuple[Post, ...]:
    """The posts `officer` holds on the day of `at`, with area, department and party, from the register."""
    if not officer.is_active:
        return ()
    day = day_of(at)
    related = ("area", "department", "party")
    return register.current().kept(
        ("posts", officer.pk, day),
        lambda: tuple(Post.objects.filter(on(day), officer=officer).select_related(*related).order_by("pk")),
    )


def on(day: date, prefix: str = "") -> Q:
    """The rows valid on `day`: from `valid_from` to the day before `valid_to`."""
    ends = Q(**{f"{prefix}valid_to": None}) | Q(**{f"{prefix}valid_to__gt": day})
    return Q(**{f"{prefix}valid_from__lte": day}) & ends


def reach_of(officer: Officer, *, at: datetime, actions: Collection[str] | None = None) -> Reach:
    """What `officer` may do on the day of `at`; `actions` (a token's) narrows it further and never widens it."""
    allowed = None if actions is None else frozenset(actions)
    day = day_of(at)
    key = ("reach", officer.pk, officer.is_active, day, allowed)
    return register.current().kept(
        key, lambda: Reach(officer.pk, [_hold(post, day, allowed) for post in posts_of(officer, at=at)])
    )


def _hold(post: Post, day: date, allowed: frozenset[str] | None) -> Hold:
    declared = role(post.role)
    lapsed_on = _lapsed(post, day) if declared.certified else None
    actions, area_actions = frozenset(declared.actions), frozenset(declared.area_actions)
    if lapsed_on is not None:
        actions, area_actions = _only_looking(actions), _only_looking(area_actions)
    if allowed is not None:
        actions, area_actions = actions & allowed, area_actions & allowed
    return Hold(
        role=declared.key,
        reach=declared.reach,
        path=post.area.path,
        actions=actions,
        area_actions=area_actions,
        department=post.department_id,
        party=post.party_id,
        compels=declared.compels,
        lapsed_on=lapsed_on,
        certificate=post.certificate_no,
    )


def _lapsed(post: Post, day: date) -> date | None:
    if not post.certificate_no or post.certificate_until is None:
        return post.valid_from
    return post.certificate_until if post.certificate_until < day else None


def _only_looking(actions: frozenset[str]) -> frozenset[str]:
    return frozenset(action for action in actions if action.endswith(".see"))


def _known(action: str) -> None:
    if action not in ACTIONS:
        raise LookupError(f"no such action: {action}")


def _narrowed(
    hold: Hold,
    officer: int,
    department: Departments,
    owner: Owners,
    party: str | None,
) -> Q:
    if hold.reach == "department" and department is not None and hold.department is not None:
        ids = frozenset({hold.department})
        return Q(**{f"{department}__in": ids}) if isinstance(department, str) else department(ids)
    if hold.reach == "own" and owner is not None:
        return Q(**{owner: officer}) if isinstance(owner, str) else owner(officer)
    if hold.reach == "party" and party is not None and hold.party is not None:
        return Q(**{party: hold.party})
    return NOTHING
