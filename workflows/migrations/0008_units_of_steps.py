from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery


def name_units(apps: Any, schema_editor: Any) -> None:
    """Say of every step that is not over whose unit's it is."""
    Run, Step = apps.get_model("workflows", "Run"), apps.get_model("workflows", "Step")
    unit = Run.objects.filter(pk=OuterRef("run")).values("unit")[:1]
    Step.objects.filter(status__in=("ready", "working", "waiting", "failed"), unit=None).update(unit=Subquery(unit))


class Migration(migrations.Migration):
    dependencies = [("workflows", "0007_work_queue")]

    operations = [migrations.RunPython(name_units, migrations.RunPython.noop)]
