"""How a list of runs is sorted, and the heads of its columns that sort it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, DurationField, ExpressionWrapper, F, IntegerField, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from workflows.models import Run

SORTS = {
    "": "newest first", "oldest": "oldest first", "key": "key from A", "-key": "key from Z",
    "state": "what waits first", "-state": "what is done first", "outcome": "outcome from A",
    "-outcome": "outcome from Z", "-elapsed": "longest first", "elapsed": "shortest first",
    "-cost": "most expensive first", "cost": "cheapest first", "-people": "most people asked first",
    "people": "fewest people asked first",
}  # fmt: skip
"""How a list can be sorted; all but the first two compare every run that the filter shows."""
COLUMNS = (
    ("key", "Run", "key", "-key"), ("state", "State", "state", "-state"),
    ("outcome", "Outcome", "outcome", "-outcome"), ("started", "Started", "", "oldest"),
    ("elapsed", "Elapsed", "-elapsed", "elapsed"), ("cost", "Cost", "-cost", "cost"),
    ("people", "People asked", "-people", "people"),
)  # fmt: skip
"""The columns: name, head, how the first use of its head sorts, how the second does."""
NUMBERS = {"elapsed", "cost", "people"}
DESCENDS = {"": True, "oldest": False}
STATES = ("failed", "cancelled", "done")


@dataclass(frozen=True)
class Head:
    """The head of one column: where it leads, how the list is sorted by it now ("" if it is not), what its use does."""

    words: str
    url: str
    sorted: str
    next: str
    is_number: bool


def heads(request: HttpRequest, wanted: Any) -> list[Head]:
    """The heads of the list that the filter shows."""
    return [_head(request, wanted.sort, *column) for column in COLUMNS]


def _head(request: HttpRequest, now: str, name: str, words: str, first: str, second: str) -> Head:
    chosen = second if now == first else first
    query = request.GET.copy()
    for each in ("before", "after", "sort"):
        query.pop(each, None)
    if chosen:
        query["sort"] = chosen
    down = DESCENDS.get(now, now.startswith("-"))
    direction = ("descending" if down else "ascending") if now in (first, second) else ""
    return Head(words, f"?{query.urlencode()}", direction, SORTS[chosen], name in NUMBERS)


def order_of(name: str, at: datetime) -> Any:
    """What runs are compared by; for `state` the runs need what `with_waiting` adds."""
    if name == "state":
        return _by_state()
    if name == "elapsed":
        took = Coalesce(F("ended_at"), Value(at)) - F("started_at")
        return ExpressionWrapper(took, output_field=DurationField())
    return F({"people": "people_asked"}.get(name, name))


def _by_state() -> Case:
    running = Run.Status.RUNNING
    return Case(
        When(status=running, waits=True, then=Value(0)), When(status=running, sleeps=True, then=Value(2)),
        When(status=running, then=Value(1)), When(status=Run.Status.PAUSED, then=Value(3)),
        *(When(status=status, then=Value(place)) for place, status in enumerate(STATES, 4)),
        default=Value(9), output_field=IntegerField(),
    )  # fmt: skip
