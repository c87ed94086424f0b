"""What time does to governance: agents lose levels by their rules or stop when they do more than usual,
delegations end, reservations lapse, replays run, callbacks are delivered, people are told."""

import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from celery import shared_task

from governance import operations
from governance.api.shapes.authzen import task_of
from governance.models import Callback, Delegation, Replay, Reservation, SystemReport
from governance.operations import callbacks, learning, notices
from governance.operations.replays import STANDS_STILL
from governance.serializers import message_of
from observability.ledger import Refused, database_now

log = logging.getLogger(__name__)
AT_MOST = 500
AT_ONCE = 20
REPORTS_KEPT = timedelta(days=2)  # longer than any circuit breaker looks back


@shared_task(name="governance.watch_autonomy")
def watch_autonomy() -> int:
    """Demote every agent that broke its rule; how many. One that cannot be demoted does not keep the others."""
    at, done = database_now(), 0
    for fall in operations.falls(at=at):
        try:
            operations.demote_by_rule(fall, at=at)
            done += 1
        except Refused as refused:
            log.info("%s left for the next sweep: %s", fall.agent, refused.detail)
    return done


@shared_task(name="governance.end_delegations")
def end_delegations() -> int:
    """End every delegation whose time has run out; how many. They decide nothing from that second on in any case."""
    at, ended = database_now(), 0
    for delegation in Delegation.objects.over(at).select_related("person", "delegate")[:AT_MOST]:
        try:
            operations.end_overdue(delegation, at=at)
            ended += 1
        except Refused as refused:
            log.info("delegation %s left for the next sweep: %s", delegation.pk, refused.detail)
    return ended


@shared_task(name="governance.run_replays")
def run_replays() -> int:
    """Work the oldest waiting replay off, one at a time in all processes; how many were finished. One whose worker is
    gone fails. Lost or doubled, this does nothing wrong: only one takes a replay, and the next sweep comes."""
    at = database_now()
    for still in Replay.objects.standing_still(at - STANDS_STILL).select_related("version__policy"):
        _fail(still, "Nobody works on it any more: its worker was lost. Start it again.")
    waiting = Replay.objects.filter(status=Replay.Status.QUEUED).select_related("version__policy")
    replay = waiting.order_by("pk").first()
    if replay is None or not operations.begin_replay(replay, at=at):
        return 0
    try:
        return int(operations.work_off(replay, clock=database_now))
    except Refused as refused:
        _fail(replay, refused.detail)
    except Exception:
        log.exception("replay %s failed", replay.pk)
        _fail(replay, "It could not be worked out. The log of the server says why.")
    return 0


def _fail(replay: Replay, why: str) -> None:
    try:
        operations.fail_replay(replay, why=why, at=database_now())
    except Refused as refused:
        log.info("replay %s is over already: %s", replay.pk, refused.detail)


@shared_task(name="governance.expire_reservations")
def expire_reservations() -> int:
    """Free what was reserved of budgets and never reported on; how many reservations."""
    at, expired = database_now(), 0
    for reservation in Reservation.objects.overdue(at).with_names()[:AT_MOST]:
        try:
            operations.expire_reservation(reservation, at=at)
            expired += 1
        except Refused as refused:
            log.info("reservation %s left for the next sweep: %s", reservation.pk, refused.detail)
    return expired


@shared_task(name="governance.watch_conduct")
def watch_conduct() -> int:
    """Put every agent in quarantine that does far more than it ever did; how many."""
    at, stopped = database_now(), 0
    for agent, why in operations.unusual(at=at):
        try:
            operations.quarantine(agent, why=why, at=at)
            stopped += 1
        except Refused as refused:
            log.info("%s left for the next sweep: %s", agent, refused.detail)
    return stopped


@shared_task(name="governance.forget_reports")
def forget_reports() -> int:
    """Forget what systems answered long ago; how many reports."""
    return SystemReport.objects.filter(at__lt=database_now() - REPORTS_KEPT).delete()[0]


@shared_task(name="governance.sample_work")
def sample_work() -> int:
    """Open a check for each decision of the sample; how many."""
    return learning.sample(at=database_now())


@shared_task(name="governance.ask_planted")
def ask_planted() -> int:
    """Ask the planted cases whose moment has come; how many."""
    return learning.ask_planted(at=database_now(), at_most=AT_MOST)


@shared_task(name="governance.note_answers")
def note_answers() -> int:
    """Put answered checks and planted cases that are over on record; how many."""
    at = database_now()
    return learning.note_checks(at=at, at_most=AT_MOST) + learning.note_planted(at=at, at_most=AT_MOST)


@shared_task(name="governance.watch_reviewers")
def watch_reviewers() -> int:
    """Say what is unusual about how people decide, once each; how many new alerts."""
    return learning.watch(at=database_now())


@shared_task(name="governance.deliver_callbacks")
def deliver_callbacks() -> int:
    """Tell agents what became of their access requests, where they asked for it; how many were reached."""
    taken = callbacks.take_callbacks(at=database_now())
    outcomes = side_by_side(lambda each: callbacks.deliver_callback(each, _told(each)), taken)
    for callback, outcome in zip(taken, outcomes, strict=True):
        callbacks.note_delivery(callback, outcome, at=database_now())
    return sum(outcome.is_taken for outcome in outcomes)


def _told(callback: Callback) -> bytes:
    state = {"state": callback.state} if callback.state else {}
    return json.dumps({**task_of(callback.escalation, callback.base), **state}).encode()


@shared_task(name="governance.tell_people")
def tell_people() -> int:
    """Note whom what happened concerns, and send what is due, one message for each place; how many arrived."""
    notices.collect_notices(at=database_now())
    taken = notices.take_notices(at=database_now())
    letters = [(place, message_of(place, due)) for place, due in taken.items()]
    outcomes = side_by_side(lambda letter: notices.deliver(*letter), letters)
    for (place, _), outcome in zip(letters, outcomes, strict=True):
        notices.note_sent(place, taken[place], outcome, at=database_now())
    return sum(not outcome.trouble for outcome in outcomes)


def side_by_side(act: Callable[[Any], Any], rows: Sequence[Any]) -> list[Any]:
    """`act` of each row, which waits for somebody outside and touches no database, several at a time: one that does
    not answer keeps no other waiting."""
    if not rows:
        return []
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="outside") as pool:
        return list(pool.map(act, rows))
