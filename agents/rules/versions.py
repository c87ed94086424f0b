"""What changed between two versions of a document, in words that people read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.rules.agents import AUTONOMY
from agents.rules.blueprints import RATES

RISKS = {1: "Low risk", 2: "Medium risk", 3: "High risk"}
LABELS = {
    "name": "Name", "purpose": "Purpose", "icon": "Icon", "blueprint": "Blueprint", "unit": "Business unit",
    "accountable": "Accountable", "stand_in": "Stand-in", "autonomy_level": "Autonomy level",
    "environment": "Environment", "starts_on": "First day", "ends_on": "Last day", "hours": "Working hours",
    "role": "Role", "owner": "Owner", "actions": "Allowed actions", "autonomy_ceiling": "Autonomy ceiling",
    "risk_class": "Risk class", "model": "Model", "runtime": "Runtime", "rates": "Cost rates", "currency": "Currency",
    "capabilities": "Capabilities", "work_limit": "Steps at once",
}  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """One value before and after, in words; empty where there was or is none."""

    field: str
    before: str
    after: str


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """What changed from one document to the other, field by field and for lists item by item."""
    found: list[Difference] = []
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if before != after:
            found += _of_field(name, before, after)
    return found


def _of_field(name: str, before: Any, after: Any) -> list[Difference]:
    label = LABELS.get(name, name)
    if name == "actions":
        was, now = _by_action(before), _by_action(after)
    elif name == "rates":
        was, now = dict(before or {}), dict(after or {})
        label = "Cost rate"
    else:
        return [Difference(label, in_words(name, before), in_words(name, after))]
    parts = [key for key in dict.fromkeys((*was, *now)) if was.get(key) != now.get(key)]
    return [
        Difference(f"{label}: {RATES.get(key, key)}", _said(was.get(key)), _said(now.get(key))) for key in parts
    ]  # fmt: skip


def _by_action(actions: Any) -> dict[str, str]:
    return {f"{item['action']} in {item['system']}": scope_in_words(item["scope"]) for item in actions or []}


def _said(value: Any) -> str:
    return "" if value is None else str(value)


def in_words(name: str, value: Any) -> str:
    """The value of one field of a document as people read it."""
    if value is None or value == {} or value == "":
        return ""
    if name in ("autonomy_level", "autonomy_ceiling"):
        return f"{value}: {AUTONOMY.get(value, '')}"
    if name == "risk_class":
        return RISKS.get(value, str(value))
    if name == "capabilities":
        return ", ".join(value)
    if name == "work_limit":
        return str(value) if value else "any number"
    if name == "hours":
        return f"{', '.join(value['days'])}, {value['from']} to {value['to']}, {value['zone']}"
    return str(value)


def scope_in_words(scope: Mapping[str, str]) -> str:
    """The limits of an action in one line: Amount: up to 25,000 EUR; Kinds: supplier invoices."""
    return "; ".join(f"{name}: {limit}" for name, limit in sorted(scope.items())) or "without limits of its own"
