"""The council looks after shared memory: existing companies get the rights that new ones begin with."""

from django.db import migrations

RIGHTS = {
    "curate_space": "Can confirm and invalidate facts of the space",
    "purge_space": "Can purge what an author put into shared memory",
    "add_space": "Can add space",
}


def give(apps, schema_editor):
    """Add the rights to the group that is there; a new company gets them with its roles."""
    for group in apps.get_model("auth", "Group").objects.filter(name="council"):
        group.permissions.add(*_permissions(apps))


def take(apps, schema_editor):
    """Take them back."""
    for group in apps.get_model("auth", "Group").objects.filter(name="council"):
        group.permissions.remove(*_permissions(apps))


def _permissions(apps):
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="workflows", model="space")
    table = apps.get_model("auth", "Permission").objects
    return [
        table.get_or_create(content_type=kind, codename=code, defaults={"name": name})[0]
        for code, name in RIGHTS.items()
    ]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("workflows", "0012_words_of_facts"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(give, take)]
