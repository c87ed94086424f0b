"""Which runs hold a value: found by an index where the database has one for it, else among the newest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.fields.json import KeyTransform

from workflows.models.work import Run, RunQuerySet

FOUND_AT_MOST = 10_000
SOUGHT_AT_MOST = 100_000


@dataclass(frozen=True)
class Held:
    """The runs that hold the value; `is_cut` says that only the newest ones were looked at."""

    runs: RunQuerySet
    is_cut: bool = False


def holding(
    runs: RunQuerySet, elements: Iterable[str], name: str, values: Sequence[Any], newest: int = SOUGHT_AT_MOST
) -> Held:
    """Those of the runs in which one of the elements left one of the values under this name. Without an index so many
    of the newest runs are looked at."""
    places = list(elements)
    if not connection.features.supports_json_field_contains:
        return _read(runs, places, name, values, newest)
    holds = Q(pk__in=())
    for element in places:
        for value in values:
            holds |= Q(variables__contains={element: {name: value}})
    # First the index over all that ended, then each that is under way: put together in one question, the planner may
    # walk through every run instead. So many that they do not fit here are found quickly that way, too.
    ended = Run.objects.filter(holds, status__in=Run.ENDS).values_list("pk", flat=True)
    going = Run.objects.under_way().filter(holds).values_list("pk", flat=True)
    found = [*ended[: FOUND_AT_MOST + 1], *going[: FOUND_AT_MOST + 1]]
    return Held(runs.filter(pk__in=found) if len(found) <= FOUND_AT_MOST else runs.filter(holds))


def _read(runs: RunQuerySet, elements: list[str], name: str, values: Sequence[Any], newest: int) -> Held:
    last = Run.objects.order_by("-pk").values_list("pk", flat=True)[newest - 1 : newest + 1]
    holds = Q(pk__in=())
    for place, element in enumerate(elements):
        runs = runs.annotate(**{f"value_{place}": KeyTransform(name, KeyTransform(element, "variables"))})
        for value in values:
            holds |= Q(**{f"value_{place}": value})
    bounds = list(last)
    return Held(runs.filter(holds, pk__gte=bounds[0]) if len(bounds) > 1 else runs.filter(holds), len(bounds) > 1)
