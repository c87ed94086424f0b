"""The rows that a document names by their codes: roles, units, people, blueprints."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import Model, QuerySet

from agents.models import Blueprint, Principal, Role, Unit
from observability import ledger


class Naming:
    """Looks rows up by their codes and remembers what was not found, so that everything wrong is named at once."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.wrong: dict[str, str] = {}

    def role(self, field: str = "role") -> Any:
        """The role that the field names."""
        return self._row(field, Role.objects.all(), "code", "role")

    def unit(self, field: str = "unit") -> Any:
        """The unit that the field names."""
        return self._row(field, Unit.objects.all(), "code", "unit")

    def blueprint(self, field: str = "blueprint") -> Any:
        """The blueprint that the field names."""
        return self._row(field, Blueprint.objects.with_people(), "code", "blueprint")

    def person(self, field: str) -> Any:
        """The person that the field names; None when it names nobody and may do so."""
        if self.document[field] in (None, "") and field == "stand_in":
            return None
        return self._row(field, Principal.objects.filter(kind=Principal.Kind.PERSON), "username", "person")

    def day(self, field: str) -> date | None:
        """The day that the field gives as 2026-12-31, None without one."""
        given = self.document[field]
        if given in (None, ""):
            return None
        try:
            return date.fromisoformat(given)
        except (TypeError, ValueError):
            self.wrong[field] = "Write the day as in 2026-12-31."
            return None

    def require(self, detail: str) -> None:
        """Raise Invalid that names each field whose row does not exist."""
        if self.wrong:
            raise ledger.Invalid(detail, fields=self.wrong)

    def _row(self, field: str, rows: QuerySet[Any], column: str, noun: str) -> Model | None:
        wanted = self.document[field]
        found: Model | None = rows.filter(**{column: wanted}).first() if isinstance(wanted, str) and wanted else None
        if found is None:
            self.wrong[field] = f"There is no {noun} {wanted}." if wanted else f"Name the {noun}."
        return found


def checked_changes(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the changes in it. Raises Invalid for a field that it has not."""
    unknown = set(changes) - set(before)
    if unknown:
        said = dict.fromkeys(sorted(unknown), f"Unknown field; known are {', '.join(before)}.")
        raise ledger.Invalid("Nothing was changed.", fields=said)
    return {**before, **changes}
