"""Each agent gets a blueprint, one for each role, unit and risk class; people's roles get the rights on blueprints."""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.models import Max, Min

# Nothing changes on the day of the upgrade: the policies alone decide until somebody names the actions of the job.
ANY = [{"system": "*", "action": "*", "scope": {}}]
PURPOSE = "Made from the agents that worked before blueprints were kept. Name the actions of the job."
RIGHTS = {
    "view_blueprint": ("council", "it", "risk", "auditor"),
    "add_blueprint": ("it",),
    "change_blueprint": ("it", "council"),
    "add_assessment": ("it", "council", "risk"),
}


def describe_jobs(apps: Any, schema_editor: Any) -> None:
    agents, blueprints = apps.get_model("agents", "Agent"), apps.get_model("agents", "Blueprint")
    jobs = agents.objects.filter(blueprint=None).order_by().values("role", "unit", "risk_class")
    for job in jobs.annotate(ceiling=Max("autonomy_level"), since=Min("created_at")):
        kind = {name: job[name] for name in ("role", "unit", "risk_class")}
        alike = agents.objects.filter(**kind)
        first = alike.select_related("role", "unit").order_by("pk").first()
        blueprint = blueprints.objects.create(
            code=_free_code(blueprints, first), name=first.role.name, purpose=PURPOSE, role=first.role,
            unit=first.unit, owner_id=first.accountable_id, actions=ANY, autonomy_ceiling=job["ceiling"],
            risk_class=first.risk_class, runtime=first.runtime, status="active", created_at=job["since"],
        )  # fmt: skip
        alike.update(blueprint=blueprint)


def _free_code(blueprints: Any, agent: Any) -> str:
    code = f"{agent.role.code}-{agent.unit.code}".lower().replace("_", "-")[:55].strip("-") or "job"
    taken, number = code, 1
    while blueprints.objects.filter(code=taken).exists():
        number += 1
        taken = f"{code}-{number}"
    return taken


def forget_jobs(apps: Any, schema_editor: Any) -> None:
    apps.get_model("agents", "Agent").objects.update(blueprint=None)
    apps.get_model("agents", "Blueprint").objects.all().delete()


def give_rights(apps: Any, schema_editor: Any) -> None:
    groups = apps.get_model("auth", "Group").objects.filter(
        name__in={name for names in RIGHTS.values() for name in names}
    )
    if not groups.exists():
        return  # a new database; its roles are defined with all rights
    config = apps.get_app_config("agents")
    config.models_module = True  # the app as it stood then has no module, and rows of rights are made only with one
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="agents")
    for codename, names in RIGHTS.items():
        permission = permissions.get(codename=codename)
        for group in groups.filter(name__in=names):
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0003_blueprints"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunPython(describe_jobs, forget_jobs),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
