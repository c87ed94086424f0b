"""What time does to autonomy: agents whose record breaks the rule of their role lose a level."""

import logging

from celery import shared_task

from governance import operations
from observability.ledger import Refused, database_now

log = logging.getLogger(__name__)


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
