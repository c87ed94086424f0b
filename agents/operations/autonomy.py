"""The autonomy level of an agent: how high it may become, and the one place that changes it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from agents.models import Agent
from agents.operations.versions import keep_change
from observability import ledger

PROMOTED, DEMOTED = "agent.promoted", "agent.demoted"


def ceiling_of(agent: Agent) -> int:
    """The highest autonomy level that the agent's job allows."""
    return agent.blueprint.autonomy_ceiling


@transaction.atomic
def change_level(
    agent: Agent, level: int, *, by: ledger.Acts, at: datetime, why: str, data: Mapping[str, Any] | None = None
) -> None:
    """Give the agent another autonomy level, if it still has the one that was seen, as its next version; whoever calls
    has checked the right. Raises TooLate."""
    before, document = agent.autonomy_level, agent.as_document()
    if not Agent.objects.filter(pk=agent.pk, autonomy_level=before).update(autonomy_level=level):
        raise ledger.TooLate(f"The autonomy level of {agent} was changed by somebody else meanwhile.")
    agent.autonomy_level = level
    keep_change(agent, document, by=by, at=at, why=why)
    verb = PROMOTED if level > before else DEMOTED
    ledger.record(verb, agent, by=by, at=at, why=why, before=f"level {before}", after=f"level {level}", data=data)
