"""Work begins again from its start, as a new run with the same inputs."""

from datetime import datetime

from django.db import transaction

from observability import ledger
from workflows.models import Run
from workflows.operations.intervening.entering import require_reason
from workflows.operations.runs import locked, start
from workflows.plan import INPUT

TRIES = 1_000


@transaction.atomic
def restart(run: Run, *, by: ledger.Acts, at: datetime, why: str, key: str = "") -> Run:
    """A new run of the newest version with the inputs of one that has ended, under the key given or the next one that
    is free: 1187, then 1187-2. Needs the right to start runs as well."""
    require_reason(run, by=by, why=why)
    run = locked(run.pk)
    if run.is_under_way:
        raise ledger.WrongStatus(f"Run {run} is still under way; cancel it first.")
    key = key.strip() or _next_key(run)
    again, is_new = start(run.workflow, key=key, variables=run.variables.get(INPUT, {}), by=by, at=at)
    if not is_new:
        raise ledger.Invalid(fields={"key": f"There is a run {key} already. Choose another key."})
    again.repeats = run
    again.save(update_fields=["repeats"])
    ledger.record("run.restarted", run, by=by, at=at, why=why, data={"key": key, "as": str(again.uid)})
    return again


def _next_key(run: Run) -> str:
    stem = run.key[:190]
    taken = set(run.workflow.runs.filter(key__startswith=stem).values_list("key", flat=True))
    return next((key for n in range(2, TRIES) if (key := f"{stem}-{n}") not in taken), f"{stem}-{run.pk}")
