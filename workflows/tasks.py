"""What time does to work: timers fire, silent agents lose their steps, passed deadlines are acted on."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from django.conf import settings

from governance import operations as governance
from governance.models import ControlDrill, ControlState, Escalation
from governance.tasks import side_by_side
from observability.ledger import SYSTEM, Refused, database_now
from workflows import memory, operations
from workflows.models import Message, Run, Schedule, Step, Timer
from workflows.operations import pushing
from workflows.operations.definitions import graph_of
from workflows.operations.runs.limits import too_long

log = logging.getLogger(__name__)
AT_MOST = 500
BATCHES_AT_MOST = 20
TOGETHER = 25
OF_MESSAGES = ("workflow__unit", "sender", "receiver", "principal", "unit")


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
    """Fire every timer that is due, the units in turn; how many. Some at a time in one transaction; where one of them
    goes wrong each gets its own, so that it stops no other."""
    at, fired = database_now(), 0
    for _ in range(BATCHES_AT_MOST):
        due = list(Timer.objects.due(at).of_settled_runs().in_turns()[:AT_MOST])
        done = sum(_fired(due[start : start + TOGETHER], at) for start in range(0, len(due), TOGETHER))
        fired += done
        if not done or len(due) < AT_MOST:
            break
    return fired


def _fired(timers: Sequence[Timer], at: datetime) -> int:
    try:
        return operations.fire_together(timers, at=at)
    except Exception:
        log.info("%s timers are fired one by one: one of them went wrong", len(timers), exc_info=True)
        return each(timers, lambda timer: operations.fire_timer(timer, at=at))


@shared_task(name="workflows.deliver_messages")
def deliver_messages() -> int:
    """Deliver what is on its way to runs, and what somebody has begun to wait for; how many were tried."""
    at, tried = database_now(), 0
    for _ in range(BATCHES_AT_MOST):
        found = list(Message.objects.due(at).select_related(*OF_MESSAGES)[:AT_MOST])
        tried += each(found, lambda message: operations.deliver(message, at=at))
        if len(found) < AT_MOST:
            break
    waited = Message.objects.awaited().exclude(due_at__lte=at).select_related(*OF_MESSAGES)[:AT_MOST]
    return tried + each(waited, lambda message: operations.deliver(message, at=at))


@shared_task(name="workflows.start_scheduled")
def start_scheduled() -> int:
    """Begin the runs that are due by the calendar; how many schedules were looked at."""
    at = database_now()
    return each(Schedule.objects.due(at)[:AT_MOST], lambda schedule: operations.start_scheduled(schedule, at=at))


@shared_task(name="workflows.watch_limits")
def watch_limits() -> int:
    """Take steps that take too long from their agents, and let runs that do stand still; how many."""
    at = database_now()
    working = Step.objects.filter(status=Step.Status.WORKING).select_related("run")[:10_000]
    slow = [step for step in working if graph_of(step.run.version_id).nodes[step.element].seconds_limit]
    taken = each(slow, lambda step: operations.pass_time_limit(step, at=at))
    old = Run.objects.over_time(at - timedelta(days=settings.RUN_DAYS_AT_MOST))[:AT_MOST]
    long = [run for run in old if too_long(run, at) is not None]
    return taken + each(long, lambda run: operations.check_time(run, at=at))


@shared_task(name="workflows.reclaim_work")
def reclaim_work() -> int:
    """Take back every step whose lease ran out; how many."""
    at = database_now()
    return each(Step.objects.abandoned(at)[:AT_MOST], lambda step: operations.reclaim(step, at=at))


@shared_task(name="workflows.land_flights")
def land_flights() -> int:
    """Tell steps that wait for the same work elsewhere what became of it; how many flights were over."""
    at = database_now()
    return each(operations.over(at)[:AT_MOST], lambda flight: operations.land(flight, at=at))


@shared_task(name="workflows.count_reuses")
def count_reuses() -> int:
    """Add to the kept figures what was reused since the last time; how many entries of the ledger were read."""
    counted = 0
    for _ in range(BATCHES_AT_MOST):
        read = memory.count_reuses()
        counted += read
        if not read:
            break
    return counted


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
    """Act on every question whose deadline has passed, and remind of those whose time is nearly over; how many. Those
    of paused runs wait."""
    at, paused = database_now(), {"steps__run__status": Run.Status.PAUSED}
    each(Escalation.objects.to_remind(at).exclude(**paused)[:AT_MOST], lambda asked: governance.remind(asked, at=at))
    overdue = Escalation.objects.overdue(at).exclude(**paused)[:AT_MOST]
    return each(overdue, lambda asked: operations.pass_deadline(asked, at=at))


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
