"""Those who waited for a result: they are done with it, or the next of them finds it out."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from observability import ledger
from observability.ledger import database_now
from workflows import memory
from workflows.models import Flight, Run, Step, Waiter
from workflows.operations.runs import locked, step_is_done
from workflows.operations.sharing import keep_result, take_over_result

AT_ONCE = 1_000


def keep_and_tell(
    run: Run, step: Step, values: dict[str, Any], *, at: datetime, seconds: Decimal, cost: Decimal
) -> None:
    """Keep what the step left behind; after the commit those who waited for it are told."""
    if step.memory_key:
        keep_result(run, step, values, at=at, seconds=seconds, cost=cost)
        transaction.on_commit(partial(_tell, step.memory_key), robust=True)


def _tell(key: str) -> None:
    for flight in over(database_now()).filter(key=key):
        land(flight, at=database_now())


def over(at: datetime) -> QuerySet[Flight]:
    """Flights that nobody is at any more: those who wait are to be told, the others to be forgotten."""
    ended = Q(step__isnull=True, agent__isnull=True) | Q(agent__isnull=False, leased_until__lte=at)
    failed = Q(step__status__in=(Step.Status.DONE, Step.Status.FAILED, Step.Status.CANCELLED, Step.Status.SKIPPED))
    return Flight.objects.filter(ended | failed).order_by("pk")


def land(flight: Flight, *, at: datetime) -> int:
    """Tell those who wait for the flight, each in a transaction of its own; how many were told."""
    told = 0
    for waiter in Waiter.objects.filter(flight=flight.pk).order_by("pk")[:AT_ONCE]:
        if not _tell_one(waiter, at=at):
            break
        told += 1
    forgotten = Flight.objects.filter(pk=flight.pk).filter(~Exists(Waiter.objects.filter(flight=OuterRef("pk"))))
    with transaction.atomic():
        row = forgotten.select_for_update().first()
        if row is not None and not row.is_held(at):
            row.delete()
    return told


@transaction.atomic
def _tell_one(waiter: Waiter, *, at: datetime) -> bool:
    """Whether the next one is to be told: not when this one, or somebody else, finds it out now."""
    # The run first, as everywhere, then the step, then the flight.
    run_id = Step.objects.filter(pk=waiter.step_id).values_list("run", flat=True).first()
    if run_id is None:
        return True
    run = locked(run_id)
    step = Step.objects.select_for_update(of=("self",)).get(pk=waiter.step_id)
    step.run = run
    flight = Flight.objects.select_for_update(of=("self",)).select_related("step", "agent", "space").filter(
        pk=waiter.flight_id
    ).first()  # fmt: skip
    if flight is None or not Waiter.objects.filter(pk=waiter.pk).exists():
        return True  # told by somebody else meanwhile
    if step.status != Step.Status.READY:
        waiter.delete()
        return True
    fact = memory.current(flight.space, flight.key, at=at)
    if fact is not None and take_over_result(run, step, fact, at=at):
        waiter.delete()
        step_is_done(run, step, step.output, by=ledger.SYSTEM, at=at)
        return True
    if flight.is_held(at):
        return False
    waiter.delete()
    _hand_to(flight, step, at)
    return False


def _hand_to(flight: Flight, step: Step, at: datetime) -> None:
    flight.step, flight.agent, flight.leased_until, flight.at = step, None, None, at
    flight.token += 1
    flight.save(update_fields=["step", "agent", "leased_until", "token", "at"])
    step.available_at = at
    step.save(update_fields=["available_at"])
    ledger.record("step.taken_over", step, by=ledger.SYSTEM, at=at, data={"key": flight.key})
