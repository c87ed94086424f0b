"""Delegations: one person decides for another while that one is away."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Q

from agents.models import Principal, PrincipalQuerySet, Unit
from agents.operations.access import IT_RIGHT
from agents.operations.reasons import check_length
from governance.models import Delegation, EscalationPath, Risk, RuleBook
from governance.rules.delegating import leads_back, wrong_period
from observability import ledger

SETTLE = "governance.settle_escalation"


class DelegationRefused(ledger.NotAllowed):
    """A delegation is made by the person who will be away, by IT, or by whoever manages that person's unit."""

    code = "delegation_refused"


class Circular(ledger.Invalid):
    """These delegations would lead back to the person who is away. Nobody would decide."""

    code = "circular_delegation"


@dataclass(frozen=True)
class Terms:
    """For whom somebody decides, until when, and what: no paths means all paths, no unit means all units."""

    person: Principal
    delegate: Principal
    ends_at: datetime
    reason: str
    starts_at: datetime | None = None
    paths: Collection[EscalationPath] = ()
    risk_at_most: int = Risk.HIGH
    unit: Unit | None = None


@transaction.atomic
def delegate(terms: Terms, *, by: Principal, at: datetime) -> Delegation:
    """Let one person decide what another one is asked, from `starts_at` (now) to `ends_at`. What is delegated to
    somebody is not delegated on: each person hands over only the questions that are put to that very person."""
    _require_side(terms.person, by)
    if by == terms.delegate != terms.person:
        raise DelegationRefused(
            "Nobody takes somebody else’s decisions; that person, IT or the unit’s owner gives them."
        )
    starts_at = terms.starts_at or at
    _check(terms, starts_at, at)
    # One after the other: two delegations at the same moment could close a ring that neither of them sees.
    RuleBook.objects.get_or_create(pk=1)
    RuleBook.objects.select_for_update().get(pk=1)
    edges = Delegation.objects.holding(starts_at, terms.ends_at).values_list("person", "delegate")
    if leads_back(edges, person=terms.person.pk, delegate=terms.delegate.pk):
        raise Circular(
            f"{terms.delegate} is away too in this time and counts on {terms.person}, directly or over others.",
            fields={"to": "Choose somebody who does not count on the person who is away."},
        )
    delegation = Delegation.objects.create(
        person=terms.person, delegate=terms.delegate, starts_at=starts_at, ends_at=terms.ends_at,
        risk_at_most=terms.risk_at_most, unit=terms.unit, reason=terms.reason.strip(), created_by=by, created_at=at,
    )  # fmt: skip
    delegation.paths.set(terms.paths)
    told = {"to": str(terms.delegate), "to_id": terms.delegate.username, "until": terms.ends_at.isoformat()}
    ledger.record(
        "delegation.created", delegation, by=by, at=at, why=delegation.reason, after=delegation.status, data=told
    )  # fmt: skip
    return delegation


def may_delegate_for(person: Principal, by: Principal) -> bool:
    """Whether `by` may make or end a delegation of this person's decisions."""
    manages = person.unit_id in by.granted("agents.manage_unit", Unit)
    return by.is_person and by.is_active and (by == person or manages or by.may(IT_RIGHT))


def deciders(viewer: Principal) -> PrincipalQuerySet:
    """People who may decide escalations: those of the viewer's units, and those who see all units, as risk and council
    do; whether a given one sees what is delegated is looked at when it is."""
    held = Permission.objects.filter(content_type__app_label="governance", codename="settle_escalation")
    sees_all = Permission.objects.filter(content_type__app_label="agents", codename="view_unit")
    may = Q(groups__permissions__in=held) | Q(user_permissions__in=held)
    visible = Principal.objects.people().visible_to(viewer).values("pk")
    near = Q(pk__in=visible) | Q(groups__permissions__in=sees_all)
    return Principal.objects.people().filter(pk__in=Principal.objects.filter(may).values("pk")).filter(near).distinct()


def _require_side(person: Principal, by: Principal) -> None:
    if not may_delegate_for(person, by):
        raise DelegationRefused


def _check(terms: Terms, starts_at: datetime, at: datetime) -> None:
    wrong = wrong_period(starts_at, terms.ends_at, at)
    unit = terms.unit or terms.person.unit
    if terms.person == terms.delegate:
        wrong["to"] = "Choose somebody else; you decide for yourself already."
    elif not _may_decide(terms.delegate):
        wrong["to"] = f"{terms.delegate} may not decide escalations; choose somebody who may."
    elif unit is None or unit.pk not in terms.delegate.unit_ids():
        wrong["to"] = f"{terms.delegate} may not see {unit or 'any unit'}; choose somebody who may."
    if not _may_decide(terms.person):
        wrong["person"] = f"{terms.person} may not decide escalations; there is nothing to hand over."
    elif terms.unit is not None and terms.unit.pk not in terms.person.unit_ids():
        wrong["unit"] = f"{terms.person} may not see this unit; choose another one."
    if terms.risk_at_most not in Risk.values:
        wrong["risk_at_most"] = "The highest risk is 1 (low), 2 (medium) or 3 (high)."
    if not terms.reason.strip():
        wrong["reason"] = "Say why somebody else decides, as in: on leave."
    check_length(terms.reason)
    if wrong:
        raise ledger.Invalid("The delegation cannot be made like this.", fields=wrong)


def _may_decide(person: Principal) -> bool:
    return person.is_person and person.is_active and person.may(SETTLE)


def end_delegation(delegation: Delegation, *, by: Principal, at: datetime, why: str = "") -> None:
    """End a delegation early: either of the two may, IT, and whoever manages the absent person's unit."""
    if not (delegation.concerns(by) and by.is_active):
        _require_side(delegation.person, by)
    check_length(why)
    _end(delegation, by=by, at=at, why=why)


def end_overdue(delegation: Delegation, *, at: datetime) -> None:
    """The time of a delegation has run out; it has decided nothing since then."""
    _end(delegation, by=ledger.SYSTEM, at=at, why="Its time has run out.")


def _end(delegation: Delegation, *, by: ledger.Acts, at: datetime, why: str) -> None:
    told = {"to": str(delegation.delegate), "to_id": delegation.delegate.username}
    ledger.move(
        delegation, Delegation.Status.ENDED, by=by, verb="delegation.ended", at=at, why=why, data=told, ended_at=at,
        ended_by=by if isinstance(by, Principal) else None,
    )  # fmt: skip
