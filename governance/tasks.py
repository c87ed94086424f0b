"""What time does to governance: agents lose levels by their rules, delegations end, reservations lapse."""

import logging

from celery import shared_task

from governance import operations
from governance.models import Delegation, Reservation
from observability.ledger import Refused, database_now

log = logging.getLogger(__name__)
AT_MOST = 500


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
