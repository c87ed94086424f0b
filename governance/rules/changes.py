"""Rules of governance, changes: what one policy document says otherwise than another, in words and line by line."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from governance.language import LanguageError, Schema, compile_expression
from governance.rules.documents import with_standard_fields
from governance.rules.texts import write_text
from governance.rules.words import conjuncts, in_words

_ABOUT = {
    "title": "Title",
    "description": "Description",
    "owner": "Owner",
    "priority": "Priority",
}
_SCOPE = {
    "actions": "Actions",
    "resource": "Kind of thing",
    "roles": "Roles",
    "workflows": "Workflows",
    "environments": "Environments",
}
_EFFECTS = {"allow": "Allows", "deny": "Denies", "escalate": "Asks a person", "oblige": "Adds duties"}
_RULE = {
    "priority": "Priority",
    "actions": "Actions",
    "reason": "Reason",
    "on_missing": "When a field is missing",
    "description": "Description",
}
_ASKS = {
    "path": "Asks",
    "sla": "Within",
    "approvals": "Approvals",
    "not_by": "Not by",
    "on_timeout": "When nobody answers",
    "grants": "Gives authority",
    "amend": "May be changed",
    "confirm": "To confirm",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One part that differs: as it was and as it is, None where it is not there."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One rule that was `added`, `removed`, `changed` or only `moved` to another place."""

    id: str
    kind: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the comparison as text: its sign is "+", "-", " " or "@"."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two documents side by side; `text` is empty when they say the same."""

    about: tuple[Change, ...]
    rules: tuple[RuleChange, ...]
    tests: tuple[Change, ...]
    text: tuple[Line, ...]


def compare(before: Mapping[str, Any], after: Mapping[str, Any], schema: Schema) -> Comparison:
    """What the second document says otherwise than the first; conditions in words as far as the schema knows them."""
    whole = with_standard_fields(schema)
    return Comparison(
        tuple(_differing(_head(before), _head(after))), tuple(_rules(before, after, whole)),
        tuple(_differing(_named_tests(before), _named_tests(after))), tuple(_lines(before, after)),
    )  # fmt: skip


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name), after.get(name)
        if was != now:
            yield Change(name, was, now)


def _head(document: Mapping[str, Any]) -> dict[str, str]:
    scope, dates = (_mapping(document, part) for part in ("scope", "effective"))
    parts = {label: document.get(name) for name, label in _ABOUT.items()}
    parts |= {label: scope.get(name) for name, label in _SCOPE.items()}
    parts |= {"In force from": dates.get("from"), "In force until": dates.get("until")}
    return _said(parts)


def _mapping(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = document.get(name)
    return part if isinstance(part, Mapping) else {}


def _said(parts: Mapping[str, Any]) -> dict[str, str]:
    return {name: _plain(value) for name, value in parts.items() if value not in (None, [], ())}


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items())
    return str(value)


def _rules(before: Mapping[str, Any], after: Mapping[str, Any], schema: Schema) -> Iterator[RuleChange]:
    old, new = _by_id(before), _by_id(after)
    kept = [name for name in old if name in new]
    moved = _moved(kept, [name for name in new if name in old])
    for name in dict.fromkeys((*new, *old)):
        parts = [_rule(rules[name], schema) if name in rules else {} for rules in (old, new)]
        changes = tuple(_differing(*parts))
        if name not in old or name not in new:
            yield RuleChange(name, "added" if name in new else "removed", changes)
        elif changes or name in moved:
            yield RuleChange(name, "changed" if changes else "moved", changes)


def _by_id(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(rule["id"]): rule for rule in document.get("rules", ()) if isinstance(rule, Mapping) and "id" in rule}


def _moved(before: list[str], after: list[str]) -> set[str]:
    matched = difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_matching_blocks()
    stayed = {before[block.a + number] for block in matched for number in range(block.size)}
    return set(before) - stayed


def _rule(rule: Mapping[str, Any], schema: Schema) -> dict[str, str]:
    asks = _mapping(rule, "escalate")
    parts: dict[str, Any] = {"Effect": _EFFECTS.get(str(rule.get("effect")), rule.get("effect"))}
    parts["When"] = condition_in_words(rule.get("when"), schema)
    parts |= {label: rule.get(name) for name, label in _RULE.items()}
    parts |= {label: asks.get(name) for name, label in _ASKS.items()}
    for number, duty in enumerate(rule.get("obligations") or (), 1):
        parts[f"Duty {number}"] = duty
    return _said(parts)


def condition_in_words(when: object, schema: Schema) -> str:
    """A condition as people read it; as it is written where it cannot be read any more."""
    if not isinstance(when, str):
        return "always"
    try:
        tree = compile_expression(when, schema).tree
    except LanguageError:
        return when
    return " and ".join(in_words(node, schema) for node in conjuncts(tree))


def _named_tests(document: Mapping[str, Any]) -> dict[str, str]:
    tests = [test for test in document.get("tests") or () if isinstance(test, Mapping)]
    told = {f"Test “{test.get('name')}”": _plain({k: v for k, v in test.items() if k != "name"}) for test in tests}
    base = document.get("base_request")
    return told | ({"Request of the tests": _plain(base)} if base else {})


def _lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Line]:
    old, new = (write_text(dict(document)).splitlines() for document in (before, after))
    for line in list(difflib.unified_diff(old, new, lineterm=""))[2:]:
        yield Line(line[:1], line if line.startswith("@") else line[1:])
