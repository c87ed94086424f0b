"""What time does to identity: answers kept for repeats are forgotten, the emergency account closes."""

from datetime import timedelta

from celery import shared_task

from agents import operations
from agents.models import GivenAnswer
from observability.ledger import database_now

KEPT_FOR = timedelta(hours=48)


@shared_task(name="agents.forget_answers")
def forget_answers() -> int:
    """Remove the answers that are older than any repeat can be; how many."""
    removed, _ = GivenAnswer.objects.filter(at__lt=database_now() - KEPT_FOR).delete()
    return removed


@shared_task(name="agents.end_emergencies")
def end_emergencies() -> int:
    """Close the emergency account when its time has passed; how many uses were closed."""
    return operations.end_overdue(at=database_now())
