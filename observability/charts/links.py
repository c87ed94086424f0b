"""Shape of observability: the address of the list of exactly the runs or questions that a figure counts."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
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
    agent: str = ""

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
        start = _start(more.get("workflow", self.workflow), self.unit, self.agent)
        return f"{start}from={told_moment(first)}&to={told_moment(last)}{rest}"


def period_query(since: datetime, until: datetime) -> Query:
    """The fields `from` and `to` of a list for what lies from `since` up to, not including, `until`: whole days where
    the period begins and ends with one, moments to the second elsewhere."""
    first, last = timezone.localtime(since), timezone.localtime(until)
    whole = [moment.time() == time.min for moment in (first, last)]
    end = last.date() - timedelta(days=1) if whole[1] else last
    return {"from": told_moment(first.date() if whole[0] else first), "to": told_moment(end)}


def told_moment(when: date) -> str:
    """A day, or a moment to the second, as the fields of lists write it."""
    # A moment as the list's own field writes it: local and without a zone, whose "+" an address would lose.
    if not isinstance(when, datetime):
        return when.isoformat()
    local = timezone.localtime(when).replace(tzinfo=None)
    return local.isoformat("T", "seconds" if local.second else "minutes")


@lru_cache(maxsize=256)
def _start(workflow: str, unit: str, agent: str = "") -> str:
    # A page writes hundreds of these addresses; all that does not change from row to row is written once.
    chosen = {"workflow": workflow, "unit": unit, "agent": agent}
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"{reverse('runs')}?{query}{'&' if query else ''}"
