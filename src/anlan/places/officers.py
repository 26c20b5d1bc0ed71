"""Officers: who signs in, the posts they hold, their passwords and the lock against guessing.

No name, phone or user name ever enters an event: the ledger knows an officer by number.
"""

from __future__ import annotations

import copy
import re
from datetime import date, datetime
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import get_default_password_validators
from django.core.exceptions import ValidationError
from django.db import transaction

from anlan.kernel.text import Refusal, Text
from anlan.places import lock, register
from anlan.places.models import Area, Department, Officer, Party, Post
from anlan.places.record import day_of, record
from anlan.places.role import role as declared_role
from anlan.places.scope import check_another, on

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")

WEAK: Final[dict[str, Text]] = {
    "password_too_short": Text(zh="密码至少要 {least} 位", en="it needs at least {least} characters"),
    "password_too_common": Text(zh="这个密码太常见", en="it is too common"),
    "password_entirely_numeric": Text(zh="密码不能全是数字", en="it cannot be digits alone"),
    "password_too_similar": Text(zh="密码和用户名或姓名太像", en="it is too like the user name or name"),
}


class OfficerRefused(Refusal):
    """The officer or post cannot be entered so."""


class WeakPassword(Refusal):
    """The password is too easy to guess."""


class WrongSignIn(Refusal):
    """User name and password do not belong together."""


@transaction.atomic
def create(
    username: str,
    *,
    name: str,
    by: Officer | None,
    at: datetime,
    phone: str = "",
    language: str = "zh",
    is_machine: bool = False,
    password: str | None = None,
    must_change_password: bool = False,
) -> Officer:
    """A new officer without posts. Without a password nobody can sign in under the name until one is set."""
    username = username.strip().lower()
    _check_names(username, name)
    if Officer.objects.filter(username=username).exists():
        raise OfficerRefused(
            f"用户名“{username}”已有人用；请换一个。",
            f"The user name '{username}' is taken; choose another.",
            field="username",
        )
    officer = Officer(
        username=username,
        name=name.strip(),
        phone=phone,
        language=language,
        is_machine=is_machine,
        must_change_password=must_change_password,
    )
    if password is not None:
        check_password_strength(password, officer)
    officer.set_password(password)
    officer.save()
    record("officer.created", officer, by=by, at=at, data={"machine": is_machine})
    return officer


def of(pk: int) -> Officer | None:
    """The officer with this number as an instance of one's own, read from the register."""
    found = register.current().rows(Officer.objects.all(), [pk]).get(pk)
    return copy.copy(found) if found else None


@transaction.atomic
def change(officer: Officer, *, by: Officer | None, at: datetime, **fields: Any) -> Officer:
    """Correct `name`, `phone`, `language` or `is_active`; what is not named stays."""
    unknown = fields.keys() - {"name", "phone", "language", "is_active"}
    if unknown:
        raise TypeError(f"an officer has no {', '.join(sorted(unknown))}")
    _check_names(officer.username, fields.get("name", officer.name))
    changed = [field for field, value in fields.items() if getattr(officer, field) != value]
    if changed:
        for field in changed:
            setattr(officer, field, fields[field])
        officer.save(update_fields=changed)
        data = {"fields": sorted(changed), "active": officer.is_active}
        record("officer.changed", officer, by=by, at=at, data=data)
    return officer


@transaction.atomic
def post(
    officer: Officer,
    role: str,
    area: Area,
    *,
    by: Officer | None,
    at: datetime,
    valid_from: date | None = None,
    valid_to: date | None = None,
    department: Department | None = None,
    party: Party | None = None,
    certificate_no: str = "",
    certificate_until: date | None = None,
) -> Post:
    """Give `officer` the role over `area` from `valid_from` (the day of `at`) to the day before `valid_to`."""
    check_another(officer, by=by)
    begins = valid_from or day_of(at)
    _check_post(role, department, party, certificate_no, certificate_until)
    _check_term(begins, valid_to)
    same = Post.objects.filter(officer=officer, role=role, area=area, department=department, party=party)
    if same.filter(on(begins)).exists():
        raise OfficerRefused(
            f"此人在{area.name_zh}已有这个岗位；不必再加，要改期限请先撤岗。",
            f"This officer already holds that post in {area.name_en}; end it first if its dates must change.",
            field="role",
        )
    held = Post.objects.create(
        officer=officer,
        role=role,
        area=area,
        department=department,
        party=party,
        certificate_no=certificate_no.strip(),
        certificate_until=certificate_until,
        valid_from=begins,
        valid_to=valid_to,
    )
    _record_post("officer.posted", held, by=by, at=at)
    return held


@transaction.atomic
def unpost(held: Post, *, by: Officer | None, at: datetime, day: date | None = None) -> Post:
    """The post no longer holds from `day` (the day of `at`) on."""
    held.valid_to = max(day or day_of(at), held.valid_from)
    held.save(update_fields=["valid_to"])
    _record_post("officer.unposted", held, by=by, at=at)
    return held


@transaction.atomic
def renew_certificate(held: Post, *, number: str, until: date, by: Officer | None, at: datetime) -> Post:
    """Enter the certificate's new number and last valid day."""
    check_another(held.officer, by=by)
    _check_post(held.role, held.department, held.party, number, until)
    held.certificate_no, held.certificate_until = number.strip(), until
    held.save(update_fields=["certificate_no", "certificate_until"])
    _record_post("officer.certified", held, by=by, at=at)
    return held


