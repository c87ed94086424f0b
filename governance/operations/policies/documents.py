"""Documents of policies: check one, say what is wrong with it, and what it is known by."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import rfc8785

from governance.language import Problem, did_you_mean
from governance.models import EscalationPath
from governance.operations.policies.schema import decision_schema, lists_now
from governance.rules import PolicyInvalid, PolicyRules, TestResult, parse_policy, run_tests
from governance.rules.places import place_problems
from governance.rules.texts import TextInvalid, read_text
from observability import ledger


class PolicyRefused(ledger.Invalid):
    """The policy has errors and was not saved."""

    code = "policy_invalid"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            fields={problem.path or f"problem {n}": said(problem) for n, problem in enumerate(self.problems, 1)}
        )


def said(problem: Problem) -> str:
    """A problem as one sentence with its place."""
    place = f"line {problem.line}, column {problem.column}: " if problem.line else ""
    hint = f" {problem.suggestion}" if problem.suggestion else ""
    return f"{place}{problem.message}{hint}"


def check_document(document: Mapping[str, Any]) -> PolicyRules:
    """The compiled rules of a document. Raises PolicyRefused that lists every error with its place."""
    try:
        rules = parse_policy(document, decision_schema())
    except PolicyInvalid as invalid:
        raise PolicyRefused(invalid.problems) from invalid
    unknown = _unknown_paths(rules)
    if unknown:
        raise PolicyRefused(unknown)
    return rules


def _unknown_paths(rules: PolicyRules) -> list[Problem]:
    known = set(EscalationPath.objects.values_list("key", flat=True))
    return [
        Problem(
            f"No escalation path is called `{rule.escalate.path}`.", line=0,
            suggestion=did_you_mean(rule.escalate.path, known), path=f"rules[{number}].escalate.path",
        )
        for number, rule in enumerate(rules.rules)
        if rule.escalate is not None and rule.escalate.path not in known
    ]  # fmt: skip


def problems_of(text: str) -> list[Problem]:
    """Everything that is wrong with the text of a policy, each with its line and column in the text; empty for one that
    could be kept."""
    try:
        document = read_text(text)
    except TextInvalid as invalid:
        line, column = invalid.place
        return [Problem(invalid.message, max(line, 1), max(column, 1))]
    try:
        check_document(document)
    except PolicyRefused as refused:
        return place_problems(text, refused.problems)
    return []


_results: dict[tuple[Any, ...], tuple[TestResult, ...]] = {}
RESULTS_AT_MOST = 500


def tests_of(document: Mapping[str, Any]) -> tuple[TestResult, ...]:
    """What becomes of the tests that a document carries; it has to be one that can be read. They run once for the same
    text, fields and lists: a page of the version is opened more often than it changes."""
    schema, lists = decision_schema(), lists_now()
    same = (document_digest(document), schema.fields, tuple(sorted(lists.items())))
    found = _results.get(same)
    if found is None:
        if len(_results) >= RESULTS_AT_MOST:
            _results.clear()
        found = _results[same] = tuple(run_tests(document, schema, lists=lists))
    return found


def document_digest(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a document in canonical form (RFC 8785), hex."""
    return hashlib.sha256(rfc8785.dumps(dict(document))).hexdigest()


def same_content(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two documents say the same; their version and status are ours to count, not part of what they say."""
    return _content(one) == _content(other)


def _content(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("version", "status")}
