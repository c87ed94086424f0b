"""Drills: practise a stop without stopping anything, and measure how soon each process would have known."""

import os
import socket
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from governance.models import ControlDrill, ControlState, DrillSighting
from observability import ledger

LASTS = timedelta(seconds=60)
_noted: set[int] = set()  # drills that this process has seen and written down; forgetting them does no harm


def process_name() -> str:
    """How a drill names the process that saw it."""
    return f"{socket.gethostname()[:100]}:{os.getpid()}"


def note_sightings(drills: Sequence[int]) -> None:
    """Write down that this process has seen these drills, once for each."""
    for pk in drills:
        if pk not in _noted:
            seen = DrillSighting(drill_id=pk, process=process_name(), at=ledger.database_now())
            DrillSighting.objects.bulk_create([seen], ignore_conflicts=True)
            transaction.on_commit(lambda pk=pk: _noted.add(pk), robust=True)  # type: ignore[misc]


def last_drill() -> ControlDrill | None:
    """The newest drill of everything that ended."""
    return ControlDrill.objects.filter(kind=ControlState.Kind.EVERYTHING, ended_at__isnull=False).first()


def drill_is_due(at: datetime) -> bool:
    """Whether it is time to practise again: the last drill of everything is older than CONTROL_DRILL_DAYS."""
    last = last_drill()
    return last is None or last.at <= at - timedelta(days=settings.CONTROL_DRILL_DAYS)


@transaction.atomic
def end_drill(drill: ControlDrill, *, by: ledger.Acts, at: datetime) -> ControlDrill:
    """End a drill and keep what it measured; one that has ended stays as it is."""
    drill = ControlDrill.objects.select_for_update(of=("self",)).get(pk=drill.pk)
    if drill.ended_at is None:
        ControlState.objects.filter(drill=drill).update(drill=None)
        drill.ended_at = at
        drill.save(update_fields=["ended_at"])
        ledger.record("control.drill_ended", drill, by=by, at=at, why=drill.why, data=result_of(drill))
    return drill


def result_of(drill: ControlDrill) -> dict[str, Any]:
    """What the drill found, in plain values: evidence that the stop works."""
    seen = [{"process": each.process, "milliseconds": each.milliseconds} for each in drill.sightings.all()]
    return {"processes": len(seen), "slowest_ms": drill.slowest_ms, "seen": seen, "would_stop": drill.would_stop}


def new_drill(known: Mapping[str, Any], *, at: datetime) -> ControlDrill:
    """A drill that begins now."""
    return ControlDrill.objects.create(at=at, ends_at=at + LASTS, **known)
