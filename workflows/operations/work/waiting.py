"""Waiting: what stands ready too long moves up, and what should be done by now is told."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Least

from observability import ledger
from workflows.models import Step
from workflows.operations.work.leases import locked_with_run

OVERDUE_GAINS = 10
AT_MOST = 500


@transaction.atomic
def hurry(*, at: datetime) -> int:
    """Move up what waits too long, so that nothing waits for ever behind what is more important, and tell of what is
    overdue; how many."""
    return _age(at) + sum(_overdue(pk, at) for pk in _late(at))


def _age(at: datetime) -> int:
    long_ago = at - timedelta(minutes=settings.QUEUE_PATIENCE_MINUTES)
    waiting = Step.objects.filter(status=Step.Status.READY, ranked_at__lte=long_ago)
    return waiting.update(priority=Least(F("priority") + 1, Value(Step.PRIORITY_AT_MOST)), ranked_at=at)


def _late(at: datetime) -> list[int]:
    # In the order of their runs: two sweeps at once lock them one way.
    return list(Step.objects.overdue(at).order_by("run", "pk").values_list("pk", flat=True)[:AT_MOST])


def _overdue(pk: int, at: datetime) -> bool:
    step = locked_with_run(pk)
    if step.overdue_at is not None or step.ended_at is not None:
        return False
    step.overdue_at = at
    step.priority = min(step.priority + OVERDUE_GAINS, Step.PRIORITY_AT_MOST)
    step.save(update_fields=["overdue_at", "priority"])
    due = step.due_at.isoformat() if step.due_at else ""
    ledger.record("step.overdue", step, by=ledger.SYSTEM, at=at, data={"due_at": due})
    return True
