"""The typed fields of every question: our own facts, and what the registered systems declare."""

import logging
from collections.abc import Collection, Mapping
from typing import Any

from agents.models import System
from governance.language import Field, Kind, Schema
from governance.language.schema import LISTS
from governance.language.values import MAX_ITEMS
from governance.models import ValueList
from governance.operations.history import HISTORY_FIELDS
from governance.rules import STANDARD_FIELDS
from governance.rules.budgeting import FIELDS as BUDGET_FIELDS

log = logging.getLogger(__name__)
OWN_FIELDS = (
    Field("subject.risk_class", Kind.INT, "Risk class of the agent", source="fact"),
    Field("case.approved", Kind.LIST, "Steps that a person approved", source="fact", item=Kind.STRING),
    Field("context.confidence", Kind.DECIMAL, "Agent's confidence"),
    *(Field(f"perm.{verb}", Kind.BOOL, f"May {verb} in the system", source="fact") for verb in System.Verb.values),
    *BUDGET_FIELDS,
    *HISTORY_FIELDS,
)
"""What we know about every question, beside the fields that the rules themselves define."""


def decision_schema() -> Schema:
    """The typed fields of every question: our own facts and what the registered systems declare. No system can take the
    place of one of ours, or of one that an earlier system declared and policies in force may read."""
    fields = {field.path: field for field in (*OWN_FIELDS, *STANDARD_FIELDS)}
    lists, groups = _lists(), {group for path in fields for group in _groups(path)} | {"lists"}
    for declared in System.objects.order_by("pk").values_list("fields", flat=True):
        paths = {item["path"] for item in declared}
        for item in declared:
            if item["path"] not in fields and _has_place(item["path"], fields, groups):
                fields[item["path"]] = _field(item, paths)
                groups.update(_groups(item["path"]))
    return Schema([*fields.values(), *lists])


def _groups(path: str) -> list[str]:
    return [path[:at] for at, sign in enumerate(path) if sign == "."]


def _has_place(path: str, fields: Collection[str], groups: Collection[str]) -> bool:
    # `add_system` refuses such fields. Of a row that came otherwise the field is left out: that of the earlier system
    # stays, and every question about it is still decided.
    has = path not in groups and not any(group in fields for group in _groups(path)) and not path.startswith(LISTS)
    if not has:
        log.error("%s cannot stand beside the fields of the systems before it and is left out", path)
    return has


def _lists() -> list[Field]:
    named = ValueList.objects.values_list("name", "title")
    return [Field(f"lists.{name}", Kind.LIST, title, source="fact", item=Kind.STRING) for name, title in named]


def _field(item: Mapping[str, Any], beside: Collection[str]) -> Field:
    group, _, name = item["path"].rpartition(".")
    currency = f"{group}.currency"
    unit = f"{{{currency}}}" if name == "amount" and currency in beside else ""
    return Field(
        item["path"], Kind(item["kind"]), item.get("label", ""), item.get("unit") or unit, tuple(item.get("enum", ())),
        item=Kind(item["item"]) if "item" in item else None, most=min(item.get("most", MAX_ITEMS), MAX_ITEMS),
    )  # fmt: skip


def lists_now() -> dict[str, tuple[str, ...]]:
    """The items of every named list, by its name."""
    return {name: tuple(items) for name, items in ValueList.objects.values_list("name", "items")}
