"""What is put back for a test is what the verbs built, and it is put back nowhere else."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection

from anlan.places import officers
from anlan.places.models import Officer
from asking import undone
from remembered import remembered
from world import AT, World, _built


def rows() -> dict[str, list[Any]]:
    """Every row there is, as the database has it."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f"SELECT * FROM {model._meta.db_table} ORDER BY 1")  # noqa: S608 - our own names
            found[model._meta.db_table] = cursor.fetchall()
    return found


def town(name: str) -> tuple[World, bool]:
    """The town, and whether the verbs built it."""
    asked: list[str] = []

    def build() -> World:
        asked.append(name)
        return _built(AT)

    return remembered((name,), build), bool(asked)


def test_a_town_that_is_put_back_has_the_rows_of_the_one_that_was_built() -> None:
    empty = rows()
    with undone():
        first, built = town("rows")
        held = rows()
        assert built
    assert rows() == empty
    second, built = town("rows")
    assert not built
    assert rows() == held
    assert second == first
    assert second.handler is not first.handler


def test_life_goes_on_in_a_town_that_was_put_back() -> None:
    with undone():
        town("life")
    put_back, _ = town("life")
    fresh = officers.create("xinren", name="新人", by=put_back.administrator, at=AT)
    assert fresh.pk > max(Officer.objects.exclude(pk=fresh.pk).values_list("pk", flat=True))


def test_beside_anything_else_the_town_is_built() -> None:
    with undone():
        town("beside")
    officers.create("xinren", name="新人", by=None, at=AT)
    _, built = town("beside")
    assert built
    assert Officer.objects.filter(username="xinren").count() == 1
