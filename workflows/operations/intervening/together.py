"""The same intervention in many runs: each run for itself, each outcome told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents.models import Principal
from observability import ledger
from workflows.models import Run, Step
from workflows.operations.intervening.pausing import pause_run, resume_run
from workflows.operations.intervening.steps import retry
from workflows.operations.runs import cancel

RUNS_AT_MOST = 500


class NothingFailed(ledger.Refused):
    """Nothing of this run failed; there is nothing to try again."""

    code = "nothing_failed"


@dataclass(frozen=True)
class RunOutcome:
    """What became of one run; `refused` says why nothing was done."""

    uid: UUID
    run: Run | None
    refused: ledger.Refused | None = None


@transaction.atomic
def _retry_all(run: Run, *, by: ledger.Acts, at: datetime, why: str) -> None:
    stuck = list(Step.objects.stuck().filter(run=run).select_related("run__workflow").order_by("id"))
    if not stuck:
        raise NothingFailed
    for step in stuck:
        retry(step, by=by, at=at, why=why)


ACTS: Mapping[str, Callable[..., object]] = {
    "pause": pause_run, "resume": resume_run, "retry": _retry_all, "cancel": cancel,
}  # fmt: skip


def act_together(act: str, uids: Sequence[UUID], *, by: Principal, at: datetime, why: str) -> list[RunOutcome]:
    """Pause, resume, retry or cancel exactly these runs, each in a transaction of its own: what is refused for one
    changes nothing for the others. Raises Invalid for an unknown act, none, too many, or no reason."""
    if act not in ACTS:
        raise ledger.Invalid(fields={"act": f"Choose one of {', '.join(ACTS)}."})
    if not 0 < len(uids) <= RUNS_AT_MOST:
        raise ledger.Invalid("Nothing was done.", fields={"runs": f"Name 1 to {RUNS_AT_MOST} runs."})
    if len(set(uids)) < len(uids):
        raise ledger.Invalid("Nothing was done.", fields={"runs": "A run is named twice."})
    if not why.strip():
        raise ledger.Invalid("Say why.", fields={"why": "A reason is needed."})
    seen = Run.objects.visible_to(by).filter(uid__in=uids).select_related("workflow")
    runs = {run.uid: run for run in seen}
    return [_outcome(act, uid, runs.get(uid), by=by, at=at, why=why) for uid in uids]


def _outcome(act: str, uid: UUID, run: Run | None, *, by: Principal, at: datetime, why: str) -> RunOutcome:
    if run is None:
        return RunOutcome(uid, None, ledger.NotFound())
    try:
        with transaction.atomic():
            ACTS[act](run, by=by, at=at, why=why)
    except ledger.Refused as refused:
        return RunOutcome(uid, run, refused)
    return RunOutcome(uid, Run.objects.select_related("workflow").get(pk=run.pk))
