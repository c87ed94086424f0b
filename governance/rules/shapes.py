"""Rules of governance, their shapes: a policy that was read, the ruling it leads to, the result of its tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from governance.language import Expression, Template

Obligation = Mapping[str, Any]


class Verdict(StrEnum):
    """The answer to an agent's question."""

    ALLOW = "allow"
    DENY = "deny"
    ESCALATE = "escalate"


class Effect(StrEnum):
    """What a matching rule does."""

    ALLOW = "allow"
    DENY = "deny"
    ESCALATE = "escalate"
    OBLIGE = "oblige"


@dataclass(frozen=True, slots=True)
class Amendable:
    """A field of the context that whoever decides may change, within bounds: numbers as text, or the path of a field of
    the request as it was asked; `one_of` lists the only values allowed."""

    field: str
    at_least: tuple[str, ...] = ()
    at_most: tuple[str, ...] = ()
    one_of: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Confirm:
    """What whoever approves has to confirm: type the value of a field, and tick every line of a list."""

    type: str = ""
    checklist: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EscalationTerms:
    """Whom to ask and on which terms.

    In a rule `not_by` holds field paths; in a ruling it holds the ids found there, who may not approve.
    """

    path: str
    sla_seconds: int
    approvals: int = 1
    not_by: tuple[str, ...] = ()
    on_timeout: str = "deny"
    grants: bool = False
    also: tuple[str, ...] = ()
    amend: tuple[Amendable, ...] = ()
    confirm: Confirm = Confirm()


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule: `condition` is its `when` together with the policy's scope, `ref` its name in the whole set."""

    id: str
    ref: str
    effect: Effect
    priority: int
    actions: tuple[str, ...]
    when: Expression | None
    condition: Expression | None
    reason: Template
    skips_missing: bool
    obligations: tuple[Obligation, ...]
    escalate: EscalationTerms | None

    @property
    def fields(self) -> frozenset[str]:
        """The dotted paths this rule reads to decide, to give its reason and to name who may not approve."""
        read = self.condition.fields if self.condition else frozenset()
        not_by = self.escalate.not_by if self.escalate else ()
        return read | self.reason.fields | frozenset(not_by)


@dataclass(frozen=True, slots=True, eq=False)
class PolicyRules:
    """A policy document that was read and checked; `digest` is the SHA-256 of its content, `problem` why it cannot be
    read, when it only denies."""

    key: str
    version: int
    title: str
    priority: int
    status: str
    actions: tuple[str, ...]
    effective_from: datetime | None
    effective_until: datetime | None
    rules: tuple[Rule, ...]
    digest: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer with everything that led to it; rules are named `key@version#rule`.

    `because` are the matching rules of the winning effect, `matched` all matching rules, `missing` the paths of
    fields that were needed and not given. Obligations are JSON-ready. `approval` is the id of the one that counted.
    """

    verdict: Verdict
    rule: str | None
    policy: str | None
    policy_version: int | None
    reason: str
    because: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    escalation: EscalationTerms | None = None
    approval: str | None = None


@dataclass(frozen=True, slots=True)
class TestResult:
    """What became of one test of a policy document; `problem` says why it could not run, `matched` names rules hit."""

    __test__ = False

    name: str
    passed: bool
    expected: Mapping[str, Any]
    actual: Mapping[str, Any]
    matched: tuple[str, ...] = field(default=())
    problem: str = ""
