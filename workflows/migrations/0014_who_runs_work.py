"""IT and unit owners start runs and look after them: existing companies get the rights that new ones begin with."""

from django.db import migrations

RIGHTS = {
    "start_workflow": "Can start runs of the workflow",
    "intervene_workflow": "Can intervene in runs of the workflow",
}
ROLES = ("it", "unit_owner")


def give(apps, schema_editor):
    """Add the rights to the groups that are there; a new company gets them with its roles."""
    for group in apps.get_model("auth", "Group").objects.filter(name__in=ROLES):
        group.permissions.add(*_permissions(apps))


def take(apps, schema_editor):
    """Take them back."""
    for group in apps.get_model("auth", "Group").objects.filter(name__in=ROLES):
        group.permissions.remove(*_permissions(apps))


def _permissions(apps):
    kinds = apps.get_model("contenttypes", "ContentType").objects
    kind, _ = kinds.get_or_create(app_label="workflows", model="workflow")
    table = apps.get_model("auth", "Permission").objects
    return [
        table.get_or_create(content_type=kind, codename=code, defaults={"name": name})[0]
        for code, name in RIGHTS.items()
    ]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("workflows", "0013_rights_of_memory"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(give, take)]
