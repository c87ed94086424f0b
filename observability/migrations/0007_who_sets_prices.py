"""Council and IT set the prices of models: existing companies get the right that new ones begin with."""

from typing import Any

from django.db import migrations

RIGHTS = {"set_prices": ("Can set the prices of models", ("council", "it"))}


def give(apps: Any, schema: Any) -> None:
    """Add the rights to the groups that are there; a new company gets them with its roles."""
    groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    kinds = apps.get_model("contenttypes", "ContentType")
    for codename, (name, roles) in RIGHTS.items():
        for group in groups.objects.filter(name__in=roles):
            kind, _ = kinds.objects.get_or_create(app_label="observability", model="modelprice")
            right, _ = permissions.objects.get_or_create(content_type=kind, codename=codename, defaults={"name": name})
            group.permissions.add(right)


def take(apps: Any, schema: Any) -> None:
    """Take them back."""
    through = apps.get_model("auth", "Group").permissions.through
    codes = {"permission__content_type__app_label": "observability", "permission__codename__in": list(RIGHTS)}
    through.objects.filter(**codes).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("observability", "0006_what_agents_did"),
    ]

    operations = [migrations.RunPython(give, take)]
