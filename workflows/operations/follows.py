"""Follows: a workflow begins a run when one of another workflow ends."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from agents.models import Principal
from agents.operations import require
from observability import ledger
from workflows.models import Follow, Run, Workflow

RIGHT = "workflows.publish_workflow"


def add_follow(
    workflow: Workflow, after: Workflow, *, by: Principal, at: datetime, status: str = Run.Status.DONE,
    outcome: str = "",
) -> Follow:  # fmt: skip
    """Begin a run of the workflow whenever one of the other ends so, with any outcome or with this one; it has the same
    key, and gets as inputs what the other left under their names. Needs the right for both. Raises Invalid."""
    require(by, RIGHT, workflow)
    require(by, RIGHT, after)
    if workflow.pk == after.pk:
        raise ledger.Invalid(fields={"after": "A workflow does not follow itself; draw a loop."})
    if status not in (Run.Status.DONE, Run.Status.FAILED, Run.Status.CANCELLED):
        raise ledger.Invalid(fields={"status": "Choose done, failed or cancelled."})
    try:
        with transaction.atomic():
            follow = Follow.objects.create(
                workflow=workflow, after=after, status=status, outcome=outcome.strip(), author=by, created_at=at
            )
            ledger.record(
                "follow.added", follow, by=by, at=at, data={"after": after.code, "status": status, "outcome": outcome}
            )
    except IntegrityError as known:
        raise ledger.Invalid(fields={"after": f"{workflow} follows on that already."}) from known
    return follow


@transaction.atomic
def drop_follow(follow: Follow, *, by: Principal, at: datetime) -> None:
    """Begin no more runs after the other's end."""
    require(by, RIGHT, follow.workflow)
    ledger.record("follow.dropped", follow, by=by, at=at, data={"after": follow.after.code})
    follow.delete()


def find_follow(uid: UUID, *, user: Principal) -> Follow:
    """The connection, if this person may see its workflow. Raises NotFound."""
    found = Follow.objects.visible_to(user).select_related("workflow__unit", "after")
    follow: Follow | None = found.filter(uid=uid).first()
    if follow is None:
        raise ledger.NotFound
    return follow
