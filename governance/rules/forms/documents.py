"""Rules of governance, forms: a whole policy document as a form and back; only the conditions change their shape."""

from collections.abc import Mapping
from typing import Any

from governance.language import LanguageError, Problem, Schema
from governance.language.printing import print_tree
from governance.language.reading import read
from governance.rules.forms.conditions import FormInvalid, to_form, to_tree


def from_document(document: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The form of a document: every part as it is, but `when` of each rule a condition, its own words in `text`.

    Raise FormInvalid when the document has no list of rules."""
    rules = document.get("rules", [])
    if not isinstance(rules, list) or not all(isinstance(rule, Mapping) for rule in rules):
        raise FormInvalid([Problem("Must be a list of rules with named parts.", 0, 0, 0, None, "rules")])
    return {**document, "rules": [_rule_form(rule, schema) for rule in rules]} if "rules" in document else {**document}


def _rule_form(rule: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    when = rule.get("when")
    if not isinstance(when, str):
        return dict(rule)
    try:
        condition = to_form(read(when), schema)
    except LanguageError:
        condition = {"expression": when}
    return {**rule, "when": condition, "text": when}


def to_document(form: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The document of a form; raise FormInvalid with every row of every rule that is not filled in.

    A condition nobody changed keeps the very words it was written in, with their line breaks and remarks."""
    problems: list[Problem] = []
    rules = form.get("rules", [])
    if not isinstance(rules, list) or not all(isinstance(rule, Mapping) for rule in rules):
        raise FormInvalid([Problem("Must be a list of rules with named parts.", 0, 0, 0, None, "rules")])
    written = [_rule_document(rule, schema, f"rules[{number}].when", problems) for number, rule in enumerate(rules)]
    if problems:
        raise FormInvalid(problems)
    return {**form, "rules": written} if "rules" in form else {**form}


def _rule_document(rule: Mapping[str, Any], schema: Schema, at: str, problems: list[Problem]) -> dict[str, Any]:
    plain = {name: part for name, part in rule.items() if name != "text"}
    when, text = rule.get("when"), rule.get("text")
    if not isinstance(when, Mapping):
        return plain
    if text is not None and when == {"expression": text}:
        return {**plain, "when": text}
    try:
        tree = to_tree(when, schema, at=at)
    except FormInvalid as wrong:
        problems += wrong.problems
        return plain
    return {**plain, "when": text if isinstance(text, str) and _says(text, tree) else print_tree(tree)}


def _says(text: str, tree: object) -> bool:
    try:
        return read(text) == tree
    except LanguageError:
        return False
