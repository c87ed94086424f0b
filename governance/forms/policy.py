"""The form of a policy as a page posts it: what was typed laid over what was shown, and what each button does.

The page carries the whole form as JSON; the inputs are named by their place, such as `r0.when.1.value` for the second
row of the first rule's condition. So nothing that has no input is lost.
"""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from governance.language import Kind, Schema
from governance.rules.forms import OPERATORS, Wants, normal, operators_of
from governance.rules.forms.conditions import DEEPEST
from governance.rules.obligations import TYPES
from governance.rules.texts import TextInvalid, read_text

Part = dict[str, Any]
ROW: Part = {"field": "", "op": "", "value": ""}
LISTS = ("redact", "notify")
_MINUTES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)
_SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
_ORDER = (
    "apiVersion", "kind", "key", "version", "status", "title", "owner", "description", "priority", "effective", "scope",
    "rules", "base_request", "tests",
)  # fmt: skip
_RULE_ORDER = (
    "id", "description", "effect", "priority", "actions", "when", "text", "on_missing", "reason", "escalate",
    "obligations",
)  # fmt: skip


class FormUnreadable(ValueError):
    """What the page carries is no form of a policy."""


@dataclass
class Typed:
    """A form as it stands in the page: its parts, the form before the last deletion, where the focus goes, and whether
    somebody tried to save it, so that empty parts are told as mistakes."""

    form: Part
    undo: Part | None = None
    undo_words: str = ""
    focus: str = ""
    wrong: dict[str, str] = field(default_factory=dict)
    is_tried: bool = False


def new_form() -> Part:
    """The form of a policy that nobody has written yet."""
    rule = {"id": "rule-1", "effect": "escalate", "reason": "", "escalate": {"path": "", "sla": "4h"}}
    scope: Part = {"actions": []}
    return {
        "apiVersion": "autonomyos/v1", "kind": "Policy", "key": "", "version": 1, "title": "", "scope": scope,
        "rules": [rule],
    }  # fmt: skip


def in_groups(form: Part) -> Part:
    """The form with every condition as groups, the way a page shows them."""
    rules = [
        {**rule, "when": normal(rule["when"])} if isinstance(rule.get("when"), dict) else dict(rule)
        for rule in form.get("rules", [])
    ]
    return {**form, "rules": rules}


def typed(data: QueryDict, schema: Schema) -> Typed:
    """What a page posts. Raises FormUnreadable when it carries no form."""
    form = _json(data.get("form", ""))
    undo = _json(data.get("undo", ""))
    if form is None or not _is_sound(form) or not (undo is None or _is_sound(undo)):
        raise FormUnreadable
    _head(form, data)
    form["rules"] = [_rule(rule, f"r{number}", data, schema) for number, rule in enumerate(form["rules"])]
    return Typed(form, undo, data.get("undo_words", "")[:300], is_tried=data.get("tried") == "yes")


def _json(text: str) -> Part | None:
    try:
        found = json.loads(text, parse_float=str, parse_constant=str) if text else None
    except (ValueError, RecursionError) as wrong:
        raise FormUnreadable from wrong
    return found if isinstance(found, dict) else None


def _is_sound(form: Part) -> bool:
    """Whether rules, conditions and their groups are where the page has them."""
    rules = form.get("rules")
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        return False
    return all(_is_condition(rule["when"], 1) for rule in rules if isinstance(rule.get("when"), dict))


def _is_condition(node: object, depth: int) -> bool:
    if not isinstance(node, dict) or depth > DEEPEST:
        return False
    if "not" in node:
        return _is_condition(node["not"], depth + 1)
    for name in ("all", "any"):
        if name in node:
            return isinstance(node[name], list) and all(_is_condition(item, depth + 1) for item in node[name])
    return True


# --- what was typed -------------------------------------------------------------------------------------------
def shown(value: object) -> str:
    """A value as its input shows it."""
    return "" if value is None else str(value)


def _lay(
    part: Part, key: str, data: QueryDict, name: str, cast: Callable[[str], Any] = str, *, keep: bool = False
) -> None:
    """Put what was typed into the part; an emptied one goes away unless `keep`, an untouched one stays as it is."""
    given = data.get(name)
    if given is None:
        return
    given = given.replace("\r\n", "\n")
    if given == shown(part.get(key)):
        return
    if not given.strip() and not keep:
        part.pop(key, None)
    else:
        part[key] = cast(given)


def _lay_list(part: Part, key: str, data: QueryDict, name: str, *, keep: bool = False) -> None:
    if name not in data:
        return
    given = [item.strip() for item in data.getlist(name)]
    while given and not given[-1]:
        given.pop()
    if given or keep:
        part[key] = given
    elif part.get(key):
        part.pop(key)


