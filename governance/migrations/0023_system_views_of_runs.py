"""The saved views of runs that come with the system."""

from typing import Any

from django.db import migrations
from django.db.models.functions import Now

SYSTEM_VIEWS = (
    ("Waits for a person", {"state": "waiting"}),
    ("Has failed work", {"state": "stuck"}),
    ("Under way for over a day", {"age": "1d"}),
)


def bring_views(apps: Any, schema: Any) -> None:
    """The views of runs that come with the system."""
    view = apps.get_model("governance", "SavedView")
    for name, query in SYSTEM_VIEWS:
        view.objects.create(table="runs", name=name, query=query, at=Now())


def take_views(apps: Any, schema: Any) -> None:
    """Take away what the earlier version could not show."""
    apps.get_model("governance", "SavedView").objects.filter(table="runs").delete()


class Migration(migrations.Migration):
    dependencies = [("governance", "0022_views_of_runs")]

    operations = [migrations.RunPython(bring_views, take_views)]
