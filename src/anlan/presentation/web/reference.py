"""Reference data kept by one machine: a list with filters, forms to add and change. A new table costs few lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse

from anlan.kernel.text import Text
from anlan.presentation.permissions import NotFound, needs
from anlan.presentation.saying import name, say
from anlan.presentation.web.forms import Ask, Form
from anlan.presentation.web.frame import Asked
from anlan.presentation.web.lists import Column, Empty, Filter, Filters, page_of, table

T = TypeVar("T", bound=Model)
SETTINGS = Text(zh="设置", en="Settings")
SAVE = Text(zh="保存", en="Save")


def no_filters(request: Asked) -> list[Filter]:
    return []


def nothing_more(request: Asked, thing: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Reference(Generic[T]):
    """One kept table. `rows` is already scoped; `path_of` says where a row stands, so that its change is scoped too."""

    key: str
    one: str
    title: Text
    noun: Text
    lead: Text
    see: str
    edit: str
    rows: Callable[[Asked], QuerySet[T]]
    order: Sequence[str]
    columns: Sequence[Column]
    ask: Callable[[Asked, T | None], list[Ask]]
    path_of: Callable[[T], str]
    add: Callable[[Asked, dict[str, Any]], T] | None
    change: Callable[[Asked, T, dict[str, Any]], Any] | None
    filters: Callable[[Asked], list[Filter]] = no_filters
    template: str = "settings/one.html"
    more: Callable[[Asked, T], dict[str, Any]] = nothing_more
    add_lead: Text | None = None
    name_of: Callable[[T], Any] = name
    may: Callable[[Asked, T], bool] | None = None
    drawer: bool = True

    def urls(self) -> list[URLPattern]:
        """The addresses: `<key>`, `<one>_add`, `<one>`, and `<one>_change` of what can be changed."""
        here, change = f"settings/{self.key}/", f"{self.one}_change"
        changed = [path(f"{here}<int:pk>/change/", needs(self.edit)(self._change), name=change)]
        return [
            path(here, needs(self.see)(self._list), name=self.key),
            path(f"{here}add/", needs(self.edit)(self._add), name=f"{self.one}_add"),
            path(f"{here}<int:pk>/", needs(self.see)(self._one), name=self.one),
            *(changed if self.change is not None else ()),
        ]

    def get(self, request: Asked, pk: int) -> T:
        """The row `pk` within reach; raises `NotFound`."""
        thing = self.rows(request).filter(pk=pk).first()
        if thing is None:
            raise NotFound
        return thing

    def may_change(self, request: Asked, thing: T) -> bool:
        """Whether the one who asks may change this row."""
        if self.may is not None:
            return self.may(request, thing)
        return self.change is not None and request.reach.covers(self.edit, area_path=self.path_of(thing))

    def _trail(self, *more: tuple[Any, str]) -> list[tuple[Any, str]]:
        return [(SETTINGS, reverse("settings")), (self.title, reverse(self.key)), *more]

    def _list(self, request: Asked) -> HttpResponse:
        filters = Filters.of(request, self.filters(request))
        page = page_of(filters.narrow(self.rows(request)), request, order=self.order)
        may_add = self.add is not None and request.reach.may(self.edit)
        empty = Empty(
            Text(zh=f"这里还没有{self.noun.zh}", en=f"No {self.noun.en} here yet"),
            self.lead,
            reverse(f"{self.one}_add") if may_add else "",
            self._add_verb(),
        )
        shown = table(
            page.items,
            self.columns,
            caption=self.title,
            url=lambda thing: reverse(self.one, args=[thing.pk]),
            empty=empty,
            page=page,
            drawer=self.drawer,
            quiet_caption=True,
        )
        said = {
            "title": self.title,
            "lead": self.lead,
            "table": shown,
            "filters": filters if filters.fields else None,
            "crumbs": [*self._trail()[:-1], (self.title, "")],
            "add_url": reverse(f"{self.one}_add") if may_add else "",
            "add_verb": self._add_verb(),
        }
        return render(request, "settings/list.html", said)

    def _add_verb(self) -> Text:
        return Text(zh=f"新增{self.noun.zh}", en=f"Add {self.noun.en}")

    def _add(self, request: Asked) -> HttpResponseBase:
        if self.add is None:
            raise NotFound
        add = self.add
        form = Form(self.ask(request, None), self._add_verb(), cancel=reverse(self.key))
        if request.method == "POST":
            made = form.carry_out(request, lambda answers: add(request, answers))
            if made is not None:
                messages.success(request, say(Text(zh="已保存。", en="Saved.")))
                return redirect(self.one, pk=made.pk)
        trail = self._trail((self._add_verb(), ""))
        said = {"title": self._add_verb(), "lead": self.add_lead, "form": form, "crumbs": trail}
        return render(request, "settings/form.html", said, status=422 if request.method == "POST" else 200)

    def _one(self, request: Asked, pk: int) -> HttpResponseBase:
        thing = self.get(request, pk)
        said = {
            "title": self.name_of(thing),
            "thing": thing,
            "facts": [(c.title, c.value(thing)) for c in self.columns],
            "crumbs": self._trail((self.name_of(thing), "")),
            "change_url": reverse(f"{self.one}_change", args=[pk]) if self.may_change(request, thing) else "",
            **self.more(request, thing),
        }
        return render(request, self.template, said)

    def _change(self, request: Asked, pk: int) -> HttpResponseBase:
        thing = self.get(request, pk)
        if self.change is None or not self.may_change(request, thing):
            raise NotFound
        change = self.change
        form = Form(self.ask(request, thing), SAVE, cancel=reverse(self.one, args=[pk]))
        if request.method == "POST":
            done = form.carry_out(request, lambda answers: change(request, thing, answers) or thing)
            if done is not None:
                messages.success(request, say(Text(zh="已保存。", en="Saved.")))
                return redirect(self.one, pk=pk)
            thing.refresh_from_db()
        said = {
            "title": self.name_of(thing),
            "form": form,
            "crumbs": self._trail((self.name_of(thing), reverse(self.one, args=[pk])), (SAVE, "")),
        }
        return render(request, "settings/form.html", said, status=422 if request.method == "POST" else 200)