def _whole(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text.strip(), re.ASCII) else text


def _head(form: Part, data: QueryDict) -> None:
    for key in ("key", "title"):
        _lay(form, key, data, key, keep=True)
    _lay(form, "description", data, "description")
    _lay(form, "priority", data, "priority", _whole)
    scope = form["scope"] if isinstance(form.get("scope"), dict) else {}
    _lay_list(scope, "actions", data, "scope.actions", keep=True)
    _lay(scope, "resource", data, "scope.resource")
    for key in ("roles", "workflows", "environments"):
        _lay_list(scope, key, data, f"scope.{key}")
    form["scope"] = scope
    effective = dict(form["effective"]) if isinstance(form.get("effective"), dict) else {}
    for key in ("from", "until"):
        _lay(effective, key, data, f"effective.{key}")
    if effective or "effective" in form:
        form["effective"] = effective or None
    if form.get("effective") is None:
        form.pop("effective", None)


def _rule(rule: Part, name: str, data: QueryDict, schema: Schema) -> Part:
    for key in ("id", "effect", "reason"):
        _lay(rule, key, data, f"{name}.{key}", keep=key != "reason" or rule.get("effect") != "oblige")
    _lay(rule, "description", data, f"{name}.description")
    _lay(rule, "priority", data, f"{name}.priority", _whole)
    _lay(rule, "on_missing", data, f"{name}.on_missing")
    _lay_list(rule, "actions", data, f"{name}.actions")
    if isinstance(rule.get("when"), dict):
        rule["when"] = _condition(rule["when"], f"{name}.when", data, schema)
    if rule.get("effect") == "escalate":
        _terms(rule, f"{name}.escalate", data)
    if isinstance(rule.get("obligations"), list):
        rule["obligations"] = [
            _obligation(item, f"{name}.obligations.{number}", data) for number, item in enumerate(rule["obligations"])
        ]
    return rule


def _terms(rule: Part, name: str, data: QueryDict) -> None:
    terms = rule["escalate"] if isinstance(rule.get("escalate"), dict) else {"path": "", "sla": "4h"}
    _lay(terms, "path", data, f"{name}.path", keep=True)
    _lay(terms, "sla", data, f"{name}.sla", keep=True)
    _lay(terms, "approvals", data, f"{name}.approvals", _whole)
    _lay_list(terms, "not_by", data, f"{name}.not_by")
    if data.get(f"{name}.grants") == "yes":
        terms["grants"] = True
    elif data.get(f"{name}.grants") == "no" and terms.get("grants"):
        terms.pop("grants")
    rule["escalate"] = terms


def _obligation(item: Part, name: str, data: QueryDict) -> Part:
    kind = data.get(f"{name}.type", str(item.get("type", "")))
    if kind != item.get("type") and kind in TYPES:
        return new_obligation(kind)
    for key in TYPES.get(kind, ()):
        if kind in LISTS:
            _lay_list(item, key, data, f"{name}.{key}", keep=True)
        else:
            _lay(item, key, data, f"{name}.{key}", _whole if kind == "step_up" else str, keep=True)
    return item


def new_obligation(kind: str) -> Part:
    """An obligation of this type that is still to be filled in."""
    usual: Part = {"log": "full", "step_up": 1}
    return {"type": kind, **{key: [] if kind in LISTS else usual.get(kind, "") for key in TYPES[kind]}}


# --- conditions -----------------------------------------------------------------------------------------------
def group_of(node: Part) -> tuple[str, list[Part]]:
    """The kind of a group (all, any, not_all, none) and its items; no kind for a row or an expression."""
    inner, denied = (node["not"], True) if isinstance(node.get("not"), dict) else (node, False)
    for name in ("all", "any"):
        if isinstance(inner.get(name), list):
            return {("all", True): "not_all", ("any", True): "none"}.get((name, denied), name), inner[name]
    return "", []


def grouped(kind: str, items: list[Part]) -> Part:
    """A group of this kind."""
    if kind in ("not_all", "none"):
        return {"not": {"all" if kind == "not_all" else "any": items}}
    return {"any" if kind == "any" else "all": items}


def _condition(node: Part, name: str, data: QueryDict, schema: Schema) -> Part:
    kind, items = group_of(node)
    if kind:
        chosen = data.get(f"{name}.group", kind)
        return grouped(
            chosen, [_condition(item, f"{name}.{number}", data, schema) for number, item in enumerate(items)]
        )
    if "expression" in node:
        return {"expression": shown(data.get(f"{name}.expression", node["expression"])).replace("\r\n", "\n")}
    return _row(node, name, data, schema)


