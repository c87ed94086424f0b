"""Every change of an agent or a blueprint is a version: keep one, find one, say what it changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Max

from agents.models import Principal, Version, Versioned
from agents.operations.reasons import check_length
from agents.rules import differences
from observability import ledger

FIRST = "As it stood before its first recorded change."


class NothingChanged(ledger.Refused):
    """This changes nothing, so nothing was saved."""

    code = "nothing_changed"


def require_reason(why: str, what: str) -> None:
    """Raise Invalid unless there is a reason of a length that people read."""
    if not why.strip():
        raise ledger.Invalid(f"Say why {what}.", fields={"why": "A reason is needed."})
    check_length(why)


def keep_first(row: Versioned, *, by: ledger.Acts, at: datetime, why: str) -> Version:
    """Keep a row that was just made as its first version."""
    return _kept(row, 1, row.as_document(), by, at, why)


def keep_version(row: Versioned, *, by: ledger.Acts, at: datetime, why: str) -> Version:
    """Keep the row as it stands now as its next version. The caller holds the row's lock."""
    last = Version.objects.of(row).aggregate(last=Max("number"))["last"] or 0
    table: models.Manager[Any] = type(row)._base_manager  # type: ignore[attr-defined]
    table.filter(pk=row.pk).update(version=last + 1)
    row.version = last + 1
    return _kept(row, row.version, row.as_document(), by, at, why)


def keep_change(
    row: Versioned, before: Mapping[str, Any], *, by: ledger.Acts, at: datetime, why: str
) -> tuple[Version, list[dict[str, str]]]:
    """Keep the changed row as its next version, and say what changed. A row without any version gets its first one
    from `before`, so that it can go back there. The caller holds the row's lock."""
    if not Version.objects.of(row).exists():
        _kept(row, 1, before, ledger.SYSTEM, at, FIRST)
    version = keep_version(row, by=by, at=at, why=why)
    return version, [vars(each) for each in differences(before, version.document)]


def version_of(row: Versioned, number: int) -> Version:
    """One version of the row. Raises NotFound for a number that it never had."""
    found = Version.objects.of(row).filter(number=number).first()
    if found is None:
        raise ledger.NotFound(f"{row.as_subject().name} has no version {number}.")
    return found


def _kept(row: Versioned, number: int, document: Mapping[str, Any], by: ledger.Acts, at: datetime, why: str) -> Version:
    subject = row.as_subject()
    return Version.objects.create(
        subject_kind=subject.kind, subject_id=subject.id, number=number, document=dict(document),
        author=by if isinstance(by, Principal) else None, at=at, why=why,
    )  # fmt: skip
