"""The life of an agent: hire, activate, pause, resume, retire."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from guardian.shortcuts import assign_perm
from lucide import IconDoesNotExist
from lucide.templatetags.lucide import lucide

from agents.models import Agent, Key, Principal, Role, Unit
from agents.operations.access import require
from agents.operations.reasons import check_length
from agents.rules import AGENT_CODE
from observability import ledger


class AgentNotActive(ledger.Refused):
    """This agent is not active and gets no work."""

    status = 403
    code = "agent_not_active"


@dataclass(frozen=True)
class Hired:
    """What hiring an agent asks for; `ends_on` is its last day, if it has one."""

    code: str
    name: str
    purpose: str
    unit: Unit
    role: Role
    accountable: Principal
    stand_in: Principal | None = None
    autonomy_level: int = 0
    risk_class: int = Agent.Risk.LOW
    runtime: str = ""
    ends_on: date | None = None
    icon: str = "bot"


@transaction.atomic
def hire(job: Hired, *, by: ledger.Acts, at: datetime) -> Agent:
    """A new agent in draft, with its account and the right to see its own unit."""
    require(by, "agents.add_agent", job.unit)
    _check(job, at)
    account = Principal(
        kind=Principal.Kind.AGENT, username=f"agent:{job.code}", name=f"{job.code} {job.name}", unit=job.unit
    )
    account.set_unusable_password()
    account.save()
    agent = Agent.objects.create(principal=account, created_at=at, **vars(job))
    assign_perm("agents.view_unit", account, job.unit)
    ledger.record("agent.hired", agent, by=by, at=at, after=agent.status)
    return agent


def _check(job: Hired, at: datetime) -> None:
    wrong: dict[str, str] = {}
    if not AGENT_CODE.fullmatch(job.code):
        wrong["code"] = "A code has 1 to 20 letters, digits, dots, hyphens or underscores, as in AP-04."
    elif Agent.objects.filter(code=job.code).exists():
        wrong["code"] = f"There is an agent {job.code} already; choose another code."
    for field in ("name", "purpose"):
        if not getattr(job, field).strip():
            wrong[field] = f"Say the agent's {field}."
    for field, person in (("accountable", job.accountable), ("stand_in", job.stand_in)):
        if person is not None and not (person.is_person and person.is_active):
            wrong[field] = "Name an active person, not an agent."
    if job.ends_on is not None and job.ends_on <= at.date():
        wrong["ends_on"] = "The end date lies in the past; choose a later day."
    if not 0 <= job.autonomy_level <= 4:
        wrong["autonomy_level"] = "The autonomy level is a whole number from 0 to 4."
    if job.risk_class not in Agent.Risk.values:
        wrong["risk_class"] = "The risk class is 1 (low), 2 (medium) or 3 (high)."
    if not _is_icon(job.icon):
        wrong["icon"] = "There is no such icon; take a name from lucide.dev, as in bot."
    if wrong:
        raise ledger.Invalid("The agent cannot be hired like this.", fields=wrong)


def _is_icon(name: str) -> bool:
    try:
        lucide(name)
    except IconDoesNotExist:
        return False
    return True


def activate(agent: Agent, *, by: ledger.Acts, at: datetime) -> None:
    """Let a draft agent begin to work."""
    require(by, "agents.change_agent", agent)
    ledger.move(agent, Agent.Status.ACTIVE, by=by, verb="agent.activated", at=at)


def pause(agent: Agent, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Stop the agent: it gets no work and no yes from the next request on."""
    require(by, "agents.pause_agent", agent)
    if not why.strip():
        raise ledger.Invalid("Say why the agent is paused.", fields={"why": "A reason is needed."})
    check_length(why)
    ledger.move(agent, Agent.Status.PAUSED, by=by, verb="agent.paused", at=at, why=why)


def resume(agent: Agent, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Let a paused agent work again."""
    require(by, "agents.pause_agent", agent)
    check_length(why)
    if agent.status != Agent.Status.PAUSED:
        raise ledger.WrongStatus(f"{agent} is {agent.status}; only a paused agent can be resumed.")
    ledger.move(agent, Agent.Status.ACTIVE, by=by, verb="agent.resumed", at=at, why=why)


@transaction.atomic
def retire(agent: Agent, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """End the agent's work for good and revoke its keys."""
    require(by, "agents.change_agent", agent)
    check_length(why)
    ledger.move(agent, Agent.Status.RETIRED, by=by, verb="agent.retired", at=at, why=why)
    for key in agent.keys.filter(status=Key.Status.ACTIVE):
        ledger.move(key, Key.Status.REVOKED, by=by, verb="key.revoked", at=at, why="The agent retired.")


def require_active(agent: Agent) -> None:
    """Raise AgentNotActive unless the agent may work right now."""
    if agent.status != Agent.Status.ACTIVE:
        raise AgentNotActive(f"{agent} is {agent.status} and gets no work.")
    if not agent.principal.is_active:
        raise AgentNotActive(f"The account of {agent} is closed; it gets no work.")
