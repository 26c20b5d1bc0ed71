"""The vocabulary of roles: what somebody may do, and how far it reaches. Each role is one file in `roles/`."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from anlan.kernel import catalogue
from anlan.kernel.catalogue import Basis, Declaration, Kind
from anlan.kernel.refusals import Misdeclared
from anlan.kernel.text import Text

ACTIONS: Final[dict[str, Text]] = {
    "cases.see": Text(zh="查看事项", en="See cases"),
    "cases.act": Text(zh="办理事项", en="Act on cases"),
    "cases.bulk": Text(zh="批量办理事项", en="Act on many cases at once"),
    "cases.export": Text(zh="导出事项", en="Export cases"),
    "cases.recheck": Text(zh="复查抽到的事项", en="Look again at cases drawn by lot"),
    "reports.see": Text(zh="查看上报", en="See reports"),
    "reports.receive": Text(zh="上报", en="Report"),
    "quarantine.see": Text(zh="查看待核来件", en="See quarantined messages"),
    "quarantine.mend": Text(zh="修正待核来件", en="Mend quarantined messages"),
    "imports.run": Text(zh="导入文件", en="Import files"),
    "sites.see": Text(zh="查看场所", en="See sites"),
    "sites.edit": Text(zh="维护场所", en="Edit sites"),
    "devices.see": Text(zh="查看设备", en="See devices"),
    "devices.edit": Text(zh="维护设备", en="Edit devices"),
    "areas.see": Text(zh="查看辖区", en="See areas"),
    "areas.edit": Text(zh="维护辖区", en="Edit areas"),
    "departments.edit": Text(zh="维护部门", en="Edit departments"),
    "officers.see": Text(zh="查看人员", en="See officers"),
    "officers.edit": Text(zh="维护人员和岗位", en="Edit officers and posts"),
    "duties.edit": Text(zh="维护责任分工", en="Edit duties"),
    "tokens.edit": Text(zh="维护接入密钥", en="Edit access keys"),
    "statistics.see": Text(zh="查看统计", en="See statistics"),
    "index.draft": Text(zh="起草指数", en="Draft an index"),
    "index.sign": Text(zh="签发指数", en="Sign an index"),
    "index.publish": Text(zh="发布和撤回指数", en="Publish and withdraw an index"),
    "procedures.see": Text(zh="查看流程", en="See procedures"),
    "ledger.see": Text(zh="查看台账", en="See the ledger"),
    "reporter.see": Text(zh="查看上报人", en="See who reported"),
    "notices.see": Text(zh="查看提醒", en="See notices"),
    "pushes.answer": Text(zh="签收和答复推送", en="Receive and answer pushes"),
}
"""Everything that can be allowed, with the words for it."""

ReachKind = Literal["area", "department", "own", "party"]


def known(actions: list[str]) -> list[str]:
    """`actions` as given; refused, naming those that do not exist."""
    wrong = [action for action in actions if action not in ACTIONS]
    if wrong:
        raise Misdeclared(f"没有这样的权限：{'、'.join(wrong)}。", f"There is no such action: {', '.join(wrong)}.")
    return actions


class Role(Declaration):
    """What a post lets its holder do, always inside the subtree of the post's area.

    `reach` narrows `actions` further: "area" = everything there; "department" = only what the post's department leads
    or assists; "own" = only what the officer opened or handles; "party" = only what concerns the post's party.
    `area_actions` reach the whole subtree whatever `reach` says: a handler sees every site of the town, but only the
    cases of the department. `certified` roles need a valid certificate for everything but looking. `compels` roles may
    order, seal or fine; the law lets only certified officers do so (行政处罚法 §42).
    """

    title: Text
    summary: Text
    reach: ReachKind
    actions: list[str]
    area_actions: list[str] = Field(default_factory=list)
    certified: bool = False
    compels: bool = False
    basis: Basis | None = None

    _actions_known = field_validator("actions", "area_actions")(known)

    @model_validator(mode="after")
    def _only_the_certified_compel(self) -> Self:
        if self.compels and not self.certified:
            raise Misdeclared("能责令、查封、处罚的角色必须持证。", "A role that compels must be certified.")
        return self

    @property
    def allowed(self) -> frozenset[str]:
        """Every action of the role, however far it reaches."""
        return frozenset([*self.actions, *self.area_actions])

    @property
    def sees_reporter(self) -> bool:
        """Whether the holder may learn who reported."""
        return "reporter.see" in self.actions or "reporter.see" in self.area_actions


ROLES: Final = Kind("roles", Role)


def all_roles() -> dict[str, Role]:
    """Every declared role by key."""
    return catalogue.current().all(ROLES)


def role(key: str) -> Role:
    """The role `key`; raises `Undeclared` when no file declares it."""
    return catalogue.current().get(ROLES, key)
