"""Places have a stamp, and every change of what the register keeps gives them a new one: done by the database itself."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

WHOLE = ("area", "department", "post", "duty", "token", "holiday")
"""The tables of which every change counts."""

OFFICER = "username, name, phone, password, language, is_active, is_machine, must_change_password"
"""What counts of an officer: not that somebody signs in."""

POSTGRES_FUNCTION = """
CREATE FUNCTION places_new_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE places_register SET stamp = gen_random_uuid()::text;
    RETURN NULL;
END $$
"""
RANDOM = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()::text"}


def watch(vendor: str, table: str, verb: str) -> str:
    """The statement that makes `verb` on `table` give a new stamp."""
    name = f"CREATE TRIGGER {table}_{verb.partition(' ')[0].lower()}_counts AFTER {verb} ON {table}"
    if vendor == "postgresql":
        return f"{name} FOR EACH STATEMENT EXECUTE FUNCTION places_new_stamp()"
    return f"{name} BEGIN UPDATE places_register SET stamp = {RANDOM['sqlite']}; END"


def begin(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    vendor = editor.connection.vendor
    editor.execute("CREATE TABLE places_register (stamp varchar(36) NOT NULL)")
    editor.execute(f"INSERT INTO places_register (stamp) VALUES ({RANDOM[vendor]})")  # noqa: S608 - our own words
    if vendor == "postgresql":
        editor.execute(POSTGRES_FUNCTION)
    for table in WHOLE:
        for verb in ("INSERT", "UPDATE", "DELETE"):
            editor.execute(watch(vendor, f"places_{table}", verb))
    for verb in ("INSERT", f"UPDATE OF {OFFICER}", "DELETE"):
        editor.execute(watch(vendor, "places_officer", verb))


class Migration(migrations.Migration):
    dependencies = [("places", "0001_initial")]
    operations = [migrations.RunPython(begin, elidable=False)]
