"""Shape of observability: the address of the list of exactly the runs or questions that a figure counts."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from observability.kpis import ASKED, Grain, Point

Query = dict[str, str]


@dataclass(frozen=True)
class RunLinks:
    """Addresses of the runs of a choice: `first` and `last` are the days of the period, both included, or moments, of
    which the last one is not."""

    first: date
    last: date
    workflow: str = ""
    unit: str = ""

    def all(self, **more: str) -> str:
        """The runs of the whole period; `more` narrows them (state, touchless, workflow)."""
        return self._address(self.first, self.last, more)

    def of(self, point: Point, grain: Grain, **more: str) -> str:
        """The runs that ended in one stretch."""
        if grain in (Grain.DAY, Grain.WEEK):
            return self._address(point.day, point.last_day, more)
        return self._address(point.start, point.end, more)

    def asked(self, weekday: int, hour: int) -> str:
        """The questions of the period that people were asked on this weekday (1 is Monday) in this hour."""
        days = {"from": self.first.isoformat(), "to": self.last.isoformat(), "when": f"{weekday}-{hour}"}
        chosen = {"workflow": self.workflow, "unit": self.unit}
        narrowed = {name: value for name, value in chosen.items() if value}
        return f"{reverse('audit')}?{urlencode({'did': ASKED} | days | narrowed)}"

    def _address(self, first: date, last: date, more: Query) -> str:
        rest = "".join(f"&{name}={value}" for name, value in more.items() if name != "workflow")
        return f"{_start(more.get('workflow', self.workflow), self.unit)}from={_told(first)}&to={_told(last)}{rest}"


def _told(when: date) -> str:
    # A moment as the list's own field writes it: local and without a zone, whose "+" an address would lose.
    if not isinstance(when, datetime):
        return when.isoformat()
    local = timezone.localtime(when).replace(tzinfo=None)
    return local.isoformat("T", "seconds" if local.second else "minutes")


@lru_cache(maxsize=256)
def _start(workflow: str, unit: str) -> str:
    # A page writes hundreds of these addresses; all that does not change from row to row is written once.
    chosen = {"workflow": workflow, "unit": unit}
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"{reverse('runs')}?{query}{'&' if query else ''}"
