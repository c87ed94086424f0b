"""Rules of governance, recorded facts: reads what was kept of a question back from JSON, exactly as it was."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from governance.language import Kind, Schema, parse_duration
from governance.rules.deciding import RuleSet

_READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.DECIMAL: Decimal,
    Kind.TIMESTAMP: datetime.fromisoformat,
    Kind.DURATION: parse_duration,
}
"""How the kinds are read that JSON keeps as text; all others are in JSON what they are."""


class FactsReader:
    """Reads recorded facts back: of all fields, or only of those that somebody is going to look at."""

    def __init__(self, schema: Schema, paths: Iterable[str]) -> None:
        self._steps: list[tuple[tuple[str, ...], str, Callable[[Any], Any]]] = []
        for path in sorted(paths):
            field = schema.get(path)
            read = _reader(field.kind, field.item) if field is not None else None
            if read is not None:
                *groups, name = path.split(".")
                self._steps.append((tuple(groups), name, read))

    def read(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Give the facts, changed in place: the caller parsed them and nobody else has them. A value that is not of the
        kind that its field has today stays as it is, and a rule that reads it cannot be evaluated."""
        for groups, name, read in self._steps:
            group: Any = facts
            for part in groups:
                group = group.get(part)
                if type(group) is not dict:
                    break
            else:
                value = group.get(name)
                if value is not None:
                    group[name] = read(value)
        return facts


def _reader(kind: Kind, item: Kind | None) -> Callable[[Any], Any] | None:
    if kind is Kind.LIST:
        return _list_reader(_READERS.get(item or Kind.STRING))
    read = _READERS.get(kind)
    return _careful(read) if read is not None else None


def _careful(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def careful(value: Any) -> Any:
        if type(value) is not str:
            return value
        try:
            return read(value)
        except (ValueError, ArithmeticError):
            return value

    return careful


def _list_reader(read: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    each = _careful(read) if read is not None else None

    def listed(value: Any) -> Any:
        if type(value) is not list:
            return value
        return tuple(map(each, value)) if each is not None else tuple(value)

    return listed


BREAKERS = frozenset({"built-in#loop-breaker", "built-in#circuit-breaker"})
"""What stops a question whatever the rules say."""


def reached_rules(because: Iterable[str]) -> bool:
    """Say whether the policies answered: not so when the control state, the status or hours of the agent, its job
    description, a breaker or an earlier answer did. Rules are named `key@version#rule`; what answers before them is a
    plain word. No name at all is a policy answer too: no rule allowed it."""
    named = list(because)
    return not named or any("#" in ref and ref not in BREAKERS for ref in named)


def for_these_versions(facts: dict[str, Any], rules: RuleSet) -> dict[str, Any]:
    """Give the facts with the rules of an approval named as this set has them: what a person approved under one version
    of a policy counts for the same rule of the version that is tried."""
    approval = facts.get("approval")
    named = approval.get("rules") if type(approval) is dict else None
    if not named:
        return facts
    versions = {policy.key: policy.version for policy in rules.policies}
    renamed = tuple(_renamed(ref, versions) for ref in named)
    return {**facts, "approval": {**approval, "rules": renamed}}  # type: ignore[dict-item]


def _renamed(ref: str, versions: dict[str, int]) -> str:
    policy, _, rule = str(ref).partition("#")
    key, _, _ = policy.rpartition("@")
    return f"{key}@{versions[key]}#{rule}" if key in versions else str(ref)
