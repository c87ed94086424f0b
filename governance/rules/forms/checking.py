"""Rules of governance, forms: checks a policy as far as it is filled in, each problem at the row it belongs to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from governance.language import LanguageError, Problem, Schema, compile_expression, compile_tree
from governance.rules.documents import parse_policy, with_standard_fields
from governance.rules.forms.conditions import Condition, to_tree
from governance.rules.forms.documents import to_document
from governance.rules.reading import PolicyInvalid
from governance.rules.shapes import PolicyRules


@dataclass(frozen=True, slots=True)
class Checked:
    """What a form comes to: its `document` when every row is filled in, its `rules` when nothing is wrong, and every
    problem with the path of its part, rows as `rules[1].when.all[0].value`."""

    document: dict[str, Any] | None
    rules: PolicyRules | None
    problems: tuple[Problem, ...]


def check_form(form: Mapping[str, Any], schema: Schema) -> Checked:
    """Check a form of a policy; never raises."""
    schema = with_standard_fields(schema)
    document, problems = _document(form, schema)
    rules, wrong = _parsed(document if not problems else _filled_in(form, schema), schema)
    found = [*problems, *_in_rows(form, wrong, problems, schema)]
    return Checked(None if problems else document, rules if not found else None, tuple(found))


def _document(form: Mapping[str, Any], schema: Schema) -> tuple[dict[str, Any], list[Problem]]:
    try:
        return to_document(form, schema), []
    except LanguageError as wrong:
        return {}, list(wrong.problems)


def _filled_in(form: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The document without the conditions that are not filled in, so that the rest can be checked."""
    rules = form.get("rules")
    kept = []
    for rule in rules if isinstance(rules, list) else ():
        try:
            kept += to_document({"rules": [rule]}, schema)["rules"]
        except LanguageError:
            kept.append({name: part for name, part in rule.items() if name not in ("when", "text")})
    return {**form, "rules": kept} if isinstance(rules, list) else {**form}


def _parsed(document: Mapping[str, Any], schema: Schema) -> tuple[PolicyRules | None, tuple[Problem, ...]]:
    try:
        return parse_policy(document, schema), ()
    except PolicyInvalid as invalid:
        return None, invalid.problems


def _in_rows(
    form: Mapping[str, Any], wrong: tuple[Problem, ...], known: list[Problem], schema: Schema
) -> Iterator[Problem]:
    """The problems of a document, those of a condition moved to its rows."""
    told: set[str] = {problem.path.split(".")[0] for problem in known}
    for problem in wrong:
        rule, _, part = problem.path.partition(".")
        if part != "when":
            yield problem
        elif rule not in told:
            told.add(rule)
            found = list(_of_rule(form, rule, schema))
            yield from found or [other for other in wrong if other.path == problem.path]


def _of_rule(form: Mapping[str, Any], rule: str, schema: Schema) -> Iterator[Problem]:
    when = form["rules"][int(rule.removeprefix("rules[").removesuffix("]"))].get("when")
    if isinstance(when, Mapping):
        yield from row_problems(when, schema, f"{rule}.when")


def row_problems(form: Condition, schema: Schema, at: str) -> Iterator[Problem]:
    """What the language says about each row and expression of a condition."""
    for name in ("all", "any"):
        if name in form:
            for number, item in enumerate(form[name]):
                yield from row_problems(item, schema, f"{at}.{name}[{number}]")
            return
    if "not" in form:
        yield from row_problems(form["not"], schema, f"{at}.not")
        return
    try:
        if "expression" in form:
            compile_expression(form["expression"], schema)
        else:
            compile_tree(to_tree(form, schema), schema)
    except LanguageError as wrong:
        for problem in wrong.problems:
            yield replace(problem, path=at) if "expression" in form else replace(problem, path=at, line=0)
