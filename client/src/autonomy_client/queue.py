"""More verbs of the work queue: many steps at once, more time, a step given back or handed off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from autonomy_client.calls import Call, _get, _lease, _part, _post, _stated
from autonomy_client.shapes import Evidence, HandedOff, Work


@dataclass(frozen=True)
class Done:
    """A step that is done: its output, what it took, how sure you are, and what shows it."""

    work: Work
    output: Mapping[str, Any] = field(default_factory=dict)
    cost: Decimal | str = "0"
    note: str = ""
    tokens: int | None = None
    confidence: Decimal | str | None = None
    evidence: Sequence[Evidence] = ()


@dataclass(frozen=True)
class Failed:
    """A step that did not succeed; `error_code` names an error that the drawing may know."""

    work: Work
    reason: str
    retryable: bool = True
    error_code: str = ""


def _problem(body: Mapping[str, Any]) -> tuple[str, str, dict[str, str]]:
    """The code, the words and the fields of the problem of one answer of many; empty when there is none."""
    problem = body.get("problem") or {}
    errors = {str(each["field"]): str(each["message"]) for each in problem.get("errors") or []}
    return str(problem.get("code") or ""), str(problem.get("detail") or ""), errors


@dataclass(frozen=True)
class Report:
    """What became of one report; `code` and `detail` say why nothing was changed, and are empty otherwise."""

    step: str
    status: str = ""
    code: str = ""
    detail: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_taken(self) -> bool:
        """Whether the server took the report."""
        return not self.code

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Report:
        return cls(str(body["step"]), str(body.get("status") or ""), *_problem(body))


@dataclass(frozen=True)
class NewRun:
    """A run to be started: its business key, its inputs, and how important it is, from -100 to 100."""

    key: str
    input: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0


@dataclass(frozen=True)
class Begun:
    """What became of one: the id of the run of its key, and whether it is new; `code`, `detail` and `errors` say why
    there is none, and are empty otherwise."""

    key: str
    run: str = ""
    is_new: bool = False
    code: str = ""
    detail: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Begun:
        return cls(str(body["key"]), str(body.get("run") or ""), bool(body.get("is_new")), *_problem(body))


@dataclass(frozen=True)
class Batch:
    """The answers to the reports, in their order, those of done steps first, and the steps that were claimed; `why`
    says why there are none though some may stand ready."""

    reports: tuple[Report, ...]
    work: tuple[Work, ...]
    why: str = ""

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Batch:
        reports = tuple(Report.from_wire(each) for each in body["reports"])
        return cls(reports, tuple(Work.from_wire(each) for each in body["work"]), str(body.get("why") or ""))


@dataclass(frozen=True)
class Heard:
    """What became of an escalation: `by` is the event of the drawing that heard it, empty when none did; `status` is
    that of your step, "cancelled" when it was taken away."""

    status: str
    by: str = ""

    @property
    def is_mine(self) -> bool:
        """Whether you go on with the step."""
        return self.status == "working"


@dataclass(frozen=True)
class Task:
    """A task of an ad-hoc sub-process that you can choose beside your step, how often it is open now, and whether it
    still comes (`waits`) where one is done after the other."""

    id: str
    name: str
    open: int = 0
    waits: bool = False

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Task:
        return cls(str(body["task"]), str(body["name"]), int(body["open"]), bool(body.get("waits")))


def batch(
    done: Sequence[Done] = (), failed: Sequence[Failed] = (), *, claim: int = 0, wait_seconds: int = 0
) -> Call[Batch]:
    """Report on up to 50 steps and claim up to 50 others in one request. A report that is refused stops no other."""
    body = {
        "finish": [_done(each) for each in done],
        "fail": [_failed(each) for each in failed],
        "claim": claim,
        "wait_seconds": wait_seconds,
    }
    return _post("work/batch", body, Batch.from_wire, wait_seconds)


def start_runs(workflow: str, runs: Sequence[NewRun], *, anew: bool = False) -> Call[tuple[Begun, ...]]:
    """Start up to 50 runs of one workflow in one request, the answers in their order. One that does not fit stops no
    other."""
    told = [{"key": each.key, "input": each.input, "priority": each.priority} for each in runs]
    body = {"workflow": workflow, "runs": told} | ({"anew": True} if anew else {})
    return _post("runs/batch", body, lambda answer: tuple(map(Begun.from_wire, answer["results"])))


def claim_many(count: int, wait_seconds: int = 20) -> Call[tuple[Work, ...]]:
    """Up to `count` steps for this agent's role; none when none came within the wait."""
    body = {"claim": count, "wait_seconds": wait_seconds}
    return _post("work/batch", body, lambda told: Batch.from_wire(told).work, wait_seconds)


