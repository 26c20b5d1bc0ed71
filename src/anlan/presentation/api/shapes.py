"""What the API says of things: the shapes that several nouns share, and how a list becomes a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from ninja import Schema
from pydantic import ConfigDict, Field

from anlan.kernel.text import Refusal, Text
from anlan.places.models import Area, Department, Officer
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Page, page_of

T = TypeVar("T")
M = TypeVar("M", bound=Model)


class Given(Schema):
    """Something a caller sends: a misspelt item is told, not overlooked."""

    model_config = ConfigDict(extra="forbid")


class Said(Schema):
    """Words in both languages."""

    zh: Annotated[str, Field(min_length=1, max_length=80)]
    en: Annotated[str, Field(min_length=1, max_length=80)]


class Words(Schema):
    """Words in both languages, of any length."""

    zh: str
    en: str


class Paging(Schema):
    """`after` and `before` are the cursors of the page that was shown last."""

    after: Annotated[str, Field(max_length=500)] = ""
    before: Annotated[str, Field(max_length=500)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Listing(Schema, Generic[T]):
    """One page; `after` and `before` lead to the neighbouring pages, "" where there is none."""

    items: list[T]
    before: str
    after: str


class AreaName(Schema):
    code: str
    path: str
    name: Words


class DepartmentName(Schema):
    id: int
    key: str
    name: Words


class OfficerName(Schema):
    id: int
    name: str


class Named(Schema):
    """Something with an id and one name."""

    id: int
    name: str


def words(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def text_of(said: Said) -> Text:
    return Text(zh=said.zh, en=said.en)


def name_of(thing: Any) -> dict[str, str]:
    """The name of something with `name_zh` and `name_en`."""
    return {"zh": thing.name_zh, "en": thing.name_en}


def area_name(area: Area) -> dict[str, Any]:
    return {"code": area.code, "path": area.path, "name": name_of(area)}


def department_name(department: Department | None) -> dict[str, Any] | None:
    if department is None:
        return None
    return {"id": department.pk, "key": department.key, "name": name_of(department)}


def officer_name(officer: Officer | None) -> dict[str, Any] | None:
    return None if officer is None else {"id": officer.pk, "name": officer.name}


def listed(
    request: Asked, query: QuerySet[M], paging: Paging, *, order: Sequence[str], show: Callable[[M], dict[str, Any]]
) -> dict[str, Any]:
    """One page of `query` by key, each row shown by `show`."""
    return told(one_page(request, query, paging, order=order), show)


def told(page: Page, show: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """A page as `Listing`."""
    return {"items": [show(item) for item in page.items], "before": page.before, "after": page.after}


def one_page(request: Asked, query: QuerySet[Any, Any], paging: Paging, *, order: Sequence[str]) -> Page:
    """One page of `query` by key; a cursor of another list is refused."""
    try:
        return page_of(query, request, order=order, size=paging.limit, strict=True)
    except ValueError:
        raise Refusal(
            "翻页位置（after 或 before）不是这个列表给出的；请从第一页开始。",
            "The cursor (after or before) was not given by this list; start again from the first page.",
            field="after",
        ) from None
