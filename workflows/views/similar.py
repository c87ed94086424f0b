"""What the card knows of the past: decisions like this one and why they are like it, the agent's record, facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from agents.models import Principal
from governance.models import WAS_UNDONE, Escalation
from governance.rules.similarity import Likeness, likeness, most_alike
from observability.templatetags.ledger import inert
from workflows.models import Fact

LOOKED_AT, SHOWN = 100, 2


@dataclass(frozen=True)
class PastOne:
    """One past decision, and in what it is like the question."""

    row: Escalation
    why: str


@dataclass(frozen=True)
class Past:
    """How questions like this one were settled before; `last` holds the two that resemble it most."""

    approved: int
    rejected: int
    undecided: int
    last: list[PastOne]

    @property
    def total(self) -> int:
        """How many there were."""
        return self.approved + self.rejected + self.undecided


def past_of(escalation: Escalation, viewer: Principal) -> Past:
    """How questions like this were settled, as far as the viewer may see them."""
    like = Escalation.objects.visible_to(viewer).like(escalation)
    count = like.order_by().aggregate(
        approved=Count("pk", filter=Q(status="approved")), rejected=Count("pk", filter=Q(status="rejected")),
        undecided=Count("pk", filter=Q(status="expired")),
    )  # fmt: skip
    answered = like.filter(status__in=("approved", "rejected")).values_list("pk", "request")[:LOOKED_AT]
    alike = [likeness(escalation.request, request, same_rule=True) for _, request in answered]
    places = most_alike(alike, SHOWN)
    found = Escalation.objects.select_related("settled_by").defer("evidence", "changes", "conditions", "shown")
    rows = found.in_bulk([answered[place][0] for place in places])
    return Past(**count, last=[PastOne(rows[answered[place][0]], _words(alike[place])) for place in places])


def _words(alike: Likeness) -> str:
    words = inert(", ".join(alike.words))
    return f"{words[:1].upper()}{words[1:]}"


def record_of(escalation: Escalation) -> Mapping[str, int] | None:
    """How the agent's own questions of this kind were answered: approved, of these undone later, and rejected; None
    without any."""
    if escalation.agent_id is None:
        return None
    own = Escalation.objects.decided().filter(likeness=escalation.likeness, agent=escalation.agent_id)
    told: dict[str, int] = own.exclude(pk=escalation.pk).aggregate(
        approved=Count("pk", filter=Q(status="approved")), rejected=Count("pk", filter=Q(status="rejected")),
        undone=Count("pk", filter=Q(WAS_UNDONE)),
    )  # fmt: skip
    return told if told["approved"] + told["rejected"] else None


def facts_named(evidence: Sequence[Mapping[str, Any]], viewer: Principal, at: datetime) -> dict[str, str]:
    """Who found out each fact of shared memory that the evidence names by its SHA-256, and how long ago."""
    named = {str(item.get("sha256")) for item in evidence if item.get("kind") == "fact" and item.get("sha256")}
    if not named:
        return {}
    found = Fact.objects.visible_to(viewer).filter(value_sha256__in=named).select_related("author").order_by("at")
    return {fact.value_sha256: f"{fact.author.code}, {_age(fact.at, at)}" for fact in found}


def _age(since: datetime, at: datetime) -> str:
    hours = int((at - since).total_seconds() // 3600)
    return f"{hours // 24} days ago" if hours >= 48 else f"{hours} h ago" if hours else "less than an hour ago"
