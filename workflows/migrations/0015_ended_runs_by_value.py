"""On PostgreSQL an index over what ended runs hold; runs under way are few, and change too often for it."""

from django.db import migrations


def index(apps, schema_editor):
    """Make the index."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE INDEX run_ended_values ON workflows_run USING gin (variables jsonb_path_ops)"
            " WHERE status IN ('done', 'failed', 'cancelled')"
        )


def drop(apps, schema_editor):
    """Take the index away."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX run_ended_values")


class Migration(migrations.Migration):
    dependencies = [("workflows", "0014_who_runs_work")]
    operations = [migrations.RunPython(index, drop)]
