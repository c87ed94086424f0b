"""The typed fields of every question: our own facts, and what the registered systems declare."""

from collections.abc import Collection, Mapping
from typing import Any

from agents.models import System
from governance.language import Field, Kind, Schema
from governance.models import ValueList
from governance.operations.history import HISTORY_FIELDS
from governance.rules import STANDARD_FIELDS
from governance.rules.budgeting import FIELDS as BUDGET_FIELDS

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
    for declared in System.objects.order_by("pk").values_list("fields", flat=True):
        paths = {item["path"] for item in declared}
        for item in declared:
            fields.setdefault(item["path"], _field(item, paths))
    return Schema([*fields.values(), *_lists()])


def _lists() -> list[Field]:
    named = ValueList.objects.values_list("name", "title")
    return [Field(f"lists.{name}", Kind.LIST, title, source="fact", item=Kind.STRING) for name, title in named]


def _field(item: Mapping[str, Any], beside: Collection[str]) -> Field:
    group, _, name = item["path"].rpartition(".")
    currency = f"{group}.currency"
    unit = f"{{{currency}}}" if name == "amount" and currency in beside else ""
    return Field(
        item["path"], Kind(item["kind"]), item.get("label", ""), item.get("unit") or unit, tuple(item.get("enum", ())),
    )  # fmt: skip


def lists_now() -> dict[str, tuple[str, ...]]:
    """The items of every named list, by its name."""
    return {name: tuple(items) for name, items in ValueList.objects.values_list("name", "items")}
