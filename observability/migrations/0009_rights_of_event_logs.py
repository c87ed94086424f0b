"""The council has event logs read: existing companies get the right that new ones begin with."""

from typing import Any

from django.db import migrations

ROLES = ("council",)
RIGHT = ("start_eventlog", "Can have event logs read and keep what they tell")


def give(apps: Any, schema: Any) -> None:
    """Add the right to the groups that are there; a new company gets it with its roles."""
    groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    kinds = apps.get_model("contenttypes", "ContentType")
    codename, name = RIGHT
    for group in groups.objects.filter(name__in=ROLES):
        kind, _ = kinds.objects.get_or_create(app_label="observability", model="eventlog")
        right, _ = permissions.objects.get_or_create(content_type=kind, codename=codename, defaults={"name": name})
        group.permissions.add(right)


def take(apps: Any, schema: Any) -> None:
    """Take it back."""
    through = apps.get_model("auth", "Group").permissions.through
    codes = {"permission__content_type__app_label": "observability", "permission__codename": RIGHT[0]}
    through.objects.filter(**codes).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("observability", "0008_event_logs"),
    ]
    operations = [migrations.RunPython(give, take)]
