"""Shape of coordination: a run's time line and log, and the states that a workflow's drawing shows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from django.urls import reverse

from observability.charts.words import amount, length, percent
from observability.models import Event
from observability.templatetags.ledger import inert, sentence
from workflows.models import Run, Step
from workflows.plan import Graph

AGENT, PERSON, FAILED = "agent", "person", "failed"
BEGINS = {"step.claimed": AGENT, "step.waits": PERSON, "step.opened:waiting": PERSON, "step.failed:failed": PERSON,
          "step.reclaimed:failed": PERSON}  # fmt: skip
TONES = {
    "step.finished": "done", "run.finished": "done", "run.failed": "fail", "run.cancelled": "fail",
    "step.failed": "fail",
    "step.reclaimed": "fail", "escalation.opened": "wt", "escalation.passed_on": "wt", "escalation.expired": "fail",
    "escalation.approved": "done", "escalation.rejected": "fail", "decision.made:allow": "done",
    "decision.made:escalate": "wt", "decision.made:deny": "fail",
}  # fmt: skip
TOLD = {
    "run.started", "run.paused", "run.resumed", "run.variable_changed", "run.moved", "run.migrated", "run.restarted",
    "step.skipped", "step.reassigned", "step.hurried", "step.returned", "step.retried", "step.resolved",
    "escalation.seconded", "escalation.withdrawn", "fact.stored", *(verb.partition(":")[0] for verb in TONES),
}  # fmt: skip


@dataclass(frozen=True)
class Stretch:
    """A time in which an agent worked or a person was waited for, with its place in the picture in percent."""

    kind: str
    start: datetime
    end: datetime
    left: float
    width: float

    @property
    def took(self) -> timedelta:
        """How long it was."""
        return self.end - self.start


@dataclass(frozen=True)
class TimeRow:
    """One step on the time line."""

    step: Step
    stretches: tuple[Stretch, ...]

    def total(self, kind: str) -> timedelta:
        """The time of this kind, altogether."""
        return sum((each.took for each in self.stretches if each.kind == kind), timedelta())

    @property
    def took(self) -> timedelta:
        """All its time."""
        return sum((each.took for each in self.stretches), timedelta())


def time_rows(run: Run, steps: Iterable[Step], events: Iterable[Event], at: datetime) -> list[TimeRow]:
    """The time line of a run from its steps and its events (oldest first); what is under way lasts until `at`."""
    of_step: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.subject_kind == "step":
            of_step[event.subject_id].append(event)
    end = run.ended_at or at
    whole = max((end - run.started_at).total_seconds(), 0.001)
    rows = []
    for step in steps:
        found = _stretches(step, of_step[str(step.uid)], end)
        rows.append(TimeRow(step, tuple(_placed(run, whole, *each) for each in found)))
    return rows


def _stretches(step: Step, events: list[Event], end: datetime) -> list[tuple[str, datetime, datetime]]:
    found: list[tuple[str, datetime, datetime]] = []
    kind, since = "", step.opened_at
    for event in events:
        if kind:
            found.append((kind, since, event.at))
        kind, since = BEGINS.get(f"{event.verb}:{event.after}") or BEGINS.get(event.verb, ""), event.at
    if kind:
        found.append((kind, since, step.ended_at or end))
    return found


def _placed(run: Run, whole: float, kind: str, start: datetime, end: datetime) -> Stretch:
    left = min(100 * (start - run.started_at).total_seconds() / whole, 100)
    width = min(100 * (end - start).total_seconds() / whole, 100 - left)
    return Stretch(kind, start, end, round(left, 2), round(width, 2))


# --- the log --------------------------------------------------------------------------------------------------
def moments(events: Iterable[Event], policies: Mapping[str, str]) -> list[dict[str, Any]]:
    """What agents and people did in a run, and why: the events that matter, as the time line component shows them.
    `policies` are titles by key."""
    return [_moment(event, policies) for event in events if _is_told(event)]


def _is_told(event: Event) -> bool:
    # An agent's own question is told by the decision that led to it.
    return event.verb in TOLD and not (event.verb == "escalation.opened" and event.actor_kind == AGENT)


def _moment(event: Event, policies: Mapping[str, str]) -> dict[str, Any]:
    tone = TONES.get(f"{event.verb}:{event.after}") or TONES.get(event.verb, "")
    stated = event.actor_kind == AGENT and event.verb in ("step.finished", "step.failed")
    return {
        "tone": tone, "title": sentence(event), "at": event.at, "text": inert(event.why),
        "stated": stated and bool(event.why),
        "policy": policies.get(event.data.get("policy", ""), ""), "policy_key": event.data.get("policy", ""),
        "rule": event.data.get("rule", ""), "version": event.data.get("version"),
    }  # fmt: skip


# --- the drawing ----------------------------------------------------------------------------------------------
STATES = {
    Step.Status.READY: ("", "waits for an agent"),
    Step.Status.WORKING: ("running", "working"),
    Step.Status.WAITING: ("waiting", "waiting"),
    Step.Status.DONE: ("done", "✓"),
    Step.Status.FAILED: ("failed", "failed"),
    Step.Status.CANCELLED: ("", "taken back"),
    Step.Status.SKIPPED: ("", "skipped"),
}


def run_states(run: Run, rows: Iterable[TimeRow], who: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What each element of the drawing shows about one run; the newest step of an element counts. `who` says by element
    who does it, see `doers`."""
    found: dict[str, dict[str, Any]] = {element: {"sub": name} for element, name in who.items()}
    for row in rows:
        found[row.step.element] = {**found.get(row.step.element, {}), **_element_state(row)}
    last_end = run.marking.get("last_end", "")
    if last_end:
        found[last_end] = {"state": "done"}
    return found


