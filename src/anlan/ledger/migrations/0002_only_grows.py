"""Events and seals can be added and read, never changed or removed: held by the database itself."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

KEPT = ("ledger_event", "ledger_seal")
WHY = "台账只增不改，{table} 不可{zh}；请追加一条更正 / The ledger only grows: {table} cannot be {en}; append a correction"
REFUSED = {"UPDATE": ("修改", "changed"), "DELETE": ("删除", "deleted from"), "TRUNCATE": ("清空", "emptied")}

POSTGRES_FUNCTIONS = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION ledger_note_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('anlan.restoring', true) IS DISTINCT FROM 'on' THEN
        NEW.tx := pg_current_xact_id()::text::bigint;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_event_transaction BEFORE INSERT ON ledger_event
FOR EACH ROW EXECUTE FUNCTION ledger_note_transaction();
"""


def guard(vendor: str, table: str, verb: str) -> str:
    """The statement that makes `table` refuse `verb` with a sentence."""
    zh, en = REFUSED[verb]
    why = WHY.format(table=table, zh=zh, en=en)
    name = f"{table}_no_{verb.lower()}"
    if vendor == "postgresql":
        each = "STATEMENT" if verb == "TRUNCATE" else "ROW"
        return f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH {each} EXECUTE FUNCTION ledger_refuse('{why}')"
    return f"CREATE TRIGGER {name} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{why}'); END"


def close(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    vendor = editor.connection.vendor
    verbs = ["UPDATE", "DELETE"]
    if vendor == "postgresql":
        verbs.append("TRUNCATE")
        editor.execute(POSTGRES_FUNCTIONS)
    for table in KEPT:
        for verb in verbs:
            editor.execute(guard(vendor, table, verb))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunPython(close, elidable=False)]
