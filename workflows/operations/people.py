"""People decide: one answer settles the question and moves the work on; a passed deadline does so too."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from agents.models import Principal
from governance import operations as governance
from governance.models import Escalation
from observability import ledger
from observability.prepared import Prepared
from workflows.models import Run, Step, Timer
from workflows.operations.runs import fire_timer, happen, let_go, step_is_done, stop
from workflows.operations.runs.limits import is_about_limit
from workflows.plan import IncidentResolved, StaleHappening

APPROVED, REJECTED = Escalation.Status.APPROVED, Escalation.Status.REJECTED


@transaction.atomic
def settle(
    uid: UUID, answer: str, *, reviewer: Principal, at: datetime, request_sha256: str, reason: str = "",
    reason_code: str = "", undo: timedelta = governance.AT_ONCE,
    confirmation: governance.Confirmation = governance.UNCONFIRMED,
) -> Escalation:  # fmt: skip
    """Approve or reject: exactly one answer wins, it is bound to the request the reviewer read, and the work goes on;
    after the time `undo`, if there is one, in which the answer can be taken back. Raises NotFound for what the reviewer
    may not see, and what `governance.close` raises; then nothing has changed."""
    if answer not in (APPROVED, REJECTED):
        raise ledger.Invalid(fields={"answer": "Answer approved or rejected."})
    run, step, escalation = together(uid)
    if not escalation.is_visible_to(reviewer):
        raise ledger.NotFound
    settled = governance.close(
        escalation,
        answer,
        reviewer=reviewer,
        at=at,
        request_sha256=request_sha256,
        reason=reason,
        reason_code=reason_code,
        confirmation=confirmation,
        undo=undo,
    )
    if settled and step is not None and run is not None:
        _go_on(run, step, escalation, by=reviewer, at=at)
    return escalation


@transaction.atomic
def undo(uid: UUID, *, by: Principal, at: datetime) -> Escalation:
    """Take one's answer back before it takes effect. Raises NotFound for what one may not see, and what
    `governance.undo` raises; then nothing has changed."""
    _, _, escalation = together(uid)
    if not escalation.is_visible_to(by):
        raise ledger.NotFound
    governance.undo(escalation, by=by, at=at)
    return escalation


@transaction.atomic
def take_effect(escalation: Escalation, *, at: datetime) -> None:
    """The time to undo an answer is over: it settles the question, and the work goes on."""
    run, step, escalation = together(escalation.uid)
    if escalation.status != Escalation.Status.HELD or escalation.effect_at is None or escalation.effect_at > at:
        return
    if governance.take_effect(escalation, at=at) and step is not None and run is not None:
        _go_on(run, step, escalation, by=escalation.settled_by or ledger.SYSTEM, at=at)


@transaction.atomic
def pass_deadline(escalation: Escalation, *, at: datetime) -> None:
    """Nobody decided in time: the workflow's timer fires, or the path's next people are asked, or the answer is no."""
    run, step, escalation = together(escalation.uid)
    if not escalation.is_open or escalation.due_at > at or (run is not None and run.is_paused):
        return
    timer = _timer_of(run, step, at)
    if timer is not None:
        fire_timer(timer, at=at)
    elif governance.expire(escalation, at=at) and step is not None and run is not None:
        _go_on(run, step, escalation, by=ledger.SYSTEM, at=at)


def together(uid: UUID) -> tuple[Run | None, Step | None, Escalation]:
    """The question with its step and run, all locked as they stand. Raises NotFound."""
    # One statement locks the run first, as everywhere, then the step and the question, and reads them as they stand.
    step = _ASKED_ABOUT.first(uid=uid)
    if step is not None and step.escalation is not None:
        return step.run, step, step.escalation
    alone = Escalation.objects.select_for_update(of=("self",)).filter(uid=uid).first()
    if alone is None:
        raise ledger.NotFound
    return None, None, alone


# What an answer reads and writes. The card of a question has five times as much; anything else is read when asked for.
_OF_RUN = (
    "uid", "key", "unit", "version", "workflow__code", "status", "marking", "variables", "cost", "people_asked",
    "started_at", "started_by", "over_limit", "kept", "allowance", "parent", "parent_token", "depth",
)  # fmt: skip
_OF_QUESTION = (
    "uid", "kind", "status", "title", "path", "asked", "approvals_needed", "unit", "workflow", "run",
    "request_sha256", "opened_at", "due_at", "settled_at", "settled_by", "reason", "reason_code", "approved_until",
    "approvals_asked", "confirm", "held_answer", "effect_at", "settled_for",
)  # fmt: skip
_NEEDED = (
    "uid", "run", "element", "token", "index", "name", "kind", "status", "priority", "escalation",
    *(f"run__{name}" for name in _OF_RUN), *(f"escalation__{name}" for name in _OF_QUESTION),
)  # fmt: skip

_ASKED_ABOUT = Prepared(
    lambda uid: (
        Step.objects.select_for_update(of=("run", "self", "escalation"), no_key=True)
        .filter(escalation__uid=uid)
        .select_related("run__workflow", "escalation")
        .only(*_NEEDED)
    ),
    uid=UUID,
)


def _timer_of(run: Run | None, step: Step | None, at: datetime) -> Timer | None:
    if run is None or step is None:
        return None
    hosted = {timer["id"] for timer in run.marking["timers"] if timer["host"] == step.token}
    return run.timers.due(at).filter(token__in=hosted).first()


def _go_on(run: Run, step: Step, escalation: Escalation, *, by: ledger.Acts, at: datetime) -> None:
    if escalation.kind == Escalation.Kind.ACTION:
        _hand_back(step, escalation, by=by, at=at)
    elif escalation.kind == Escalation.Kind.STEP:
        _answer_step(run, step, escalation, by=by, at=at)
    elif escalation.status == APPROVED:
        try_again(run, step, by=by, at=at)
    else:
        stop(run, Run.Status.FAILED, outcome="Given up", by=by, at=at, why=escalation.reason)


def _hand_back(step: Step, escalation: Escalation, *, by: ledger.Acts, at: datetime) -> None:
    why = (
        f"{escalation.get_status_display()}: {escalation.reason}"
        if escalation.reason
        else escalation.get_status_display()
    )
    ledger.move(
        step, Step.Status.READY, by=by, verb="step.answered", at=at, why=why, available_at=at, attempt=0,
        priority=step.priority + 1
    )  # fmt: skip


def _answer_step(run: Run, step: Step, escalation: Escalation, *, by: ledger.Acts, at: datetime) -> None:
    outcome = "approved" if escalation.status == APPROVED else "rejected"
    ledger.move(
        step, Step.Status.DONE, by=by, verb="step.decided", at=at, why=escalation.reason, ended_at=at,
        output={"outcome": outcome}, note=escalation.reason,
    )  # fmt: skip
    step_is_done(run, step, {"outcome": outcome}, by=by, at=at)


def try_again(run: Run, step: Step, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Let failed work, or a place at which a locked run could not go on, be tried again."""
    if step.status == Step.Status.FAILED:
        ledger.move(
            step, Step.Status.READY, by=by, verb="step.retried", at=at, why=why, available_at=at, attempt=0, error=""
        )
        return
    ledger.move(step, Step.Status.DONE, by=by, verb="step.resolved", at=at, why=why, ended_at=at)
    if is_about_limit(step):
        let_go(run, by=by, at=at)
        return
    try:
        happen(run, IncidentResolved(step.token), by=by, at=at)
    except StaleHappening as stale:
        raise ledger.WrongStatus(f"“{step.name}” cannot be tried again; reject to end the run.") from stale
