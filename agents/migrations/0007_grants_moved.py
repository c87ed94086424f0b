"""The rights that guardian's own tables held move into ours, with what the ledger knows of them; roles get the rights
that access needs. Going back, rights that have not ended return without reason, giver and end."""

from datetime import datetime
from typing import Any

from django.db import migrations
from django.db.models import Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

PAIRS = (("UserObjectPermission", "Grant", "user_id"), ("GroupObjectPermission", "RoleGrant", "group_id"))
ROLES = {"add_grant": ("grant", "it"), "start_review": ("review", "council", "it", "risk")}
NAMES = {"add_grant": "Can add grant", "start_review": "Can start access reviews"}


def move(apps: Any, schema: Any) -> None:
    """Every row becomes one of ours; what was given by a recorded act gets its giver and its time."""
    told = _told(apps)
    people = dict(apps.get_model("agents", "Principal").objects.values_list("username", "pk"))
    for theirs, ours, holder in PAIRS:
        old, new = apps.get_model("guardian", theirs), apps.get_model("agents", ours)
        rows = []
        for row in old.objects.select_related("permission__content_type").order_by("pk").iterator():
            giver, at = told.get(_key(apps, row, holder), (None, None))
            columns = {name: getattr(row, name) for name in (holder, "permission_id", "content_type_id", "object_pk")}
            rows.append(new(uid=uuid7(), granted_by_id=people.get(giver), granted_at=at, **columns))
        new.objects.bulk_create(rows, batch_size=500)
        old.objects.all().delete()


def _told(apps: Any) -> dict[tuple[str, str, str], tuple[str, datetime]]:
    # The ledger names the receiver, the right and the object by its name.
    given = apps.get_model("observability", "Event").objects.filter(verb="grant.given").order_by("pk")
    columns = ("subject_id", "data", "actor_id", "at")
    return {
        (who, data.get("permission", ""), data.get("on", "")): (giver, at)
        for who, data, giver, at in given.values_list(*columns).iterator()
    }


def _key(apps: Any, row: Any, holder: str) -> tuple[str, str, str] | None:
    if holder != "user_id":
        return None
    kind = row.permission.content_type
    about = apps.get_model(kind.app_label, kind.model).objects.filter(pk=int(row.object_pk)).first()
    name = getattr(about, "title", None) if kind.model == "policy" else getattr(about, "name", "")
    if about is not None and kind.model == "agent":
        name = f"{about.code} {about.name}"
    return row.user.username, f"{kind.app_label}.{row.permission.codename}", str(name)


def move_back(apps: Any, schema: Any) -> None:
    """Rights that hold now return; one that has ended would hold for ever there."""
    for theirs, ours, holder in PAIRS:
        old, new = apps.get_model("guardian", theirs), apps.get_model("agents", ours)
        columns = (holder, "permission_id", "content_type_id", "object_pk")
        held = new.objects.filter(Q(expires_at=None) | Q(expires_at__gt=Now())).order_by("pk")
        old.objects.bulk_create([old(**row) for row in held.values(*columns)], batch_size=500)
        new.objects.all().delete()


def give_roles(apps: Any, schema: Any) -> None:
    """Give the roles of a company that is there already what new companies get."""
    groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    kinds = apps.get_model("contenttypes", "ContentType")
    for codename, (model, *names) in ROLES.items():
        members = groups.objects.filter(name__in=names)
        if not members.exists():
            continue
        kind, _ = kinds.objects.get_or_create(app_label="agents", model=model)
        wanted = {"content_type": kind, "codename": codename}
        permission, _ = permissions.objects.get_or_create(**wanted, defaults={"name": NAMES[codename]})
        for group in members:
            group.permissions.add(permission)


def take_roles(apps: Any, schema: Any) -> None:
    """The roles lose them again."""
    through = apps.get_model("auth", "Group").permissions.through
    codes = {"permission__content_type__app_label": "agents", "permission__codename__in": list(ROLES)}
    through.objects.filter(**codes).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0006_grants_and_reviews"),
        ("governance", "0001_first"),
        ("guardian", "0003_remove_groupobjectpermission_guardian_gr_content_ae6aec_idx_and_more"),
        ("observability", "0001_first"),
        ("workflows", "0001_first"),
    ]

    operations = [migrations.RunPython(move, move_back), migrations.RunPython(give_roles, take_roles)]
