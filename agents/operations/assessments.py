"""Assessments of risk: what somebody thought through before an agent of risk class 2 or 3 begins."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime

import rfc8785
from django.db import transaction

from agents.models import VALID_FOR, Agent, Assessment, Principal
from agents.operations.access import require
from observability import ledger

TEXT_AT_MOST = 4000


@dataclass(frozen=True)
class Assessed:
    """What the agent does, which data it touches, what can go wrong, and what is done against it."""

    does: str
    data: str
    risks: str
    measures: str


@transaction.atomic
def assess(agent: Agent, assessed: Assessed, *, by: ledger.Acts, at: datetime) -> Assessment:
    """Keep an assessment of the agent with the hash of its words; it is valid for a year."""
    require(by, "agents.add_assessment", agent)
    if agent.status == Agent.Status.RETIRED:
        raise ledger.WrongStatus(f"{agent} is retired; there is nothing to assess.")
    words = asdict(assessed)
    wrong = {
        name: f"Say it in 1 to {TEXT_AT_MOST} characters."
        for name, text in words.items()
        if not text.strip() or len(text) > TEXT_AT_MOST
    }
    if wrong:
        raise ledger.Invalid("The assessment is not complete.", fields=wrong)
    digest = hashlib.sha256(rfc8785.dumps({"agent": agent.code, "at": at.isoformat(), **words})).hexdigest()
    assessment = Assessment.objects.create(
        agent=agent, **words, sha256=digest, by=by if isinstance(by, Principal) else None, at=at,
        valid_until=at + VALID_FOR,
    )  # fmt: skip
    ledger.record("agent.assessed", agent, by=by, at=at, data={"sha256": digest})
    return assessment
