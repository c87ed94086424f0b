"""Who may ask about whom: an agent about itself, and whoever was given the right about the agents of a unit."""

from django.db.models import QuerySet

from agents.models import Agent, Principal, Unit
from agents.rights import units_below
from observability import ledger

RIGHT = "agents.ask_for_unit"


class UnknownSubject(ledger.NotFound):
    """There is no such agent, or you may not ask about it."""

    code = "unknown_subject"


def asked_about(by: Agent | Principal) -> QuerySet[Agent]:
    """The agents that may be asked about: oneself, and those of the units for which one holds the right, with
    everything below them."""
    holder = by.principal if isinstance(by, Agent) else by
    agents = Agent.objects.select_related("unit", "role", "blueprint", "principal")
    if holder.may(RIGHT):
        return agents.all()
    units = units_below(holder.granted(RIGHT, Unit))
    if isinstance(by, Agent):
        return agents.filter(unit__in=units) | agents.filter(pk=by.pk)
    return agents.filter(unit__in=units)


def agent_asked_about(kind: str, code: str, *, by: Agent | Principal) -> Agent:
    """The agent that a question is about. Raises UnknownSubject, the same for one that there is not and for one that
    `by` may not ask about."""
    if kind == "agent" and isinstance(by, Agent) and by.code == code:
        return by
    found = asked_about(by).filter(code=code).first() if kind == "agent" else None
    if found is None:
        raise UnknownSubject(about=by)
    return found
