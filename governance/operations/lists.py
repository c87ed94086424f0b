"""Named lists of values: add one, change what it holds, drop one that no rule reads. A change decides at once."""

import re
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from agents.models import Principal, Unit
from agents.operations import require
from governance.models import ListEdition, PolicyVersion, ValueList
from governance.operations.policies.rulebook import turn_page
from observability import ledger

RIGHT = "governance.add_policy"
ITEMS_AT_MOST = 1_000
ITEM_AT_MOST = 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)


class ListChanged(ledger.Refused):
    """Somebody changed this list since you opened it. Nothing was changed; read it again."""

    status = 412
    code = "list_changed"


class ListInUse(ledger.Refused):
    """Versions of policies read this list. Take it out of them first."""

    status = 409
    code = "list_in_use"


@transaction.atomic
def add_list(
    name: str, *, title: str, items: Sequence[str], unit: Unit, by: ledger.Acts, at: datetime, why: str
) -> ValueList:
    """A new list that rules can read as `lists.name`. Raises Invalid that names each wrong field."""
    require(by, RIGHT, unit)
    wrong = {}
    if not _NAME.fullmatch(name):
        wrong["name"] = "A name has small letters, digits and _, begins with a letter, and has 60 characters at most."
    elif ValueList.objects.filter(name=name).exists():
        wrong["name"] = f"There is a list {name} already."
    if not title.strip():
        wrong["title"] = "Say what the list holds."
    held = _checked(items, why, wrong)
    made = ValueList.objects.create(name=name, title=title.strip(), unit=unit, items=held)
    _keep(made, by, at, why)
    ledger.record("list.added", made, by=by, at=at, why=why, after=_counted(held))
    return made


@transaction.atomic
def change_list(
    changed: ValueList, *, items: Sequence[str], edition: int, by: ledger.Acts, at: datetime, why: str
) -> ValueList:
    """Let the list hold these items from the next question on; `edition` is the one that was read. Raises ListChanged
    when another one holds meanwhile."""
    require(by, RIGHT, changed.unit)
    held = _checked(items, why, {})
    locked = ValueList.objects.select_for_update(of=("self",)).get(pk=changed.pk)
    if locked.edition != edition:
        raise ListChanged
    if held == locked.items:
        raise ledger.Invalid("The list holds exactly this already.", fields={"items": "Nothing changed."})
    before, locked.items, locked.edition = locked.items, held, edition + 1
    locked.save(update_fields=["items", "edition"])
    _keep(locked, by, at, why)
    told = {"added": sorted(set(held) - set(before))[:50], "removed": sorted(set(before) - set(held))[:50]}
    ledger.record(
        "list.changed", locked, by=by, at=at, why=why, before=_counted(before), after=_counted(held), data=told
    )  # fmt: skip
    return locked


@transaction.atomic
def drop_list(dropped: ValueList, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Take a list away that no version reads which may still decide. Raises ListInUse."""
    require(by, RIGHT, dropped.unit)
    if not why.strip():
        raise ledger.Invalid("Say why the list goes.", fields={"reason": "A reason is needed."})
    readers = readers_of(dropped)
    if readers:
        raise ListInUse(f"{', '.join(map(str, readers))} reads {dropped.path}. Take it out of the rules first.")
    ledger.record("list.dropped", dropped, by=by, at=at, why=why, before=_counted(dropped.items))
    dropped.delete()
    turn_page()


def readers_of(read: ValueList) -> list[PolicyVersion]:
    """The versions that read the list and have not been retired."""
    living = PolicyVersion.objects.exclude(status=PolicyVersion.Status.RETIRED).select_related("policy")
    return [version for version in living.order_by("policy__key", "number") if _reads(version.document, read.path)]


def _reads(document: object, path: str) -> bool:
    if isinstance(document, dict):
        return any(_reads(value, path) for value in document.values())
    if isinstance(document, list):
        return any(_reads(value, path) for value in document)
    return isinstance(document, str) and re.search(rf"\b{re.escape(path)}\b", document) is not None


def _checked(items: Sequence[str], why: str, wrong: dict[str, str]) -> list[str]:
    held = list(dict.fromkeys(item.strip() for item in items if item.strip()))
    if len(held) > ITEMS_AT_MOST:
        wrong["items"] = f"A list holds {ITEMS_AT_MOST:,} items at most; these are {len(held):,}."
    long = next((number for number, item in enumerate(held, 1) if len(item) > ITEM_AT_MOST), None)
    if long is not None:
        wrong["items"] = f"Item {long} is longer than {ITEM_AT_MOST} characters."
    if not why.strip():
        wrong["reason"] = "Say why; the audit trail keeps it."
    if wrong:
        raise ledger.Invalid("Nothing was changed.", fields=wrong)
    return held


def _counted(items: Sequence[str]) -> str:
    return f"{len(items):,} item{'s' * (len(items) != 1)}"


def _keep(changed: ValueList, by: ledger.Acts, at: datetime, why: str) -> None:
    ListEdition.objects.create(
        list=changed, number=changed.edition, items=changed.items, reason=why, at=at,
        author=by if isinstance(by, Principal) else None,
    )  # fmt: skip
    turn_page()
