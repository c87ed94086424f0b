"""Rules of governance, forms: a rule as one plain sentence."""

from collections.abc import Mapping
from typing import Any

from governance.language import Field, Kind, LanguageError, Schema
from governance.language.reading import read
from governance.rules.forms.conditions import Condition
from governance.rules.forms.operators import OPERATORS, Wants
from governance.rules.words import in_words

_DOES = {"allow": "Allow it", "deny": "Deny it", "oblige": "Add duties"}
_JOINED = {"all": " and ", "any": " or "}


def rule_words(rule: Mapping[str, Any], schema: Schema, paths: Mapping[str, str] | None = None) -> str:
    """What a rule of a form does and when, in one sentence; `paths` are the names of escalation paths by key."""
    when = rule.get("when")
    told = condition_words(when, schema) if isinstance(when, Mapping) and when not in ({"all": []}, {"any": []}) else ""
    does = _asking(rule, paths or {}) if rule.get("effect") == "escalate" else _DOES.get(str(rule.get("effect")), "?")
    return f"{does} when {told}." if told else f"{does}, always."


def _asking(rule: Mapping[str, Any], paths: Mapping[str, str]) -> str:
    terms = rule.get("escalate")
    if not isinstance(terms, Mapping) or not terms.get("path"):
        return "Ask a person"
    many = terms.get("approvals", 1)
    people = f", {many} people," if isinstance(many, int) and many > 1 else ""
    return f"Ask {paths.get(str(terms['path']), terms['path'])}{people} within {terms.get('sla') or '?'}"


def condition_words(form: Condition, schema: Schema) -> str:
    """A condition in words: Amount more than 5,000 EUR and (Currency is EUR or Country one of DE, FR)."""
    for name, word in _JOINED.items():
        if name in form:
            return word.join(_within(item, schema) for item in form[name])
    if "not" in form:
        return f"not ({condition_words(form['not'], schema)})"
    if "expression" in form:
        return _expression(str(form["expression"]), schema)
    return _row(form, schema)


def _within(form: Condition, schema: Schema) -> str:
    text = condition_words(form, schema)
    return f"({text})" if len(form.get("all") or form.get("any") or ()) > 1 else text


def _expression(text: str, schema: Schema) -> str:
    try:
        return in_words(read(text), schema)
    except LanguageError:
        return text


def _row(form: Condition, schema: Schema) -> str:
    field, operator = schema.get(str(form.get("field", ""))), OPERATORS.get(str(form.get("op", "")))
    label = field.words if field is not None else str(form.get("field") or "…")
    if operator is None:
        return f"{label} …"
    words = operator.label_for(field.kind if field else None)
    if operator.wants is Wants.NOTHING:
        return f"{label} {words}"
    if operator.wants is Wants.DAYS:
        number = form.get("value") or "…"
        return f"{label} {words.replace('days', f'{number} days')}"
    if "other" in form:
        other = schema.get(str(form["other"]))
        return f"{label} {words} {other.words if other else form['other'] or '…'}"
    return f"{label} {words} {_value(form.get('value'), field)}"


def _value(value: object, field: Field | None) -> str:
    unit = field.unit_for({}) if field is not None else ""
    if isinstance(value, list | tuple):
        shown = [_shown(item, field) for item in value if item != ""]
        joined = (
            " and ".join(shown) if len(shown) == 2 and field and field.kind is not Kind.STRING else ", ".join(shown)
        )
        return f"{joined or '…'} {unit}".strip()
    return f"{_shown(value, field) or '…'} {unit}".strip()


def _shown(value: object, field: Field | None) -> str:
    text = str(value if value is not None else "")
    if field is None or field.kind not in (Kind.INT, Kind.DECIMAL):
        return text
    whole, point, rest = text.partition(".")
    digits = whole.lstrip("-")
    return f"{whole[: len(whole) - len(digits)]}{int(digits):,}{point}{rest}" if digits.isdecimal() else text
