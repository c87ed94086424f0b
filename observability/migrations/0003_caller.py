"""Each event tells how its actor came in. The triggers are installed anew: they name every column that never changes,
and SQLite loses them when it makes the table anew."""

from importlib import import_module

from django.db import migrations, models

before = import_module("observability.migrations.0002_ledger_refuses_change")


class Migration(migrations.Migration):
    dependencies = [("observability", "0002_ledger_refuses_change")]
    operations = [
        migrations.RunPython(before.unguard, before.guard),
        migrations.AddField(
            "event", "credential", models.CharField(blank=True, db_default="", default="", max_length=160)
        ),
        migrations.AddField("event", "address", models.CharField(blank=True, db_default="", default="", max_length=45)),
        migrations.AddField(
            "event",
            "on_behalf_of",
            models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.AddField(
            "event", "actor_version", models.CharField(blank=True, db_default="", default="", max_length=40)
        ),
        migrations.AddField("event", "trace", models.CharField(blank=True, db_default="", default="", max_length=32)),
        migrations.RunPython(before.guard, before.unguard),
    ]
