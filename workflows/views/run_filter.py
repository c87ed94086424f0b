"""Which runs a list shows: what its address says, read and applied."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.http import QueryDict

from workflows.models import Run, RunQuerySet, Step, WorkflowVersion, holding
from workflows.models.holding import SOUGHT_AT_MOST
from workflows.operations.definitions import graph_of
from workflows.plan import INPUT
from workflows.views.moments import begin_in, end_in
from workflows.views.run_sorting import SORTS, order_of

STATES = (
    ("under_way", "Under way"), ("running", "Running"), ("waiting", "Waits for a person"),
    ("sleeping", "Waits for time"), ("stuck", "Has failed work"), ("paused", "Paused"), ("done", "Done"),
    ("failed", "Failed"), ("cancelled", "Cancelled"),
)  # fmt: skip
ENDED = {"done", "failed", "cancelled"}
AGES = {
    "1h": ("over an hour", timedelta(hours=1)), "1d": ("over a day", timedelta(days=1)),
    "7d": ("over 7 days", timedelta(days=7)), "30d": ("over 30 days", timedelta(days=30)),
}  # fmt: skip
KEPT = (
    "q", "state", "workflow", "version", "step", "unit", "outcome", "agent", "touchless", "from", "to", "age", "value",
    "sort",
)  # fmt: skip
VERSIONS_AT_MOST = 50
CUT = f"This database has no index of values: they were looked for in the newest {SOUGHT_AT_MOST:,} runs alone."
VALUE = re.compile(r"(?:(?P<element>[\w-]{1,120})\.)?(?P<name>[\w-]{1,120})\s*=\s*(?P<value>.*)", re.DOTALL)


@dataclass
class RunFilter:
    """Which runs are wanted, read from the address; `wrong` says what in it could not be read.

    `state` is one of STATES; `touchless` "1" or "0" asks for finished runs without or with a person; `since` and
    `until` bound when runs ended if only ended ones are wanted, else when they started; `step` is an element at which
    something is open; `value` is a name and what it holds, as in read.total=9000.00.
    """

    state: str = ""
    workflow: str = ""
    unit: str = ""
    outcome: str = ""
    agent: str = ""
    touchless: str = ""
    words: str = ""
    version: str = ""
    step: str = ""
    age: str = ""
    value: str = ""
    sort: str = ""
    since: datetime | None = None
    until: datetime | None = None
    wrong: list[str] = field(default_factory=list)
    given: QueryDict = field(default_factory=QueryDict)

    @classmethod
    def read(cls, query: QueryDict) -> "RunFilter":
        """The filter that an address asks for."""
        found = cls(words=query.get("q", "").strip()[:200], given=query)
        for name in ("workflow", "unit", "outcome", "agent", "version", "step"):
            setattr(found, name, query.get(name, "")[:200])
        found.state = found._one_of("state", query, {name for name, _ in STATES})
        found.touchless = found._one_of("touchless", query, {"0", "1"})
        found.age = found._one_of("age", query, set(AGES))
        found.sort = found._one_of("sort", query, set(SORTS))
        found.value = found._named_value(query)
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

    def _named_value(self, query: QueryDict) -> str:
        text = query.get("value", "").strip()[:500]
        if text and not VALUE.fullmatch(text):
            self.wrong.append(f"value “{text[:40]}” is not like read.total=9000.00 and was left out.")
            return ""
        return text

    @property
    def kept(self) -> dict[str, str]:
        """The same as a saved view keeps it: the names and words of the address, without what could not be read."""
        read = {
            "q": self.words, "from": self.given.get("from", "").strip() if self.since else "",
            "to": self.given.get("to", "").strip() if self.until else "",
        }  # fmt: skip
        named = {name: read[name] if name in read else getattr(self, name) for name in KEPT}
        return {name: value for name, value in named.items() if value}

    @property
    def by_end(self) -> bool:
        """Whether the period is about when runs ended, not when they started."""
        return self.state in ENDED or bool(self.touchless)

    @property
    def more(self) -> int:
        """How many of the filters are set that few people need, and that the page keeps folded."""
        texts = (self.version, self.step, self.outcome, self.agent, self.touchless, self.age, self.value)
        return sum(map(bool, (*texts, self.since, self.until)))

    def __bool__(self) -> bool:
        words = (self.state, self.workflow, self.unit, self.outcome, self.agent, self.touchless, self.words)
        more = (self.version, self.step, self.age, self.value)
        return any(words) or any(more) or bool(self.since or self.until)

    def applied(self, runs: RunQuerySet, at: datetime) -> RunQuerySet:
        """Those of the runs that are wanted."""
        plain = {"workflow__code": self.workflow, "outcome": self.outcome, "key__icontains": self.words}
        runs = runs.filter(**{name: value for name, value in plain.items() if value})
        if self.unit:
            runs = runs.filter(unit=int(self.unit)) if self.unit.isdecimal() and len(self.unit) < 18 else runs.none()
        if self.agent:
            runs = runs.filter(pk__in=Step.objects.filter(agent__code=self.agent).values("run"))
        if self.version:
            runs = runs.filter(version__number=int(self.version)) if self.version.isdecimal() else runs.none()
        if self.step:
            runs = runs.filter(pk__in=Step.objects.unsettled().filter(element=self.step).values("run"))
        if self.age:
            runs = runs.under_way().filter(started_at__lt=at - AGES[self.age][1])
        return self._within(self._in_state(self._with_value(runs)))

    def sort_by_start(self) -> None:
        """Sort the newest first where there are too many runs to compare; that is said."""
        if self.sort not in ("", "oldest"):
            self.wrong.append(f"There are more than 10,000 runs: narrow the filter to see the {SORTS[self.sort]}.")
            self.sort = ""

    def sorted(self, runs: RunQuerySet, at: datetime) -> RunQuerySet:
        """The runs in the order that is wanted, those that are alike with the newest first."""
        name = self.sort.removeprefix("-")
        order = order_of(name, at)
        ordered = runs.with_waiting() if name == "state" else runs
        return ordered.order_by(order.desc() if self.sort.startswith("-") else order.asc(), "-pk")

    def _with_value(self, runs: RunQuerySet) -> RunQuerySet:
        found = VALUE.fullmatch(self.value)
        if found is None:
            return runs
        name = found["name"]
        elements = [found["element"]] if found["element"] else [INPUT, *self._leaving(name)]
        held = holding(runs, elements, name, _readings(found["value"].strip()))
        if held.is_cut:
            self.wrong.append(CUT)
        return held.runs

    def _leaving(self, name: str) -> list[str]:
        # A plain name is looked for in all elements of the chosen workflow that declare it.
        versions = WorkflowVersion.objects.filter(workflow__code=self.workflow).values_list("pk", flat=True)
        nodes = (node for pk in versions[:VERSIONS_AT_MOST] for node in graph_of(pk).nodes.values())
        return sorted({node.id for node in nodes if any(output.name == name for output in node.outputs)})

    def _in_state(self, runs: RunQuerySet) -> RunQuerySet:
        if self.touchless:
            runs = runs.filter(status=Run.Status.DONE)
            runs = runs.filter(people_asked=0) if self.touchless == "1" else runs.filter(people_asked__gt=0)
        if self.state in ENDED:
            return runs.filter(status=self.state)
        match self.state:
            case "":
                return runs
            case "under_way":
                return runs.under_way()
            case "paused":
                return runs.filter(status=Run.Status.PAUSED)
            case "sleeping":
                return runs.sleeping()
            case "stuck":
                return runs.stuck()
        running = runs.filter(status=Run.Status.RUNNING)
        if self.state == "waiting":
            return running.waiting()
        return running.exclude(pk__in=Step.objects.for_people().run_ids()).exclude(Run.only_a_clock())

    def _within(self, runs: RunQuerySet) -> RunQuerySet:
        column = "ended_at" if self.by_end else "started_at"
        if self.since:
            runs = runs.filter(**{f"{column}__gte": self.since})
        return runs.filter(**{f"{column}__lt": self.until}) if self.until else runs


def _readings(text: str) -> list[Any]:
    # What is typed can stand in the run as text, as a number or as yes and no.
    found: list[Any] = [text]
    if text.lower() in ("yes", "true", "no", "false"):
        found.append(text.lower() in ("yes", "true"))
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdecimal() and len(digits) < 16:
        found.append(int(text))
    return found


def state_of(run: Run) -> str:
    """The state in the words of the pages; needs what `with_waiting` adds."""
    if run.status != Run.Status.RUNNING:
        return run.status
    return "waiting" if getattr(run, "waits", False) else "sleeping" if getattr(run, "sleeps", False) else run.status