def _row(node: Part, name: str, data: QueryDict, schema: Schema) -> Part:
    path = data.get(f"{name}.field", shown(node.get("field")))
    asked = data.get(f"{name}.op", shown(node.get("op")) + (".other" if "other" in node else ""))
    operator_name, _, compared = asked.partition(".")
    found, operator = schema.get(path), OPERATORS.get(operator_name)
    if found is not None and operator not in operators_of(found):
        operator, compared = (*operators_of(found), None)[0], ""
    if operator is None:
        return {"field": path, "op": "", "value": shown(data.get(f"{name}.value", ""))}
    row: Part = {"field": path, "op": operator.name}
    if compared and operator.compares:
        return {**row, "other": data.get(f"{name}.other", shown(node.get("other")))}
    values = _given(node, name, data)
    if found is not None and found.kind is Kind.TIMESTAMP:
        values = [_moment(value) for value in values]
    return row | _shaped(operator.wants, values)


def _given(node: Part, name: str, data: QueryDict) -> list[str]:
    if f"{name}.low" in data:
        return [data.get(f"{name}.low", ""), data.get(f"{name}.high", "")]
    if f"{name}.value" in data:
        return data.getlist(f"{name}.value")
    held = node.get("value")
    return [shown(item) for item in held] if isinstance(held, list) else [shown(held)]


def _moment(text: str) -> str:
    """What a browser's control for moments gives, with the zone that it means here."""
    if _MINUTES.fullmatch(text):
        return f"{text}:00Z"
    return f"{text}Z" if _SECONDS.fullmatch(text) else text


def _shaped(wants: Wants, values: list[str]) -> Part:
    if wants is Wants.NOTHING:
        return {}
    if wants is Wants.TWO:
        return {"value": [*values, "", ""][:2]}
    if wants is Wants.MANY:
        while len(values) > 1 and not values[-1]:
            values = values[:-1]
        return {"value": values}
    return {"value": values[0] if values else ""}


# --- what the buttons do --------------------------------------------------------------------------------------
def press(at: Typed, do: str, data: QueryDict) -> None:
    """Do what a button says, such as `add-row:r0.when`; a button that nobody knows does nothing but check."""
    name, _, place = do.partition(":")
    act = _ACTS.get(name)
    if act is not None:
        try:
            act(at, place, data)
        except (KeyError, IndexError, ValueError, TypeError) as wrong:
            raise FormUnreadable from wrong


def _number(place: str) -> int:
    number = int(place.removeprefix("r"))
    if number < 0:
        raise IndexError
    return number


def _add_rule(at: Typed, place: str, data: QueryDict) -> None:
    rules = at.form["rules"]
    rules.append({"id": _free_id(rules, f"rule-{len(rules) + 1}"), "effect": "deny", "reason": ""})
    at.focus = f"r{len(rules) - 1}.effect"


def _free_id(rules: list[Part], wanted: str) -> str:
    taken, name, number = {rule.get("id") for rule in rules}, wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    return name


def _copy_rule(at: Typed, place: str, data: QueryDict) -> None:
    rules, number = at.form["rules"], _number(place)
    copied = copy.deepcopy(rules[number])
    copied["id"] = _free_id(rules, f"{copied.get('id') or 'rule'}-copy")
    rules.insert(number + 1, copied)
    at.focus = f"r{number + 1}.id"


def _move_rule(step: int) -> Callable[[Typed, str, QueryDict], None]:
    def move(at: Typed, place: str, data: QueryDict) -> None:
        rules, number = at.form["rules"], _number(place)
        to = max(0, min(number + step, len(rules) - 1))
        rules.insert(to, rules.pop(number))
        at.focus = f"r{to}.{'up' if step < 0 else 'down'}"

    return move


def _remember(at: Typed, words: str) -> None:
    at.undo, at.undo_words, at.focus = copy.deepcopy(at.form), words, "undo"


def _delete_rule(at: Typed, place: str, data: QueryDict) -> None:
    number = _number(place)
    _remember(at, f"The rule {at.form['rules'][number].get('id')} is deleted.")
    at.form["rules"].pop(number)


def _undo(at: Typed, place: str, data: QueryDict) -> None:
    if at.undo is not None and isinstance(at.undo.get("rules"), list):
        at.form, at.undo, at.undo_words, at.focus = at.undo, None, "", "title"


def _found(at: Typed, place: str) -> tuple[Part, list[int]]:
    """The rule of a condition's name, and the way down to the condition."""
    rule, _, way = place.partition(".when")
    return at.form["rules"][_number(rule)], [int(step) for step in way.split(".") if step]


