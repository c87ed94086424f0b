"""What time does to identity: kept answers and used tokens are forgotten, rights end, reviews of access remind and
close, sponsors who left are missed, the emergency account closes."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.conf import settings

from agents import operations
from agents.models import Agent, GivenAnswer, Grant, Review, RoleGrant
from agents.rules import Watch
from observability.ledger import Refused, database_now

log = logging.getLogger(__name__)
KEPT_FOR = timedelta(hours=48)
AT_MOST = 500


@shared_task(name="agents.forget_answers")
def forget_answers() -> int:
    """Remove the answers that are older than any repeat can be; how many."""
    removed, _ = GivenAnswer.objects.filter(at__lt=database_now() - KEPT_FOR).delete()
    return removed


@shared_task(name="agents.end_grants")
def end_grants() -> int:
    """Remove every right whose time has run out; how many. They hold nothing from that second on in any case."""
    at = database_now()
    ended = 0
    for table in (Grant, RoleGrant):
        over = table.objects.expired(at).with_names().order_by("expires_at")[:AT_MOST]
        ended += each(over, lambda grant: operations.end_grant(grant, at=at))
    return ended


@shared_task(name="agents.attend_reviews")
def attend_reviews() -> int:
    """Close every access review whose last day has passed, and remind those whose answers are missing; how many."""
    at = database_now()
    closed = each(Review.objects.due(at)[:AT_MOST], lambda review: operations.close_overdue(review, at=at))
    near = Review.objects.open().filter(due_at__gt=at, due_at__lte=at + timedelta(days=max(operations.REMIND_DAYS)))
    return closed + each(near[:AT_MOST], lambda review: operations.remind(review, at=at))


def each(rows: Iterable[Any], act: Callable[[Any], Any]) -> int:
    """Act on each row; one that fails is logged and left for the next sweep. How many rows something was done about."""
    done = 0
    for row in rows:
        try:
            done += bool(act(row))
        except Refused as refused:
            log.info("%s %s left for the next sweep: %s", row._meta.verbose_name, row.pk, refused.detail)
        except Exception:
            log.exception("%s %s left for the next sweep", row._meta.verbose_name, row.pk)
    return done


@shared_task(name="agents.watch_sponsors")
def watch_sponsors() -> int:
    """Look after every agent at work whose sponsor left or came back, or whose last day has passed; how many were
    alerted or paused."""
    at, grace = database_now(), timedelta(days=settings.SPONSOR_GRACE_DAYS)

    def watch(agent: Agent) -> bool:
        return operations.watch_sponsor(agent, at=at, grace=grace) in (Watch.ALERT, Watch.PAUSE, Watch.END)

    return each(Agent.objects.at_work().to_watch(at), watch)


@shared_task(name="agents.end_emergencies")
def end_emergencies() -> int:
    """Close the emergency account when its time has passed; how many uses were closed."""
    return operations.end_overdue(at=database_now())


@shared_task(name="agents.forget_tokens")
def forget_tokens() -> int:
    """Remove what is kept about tokens that have expired; how many."""
    return operations.forget_tokens(at=database_now())
