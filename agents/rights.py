"""What a principal holds, read in one statement: rights for all rows of a model and rights on single rows."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db import connection

EVERYWHERE = ""
# Django and guardian keep four kinds of rights in four pairs of tables; the framework's own way asks one by one, and
# building those queries takes longer than running them.
_HELD = """
SELECT kind.app_label, kind.model, permission.codename, held.object_pk FROM (
    SELECT permission_id, '' AS object_pk FROM agents_principal_user_permissions WHERE principal_id = %(who)s
    UNION ALL
    SELECT given.permission_id, '' FROM auth_group_permissions given
    JOIN agents_principal_groups mine ON mine.group_id = given.group_id WHERE mine.principal_id = %(who)s
    UNION ALL
    SELECT permission_id, object_pk FROM guardian_userobjectpermission WHERE user_id = %(who)s
    UNION ALL
    SELECT given.permission_id, given.object_pk FROM guardian_groupobjectpermission given
    JOIN agents_principal_groups mine ON mine.group_id = given.group_id WHERE mine.principal_id = %(who)s
) held
JOIN auth_permission permission ON permission.id = held.permission_id
JOIN django_content_type kind ON kind.id = permission.content_type_id
"""


@dataclass(frozen=True)
class Rights:
    """What is held: "app.codename" for all rows, and (app, model, codename) to the primary keys of single rows."""

    everywhere: set[str] = field(default_factory=set)
    rows: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(list))


def held_by(principal_id: int) -> Rights:
    """The rights of an active principal, its own and those of its groups."""
    rights = Rights()
    with connection.cursor() as cursor:
        cursor.execute(_HELD, {"who": principal_id})
        for app, model, codename, pk in cursor.fetchall():
            if pk == EVERYWHERE:
                rights.everywhere.add(f"{app}.{codename}")
            else:
                rights.rows[app, model, codename].append(int(pk))
    return rights
