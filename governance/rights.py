"""Who decides for whom: the questions that delegations put to a person, in one statement.

Every page counts what waits for its reader. As queries of the framework this took ten times as long to build as to run,
so it is written out; without a delegation it ends at the first table."""

from django.db import connection

from agents.rights import CLOCK

_STANDING_IN = """
SELECT {what} FROM governance_delegation held
JOIN agents_principal absent ON absent.id = held.person_id AND absent.is_active AND absent.kind = 'person'
JOIN governance_escalation question ON question.status = 'open' AND question.risk <= held.risk_at_most
JOIN agents_unit unit ON unit.id = question.unit_id
WHERE held.delegate_id = %s AND held.status = 'active' AND held.starts_at <= {now} AND held.ends_at > {now}
AND (
    EXISTS (
        SELECT 1 FROM governance_pathstep_people asked
        WHERE asked.pathstep_id = question.asked_id AND asked.principal_id = held.person_id)
    OR EXISTS (
        SELECT 1 FROM governance_pathstep level JOIN agents_principal_groups mine ON mine.group_id = level.group_id
        WHERE level.id = question.asked_id AND mine.principal_id = held.person_id))
AND (held.unit_id IS NULL OR EXISTS (
    SELECT 1 FROM agents_unit top WHERE top.id = held.unit_id AND top.path <> '' AND unit.path LIKE top.path || '%%'))
AND (
    NOT EXISTS (SELECT 1 FROM governance_delegation_paths limited WHERE limited.delegation_id = held.id)
    OR EXISTS (
        SELECT 1 FROM governance_delegation_paths limited
        WHERE limited.delegation_id = held.id AND limited.escalationpath_id = question.path_id))
AND NOT EXISTS (
    SELECT 1 FROM governance_escalation_not_by barred
    WHERE barred.escalation_id = question.id AND barred.principal_id = held.person_id)
AND NOT EXISTS (
    SELECT 1 FROM governance_vote given WHERE given.escalation_id = question.id
    AND (given.instead_of_id = held.person_id OR (given.person_id = held.person_id AND given.instead_of_id IS NULL)))
AND {may_settle}
AND ({sees_all} OR EXISTS (
    SELECT 1 FROM agents_unit top
    JOIN (
        SELECT object_pk, permission_id, user_id AS principal_id FROM agents_grant
        WHERE expires_at IS NULL OR expires_at > {now}
        UNION ALL
        SELECT given.object_pk, given.permission_id, mine.principal_id FROM agents_rolegrant given
        JOIN agents_principal_groups mine ON mine.group_id = given.group_id
        WHERE given.expires_at IS NULL OR given.expires_at > {now}
    ) sight ON sight.object_pk = CAST(top.id AS varchar) AND sight.principal_id = held.person_id
    JOIN auth_permission see ON see.id = sight.permission_id AND see.codename = 'view_unit'
    WHERE top.path <> '' AND unit.path LIKE top.path || '%%'))
"""
_HOLDS = """EXISTS (
    SELECT 1 FROM auth_permission may JOIN django_content_type kind ON kind.id = may.content_type_id
    WHERE kind.app_label = '{app}' AND may.codename = '{codename}' AND (
        EXISTS (
            SELECT 1 FROM auth_group_permissions given
            JOIN agents_principal_groups mine ON mine.group_id = given.group_id
            WHERE given.permission_id = may.id AND mine.principal_id = held.person_id)
        OR EXISTS (
            SELECT 1 FROM agents_principal_user_permissions own
            WHERE own.permission_id = may.id AND own.principal_id = held.person_id)))"""
_MAY_SETTLE = _HOLDS.format(app="governance", codename="settle_escalation")
_SEES_ALL = _HOLDS.format(app="agents", codename="view_unit")


def delegated_questions() -> str:
    """A statement with one place, for the key of a person: the keys of the open questions that the person decides for
    somebody who is away, asked, allowed to decide, not excluded, and for whom nobody has approved yet."""
    return _standing_in("question.id")


def delegations_deciding() -> str:
    """A statement with two places, for the keys of a person and a question: the keys of the delegations under which the
    person decides it."""
    return f"{_standing_in('held.id')} AND question.id = %s"


def _standing_in(what: str) -> str:
    now = CLOCK[connection.vendor]
    return _STANDING_IN.format(what=what, now=now, may_settle=_MAY_SETTLE, sees_all=_SEES_ALL)
