"""The database itself refuses to change or remove an event; only its position and leaf may be set, once."""

from django.db import migrations

FREE = ("position", "leaf")


def columns(apps):
    """The columns that never change, in the names of the database."""
    event = apps.get_model("observability", "Event")
    return [field.column for field in event._meta.local_fields if field.name not in FREE]


def postgresql(names):
    """Triggers for PostgreSQL."""
    changed = " OR ".join(f'NEW."{name}" IS DISTINCT FROM OLD."{name}"' for name in names)
    return [
        f"""CREATE FUNCTION ledger_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF NOT ({changed}) AND (OLD.position IS NULL OR OLD.position = NEW.position)
                AND (OLD.leaf IS NULL OR OLD.leaf = NEW.leaf) THEN RETURN NEW; END IF;
        END IF;
        RAISE EXCEPTION 'the ledger is append-only: % refused', TG_OP; END $$""",
        "CREATE TRIGGER ledger_no_update BEFORE UPDATE OR DELETE ON observability_event"
        " FOR EACH ROW EXECUTE FUNCTION ledger_refuses()",
        "CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON observability_event"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses()",
    ]


def sqlite(names):
    """Triggers for SQLite."""
    quoted = ", ".join(f'"{name}"' for name in names)
    refuse = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    return [
        f"CREATE TRIGGER ledger_no_update BEFORE UPDATE OF {quoted} ON observability_event {refuse}",
        "CREATE TRIGGER ledger_no_second_position BEFORE UPDATE OF position, leaf ON observability_event"
        " WHEN (OLD.position IS NOT NULL AND OLD.position IS NOT NEW.position)"
        f" OR (OLD.leaf IS NOT NULL AND OLD.leaf IS NOT NEW.leaf) {refuse}",
        f"CREATE TRIGGER ledger_no_delete BEFORE DELETE ON observability_event {refuse}",
    ]


def guard(apps, schema_editor):
    """Install the triggers."""
    make = {"postgresql": postgresql, "sqlite": sqlite}[schema_editor.connection.vendor]
    for statement in make(columns(apps)):
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    """Remove the triggers."""
    if schema_editor.connection.vendor == "postgresql":
        for name in ("ledger_no_update", "ledger_no_truncate"):
            schema_editor.execute(f"DROP TRIGGER {name} ON observability_event")
        schema_editor.execute("DROP FUNCTION ledger_refuses")
        return
    for name in ("ledger_no_update", "ledger_no_second_position", "ledger_no_delete"):
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("observability", "0001_first")]
    operations = [migrations.RunPython(guard, unguard)]
