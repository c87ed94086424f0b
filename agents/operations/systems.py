"""The systems that agents act upon."""

from datetime import datetime
from typing import Any

from django.db import transaction

from agents.models import System, Unit
from agents.operations.access import require
from agents.rules.systems import wrong_with_fields
from observability import ledger


@transaction.atomic
def add_system(
    code: str, name: str, *, unit: Unit, resource: str, actions: list[dict[str, Any]], fields: list[dict[str, Any]],
    by: ledger.Acts, at: datetime,
) -> System:  # fmt: skip
    """Register a system that agents act upon, with its actions and the typed fields of its requests. Raises Invalid
    that names both fields when one of them cannot stand beside one of another system."""
    require(by, "agents.add_system", unit)
    wrong = wrong_with_fields(fields, _declared())
    if wrong:
        raise ledger.Invalid("The system was not registered.", fields={"fields": wrong})
    system = System.objects.create(code=code, name=name, unit=unit, resource=resource, actions=actions, fields=fields)
    ledger.record("system.added", system, by=by, at=at)
    return system


def _declared() -> dict[str, str]:
    """Which system declares a path, for every path of those that are registered."""
    return {item["path"]: system.name for system in System.objects.order_by("-pk") for item in system.fields}
