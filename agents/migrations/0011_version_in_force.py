"""Agents and blueprints carry the number of their version in force, so that whoever acts can tell it at no cost."""

from typing import Any

from django.db import migrations, models
from django.db.models import Max


def number(apps: Any, schema: Any) -> None:
    """The newest of the versions that are kept is in force."""
    newest = (
        apps.get_model("agents", "Version").objects.values("subject_kind", "subject_id").annotate(last=Max("number"))
    )
    for each in newest:
        table = apps.get_model("agents", each["subject_kind"])
        table.objects.filter(code=each["subject_id"]).update(version=each["last"])


class Migration(migrations.Migration):
    dependencies = [("agents", "0010_credentials")]

    operations = [
        migrations.AddField("agent", "version", models.PositiveIntegerField(default=1)),
        migrations.AddField("blueprint", "version", models.PositiveIntegerField(default=1)),
        migrations.RunPython(number, migrations.RunPython.noop),
    ]