@transaction.atomic
def set_password(
    officer: Officer, password: str, *, by: Officer | None, at: datetime, must_change: bool = False
) -> Officer:
    """A new password, and with it a fresh start for the lock. Raises `WeakPassword`, saying all that is wrong."""
    check_password_strength(password, officer)
    officer.set_password(password)
    officer.must_change_password = must_change
    officer.save(update_fields=["password", "must_change_password"])
    lock.lift(officer.username)
    record("officer.password_set", officer, by=by, at=at, data={"must_change": must_change})
    return officer


def change_own_password(officer: Officer, old: str, new: str, *, at: datetime) -> Officer:
    """The officer's own change: the old password must be right and the new one another."""
    if not officer.check_password(old):
        raise WrongSignIn("原密码不对；请重新输入。", "The old password is wrong; type it again.", field="old")
    if old == new:
        raise WeakPassword("新密码不能和原密码一样。", "The new password must differ from the old one.", field="new")
    return set_password(officer, new, by=officer, at=at)


def check_password_strength(password: str, officer: Officer) -> None:
    """Raise `WeakPassword` with every rule of the settings that `password` breaks."""
    wrong: list[Text] = []
    for validator in get_default_password_validators():
        try:
            validator.validate(password, officer)
        except ValidationError as error:
            least = getattr(validator, "min_length", 0)
            wrong += [_weakness(found.code or "", str(found.message)).format(least=least) for found in error.error_list]
    if wrong:
        raise WeakPassword(
            f"密码不合要求：{'；'.join(text.zh for text in wrong)}。请换一个。",
            f"That password will not do: {'; '.join(text.en for text in wrong)}. Choose another.",
            field="password",
        )


def sign_in(username: str, password: str, *, at: datetime) -> Officer:
    """The officer whom `username` and `password` name. Raises `WrongSignIn`, or `Locked` after too many of those."""
    username = username.strip().lower()
    locked_until = lock.count(username, at=at)
    officer = Officer.objects.filter(username=username, is_active=True, is_machine=False).first()
    if officer is None:
        # The same work as for a known name, so that the time taken tells nobody which names exist.
        make_password(password)
    elif officer.check_password(password):
        _note_sign_in(officer, at=at)
        return officer
    if locked_until is None:
        raise _wrong()
    if officer is not None:
        with transaction.atomic():
            record("officer.locked", officer, by=None, at=at, data={"until": locked_until.isoformat()})
    raise lock.Locked(locked_until, at=at)


@transaction.atomic
def _note_sign_in(officer: Officer, *, at: datetime) -> None:
    """Record a sign-in; the count of wrong passwords begins again."""
    officer.last_login = at
    officer.save(update_fields=["last_login"])
    lock.lift(officer.username)
    record("officer.signed_in", officer, by=officer, at=at)


def _wrong() -> WrongSignIn:
    return WrongSignIn(
        "用户名或密码不对；请重新输入。", "The user name or the password is wrong; type them again.", field="password"
    )


def _weakness(code: str, message: str) -> Text:
    plain = message.replace("{", "{{").replace("}", "}}")
    return WEAK.get(code) or Text(zh=plain, en=plain)


def _record_post(kind: str, held: Post, *, by: Officer | None, at: datetime) -> None:
    data = {
        "post": held.pk,
        "role": held.role,
        "department": held.department_id,
        "party": held.party_id,
        "from": held.valid_from.isoformat(),
        "to": held.valid_to.isoformat() if held.valid_to else None,
    }
    record(kind, held.officer, by=by, at=at, area_path=held.area.path, data=data)


def _check_term(begins: date, ends: date | None) -> None:
    if ends is not None and ends <= begins:
        raise OfficerRefused(
            "岗位结束日期要晚于开始日期。", "The post must end on a later day than it begins.", field="valid_to"
        )


def _check_names(username: str, name: str) -> None:
    if not USERNAME.fullmatch(username):
        raise OfficerRefused(
            f"用户名“{username}”要用 2 至 60 个小写字母、数字或 . _ -；请改正。",
            f"The user name '{username}' needs 2 to 60 lower-case letters, digits or . _ -; correct it.",
            field="username",
        )
    if not name.strip():
        raise OfficerRefused("请填写姓名。", "Give the officer's name.", field="name")


def _check_post(
    key: str, department: Department | None, party: Party | None, certificate_no: str, certificate_until: date | None
) -> None:
    role = declared_role(key)
    if role.reach == "department" and department is None:
        raise OfficerRefused(
            f"{role.title.zh}要属于一个部门；请选择部门。",
            f"The role {role.title.en} belongs to a department; choose one.",
            field="department",
        )
    if role.reach == "party" and party is None:
        raise OfficerRefused(
            f"{role.title.zh}要代表一个责任主体；请选择。",
            f"The role {role.title.en} stands for a party; choose which.",
            field="party",
        )
    if role.certified and not (certificate_no.strip() and certificate_until):
        raise OfficerRefused(
            f"{role.title.zh}要有执法证号和有效期；请填写。",
            f"The role {role.title.en} needs a certificate number and its last valid day; enter both.",
            field="certificate_no",
        )
