"""Events become leaves of a tree whose signed checkpoints prove them. The database refuses to change or remove an
event, a subtree, a checkpoint or what a verification found; of an event only what is sealed may be set, once, and only
its payload may be erased, which leaves the digest of it."""

from importlib import import_module

from django.db import migrations, models

before = import_module("observability.migrations.0002_ledger_refuses_change")
SET_ONCE = ("position", "leaf", "digest")
ERASED = {"subject_name": "''", "why": "''", "data": "'{}'", "address": "''"}
FREE = (*SET_ONCE, "salt", *ERASED)
KEPT = ("treenode", "checkpoint", "verification")


def lasting(apps):
    """The columns that never change."""
    event = apps.get_model("observability", "Event")
    return [field.column for field in event._meta.local_fields if field.name not in FREE]


def postgresql(names):
    """Triggers for PostgreSQL, and the one procedure that erases a payload."""
    same = " AND ".join(f'NEW."{name}" IS NOT DISTINCT FROM OLD."{name}"' for name in names)
    once = " AND ".join(f"(OLD.{name} IS NULL OR OLD.{name} = NEW.{name})" for name in SET_ONCE)
    whole = " AND ".join(f"NEW.{name} = OLD.{name}" for name in ERASED)
    gone = " AND ".join(f"NEW.{name} = {empty}" for name, empty in ERASED.items())
    yield f"""CREATE FUNCTION ledger_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF {same} AND {once} AND {whole} AND NEW.digest IS NOT DISTINCT FROM OLD.digest
                AND (NEW.salt IS NOT DISTINCT FROM OLD.salt OR (OLD.salt IS NULL AND OLD.leaf IS NULL))
                THEN RETURN NEW; END IF;
            IF {same} AND {once} AND {gone} AND OLD.leaf IS NOT NULL AND NEW.salt IS NULL
                AND OLD.digest IS NULL AND NEW.digest IS NOT NULL
                AND current_setting('ledger.erasing', true) = OLD.id::text THEN RETURN NEW; END IF;
        END IF;
        RAISE EXCEPTION 'the ledger is append-only: % refused', TG_OP; END $$"""
    yield """CREATE FUNCTION ledger_erase(entry bigint, payload_digest bytea) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$ BEGIN
        PERFORM set_config('ledger.erasing', entry::text, true);
        UPDATE observability_event SET subject_name = '', why = '', data = '{}', address = '', salt = NULL,
            digest = payload_digest WHERE id = entry;
        PERFORM set_config('ledger.erasing', '', true); END $$"""
    yield """CREATE FUNCTION ledger_keeps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'the ledger is append-only: % refused', TG_OP; END $$"""
    for name, function in (("event", "ledger_refuses"), *((name, "ledger_keeps") for name in KEPT)):
        mark = "ledger" if name == "event" else f"ledger_{name}"
        yield (
            f"CREATE TRIGGER {mark}_no_update BEFORE UPDATE OR DELETE ON observability_{name}"
            f" FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
        yield (
            f"CREATE TRIGGER {mark}_no_truncate BEFORE TRUNCATE ON observability_{name}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )


def sqlite(names):
    """Triggers for SQLite."""
    quoted = ", ".join(f'"{name}"' for name in names)
    refuse = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    again = " OR ".join(f"(OLD.{name} IS NOT NULL AND OLD.{name} IS NOT NEW.{name})" for name in SET_ONCE)
    whole = " AND ".join(f"NEW.{name} = OLD.{name}" for name in ERASED)
    gone = " AND ".join(f"NEW.{name} = {empty}" for name, empty in ERASED.items())
    yield f"CREATE TRIGGER ledger_no_update BEFORE UPDATE OF {quoted} ON observability_event {refuse}"
    yield (
        "CREATE TRIGGER ledger_no_second_position BEFORE UPDATE OF position, leaf, digest ON observability_event"
        f" WHEN {again} {refuse}"
    )
    yield (
        "CREATE TRIGGER ledger_no_erasing BEFORE UPDATE OF salt, digest, subject_name, why, data, address"
        f" ON observability_event WHEN NOT (({whole} AND NEW.digest IS OLD.digest"
        " AND (NEW.salt IS OLD.salt OR (OLD.salt IS NULL AND OLD.leaf IS NULL)))"
        f" OR ({gone} AND OLD.leaf IS NOT NULL AND NEW.salt IS NULL AND OLD.digest IS NULL"
        f" AND NEW.digest IS NOT NULL)) {refuse}"
    )
    yield f"CREATE TRIGGER ledger_no_delete BEFORE DELETE ON observability_event {refuse}"
    for name in KEPT:
        for what in ("update", "delete"):
            yield f"CREATE TRIGGER ledger_{name}_no_{what} BEFORE {what.upper()} ON observability_{name} {refuse}"


def guard(apps, schema_editor):
    """Install the triggers."""
    make = {"postgresql": postgresql, "sqlite": sqlite}[schema_editor.connection.vendor]
    for statement in make(lasting(apps)):
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    """Remove the triggers."""
    if schema_editor.connection.vendor == "postgresql":
        for function in ("ledger_refuses()", "ledger_keeps()", "ledger_erase(bigint, bytea)"):
            schema_editor.execute(f"DROP FUNCTION {function} CASCADE")
        return
    names = ["no_update", "no_second_position", "no_erasing", "no_delete"]
    names += [f"{name}_no_{what}" for name in KEPT for what in ("update", "delete")]
    for name in names:
        schema_editor.execute(f"DROP TRIGGER ledger_{name}")


def forget_leaves(apps, schema_editor):
    """On the way back: without salts no leaf can be worked out again, so that each is made anew the next time."""
    apps.get_model("observability", "Event").objects.exclude(leaf=None).update(leaf=None)


class Migration(migrations.Migration):
    dependencies = [("observability", "0003_caller")]
    operations = [
        migrations.RunPython(before.unguard, before.guard),
        migrations.RunPython(migrations.RunPython.noop, forget_leaves),
        migrations.AddField("event", "salt", models.BinaryField(null=True)),
        migrations.AddField("event", "digest", models.BinaryField(null=True)),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("size", models.BigIntegerField(unique=True)),
                ("root", models.BinaryField()),
                ("at", models.DateTimeField()),
                ("key", models.CharField(max_length=400)),
                ("note", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Outlet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, unique=True)),
                ("size", models.BigIntegerField(default=0)),
                ("published_at", models.DateTimeField(null=True)),
                ("tried_at", models.DateTimeField(null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name="Tree",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("size", models.BigIntegerField(default=0)),
                ("hashes", models.BinaryField(default=bytes)),
            ],
        ),
        migrations.CreateModel(
            name="TreeNode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("level", models.PositiveSmallIntegerField()),
                ("number", models.BigIntegerField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("level", "number"), name="one_node_for_each_subtree")],
            },
        ),
        migrations.CreateModel(
            name="Verification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("seconds", models.DecimalField(decimal_places=3, max_digits=12)),
                ("begun", models.BigIntegerField()),
                ("size", models.BigIntegerField()),
                ("hashes", models.BinaryField()),
                ("checkpoints", models.BigIntegerField()),
                ("position", models.BigIntegerField(null=True)),
                ("problem", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "indexes": [models.Index(fields=["at"], name="verification_at")],
            },
        ),
        migrations.RunPython(guard, unguard),
    ]
