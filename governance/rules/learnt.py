"""Rules of governance, learnt rules: a policy document with a rule that came from answers, and without it again."""

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from governance.language import Kind, LanguageError, Schema
from governance.language.printing import print_tree
from governance.language.tree import ListOf, Literal
from governance.rules.examples import run_tests
from governance.rules.learning import Suggestion
from governance.rules.shapes import TestResult

CENT = Decimal("0.01")
Lists = Mapping[str, Sequence[str]]


class CannotLearn(Exception):
    """A rule cannot be made of these answers; the text says why."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """The document with the rule: its id, which tests expect another answer now, and what takes it back."""

    document: dict[str, Any]
    rule: str
    changed_tests: tuple[str, ...]
    undo: dict[str, Any]


def text_of(value: str | Decimal) -> str:
    """Give a value as the policy language writes it."""
    return print_tree(Literal(value, Kind.STRING if isinstance(value, str) else Kind.DECIMAL))


def band_of(suggestion: Suggestion, amount: str) -> str:
    """Give the condition that holds for exactly the questions that were answered; `amount` is the path of it."""
    kind, terms = suggestion.kind, []
    terms += [f"action.name == {text_of(kind.action)}", f"subject.role == {text_of(kind.role)}"]
    if kind.currency:
        terms.append(f"context.currency == {text_of(kind.currency)}")
    if suggestion.highest is not None:
        terms += [f"{amount} > 0", f"{amount} <= {text_of(suggestion.highest)}"]
    for path, names in suggestion.parties.items():
        listed = ListOf(tuple(Literal(name, Kind.STRING) for name in names))
        terms.append(f"{path} in {print_tree(listed)}")
    terms += [f"!({condition})" for condition in suggestion.never]
    return " && ".join(terms)


def with_learnt(document: Mapping[str, Any], suggestion: Suggestion, *, amount: str, reason: str) -> Learnt:
    """Give the document in which the rule that asked leaves these questions out and a new one allows them, as far as
    they were allowed but for the question. Raise CannotLearn when this document cannot say so."""
    changed = copy.deepcopy(dict(document))
    rules = changed["rules"]
    asking = _asking(rules, suggestion.kind.rule)
    band, before = band_of(suggestion, amount), asking.get("when")
    allowing = _allowing(rules, suggestion, asking)
    if before is not None and len(before) + len(band) > 3_500:
        raise CannotLearn("The rule that asks is too long to leave these questions out.")
    asking["when"] = f"!({band})" if before is None else f"({before}) && !({band})"
    name = _free_name(rules, f"learnt-{suggestion.kind.rule}")
    usual = changed.get("priority", 0)
    rules.insert(_place(rules), _rule(name, allowing, band, suggestion, reason, usual))
    undo: dict[str, Any] = {"asking": suggestion.kind.rule, "band": band, "before": before, "tests": {}, "added": []}
    return Learnt(changed, name, (), undo)


def _asking(rules: Iterable[dict[str, Any]], name: str) -> dict[str, Any]:
    found = next((rule for rule in rules if rule["id"] == name and rule["effect"] == "escalate"), None)
    if found is None:
        raise CannotLearn("The rule that asked is not in the version in force any more.")
    if found.get("on_missing") == "skip":
        raise CannotLearn("The rule that asks does not ask when something is missing. Write this one by hand.")
    return found


def _allowing(rules: Iterable[dict[str, Any]], suggestion: Suggestion, asking: Mapping[str, Any]) -> list[Any]:
    names = set(suggestion.allowed_by)
    allowing: list[Any] = [rule for rule in rules if rule["id"] in names and rule["effect"] == "allow"]
    if not allowing and asking["escalate"].get("grants"):
        allowing = [asking]
    if not allowing:
        raise CannotLearn("What allows this stands in another policy. Write the rule by hand.")
    return [dict(rule) for rule in allowing]


def _rule(name: str, allowing: list[Any], band: str, suggestion: Suggestion, reason: str, usual: int) -> dict[str, Any]:
    conditions = [rule.get("when") for rule in allowing]
    held = " || ".join(f"({each})" for each in conditions) if None not in conditions else ""
    rule: dict[str, Any] = {
        "id": name, "effect": "allow", "actions": [suggestion.kind.action],
        "when": f"({held}) && {band}" if held else band, "reason": _plain(reason),
        "description": "Learnt from answers of people.",
        "priority": max(rule.get("priority", usual) for rule in allowing) + 1,
    }  # fmt: skip
    if len(rule["when"]) > 3_500:
        raise CannotLearn("What allows this is too long to be put into one rule.")
    duties = [each for rule in allowing if rule["effect"] == "escalate" for each in rule.get("obligations", ())]
    return {**rule, **({"obligations": copy.deepcopy(duties)} if duties else {})}


def _plain(reason: str) -> str:
    return reason.replace("{", "{{").replace("}", "}}")


def _place(rules: Sequence[Mapping[str, Any]]) -> int:
    return next((number for number, rule in enumerate(rules) if rule["effect"] == "allow"), len(rules))


def _free_name(rules: Iterable[Mapping[str, Any]], wished: str) -> str:
    taken, name, number = {rule["id"] for rule in rules}, wished[:70], 2
    while name in taken:
        name, number = f"{wished[:70]}-{number}", number + 1
    return name


# --- tests ------------------------------------------------------------------------------------------------------
Request = Mapping[str, Any]


def with_tests(
    learnt: Learnt, examples: Iterable[Request], *, amount: str, highest: Decimal | None, schema: Schema, lists: Lists
) -> Learnt:
    """Give the document with tests of the new rule, made of the first example that it allows, and with what earlier
    tests now expect: those that asked and lie among the answered ones."""
    document, undo = learnt.document, copy.deepcopy(learnt.undo)
    tests = document.setdefault("tests", [])
    changed = _expect_anew(tests, run_tests(document, schema, lists=lists), learnt.rule, undo)
    request = next((each for each in examples if _allows(document, each, learnt.rule, schema, lists)), None)
    if request is not None:
        name = f"{learnt.rule}: as people approved it"
        added = [{"name": name, "request": request, "expect": {"effect": "allow", "rule": learnt.rule}}]
        above = _above(request, amount, highest)
        if above is not None and _effect(document, above, schema, lists) == "escalate":
            added.append({"name": f"{learnt.rule}: above it asks", "request": above, "expect": {"effect": "escalate"}})
        tests += added
        undo["added"] = [test["name"] for test in added]
    return Learnt(document, learnt.rule, changed, undo)


def _expect_anew(
    tests: list[dict[str, Any]], results: Iterable[TestResult], rule: str, undo: dict[str, Any]
) -> tuple[str, ...]:
    changed = []
    for test, result in zip(tests, results, strict=True):
        answered = any(ref.endswith(f"#{rule}") for ref in result.matched) and result.actual.get("effect") == "allow"
        if not result.passed and answered:
            undo["tests"][test["name"]] = test["expect"]
            test["expect"] = {"effect": "allow", "rule": rule}
            changed.append(test["name"])
    return tuple(changed)


def _tried(document: Mapping[str, Any], request: Request, schema: Schema, lists: Lists) -> TestResult:
    test = {"name": "tried", "request": request, "expect": {"effect": "allow"}}
    return run_tests({**document, "tests": [test]}, schema, lists=lists)[0]


def _allows(document: Mapping[str, Any], request: Request, rule: str, schema: Schema, lists: Lists) -> bool:
    result = _tried(document, request, schema, lists)
    return result.passed and any(ref.endswith(f"#{rule}") for ref in result.matched)


def _effect(document: Mapping[str, Any], request: Request, schema: Schema, lists: Lists) -> str:
    return str(_tried(document, request, schema, lists).actual.get("effect", ""))


def _above(request: Request, amount: str, highest: Decimal | None) -> dict[str, Any] | None:
    group, _, name = amount.partition(".")
    if highest is None or not name or "." in name:
        return None
    changed = copy.deepcopy(dict(request))
    part = changed.setdefault(group, {})
    inner = part.setdefault("properties", {}) if group == "resource" else part
    inner[name] = str(highest + CENT)
    return changed


# --- taken back -------------------------------------------------------------------------------------------------
def holds_rule(document: Mapping[str, Any], rule: str) -> bool:
    """Say whether a document has the rule."""
    return any(each.get("id") == rule for each in document.get("rules", ()))


def without_learnt(
    document: Mapping[str, Any], rule: str, undo: Mapping[str, Any], *, schema: Schema, lists: Lists
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Give the document without the rule, asking again as before, and the names of the tests that had to go with it.
    Raise CannotLearn when the document was rewritten so that this is not certain."""
    changed = copy.deepcopy(dict(document))
    changed["rules"] = [each for each in changed["rules"] if each["id"] != rule]
    _ask_again(changed["rules"], undo)
    tests = [test for test in changed.get("tests", []) if test["name"] not in undo["added"]]
    for test in tests:
        if test["name"] in undo["tests"]:
            test["expect"] = undo["tests"][test["name"]]
    changed["tests"] = tests
    try:
        results = run_tests(changed, schema, lists=lists)
    except LanguageError as broken:
        raise CannotLearn(str(broken)) from broken
    failed = tuple(result.name for result in results if not result.passed)
    changed["tests"] = [test for test in tests if test["name"] not in failed]
    return changed, failed


def _ask_again(rules: Iterable[dict[str, Any]], undo: Mapping[str, Any]) -> None:
    asking = next((each for each in rules if each["id"] == undo["asking"]), None)
    left_out = f"!({undo['band']})"
    if asking is None or left_out not in asking.get("when", ""):
        raise CannotLearn("The rule that asked was rewritten meanwhile. Change the policy by hand.")
    before = undo["before"]
    if asking["when"] == (left_out if before is None else f"({before}) && {left_out}"):
        if before is None:
            del asking["when"]
        else:
            asking["when"] = before
    else:
        asking["when"] = re.sub(re.escape(left_out), "true", asking["when"])
