"""Rules of governance, coverage: which rules of a policy no test makes apply."""

from collections.abc import Iterable

from governance.rules.shapes import PolicyRules, TestResult


def hits(rules: PolicyRules, results: Iterable[TestResult]) -> dict[str, tuple[str, ...]]:
    """The names of the tests in which each rule applies, by the rule's id in the order of the document."""
    ran = [result for result in results if not result.problem]
    return {rule.id: tuple(result.name for result in ran if rule.ref in result.matched) for rule in rules.rules}


def not_hit(rules: PolicyRules, results: Iterable[TestResult]) -> tuple[str, ...]:
    """The ids of the rules that apply in no test."""
    return tuple(name for name, tests in hits(rules, results).items() if not tests)
