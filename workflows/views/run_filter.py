"""Which runs a list shows: what its address says, read and applied."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.http import QueryDict

from workflows.models import Run, RunQuerySet, Step
from workflows.views.moments import begin_in, end_in

STATES = (
    ("under_way", "Under way"), ("running", "Running"), ("waiting", "Waits for a person"), ("done", "Done"),
    ("failed", "Failed"), ("cancelled", "Cancelled"),
)  # fmt: skip
ENDED = {"done", "failed", "cancelled"}


@dataclass
class RunFilter:
    """Which runs are wanted, read from the address; `wrong` says what in it could not be read.

    `state` is one of STATES; `touchless` "1" or "0" asks for finished runs without or with a person; `since` and
    `until` bound when runs ended if only ended ones are wanted, else when they started.
    """

    state: str = ""
    workflow: str = ""
    unit: str = ""
    outcome: str = ""
    agent: str = ""
    touchless: str = ""
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, query: QueryDict) -> "RunFilter":
        """The filter that an address asks for."""
        found = cls(words=query.get("q", "").strip()[:200])
        for name in ("workflow", "unit", "outcome", "agent"):
            setattr(found, name, query.get(name, "")[:200])
        found.state = found._one_of("state", query, {name for name, _ in STATES})
        found.touchless = found._one_of("touchless", query, {"0", "1"})
        found.since = found._moment("from", query, begin_in)
        found.until = found._moment("to", query, end_in)
        return found

    def _one_of(self, name: str, query: QueryDict, known: set[str]) -> str:
        text = query.get(name, "")
        if text and text not in known:
            self.wrong.append(f"{name} “{text[:40]}” is not known and was left out.")
            return ""
        return text

    def _moment(self, name: str, query: QueryDict, read: Callable[[str], datetime | None]) -> datetime | None:
        text = query.get(name, "").strip()
        try:
            return read(text)
        except ValueError:
            self.wrong.append(f"{name} “{text[:40]}” is not a day such as 2026-11-22 and was left out.")
            return None

    @property
    def by_end(self) -> bool:
        """Whether the period is about when runs ended, not when they started."""
        return self.state in ENDED or bool(self.touchless)

    def __bool__(self) -> bool:
        words = (self.state, self.workflow, self.unit, self.outcome, self.agent, self.touchless, self.words)
        return any(words) or bool(self.since or self.until)

    def applied(self, runs: RunQuerySet) -> RunQuerySet:
        """Those of the runs that are wanted."""
        plain = {"workflow__code": self.workflow, "outcome": self.outcome, "key__icontains": self.words}
        runs = runs.filter(**{name: value for name, value in plain.items() if value})
        if self.unit:
            runs = runs.filter(unit=int(self.unit)) if self.unit.isdecimal() and len(self.unit) < 18 else runs.none()
        if self.agent:
            runs = runs.filter(pk__in=Step.objects.filter(agent__code=self.agent).values("run"))
        return self._within(self._in_state(runs))

    def _in_state(self, runs: RunQuerySet) -> RunQuerySet:
        if self.touchless:
            runs = runs.filter(status=Run.Status.DONE)
            runs = runs.filter(people_asked=0) if self.touchless == "1" else runs.filter(people_asked__gt=0)
        if self.state in ENDED:
            return runs.filter(status=self.state)
        if self.state:
            runs = runs.filter(status=Run.Status.RUNNING)
        if self.state == "waiting":
            return runs.waiting()
        return runs.exclude(pk__in=Step.objects.for_people().run_ids()) if self.state == "running" else runs

    def _within(self, runs: RunQuerySet) -> RunQuerySet:
        column = "ended_at" if self.by_end else "started_at"
        if self.since:
            runs = runs.filter(**{f"{column}__gte": self.since})
        return runs.filter(**{f"{column}__lt": self.until}) if self.until else runs
