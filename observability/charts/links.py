"""Shape of observability: the address of the list of exactly the runs that a figure counts."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from observability.kpis import Grain, Point

Query = dict[str, str]


@dataclass(frozen=True)
class RunLinks:
    """Addresses of the runs of a choice: `first` and `last` are the days of the period, both included."""

    first: date
    last: date
    workflow: str = ""
    unit: str = ""

    def all(self, **more: str) -> str:
        """The runs of the whole period; `more` narrows them (state, touchless, workflow)."""
        return self._address(self.first.isoformat(), self.last.isoformat(), more)

    def of(self, point: Point, grain: Grain, **more: str) -> str:
        """The runs that ended in one stretch. A time of day in `to` is itself not included."""
        if grain in (Grain.DAY, Grain.WEEK):
            return self._address(point.day.isoformat(), point.last_day.isoformat(), more)
        start, end = (timezone.localtime(at).replace(tzinfo=None) for at in (point.start, point.end))
        return self._address(start.isoformat("T", "minutes"), end.isoformat("T", "minutes"), more)

    def _address(self, first: str, last: str, more: Query) -> str:
        rest = "".join(f"&{name}={value}" for name, value in more.items() if name != "workflow")
        return f"{_start(more.get('workflow', self.workflow), self.unit)}from={first}&to={last}{rest}"


@lru_cache(maxsize=256)
def _start(workflow: str, unit: str) -> str:
    # A page writes hundreds of these addresses; all that does not change from row to row is written once.
    chosen = {"workflow": workflow, "unit": unit}
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"{reverse('runs')}?{query}{'&' if query else ''}"
