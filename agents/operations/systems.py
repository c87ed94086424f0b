"""The systems that agents act upon."""

from datetime import datetime
from typing import Any

from django.db import transaction

from agents.models import System, Unit
from agents.operations.access import require
from observability import ledger


@transaction.atomic
def add_system(
    code: str, name: str, *, unit: Unit, resource: str, actions: list[dict[str, Any]], fields: list[dict[str, Any]],
    by: ledger.Acts, at: datetime,
) -> System:  # fmt: skip
    """Register a system that agents act upon, with its actions and the typed fields of its requests."""
    require(by, "agents.add_system", unit)
    system = System.objects.create(code=code, name=name, unit=unit, resource=resource, actions=actions, fields=fields)
    ledger.record("system.added", system, by=by, at=at)
    return system
