"""The life of an agent after it was hired: submit, send back, activate, pause, resume, retire; and may it work now?"""

from datetime import datetime

from django.db import transaction

from agents import rights
from agents.models import Agent, Blueprint, ClientKey, Key, Principal
from agents.operations.access import require
from agents.operations.reasons import check_length
from agents.operations.versions import require_reason
from observability import ledger


class AgentNotActive(ledger.Refused):
    """This agent is not active and gets no work."""

    status = 403
    code = "agent_not_active"


class OutsideWorkingHours(ledger.Refused):
    """This agent does not work at this time."""

    status = 403
    code = "outside_working_hours"


class SecondPersonNeeded(ledger.NotAllowed):
    """Somebody else lets this agent begin: not who hired it, and not who submitted it."""

    code = "second_person_needed"


def submit(agent: Agent, *, by: ledger.Acts, at: datetime) -> None:
    """Put a draft before a second person, who lets it begin or sends it back. Its sponsor may do so too."""
    if agent.acting_sponsor != by:
        require(by, "agents.change_agent", agent)
    ledger.move(
        agent, Agent.Status.IN_REVIEW, by=by, verb="agent.submitted", at=at,
        submitted_by=by if isinstance(by, Principal) else None, submitted_at=at,
    )  # fmt: skip


def send_back(agent: Agent, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Return an agent from review to draft, with the reason."""
    require(by, "agents.change_agent", agent)
    require_reason(why, "the agent is sent back")
    ledger.move(agent, Agent.Status.DRAFT, by=by, verb="agent.sent_back", at=at, why=why)


def activate(agent: Agent, *, by: ledger.Acts, at: datetime) -> None:
    """Let an agent begin to work. A person comes here through `governance.operations.activate_agent`, which asks first
    whether everything is in place; it must be a second person, and the agent in review."""
    require(by, "agents.change_agent", agent)
    if by is not ledger.SYSTEM:
        _require_review(agent, by)
    ledger.move(agent, Agent.Status.ACTIVE, by=by, verb="agent.activated", at=at)


def _require_review(agent: Agent, by: ledger.Acts) -> None:
    if agent.status != Agent.Status.IN_REVIEW:
        raise ledger.WrongStatus(f"{agent} is {agent.get_status_display().lower()}; only one in review can begin.")
    if by in (agent.submitted_by, agent.created_by):
        raise SecondPersonNeeded


def pause(agent: Agent, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Stop the agent: it gets no work and no yes from the next request on. Who answers for it may always do so."""
    if agent.acting_sponsor != by:
        require(by, "agents.pause_agent", agent)
    require_reason(why, "the agent is paused")
    ledger.move(agent, Agent.Status.PAUSED, by=by, verb="agent.paused", at=at, why=why)


def resume(agent: Agent, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Let a paused agent work again, if somebody answers for it and its last day has not passed."""
    require(by, "agents.pause_agent", agent)
    check_length(why)
    if agent.status != Agent.Status.PAUSED:
        raise ledger.WrongStatus(f"{agent} is {agent.status}; only a paused agent can be resumed.")
    if not agent.accountable.is_active:
        raise ledger.WrongStatus(f"{agent.accountable} has left. Name another accountable person first.")
    if agent.ends_on is not None and at.date() > agent.ends_on:
        raise ledger.WrongStatus(f"The last day of {agent} was {agent.ends_on}. Give it a later one first.")
    ledger.move(agent, Agent.Status.ACTIVE, by=by, verb="agent.resumed", at=at, why=why)


@transaction.atomic
def retire(agent: Agent, *, by: ledger.Acts, at: datetime, why: str) -> int:
    """End the agent's work for good and revoke its keys; how many. What it has in hand is handed over by
    `workflows.operations.retire_agent`, which calls this."""
    require(by, "agents.change_agent", agent)
    check_length(why)
    ledger.move(agent, Agent.Status.RETIRED, by=by, verb="agent.retired", at=at, why=why)
    keys = list(agent.keys.filter(status=Key.Status.ACTIVE))
    for key in keys:
        ledger.move(key, Key.Status.REVOKED, by=by, verb="key.revoked", at=at, why="The agent retired.")
    for client_key in agent.client_keys.filter(status=ClientKey.Status.ACTIVE):
        ledger.move(
            client_key, ClientKey.Status.REVOKED, by=by, verb="client_key.revoked", at=at, why="The agent retired."
        )
    return len(keys)


def require_active(agent: Agent) -> None:
    """Raise AgentNotActive unless the agent, its account and its blueprint are active."""
    if agent.status != Agent.Status.ACTIVE:
        raise AgentNotActive(f"{agent} is {agent.status} and gets no work.")
    if not agent.principal.is_active:
        raise AgentNotActive(f"The account of {agent} is closed; it gets no work.")
    if agent.blueprint.status != Blueprint.Status.ACTIVE:
        raise AgentNotActive(
            f"The blueprint {agent.blueprint} of {agent} is {agent.blueprint.status}; it gets no work."
        )


def require_employed(agent: Agent, *, at: datetime) -> None:
    """Raise AgentNotActive before the agent's first day and after its last one."""
    if agent.starts_on is not None and at.date() < agent.starts_on:
        raise AgentNotActive(f"{agent} works from {agent.starts_on} on and gets no work before.")
    if agent.ends_on is not None and at.date() > agent.ends_on:
        raise AgentNotActive(f"{agent} worked until {agent.ends_on} and gets no work any more.")


def require_at_work(agent: Agent, *, at: datetime) -> None:
    """Raise AgentNotActive or OutsideWorkingHours unless the agent may begin something at this moment. What it has
    begun it may still report."""
    require_active(agent)
    require_employed(agent, at=at)
    hours = agent.working_hours
    if hours is not None and not hours.covers(at):
        begin = hours.next_begin(at).isoformat()
        raise OutsideWorkingHours(f"{agent} works {hours}. Come back at {begin}.", fields={"come_back_at": begin})


def look_again(agent: Agent) -> None:
    """Read anew what may have stopped the agent since its request began: its own status and its blueprint."""
    job = agent.blueprint
    if rights.standing(agent.pk) == (agent.status, job.pk, job.version, job.status):
        return
    agent.refresh_from_db(fields=["status", "blueprint"], from_queryset=Agent.objects.select_related("blueprint"))


def require_working(agent: Agent, at: datetime) -> None:
    """Raise AgentNotActive unless the agent may come in at this moment: at work, within its first and last day."""
    require_active(agent)
    require_employed(agent, at=at)
