"""Incidents: opened by safeguards, resolved by people; releasing restores the state before."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from agents import operations as agents
from agents.models import Agent, Principal, System
from governance.models import Decision, Incident, SystemGuard
from governance.models.incidents import CONTROL, PAUSE, RIGHT
from observability import ledger

EVIDENCE_AT_MOST = 50
REASON_AT_MOST = 2000


class NotYourIncident(ledger.NotAllowed):
    """You may not resolve this incident. Its page says who may."""

    code = "not_your_incident"


def open_incident(
    kind: str, about: str, *, why: str, at: datetime, agent: Agent | None = None, system: System | None = None,
    run: str = "", evidence: Iterable[Decision] = (), agent_was: str = "",
) -> tuple[Incident, bool]:  # fmt: skip
    """The open incident about this, and whether it is new: as long as one is open a second one says nothing more."""
    known = Incident.objects.open().filter(kind=kind, about=about).first()
    if known is not None:
        return known, False
    unit = system.unit if system is not None else agent.unit if agent is not None else None
    if unit is None:
        raise ValueError("an incident is about an agent or a system")
    ids = [str(decision.uid) for decision in list(evidence)[:EVIDENCE_AT_MOST]]
    try:
        with transaction.atomic():
            incident = Incident.objects.create(
                kind=kind, about=about, unit=unit, agent=agent, system=system, run=run, why=why, evidence=ids,
                agent_was=agent_was, opened_at=at,
            )  # fmt: skip
    except IntegrityError:  # somebody else saw the same at the same moment
        return Incident.objects.open().get(kind=kind, about=about), False
    ledger.record("incident.opened", incident, by=ledger.SYSTEM, at=at, why=why, after=incident.status)
    return incident, True


def may_resolve(person: Principal, incident: Incident) -> bool:
    """Whether this person may let go on what the incident stopped."""
    if not (person.is_person and person.is_active and incident.is_open):
        return False
    agent = incident.agent
    if agent is None:
        return person.may(RIGHT, incident.system) or person.may(CONTROL)
    if person.may(PAUSE, agent):  # the rule for letting a paused agent work again
        return True
    if incident.kind == Incident.Kind.QUARANTINE:
        return False
    return person.pk in (agent.accountable_id, agent.stand_in_id) or person.may(RIGHT, agent)


@transaction.atomic
def release(incident: Incident, *, by: Principal, at: datetime, why: str) -> None:
    """Let go on what the incident stopped, in the state that it had before; all counts begin anew from now. Raises
    NotYourIncident, TooLate, or what keeps the agent from working again."""
    _require_open(incident, by)
    said = _reason(why, "Say why this may go on.")
    _close(incident, Incident.Outcome.RELEASED, by=by, at=at, why=said)
    if incident.kind == Incident.Kind.QUARANTINE and incident.agent is not None:
        _restore(incident.agent, incident.agent_was, by=by, at=at, why=said)
    if incident.kind == Incident.Kind.CIRCUIT:
        _reconnect(incident, by=by, at=at, why=said)


@transaction.atomic
def keep_paused(incident: Incident, *, by: Principal, at: datetime, why: str) -> None:
    """Close the incident about an agent in quarantine and leave the agent as it is: from now on it is paused like any
    other. Raises NotYourIncident, TooLate, WrongStatus."""
    _require_open(incident, by)
    if incident.kind != Incident.Kind.QUARANTINE:
        raise ledger.WrongStatus("Only an agent in quarantine can stay paused; anything else would go on.")
    _close(incident, Incident.Outcome.KEPT, by=by, at=at, why=_reason(why, "Say why it stays paused."))


@transaction.atomic
def resume_agent(agent: Agent, *, by: Principal, at: datetime, why: str = "") -> None:
    """Let a paused agent work again. One in quarantine is released with it, as one act, and that needs a reason. Raises
    what `release` raises, and what keeps the agent from working again."""
    incident = quarantine_of(agent)
    if incident is None:
        agents.resume(agent, by=by, at=at, why=why)
        return
    release(incident, by=by, at=at, why=why)
    agent.refresh_from_db()


def quarantine_of(agent: Agent) -> Incident | None:
    """The open incident because of which the agent is in quarantine."""
    return Incident.objects.open().filter(kind=Incident.Kind.QUARANTINE, agent=agent).with_names().first()


def evidence_for(incident: Incident, person: Principal) -> list[Decision]:
    """The decisions that led to the incident, newest first, as far as this person may see them."""
    found = Decision.objects.visible_to(person).filter(uid__in=incident.evidence)
    return list(found.select_related("agent"))


def lock_incident(incident: Incident) -> None:
    """Lock the incident until the transaction ends, and read what may have changed meanwhile."""
    Incident.objects.select_for_update(of=("self",)).get(pk=incident.pk)
    incident.refresh_from_db(fields=["status", "outcome", "reason", "resolved_by", "resolved_at"])


def _require_open(incident: Incident, by: Principal) -> None:
    if not incident.is_open:
        raise ledger.TooLate(f"This was resolved before: {incident.get_outcome_display().lower()}.")
    if not may_resolve(by, incident):
        raise NotYourIncident(about=incident)


def _reason(why: str, asked: str) -> str:
    said = why.strip()
    if not said or len(said) > REASON_AT_MOST:
        told = f"At most {REASON_AT_MOST:,} characters." if said else "A reason is needed."
        raise ledger.Invalid(asked, fields={"why": told})
    return said


def _close(incident: Incident, outcome: str, *, by: ledger.Acts, at: datetime, why: str) -> None:
    ledger.move(
        incident, Incident.Status.RESOLVED, by=by, verb="incident.resolved", at=at, why=why, outcome=outcome,
        reason=why, resolved_by=by if isinstance(by, Principal) else None, resolved_at=at, data={"outcome": outcome},
    )  # fmt: skip


def _restore(agent: Agent, was: str, *, by: Principal, at: datetime, why: str) -> None:
    agent.refresh_from_db()
    if was == Agent.Status.ACTIVE and agent.status == Agent.Status.PAUSED:
        agents.resume(agent, by=by, at=at, why=why)


def _reconnect(incident: Incident, *, by: ledger.Acts, at: datetime, why: str) -> None:
    guard = SystemGuard.objects.select_related("system").filter(system=incident.system).first()
    if guard is not None and guard.status != SystemGuard.Status.CLOSED:
        ledger.move(
            guard, SystemGuard.Status.CLOSED, by=by, verb="circuit.closed", at=at, why=why, since=at, trials_left=0,
        )  # fmt: skip


def resolve_recovered(system: System, *, at: datetime) -> None:
    """Close the incident about a system that works again."""
    for incident in Incident.objects.open().filter(kind=Incident.Kind.CIRCUIT, system=system):
        _close(incident, Incident.Outcome.RECOVERED, by=ledger.SYSTEM, at=at, why="A trial succeeded.")


def resolve_retired(agent: Agent, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Close the incidents about an agent that has just retired, but for runs that still stand."""
    for incident in Incident.objects.open().filter(agent=agent, run=""):
        _close(incident, Incident.Outcome.RETIRED, by=by, at=at, why=why)
