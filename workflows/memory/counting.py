"""What reuse saved, kept by space and day: counted from the ledger, a little behind it, and the rest read with it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils import timezone

from observability import ledger
from observability.models import Event
from workflows.models import ReuseDay, ReuseMark, Space

REUSED = "fact.reused"
THE_MARK = 1
AT_ONCE = 50_000
REST_AT_MOST = 10_000


@dataclass
class Reuse:
    """How often facts were reused, and what that saved."""

    uses: int = 0
    seconds: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def add(self, uses: int, seconds: Decimal, cost: Decimal) -> None:
        """Count these too."""
        self.uses, self.seconds, self.cost = self.uses + uses, self.seconds + seconds, self.cost + cost


@dataclass
class Reuses:
    """What reuse saved in some spaces: by space since ever, by day since a day; `is_behind` says that not all of what
    happened lately is counted yet."""

    by_space: dict[int, Reuse]
    by_day: dict[date, Reuse]
    is_behind: bool = False


def count_reuses() -> int:
    """Add what the ledger has sealed since the last time to the kept figures; up to how many entries were read. The
    mark moves in the same transaction: nothing is left out, and nothing counts twice."""
    mark, _ = ReuseMark.objects.get_or_create(pk=THE_MARK)
    if mark.position >= ledger.last_position():
        return 0
    with transaction.atomic():
        mark = ReuseMark.objects.select_for_update().get(pk=THE_MARK)
        until = min(ledger.last_position(), mark.position + AT_ONCE)
        events = Event.objects.sealed_after(mark.position).filter(position__lte=until, verb=REUSED)
        for (space, day), more in _summed(events.values_list("at", "data")).items():
            row, _ = ReuseDay.objects.get_or_create(space_id=space, day=day)
            ReuseDay.objects.filter(pk=row.pk).update(
                uses=F("uses") + more.uses, seconds=F("seconds") + more.seconds, cost=F("cost") + more.cost
            )
        ReuseMark.objects.filter(pk=THE_MARK).update(position=until)
    return until - mark.position


def reuses(spaces: Sequence[Space], since: date) -> Reuses:
    """What reuse saved in these spaces until now."""
    known = {space.pk for space in spaces}
    found = Reuses(defaultdict(Reuse), defaultdict(Reuse))
    kept = ReuseDay.objects.filter(space__in=known).order_by()
    for space, *figures in kept.values_list("space").annotate(Sum("uses"), Sum("seconds"), Sum("cost")):
        found.by_space[space].add(*figures)
    lately = kept.filter(day__gte=since).values_list("day")
    for day, *figures in lately.annotate(Sum("uses"), Sum("seconds"), Sum("cost")):
        found.by_day[day].add(*figures)
    mark = ReuseMark.objects.filter(pk=THE_MARK).values_list("position", flat=True).first() or 0
    uncounted = Event.objects.filter(Q(position__gt=mark) | Q(position__isnull=True), verb=REUSED).order_by()
    rest = list(uncounted.values_list("at", "data")[: REST_AT_MOST + 1])
    for (space, day), more in _summed(rest[:REST_AT_MOST]).items():
        if space in known:
            found.by_space[space].add(more.uses, more.seconds, more.cost)
            found.by_day[day].add(more.uses, more.seconds, more.cost)
    found.is_behind = len(rest) > REST_AT_MOST
    return found


def day_of(at: datetime) -> date:
    """The day to which a moment counts, in the time zone of the installation."""
    return timezone.localdate(at, timezone.get_default_timezone())


def _summed(events: Iterable[tuple[datetime, dict[str, Any]]]) -> dict[tuple[int, date], Reuse]:
    spaces = dict(Space.objects.values_list("code", "pk"))
    found: dict[tuple[int, date], Reuse] = defaultdict(Reuse)
    for at, data in events:
        space = spaces.get(data.get("space", ""))
        if space is not None:
            saved = Decimal(data.get("saved_seconds", "0")), Decimal(data.get("saved_cost", "0"))
            found[space, day_of(at)].add(1, *saved)
    return found
