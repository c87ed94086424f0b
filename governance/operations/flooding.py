"""How many questions of one agent may wait for people at once, so that one agent's flood leaves room for the others."""

from datetime import datetime, timedelta

from django.conf import settings

from agents.models import Agent
from governance.models import Escalation
from governance.rules import Ruling, Verdict
from observability import ledger
from observability.models import Event

RULE = "too-many-open-questions"
TOLD_AGAIN_AFTER = timedelta(hours=1)
ASK_AGAIN_AFTER = timedelta(minutes=15)


class TooManyOpen(ledger.Refused):
    """This agent has as many open questions as an agent may have. Ask again when some of them are answered."""

    status = 429
    code = "too_many_open_questions"


def has_room(agent: Agent) -> bool:
    """Whether another question of this agent may wait for people."""
    open_ones: int = Escalation.objects.open().real().filter(agent=agent).count()
    return open_ones < int(settings.OPEN_QUESTIONS_PER_AGENT)


def turned_away(agent: Agent, *, at: datetime) -> Ruling:
    """The denial of a further question; the reviewers are told of the flood once an hour at most."""
    most = settings.OPEN_QUESTIONS_PER_AGENT
    _tell(agent, most, at)
    minutes = int(ASK_AGAIN_AFTER.total_seconds() // 60)
    reason = (
        f"{agent.code} has {most:,} open questions, as many as an agent may have. Nobody was asked. "
        f"Ask again with a new key when some are answered, in about {minutes} minutes."
    )
    return Ruling(verdict=Verdict.DENY, rule=RULE, policy=None, policy_version=None, reason=reason, because=(RULE,))


def _tell(agent: Agent, most: int, at: datetime) -> None:
    told = Event.objects.filter(subject_kind="agent", subject_id=agent.code, verb="agent.flooded")
    if not told.filter(at__gt=at - TOLD_AGAIN_AFTER).exists():
        why = f"{most:,} of its questions wait for people. Further ones are denied until some are answered."
        ledger.record("agent.flooded", agent, by=ledger.SYSTEM, at=at, why=why, data={"open": most})
