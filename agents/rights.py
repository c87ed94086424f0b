"""What a principal holds, in one statement each: rights for all rows of a model, rights on single rows, its units.

Every request asks this. The framework's ways ask four tables one by one, and building those queries takes longer than
running them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection

_HELD = """
SELECT held.who, kind.app_label, kind.model, permission.codename, held.object_pk FROM (
    SELECT principal_id AS who, permission_id, NULL AS object_pk FROM agents_principal_user_permissions
    WHERE principal_id IN ({who})
    UNION ALL
    SELECT mine.principal_id, given.permission_id, NULL FROM auth_group_permissions given
    JOIN agents_principal_groups mine ON mine.group_id = given.group_id WHERE mine.principal_id IN ({who})
    UNION ALL
    SELECT user_id, permission_id, object_pk FROM agents_grant
    WHERE user_id IN ({who}) AND (expires_at IS NULL OR expires_at > {now})
    UNION ALL
    SELECT mine.principal_id, given.permission_id, given.object_pk FROM agents_rolegrant given
    JOIN agents_principal_groups mine ON mine.group_id = given.group_id
    WHERE mine.principal_id IN ({who}) AND (given.expires_at IS NULL OR given.expires_at > {now})
) held
JOIN auth_permission permission ON permission.id = held.permission_id
JOIN django_content_type kind ON kind.id = permission.content_type_id
"""

_BELOW = """
SELECT unit.id FROM agents_unit unit
WHERE EXISTS (
    SELECT 1 FROM agents_unit upper
    WHERE upper.id IN ({tops}) AND upper.path <> '' AND unit.path LIKE upper.path || %s
)
ORDER BY unit.path
"""

_STANDING = """
SELECT agent.status, job.id, job.version, job.status FROM agents_agent agent
JOIN agents_blueprint job ON job.id = agent.blueprint_id WHERE agent.id = %s
"""

# The database's clock, as in ledger.database_now: a right holds nothing from the second on at which it ends.
_NOW = {"postgresql": "clock_timestamp()", "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')"}


@dataclass(frozen=True)
class Rights:
    """What is held: "app.codename" for all rows, and (app, model, codename) to the primary keys of single rows."""

    everywhere: set[str] = field(default_factory=set)
    rows: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(list))


def held_by(principal_id: int) -> Rights:
    """The rights of an active principal, its own and those of its groups."""
    return held_by_each([principal_id])[principal_id]


def held_by_each(principals: Sequence[int]) -> dict[int, Rights]:
    """The rights of each of these active principals."""
    rights = {each: Rights() for each in principals}
    if not rights:
        return rights
    asked = {f"who{place}": each for place, each in enumerate(rights)}
    named = ", ".join(f"%({name})s" for name in asked)
    with connection.cursor() as cursor:
        cursor.execute(_HELD.format(now=_NOW[connection.vendor], who=named), asked)
        for who, app, model, codename, pk in cursor.fetchall():
            if pk is None:
                rights[who].everywhere.add(f"{app}.{codename}")
            else:
                rights[who].rows[app, model, codename].append(int(pk))
    return rights


def units_below(tops: list[int]) -> list[int]:
    """Primary keys of these units and every unit below them, in the order of the tree."""
    if not tops:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_BELOW.format(tops=", ".join(["%s"] * len(tops))), [*tops, "%"])
        return [pk for (pk,) in cursor.fetchall()]


def standing(agent: int) -> tuple[str, int, int, str] | None:
    """The status of an agent now, and the key, version and status of its blueprint; None for no agent."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [agent])
        found: tuple[str, int, int, str] | None = cursor.fetchone()
    return found