def release(work: Work, why: str) -> Call[None]:
    """Give the step back without blame: no try is lost, and somebody else may take it."""
    return _post(f"steps/{work.step}/release", _lease(work) | {"why": why}, lambda body: None)


def extend(work: Work, seconds: int) -> Call[float]:
    """Make the lease last so many seconds from now on, and return how many it is; the server has a bound."""
    told = _lease(work) | {"seconds": seconds}
    return _post(f"steps/{work.step}/heartbeat", told, lambda body: float(body["lease_seconds"]))


def hand_off(
    work: Work,
    to_role: str,
    context: Mapping[str, Any] | None = None,
    note: str = "",
    references: Sequence[Mapping[str, str]] = (),
) -> Call[str]:
    """Give the step on to agents of another role with what you know; `references` are facts and decisions, each as
    {"kind": "fact", "id": ...}. The status of the step: "ready", or "failed" when a person decides who does it."""
    body = {"to_role": to_role, "context": context or {}, "note": note, "references": list(references)}
    return _post(f"steps/{work.step}/hand-off", _lease(work) | body, lambda told: str(told["status"]))


def hand_offs(work: Work) -> Call[tuple[HandedOff, ...]]:
    """Everything that was handed off with this step, the first one first, while you hold it."""
    path = f"steps/{_part(work.step)}/hand-offs"
    return _get(path, lambda body: tuple(HandedOff.from_wire(each) for each in body["hand_offs"]))


def escalate(work: Work, code: str, why: str = "") -> Call[Heard]:
    """Tell the surroundings of your step something that the drawing may know by this code. You keep the step and go on,
    unless the drawing takes it away: see `is_mine` of the answer."""
    told = _lease(work) | {"code": code, "why": why}
    return _post(f"steps/{work.step}/escalate", told, lambda body: Heard(str(body["status"]), str(body["heard_by"])))


def tasks(work: Work) -> Call[tuple[Task, ...]]:
    """What can be chosen in the ad-hoc sub-process around your step. Raises Conflict for a step in none."""
    path = f"steps/{_part(work.step)}/tasks"
    return _get(path, lambda body: tuple(Task.from_wire(each) for each in body["tasks"]))


def choose_task(work: Work, task: Task | str, why: str = "") -> Call[Task]:
    """Have a task of the ad-hoc sub-process around your step done, once more if it was; you keep your step."""
    told = _lease(work) | {"task": task.id if isinstance(task, Task) else task, "why": why}
    return _post(f"steps/{work.step}/tasks", told, Task.from_wire)


def _done(done: Done) -> dict[str, Any]:
    told = {
        "step": done.work.step,
        "output": done.output,
        "cost": str(done.cost),
        "note": done.note,
        "tokens": done.tokens,
        "confidence": None if done.confidence is None else str(done.confidence),
        "evidence": [_stated(each) for each in done.evidence],
    }
    return _lease(done.work) | told


def _failed(failed: Failed) -> dict[str, Any]:
    told = {"reason": failed.reason, "retryable": failed.retryable, "error_code": failed.error_code}
    return _lease(failed.work) | {"step": failed.work.step} | told
