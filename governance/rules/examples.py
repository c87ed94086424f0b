"""Rules of governance, examples: runs the tests that a policy document carries."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from governance.language import RequestInvalid, Schema
from governance.rules.deciding import RuleSet
from governance.rules.documents import parse_policy, with_standard_fields
from governance.rules.expectations import agree, seen
from governance.rules.intake import derive, flatten
from governance.rules.shapes import TestResult


def run_tests(
    document: Mapping[str, Any], schema: Schema, *, lists: Mapping[str, Sequence[str]] | None = None
) -> list[TestResult]:
    """Run the tests of a policy document, in their order; raise PolicyInvalid when the document is not valid.

    `lists` are the named lists that rules read as `lists.name`. A subject without a status counts as active.
    """
    rule_set = RuleSet([parse_policy(document, schema)])
    whole = with_standard_fields(schema)
    base = dict(document.get("base_request") or {})
    return [_run(test, base, rule_set, whole, lists or {}) for test in document.get("tests") or ()]


def _run(
    test: Mapping[str, Any],
    base: Mapping[str, Any],
    rule_set: RuleSet,
    schema: Schema,
    lists: Mapping[str, Sequence[str]],
) -> TestResult:
    expected = test["expect"]
    try:
        facts = _facts(test, base, schema, lists)
    except RequestInvalid as invalid:
        return TestResult(test["name"], False, expected, {}, problem=str(invalid))
    ruling = rule_set.decide(facts)
    actual = seen(ruling, expected)
    passed = all(agree(expected[name], actual[name]) for name in expected)
    return TestResult(test["name"], passed, expected, actual, ruling.matched)


def _facts(
    test: Mapping[str, Any],
    base: Mapping[str, Any],
    schema: Schema,
    lists: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    request = _merged(copy.deepcopy(dict(base)), test.get("request") or {})
    request = _merged(request, {"facts": test.get("facts") or {}})
    for path in test.get("without") or ():
        _remove(request, path.split("."))
    facts = flatten(request)
    facts.setdefault("subject", {}).setdefault("status", "active")
    if lists:
        facts["lists"] = {**lists, **facts.get("lists", {})}
    return derive(schema.coerce(facts))


def _merged(base: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Give the base with the change laid over it, object by object."""
    for name, value in change.items():
        inner = base.get(name)
        if isinstance(value, Mapping) and isinstance(inner, Mapping):
            base[name] = _merged(dict(inner), value)
        else:
            base[name] = value
    return base


def _remove(request: dict[str, Any], parts: list[str]) -> None:
    inner: Any = request
    for part in parts[:-1]:
        inner = inner.get(part) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner.pop(parts[-1], None)
