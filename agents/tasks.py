"""What time does to identity: kept answers are forgotten after two days, sponsors who left are missed."""

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings

from agents import operations
from agents.models import Agent, GivenAnswer
from agents.rules import Watch
from observability.ledger import Refused, database_now

log = logging.getLogger(__name__)
KEPT_FOR = timedelta(hours=48)


@shared_task(name="agents.forget_answers")
def forget_answers() -> int:
    """Remove the answers that are older than any repeat can be; how many."""
    removed, _ = GivenAnswer.objects.filter(at__lt=database_now() - KEPT_FOR).delete()
    return removed


@shared_task(name="agents.watch_sponsors")
def watch_sponsors() -> int:
    """Look after every agent at work whose sponsor left or came back, or whose last day has passed; how many were
    alerted or paused. One that fails is left for the next sweep."""
    at, grace = database_now(), timedelta(days=settings.SPONSOR_GRACE_DAYS)
    done = 0
    for agent in Agent.objects.at_work().to_watch(at):
        try:
            done += operations.watch_sponsor(agent, at=at, grace=grace) in (Watch.ALERT, Watch.PAUSE, Watch.END)
        except Refused as refused:
            log.info("agent %s left for the next sweep: %s", agent.code, refused.detail)
        except Exception:
            log.exception("agent %s left for the next sweep", agent.code)
    return done