def doers(graph: Graph, roles: Mapping[str, str], paths: Mapping[str, str]) -> dict[str, str]:
    """Who does each task: the name of the role or of the path, by element."""
    named = {node.id: roles.get(node.role) or paths.get(node.path) for node in graph.nodes.values()}
    return {element: name for element, name in named.items() if name}


def _element_state(row: TimeRow) -> dict[str, Any]:
    step = row.step
    state, word = STATES[Step.Status(step.status)]
    kind = PERSON if step.kind == Step.Kind.PERSON or step.status == Step.Status.WAITING else AGENT
    shown: dict[str, Any] = {"state": state, "word": word}
    if state:
        shown["seconds"] = row.total(kind).total_seconds()
    if step.agent is not None:
        shown["sub"] = str(step.agent)
    if step.escalation is not None:
        shown["url"] = reverse("escalation", args=[step.escalation.uid])
    return shown


Count = tuple[str, str, int, datetime]


def workflow_states(counts: Iterable[Count], who: Mapping[str, str], at: datetime) -> dict[str, dict[str, Any]]:
    """What each element shows about all runs under way, from (element, step status, count, since when the oldest) and
    `doers`."""
    pots: dict[str, dict[str, tuple[int, datetime]]] = defaultdict(dict)
    for element, status, count, since in counts:
        pots[element][status] = count, since
    found: dict[str, dict[str, Any]] = {element: {"sub": name} for element, name in who.items()}
    for element, pot in pots.items():
        found[element] = {**found.get(element, {}), **_crowd(pot, at)}
    return found


def _crowd(pot: Mapping[str, tuple[int, datetime]], at: datetime) -> dict[str, Any]:
    counts = {status: count for status, (count, _) in pot.items()}
    waiting, failed = counts.get(Step.Status.WAITING, 0), counts.get(Step.Status.FAILED, 0)
    working = counts.get(Step.Status.READY, 0) + counts.get(Step.Status.WORKING, 0)
    oldest = ""
    if waiting:
        oldest = f" · oldest {length(Decimal((at - pot[Step.Status.WAITING][1]).total_seconds()))}"
    words = ((failed, "failed"), (waiting, f"waiting{oldest}"), (working, "running"))
    state = "failed" if failed else "waiting" if waiting else "running"
    return {"state": state, "word": ", ".join(f"{count} {word}" for count, word in words if count)}


# --- the heat of a drawing ------------------------------------------------------------------------------------
HEATS = 10
MEASURES = {"time": "Median time", "cost": "Cost each time", "errors": "Errors"}


@dataclass(frozen=True)
class Warm:
    """One element of the heat map: how often it was reached, its value in words, and its heat from 0 to 10."""

    element: str
    reached: int
    value: str
    heat: int


def heat(steps: Iterable[tuple[str, datetime, datetime | None, Decimal, bool]], by: str) -> list[Warm]:
    """The heat of each element from its steps (element, opened, ended, cost, went wrong), the warmest first; `by` is
    one of MEASURES. What has not ended has no time yet."""
    pots: dict[str, list[tuple[datetime, datetime | None, Decimal, bool]]] = defaultdict(list)
    for element, *rest in steps:
        pots[element].append(tuple(rest))  # type: ignore[arg-type]
    values = {element: (len(pot), _measured(pot, by)) for element, pot in pots.items()}
    most = max((value for _, value in values.values() if value is not None), default=Decimal(0))
    found = [
        Warm(element, reached, _measure_in_words(value, by), round(HEATS * value / most) if most else 0)
        for element, (reached, value) in values.items()
        if value is not None
    ]
    return sorted(found, key=lambda each: (-each.heat, each.element))


def _measured(pot: list[tuple[datetime, datetime | None, Decimal, bool]], by: str) -> Decimal | None:
    if by == "cost":
        return sum((cost for _, _, cost, _ in pot), Decimal(0)) / len(pot)
    if by == "errors":
        return Decimal(sum(wrong for _, _, _, wrong in pot)) / len(pot)
    lengths = [Decimal((end - start).total_seconds()) for start, end, _, _ in pot if end is not None]
    return median(lengths) if lengths else None


def _measure_in_words(value: Decimal, by: str) -> str:
    if by == "time":
        return length(value)
    return percent(value) if by == "errors" else amount(value)


def heat_states(warm: Iterable[Warm], who: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What the drawing shows of the heat; `who` as `doers` gives it."""
    found: dict[str, dict[str, Any]] = {element: {"sub": name} for element, name in who.items()}
    for each in warm:
        found[each.element] = {**found.get(each.element, {}), "heat": each.heat, "word": each.value}
    return found
