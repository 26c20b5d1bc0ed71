"""What surrounds every operation: who calls, with what reach, what the table asks of them, and how a body is read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any

import orjson
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja import Router
from ninja.errors import AuthenticationError
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from ninja.responses import NinjaJSONEncoder
from ninja.security import HttpBearer, SessionAuth
from ninja.utils import check_csrf
from pydantic import AfterValidator, AwareDatetime, Field

from anlan.kernel.text import Refusal
from anlan.places import tokens
from anlan.places.models import Officer
from anlan.places.scope import reach_of
from anlan.presentation.api.refusals import BadRequest, NeedsCsrf
from anlan.presentation.permissions import API, PUBLIC, SIGNED_IN, NotPermitted
from anlan.presentation.web.frame import Asked

KEY = re.compile(r"[A-Za-z0-9._:~-]{1,64}")
SURROGATE = re.compile("[\ud800-\udfff]")
LARGEST_INTEGER = 2**53

Id = Annotated[int, Field(ge=1, lt=LARGEST_INTEGER)]
Key = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._:~-]{1,64}$", description="The client's own id: the same twice is one")
]
Short = Annotated[str, Field(max_length=80)]
Line = Annotated[str, Field(max_length=200)]
Long = Annotated[str, Field(max_length=4000)]
Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


def _sane(value: Any) -> Any:
    """Far years overflow as soon as anything is reckoned with them."""
    if not 1900 <= value.year <= 2200:
        raise ValueError("year")
    return value


Day = Annotated[date, AfterValidator(_sane)]
Moment = Annotated[AwareDatetime, AfterValidator(_sane)]


class OldPassword(Refusal):
    """The password was given by somebody else and must be changed first."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "您的密码是别人设的，请先登录网页修改密码。",
            "Your password was set by somebody else; sign in on the pages and change it first.",
        )


def _permit(request: HttpRequest, operation: str) -> None:
    """Raise unless the table lets whoever calls do `operation`. What the table does not have is closed to everybody."""
    action = API.get(operation)
    if action is None or (action != SIGNED_IN and not request.reach.may(action)):  # type: ignore[attr-defined]
        raise NotPermitted


class Bearer(HttpBearer):
    """A token: its officer calls, with the officer's reach narrowed to the token's actions."""

    def __init__(self, operation: str) -> None:
        super().__init__()
        self.operation = operation

    def authenticate(self, request: HttpRequest, token: str) -> Officer:
        at: datetime = request.at  # type: ignore[attr-defined]
        found = tokens.read(token, at=at)
        if found is None:
            raise AuthenticationError
        request.user = found.officer
        request.token = found  # type: ignore[attr-defined]
        request.reach = reach_of(found.officer, at=at, actions=found.actions)  # type: ignore[attr-defined]
        _permit(request, self.operation)
        return found.officer


class Session(SessionAuth):
    """The browser's session; whatever writes proves besides that the page itself asked."""

    def __init__(self, operation: str) -> None:
        super().__init__(csrf=False)
        self.operation = operation

    def authenticate(self, request: HttpRequest, key: str | None) -> Officer | None:
        officer = request.user
        if not isinstance(officer, Officer) and not officer.is_authenticated:
            return None
        if check_csrf(request):
            raise NeedsCsrf
        if officer.must_change_password:
            raise OldPassword
        _permit(request, self.operation)
        return officer


class Noun(Router):
    """The operations of one noun. An operation's name is `noun_function`: that is its line in the permission table."""

    def __init__(self, noun: str) -> None:
        super().__init__(tags=[noun])
        self.noun = noun

    def api_operation(self, methods: list[str], path: str, **given: Any) -> Callable[[Any], Any]:
        def add(view: Any) -> Any:
            name = f"{self.noun}_{view.__name__.strip('_')}"
            auth = None if API.get(name) == PUBLIC else [Bearer(name), Session(name)]
            own = {"operation_id": name, "url_name": name, "auth": auth, "summary": _first_line(view)}
            return super(Noun, self).api_operation(methods, path, **{**given, **own})(view)

        return add


def _first_line(view: Any) -> str:
    return str(view.__doc__ or view.__name__).strip().splitlines()[0]


class Strict(Parser):
    """Reads JSON, and refuses what no database can keep: NaN, NUL, half a surrogate pair, endless numbers."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            body = json.loads(request.body.decode("utf-8"), parse_constant=_no_constant)
            _check(body)
        except RecursionError:
            raise BadRequest from None
        return body

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        found: dict[str, Any] = super().parse_querydict(data, list_fields, request)
        _check({name: value for name, value in found.items() if isinstance(value, str | list)}, parts=str)
        return found


class Plain(JSONRenderer):
    """Writes Chinese as Chinese, and a list of fifty cases in a tenth of the time the standard library takes."""

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return written(data)


_encoder = NinjaJSONEncoder()
_AS_EVER = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def written(data: Any) -> bytes:
    """`data` as JSON; moments as the API's standard encoder writes them."""
    return orjson.dumps(data, default=_encoder.default, option=_AS_EVER)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _check(value: Any, *, parts: type | None = None) -> None:
    if isinstance(value, str):
        if "\x00" in value or (not value.isascii() and SURROGATE.search(value)):
            raise BadRequest
    elif isinstance(value, float):
        if not math.isfinite(value) or abs(value) >= LARGEST_INTEGER:
            raise BadRequest
    elif isinstance(value, int):
        if abs(value) >= LARGEST_INTEGER:
            raise BadRequest
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _check(key)
            _check(inner)
    elif isinstance(value, list):
        for inner in value:
            if parts is None or isinstance(inner, parts):
                _check(inner)


def client_key(request: Asked, given: str | None) -> str | None:
    """The caller's own id for this deed, from the body or the Idempotency-Key header; nobody else's can meet it."""
    key = given or request.headers.get("Idempotency-Key", "")
    if not key:
        return None
    if not KEY.fullmatch(key):
        raise Refusal(
            "编号（key）要用 1 至 64 个字母、数字或 . _ : ~ -。",
            "A key has 1 to 64 letters, digits or . _ : ~ -.",
            field="key",
        )
    return f"{request.user.pk}:{key}"
