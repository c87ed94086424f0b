"""What time does to work: timers fire, silent agents lose their steps, passed deadlines are acted on."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from celery import shared_task

from governance import operations as governance
from governance.models import ControlDrill, ControlState, Escalation
from governance.tasks import side_by_side
from observability.ledger import SYSTEM, Refused, database_now
from workflows import operations
from workflows.models import Step, Timer
from workflows.operations import pushing

log = logging.getLogger(__name__)
AT_MOST = 500


def each(rows: Iterable[Any], act: Callable[[Any], Any]) -> int:
    """Act on each row in a transaction of its own; one that fails is logged and left for the next sweep, so that no
    row, whatever is wrong with it, keeps the others waiting."""
    done = 0
    for row in rows:
        try:
            act(row)
            done += 1
        except Refused as refused:
            log.info("%s %s left for the next sweep: %s", row._meta.verbose_name, row.pk, refused.detail)
        except Exception:
            log.exception("%s %s left for the next sweep", row._meta.verbose_name, row.pk)
    return done


@shared_task(name="workflows.fire_timers")
def fire_timers() -> int:
    """Fire every timer that is due; how many."""
    at = database_now()
    due = Timer.objects.due(at).of_settled_runs()[:AT_MOST]
    return each(due, lambda timer: operations.fire_timer(timer, at=at))


@shared_task(name="workflows.reclaim_work")
def reclaim_work() -> int:
    """Take back every step whose lease ran out; how many."""
    at = database_now()
    return each(Step.objects.abandoned(at)[:AT_MOST], lambda step: operations.reclaim(step, at=at))


@shared_task(name="workflows.hurry_work")
def hurry_work() -> int:
    """Move up what waits too long, and tell of what is overdue; how many."""
    return operations.hurry(at=database_now())


@shared_task(name="workflows.push_work")
def push_work() -> int:
    """Tell agents at their address that work is ready for them; how many were reached."""
    told = pushing.take_pushes(at=database_now())
    came = side_by_side(pushing.deliver_push, told)
    for each, what in zip(told, came, strict=True):
        pushing.note_push(each, what, at=database_now())
    return sum(what.is_taken for what in came)


@shared_task(name="workflows.pass_deadlines")
def pass_deadlines() -> int:
    """Act on every question whose deadline has passed, and remind of those whose time is nearly over; how many."""
    at = database_now()
    each(Escalation.objects.to_remind(at)[:AT_MOST], lambda asked: governance.remind(asked, at=at))
    return each(Escalation.objects.overdue(at)[:AT_MOST], lambda asked: operations.pass_deadline(asked, at=at))


@shared_task(name="workflows.take_effect")
def take_effect() -> int:
    """Let every answer take effect that can no longer be undone; how many. Late, it only gives more time to undo: until
    then the question counts as open for agents."""
    at = database_now()
    held = Escalation.objects.taking_effect(at)[:AT_MOST]
    return each(held, lambda asked: operations.take_effect(asked, at=at))


@shared_task(name="workflows.keep_stops")
def keep_stops() -> int:
    """Record every stop whose time has run out, end drills, and void what leases a pause left; how many. Nothing waits
    for this: decisions and claims look at the clock and the stops themselves."""
    at = database_now()
    lapsed = each(ControlState.objects.lapsed(at), lambda row: governance.lapse(row, at=at))
    over = ControlDrill.objects.running().filter(ends_at__lte=at)
    ended = each(over, lambda drill: governance.end_drill(drill, by=SYSTEM, at=at))
    return lapsed + ended + operations.void_leases(at=at)
