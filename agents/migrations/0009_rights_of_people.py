"""IT sees to people's accounts, the council to its own: existing companies get the rights that new ones begin with."""

from django.db import migrations

RIGHTS = {"it": ("add_principal", "change_principal"), "council": ("change_principal",)}


def give(apps, schema_editor):
    """Add the rights to the groups that are there; a new company gets them with its roles."""
    group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for role, codenames in RIGHTS.items():
        for group in group_model.objects.filter(name=role):
            group.permissions.add(
                *permission_model.objects.filter(content_type__app_label="agents", codename__in=codenames)
            )


def take(apps, schema_editor):
    """Take them back."""
    group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for role, codenames in RIGHTS.items():
        for group in group_model.objects.filter(name=role):
            group.permissions.remove(
                *permission_model.objects.filter(content_type__app_label="agents", codename__in=codenames)
            )


class Migration(migrations.Migration):
    dependencies = [("agents", "0008_people"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(give, take)]
