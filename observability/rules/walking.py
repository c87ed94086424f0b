"""What one run's events say about it, about each of its steps, agents and reviewers: counts, and whole milliseconds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from observability.rules.sketching import Sketch, add_all, key_of

WHOLE, STEP, AGENT, REVIEWER = "", "step", "agent", "reviewer"
WRONG = frozenset({"step.failed", "step.reclaimed", "step.over_limit", "step.ended_with_error", "step.handed_round"})
"""A try that came to nothing."""
REWORK = (*sorted(WRONG), "step.retried", "step.returned", "step.hand_off_altered")
"""After these, work has to be done again or was in vain."""
OPEN = {"ready": "queued_ms", "working": "working_ms", "waiting": "asked_ms", "failed": "asked_ms"}
"""What the time of a step in each status counts as: failed work waits for a person as well."""


class Happened(NamedTuple):
    """One event of a run, as far as figures need it."""

    at: datetime
    verb: str
    actor_kind: str
    actor_id: str
    subject_kind: str
    subject_id: str
    subject_name: str
    after: str
    seconds: Decimal | None
    data: Mapping[str, Any]


@dataclass(slots=True)
class Counts:
    """What is counted, all of it adding up; times are whole milliseconds. `runs`, `touchless`, `reworked`, `cost` and
    `run_ms` are of whole runs, also where the rest is about one step, agent or reviewer of them; `known` are the runs
    whose steps the ledger tells about."""

    runs: int = 0
    touchless: int = 0
    known: int = 0
    reworked: int = 0
    asked: int = 0
    run_ms: int = 0
    timed: int = 0
    works: int = 0
    tries: int = 0
    failures: int = 0
    queued_ms: int = 0
    working_ms: int = 0
    asked_ms: int = 0
    dues: int = 0
    late: int = 0
    questions: int = 0
    proposals: int = 0
    approved: int = 0
    rejected: int = 0
    overruled: int = 0
    decide_ms: int = 0
    handled: int = 0
    handled_ms: int = 0
    reuses: int = 0
    saved_ms: int = 0
    cost: Decimal = Decimal(0)
    saved_cost: Decimal = Decimal(0)
    times: Sketch = field(default_factory=dict)
    answers: Sketch = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Count these too."""
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        add_all(self.times, other.times)
        add_all(self.answers, other.answers)


SUMS = tuple(each.name for each in fields(Counts) if each.name not in ("times", "answers"))
Parts = dict[tuple[str, str], Counts]
"""(kind, member) -> what is counted about it: ("", "") is the run, ("agent", "AP-04") that agent's part of it."""


def milliseconds(length: timedelta) -> int:
    """A length in whole milliseconds, never below nothing."""
    return max(0, length // timedelta(milliseconds=1))


def walk(events: Iterable[Happened]) -> Parts:
    """What the events of one run, the oldest first, tell about its parts, and about the whole of them."""
    walked = _Walk()
    for event in events:
        if event.subject_kind == "step":
            walked.step(event)
        elif event.subject_kind == "escalation":
            walked.question(event)
    return walked.parts()


@dataclass(slots=True)
class _Step:
    name: str
    agent: str = ""
    status: str = ""
    since: datetime | None = None
    counts: Counts = field(default_factory=Counts)


@dataclass(slots=True)
class _Question:
    by_agent: str = ""
    amended: bool = False
    claimed: dict[str, datetime] = field(default_factory=dict)


class _Walk:
    def __init__(self) -> None:
        self._steps: dict[str, _Step] = {}
        self._questions: dict[str, _Question] = {}
        self._parts: defaultdict[tuple[str, str], Counts] = defaultdict(Counts)
        self._reworked = False

    def step(self, event: Happened) -> None:
        step = self._steps.setdefault(event.subject_id, _Step(event.subject_name))
        if event.after and step.status != event.after:
            self._passed(step, event)
        if event.verb == "step.claimed":
            step.counts.tries += 1
            step.agent = event.actor_id
        step.counts.failures += event.verb in WRONG
        self._reworked |= event.verb in REWORK
        if event.verb == "step.reused":
            step.counts.reuses += 1
            step.counts.saved_cost += _amount(event.data.get("saved_cost"))
            step.counts.saved_ms += int(_amount(event.data.get("saved_seconds")) * 1000)
        if event.verb == "step.opened" and event.data.get("due_at"):
            step.counts.dues = 1
        if event.verb == "step.overdue":
            step.counts.dues = step.counts.late = 1

    def _passed(self, step: _Step, event: Happened) -> None:
        kind = OPEN.get(step.status)
        if kind and step.since:
            setattr(step.counts, kind, getattr(step.counts, kind) + milliseconds(event.at - step.since))
        step.status, step.since = event.after, event.at

    def question(self, event: Happened) -> None:
        asked = self._questions.setdefault(event.subject_id, _Question())
        whole = self._parts[WHOLE, ""]
        match event.verb:
            case "escalation.opened":
                asked.by_agent = event.actor_id if event.actor_kind == "agent" else ""
                whole.questions += 1
                if asked.by_agent:
                    self._parts[AGENT, asked.by_agent].questions += 1
            case "escalation.amended":
                asked.amended = True
            case "escalation.claimed":
                asked.claimed[event.actor_id] = event.at
            case "escalation.approved" | "escalation.rejected" if event.actor_kind == "person":
                self._decided(event, asked)

    def _decided(self, event: Happened, asked: _Question) -> None:
        places = [self._parts[WHOLE, ""], self._parts[REVIEWER, event.actor_id]]
        if asked.by_agent:
            places.append(self._parts[AGENT, asked.by_agent])
        is_yes = event.verb == "escalation.approved"
        took = None if event.seconds is None else int(event.seconds * 1000)
        began = asked.claimed.get(event.actor_id)
        for counts in places:
            counts.approved += is_yes
            counts.rejected += not is_yes
            counts.proposals += bool(asked.by_agent)
            counts.overruled += bool(asked.by_agent) and (asked.amended or not is_yes)
            if took is not None:
                counts.decide_ms += took
                counts.answers[key_of(took)] = counts.answers.get(key_of(took), 0) + 1
            if began is not None:
                counts.handled += 1
                counts.handled_ms += milliseconds(event.at - began)

    def parts(self) -> Parts:
        whole = self._parts[WHOLE, ""]
        whole.known, whole.reworked = int(bool(self._steps)), int(self._reworked)
        for step in self._steps.values():
            step.counts.works = 1
            whole.add(step.counts)
            self._parts[STEP, step.name].add(step.counts)
            if step.agent:
                self._parts[AGENT, step.agent].add(step.counts)
        return dict(self._parts)


def _amount(told: object) -> Decimal:
    try:
        value = Decimal(str(told or 0))
    except InvalidOperation:
        return Decimal(0)
    return value if value.is_finite() else Decimal(0)
