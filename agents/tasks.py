"""What time does to identity: answers kept for repeats are forgotten after two days, used tokens when they expire."""

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


@shared_task(name="agents.forget_tokens")
def forget_tokens() -> int:
    """Remove what is kept about tokens that have expired; how many."""
    return operations.forget_tokens(at=database_now())
