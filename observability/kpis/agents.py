"""The figures of each agent: what it finished and failed, what that cost and how long it took."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Q, Sum

from observability.models import Event, Reader


@dataclass(frozen=True)
class AgentFigures:
    """What one agent did: steps finished and failed, what they cost, how many seconds it worked."""

    code: str
    name: str
    finished: int
    failed: int
    cost: Decimal
    seconds: Decimal

    @property
    def success_share(self) -> Decimal | None:
        """Finished steps among those that it finished or failed, None without any."""
        tried = self.finished + self.failed
        return Decimal(self.finished) / tried if tried else None


def by_agent(reader: Reader, *, since: datetime, until: datetime) -> dict[str, AgentFigures]:
    """The figures of each agent that finished or failed a step in the period, by its code, in alphabetical order."""
    steps = Event.objects.visible_to(reader).filter(
        verb__in=("step.finished", "step.failed"), actor_kind="agent", at__gte=since, at__lt=until
    )
    done = Q(verb="step.finished")
    rows = steps.values("actor_id", "actor_name").annotate(
        finished=Count("id", filter=done), failed=Count("id", filter=~done), total=Sum("cost"), worked=Sum("seconds")
    )
    found: dict[str, AgentFigures] = {}
    for row in rows.order_by("actor_id", "actor_name"):
        before = found.get(row["actor_id"], AgentFigures(row["actor_id"], "", 0, 0, Decimal(0), Decimal(0)))
        found[before.code] = AgentFigures(
            before.code, row["actor_name"], before.finished + row["finished"], before.failed + row["failed"],
            before.cost + (row["total"] or 0), before.seconds + (row["worked"] or 0),
        )  # fmt: skip
    return found