def _items(at: Typed, place: str) -> list[Part]:
    """The items of the group with this name; a rule without a condition gets one."""
    rule, way = _found(at, place)
    kind, items = group_of(rule.setdefault("when", {"all": []}))
    for step in way:
        kind, items = group_of(items[step])
    if not kind:
        raise KeyError(place)
    return items


def _adding(made: Part, focus: str) -> Callable[[Typed, str, QueryDict], None]:
    def add(at: Typed, place: str, data: QueryDict) -> None:
        items = _items(at, place)
        items.append(copy.deepcopy(made))
        at.focus = f"{place}.{len(items) - 1}.{focus}"

    return add


def _delete(at: Typed, place: str, data: QueryDict) -> None:
    rule, way = _found(at, place)
    _remember(at, "The condition is deleted.")
    items = _items(at, place.rpartition(".")[0])
    items.pop(way[-1])
    if not group_of(rule["when"])[1]:
        rule.pop("when")
        rule.pop("text", None)


def _add_obligation(at: Typed, place: str, data: QueryDict) -> None:
    rule = at.form["rules"][_number(place)]
    items = rule["obligations"] if isinstance(rule.get("obligations"), list) else []
    rule["obligations"] = [*items, new_obligation("log")]
    at.focus = f"{place}.obligations.{len(items)}.type"


def _delete_obligation(at: Typed, place: str, data: QueryDict) -> None:
    rule, _, number = place.partition(".obligations.")
    _remember(at, "The duty is deleted.")
    part = at.form["rules"][_number(rule)]
    part["obligations"].pop(int(number))
    if not part["obligations"]:
        part.pop("obligations")


def _insert(at: Typed, place: str, data: QueryDict) -> None:
    path = data.get(f"{place}.placeholder", "")
    rule = at.form["rules"][_number(place)]
    if path:
        rule["reason"] = f"{shown(rule.get('reason')).rstrip()} {{{path}}}".lstrip()
    at.focus = f"{place}.reason"


def _add_test(at: Typed, place: str, data: QueryDict) -> None:
    name, effect = data.get("test.name", "").strip(), data.get("test.effect", "")
    tests = at.form["tests"] if isinstance(at.form.get("tests"), list) else []
    if not name or any(isinstance(test, dict) and test.get("name") == name for test in tests):
        at.wrong["test.name"], at.focus = "Give the test a name that no other has.", "test.name"
        return
    try:
        request = read_text(data.get("test.request", "")) if data.get("test.request", "").strip() else {}
    except TextInvalid as invalid:
        at.wrong["test.request"], at.focus = str(invalid), "test.request"
        return
    asked = {"request": request} if request else {}
    at.form["tests"] = [*tests, {"name": name, **asked, "expect": {"effect": effect}}]
    at.focus = "test.name"


_ACTS: dict[str, Callable[[Typed, str, QueryDict], None]] = {
    "add-rule": _add_rule, "copy": _copy_rule, "up": _move_rule(-1), "down": _move_rule(1),
    "delete-rule": _delete_rule, "undo": _undo, "add-row": _adding(ROW, "field"),
    "add-group": _adding({"any": [ROW]}, "group"), "add-expression": _adding({"expression": ""}, "expression"),
    "delete": _delete, "add-obligation": _add_obligation, "delete-obligation": _delete_obligation, "insert": _insert,
    "add-test": _add_test,
}  # fmt: skip


# --- what is saved --------------------------------------------------------------------------------------------
def to_save(form: Part) -> Part:
    """The form as it is saved and checked: parts in their usual order, nothing empty that was only there to be typed
    into, and no terms of asking at rules that ask nobody."""
    saved = _ordered(form, _ORDER)
    saved["rules"] = [_rule_to_save(rule) for rule in form["rules"]]
    saved["scope"] = {key: _filled(value) for key, value in form["scope"].items()}
    return saved


def _ordered(part: Part, order: tuple[str, ...]) -> Part:
    known = [key for key in order if key in part]
    return {key: part[key] for key in (*known, *(key for key in part if key not in order))}


def _rule_to_save(rule: Part) -> Part:
    saved = _ordered(rule, _RULE_ORDER)
    if saved.get("effect") != "escalate":
        saved.pop("escalate", None)
    elif isinstance(saved.get("escalate"), dict):
        saved["escalate"] = {key: _filled(value) for key, value in saved["escalate"].items()}
    if isinstance(saved.get("actions"), list):
        saved["actions"] = _filled(saved["actions"])
    if isinstance(saved.get("obligations"), list):
        saved["obligations"] = [
            {key: _filled(value) for key, value in item.items()} if isinstance(item, dict) else item
            for item in saved["obligations"]
        ]
    return saved


def _filled(value: Any) -> Any:
    return [item for item in value if item != ""] if isinstance(value, list) else value
