"""The watch over sponsors: who left is missed once, and after a grace period the agent is paused."""

from datetime import datetime, timedelta

from django.db import transaction

from agents.models import Agent
from agents.operations.agents import pause
from agents.operations.hiring import lock_agent
from agents.rules import Watch, watch
from observability import ledger


@transaction.atomic
def watch_sponsor(agent: Agent, *, at: datetime, grace: timedelta) -> Watch:
    """What is due for an active agent now, done: an alert once when its sponsor has left, a pause after the grace or
    after its last day, an end of the alert when the sponsor is back."""
    lock_agent(agent)
    if agent.status != Agent.Status.ACTIVE:
        return Watch.NOTHING
    due = watch(
        sponsor_is_there=agent.accountable.is_active, missing_since=agent.sponsor_missing_since, ends_on=agent.ends_on,
        at=at, grace=grace,
    )  # fmt: skip
    if due is Watch.ALERT:
        _miss(agent, at, grace)
    elif due is Watch.PAUSE:
        why = f"{agent.accountable} has left, and nobody was named in their place within {grace.days} days."
        pause(agent, by=ledger.SYSTEM, at=at, why=why)
    elif due is Watch.END:
        pause(agent, by=ledger.SYSTEM, at=at, why=f"Its last day was {agent.ends_on}.")
    elif due is Watch.CLEAR:
        _note(agent, None)
    return due


def _miss(agent: Agent, at: datetime, grace: timedelta) -> None:
    _note(agent, at)
    acting = agent.acting_sponsor
    until = at + grace
    who = f"{acting} stands in" if acting else "Nobody stands in"
    ledger.record(
        "agent.sponsor_missing", agent, by=ledger.SYSTEM, at=at,
        why=f"{agent.accountable} has left. {who} until {until:%Y-%m-%d}; then it is paused.",
        data={"sponsor": agent.accountable.username, "acting": acting.username if acting else "",
              "until": until.isoformat()},
    )  # fmt: skip


def _note(agent: Agent, since: datetime | None) -> None:
    agent.sponsor_missing_since = since
    agent.save(update_fields=["sponsor_missing_since"])
