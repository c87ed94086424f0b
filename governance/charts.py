"""Shape of governance: a policy's rules as people read them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from governance.language import show
from governance.models import EscalationPath
from governance.rules import PolicyRules, Rule
from governance.rules.words import conjuncts, in_words


@dataclass(frozen=True)
class RuleRow:
    """One rule of a policy: when it applies in words, whom it asks, and how often it decided."""

    rule: Rule
    conditions: tuple[str, ...]
    path: EscalationPath | None
    seconds: int
    obligations: tuple[str, ...]
    decided: int

    @property
    def approvals(self) -> int:
        """How many people have to approve."""
        return self.rule.escalate.approvals if self.rule.escalate else 0

    @property
    def raw(self) -> str:
        """The condition as it is written in the policy."""
        return self.rule.when.text if self.rule.when else ""


def rule_rows(rules: PolicyRules, paths: Mapping[str, EscalationPath], decided: Mapping[str, int]) -> list[RuleRow]:
    """The rules in their order; `decided` counts the decisions by rule id."""
    return [
        RuleRow(
            rule, _conditions(rule), paths.get(rule.escalate.path) if rule.escalate else None,
            rule.escalate.sla_seconds if rule.escalate else 0,
            tuple(_obligation(each, rule) for each in rule.obligations), decided.get(rule.id, 0),
        )
        for rule in rules.rules
    ]  # fmt: skip


def _conditions(rule: Rule) -> tuple[str, ...]:
    if rule.when is None:
        return ()
    return tuple(in_words(node, rule.when.schema) for node in conjuncts(rule.when.tree))


_OBLIGATIONS = {
    "redact": "Without {fields}",
    "notify": "Tells {to}",
    "cap": "{field} at most {max}",
    "log": "Recorded: {level}",
    "delay": "After {for}",
    "step_up": "Confirmed at level {level}",
}


def _obligation(obligation: Mapping[str, Any], rule: Rule) -> str:
    parts = {name: value for name, value in obligation.items() if name != "type"}
    words = _OBLIGATIONS.get(obligation["type"])
    if words is None:
        return f"{obligation['type']}: {', '.join(f'{name} {show(value)}' for name, value in parts.items())}"
    return words.format_map({name: _part(name, value, rule) for name, value in parts.items()})


def _part(name: str, value: Any, rule: Rule) -> str:
    if name == "field" and rule.when is not None and (field := rule.when.schema.get(value)) is not None:
        return field.words
    return show(Decimal(value) if name == "max" else value)


@dataclass(frozen=True)
class Outcomes:
    """How many decisions were allowed, asked and denied."""

    allowed: int = 0
    asked: int = 0
    denied: int = 0

    @classmethod
    def of(cls, counts: Iterable[tuple[str, int]]) -> "Outcomes":
        """The outcomes from (effect, count) pairs."""
        found: Counter[str] = Counter()
        for effect, count in counts:
            found[effect] += count
        return cls(found["allow"], found["escalate"], found["deny"])

    @property
    def total(self) -> int:
        """All decisions."""
        return self.allowed + self.asked + self.denied
