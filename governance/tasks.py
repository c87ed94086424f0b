"""What time does to governance: agents whose record breaks their rule lose a level, agents that do far
more than usual are stopped, delegations end."""

import logging
from datetime import timedelta

from celery import shared_task

from governance import operations
from governance.models import Delegation, SystemReport
from observability.ledger import Refused, database_now

log = logging.getLogger(__name__)
AT_MOST = 500
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
