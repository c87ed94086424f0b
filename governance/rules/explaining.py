"""Rules of governance, explaining: every rule of an action beside the facts, and what the rules together say."""

from dataclasses import dataclass
from enum import StrEnum

from governance.language import Condition, EvaluationFailed, Facts, Missing, find
from governance.rules.deciding import RuleSet
from governance.rules.documents import covers
from governance.rules.shapes import Effect, PolicyRules, Rule, Ruling


class Outcome(StrEnum):
    """What became of one rule."""

    MATCHES = "matches"
    DIFFERS = "differs"
    COUNTS = "counts"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class RuleReading:
    """One rule beside the facts: whether it matches, with every condition. `counts` matches because it could not be
    evaluated, `skipped` does not for the same cause, which is in `missing` (a field) or `failure` (words)."""

    ref: str
    policy: PolicyRules
    rule: Rule
    outcome: Outcome
    conditions: tuple[Condition, ...]
    reason: str
    decides: bool
    missing: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the rules say to these facts, and what each rule of the action does in it, in determining order."""

    ruling: Ruling
    rules: tuple[RuleReading, ...]
    reads: tuple[str, ...]


def explain_all(rule_set: RuleSet, facts: Facts) -> Explanation:
    """Rule on the facts and tell every rule of the action; slow and exact, for people who want to understand."""
    ruling = rule_set.decide(facts)
    action = find(facts, "action.name")
    name = action if isinstance(action, str) else ""
    entries = sorted(
        (
            (_rank(policy, rule, name), policy, rule)
            for policy in rule_set.policies
            for rule in policy.rules
            if any(covers(pattern, name) for pattern in rule.actions)
        ),
        key=lambda entry: entry[0],
    )
    rules = tuple(_reading(policy, rule, ruling, facts) for _, policy, rule in entries)
    return Explanation(ruling, rules, tuple(sorted(rule_set.needs(name))))


def _rank(policy: PolicyRules, rule: Rule, action: str) -> tuple[int, int, str, str, int]:
    """The order in which rules determine an answer, as in deciding."""
    breadth = min(
        2 if pattern == "*" else int(pattern.endswith("*")) for pattern in rule.actions if covers(pattern, action)
    )
    return -rule.priority, breadth, policy.key, rule.id, policy.version


def _reading(policy: PolicyRules, rule: Rule, ruling: Ruling, facts: Facts) -> RuleReading:
    outcome, missing, failure = _outcome(rule, facts)
    return RuleReading(
        ref=rule.ref,
        policy=policy,
        rule=rule,
        outcome=outcome,
        conditions=rule.condition.explain(facts) if rule.condition is not None else (),
        reason=rule.reason.render(facts),
        decides=(ruling.policy, ruling.policy_version, ruling.rule) == (policy.key, policy.version, rule.id),
        missing=missing,
        failure=failure,
    )


def _outcome(rule: Rule, facts: Facts) -> tuple[Outcome, str, str]:
    if rule.condition is None:
        return Outcome.MATCHES, "", ""
    try:
        return (Outcome.MATCHES if rule.condition.evaluate(facts) else Outcome.DIFFERS), "", ""
    except Missing as missing:
        return (Outcome.SKIPPED if rule.skips_missing else Outcome.COUNTS), missing.path, ""
    except EvaluationFailed as failed:
        return (Outcome.SKIPPED if rule.effect is Effect.ALLOW else Outcome.COUNTS), "", str(failed)
