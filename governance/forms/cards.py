"""The form of a policy as its page shows it: a card for each rule, a control for each part, problems beside them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.forms.policy import LISTS, Part, Typed, group_of, shown
from governance.language import Field, Kind, LanguageError, Problem, RequestInvalid, Schema, compile_template, find
from governance.operations import Draft, Vocabulary
from governance.operations.drafting import LEVELS, OBLIGATIONS
from governance.operations.policies import said
from governance.rules import flatten
from governance.rules.forms import OPERATORS, Wants, operators_of
from governance.rules.forms.conditions import GROUPS_AT_MOST, comparable
from governance.rules.obligations import TYPES

Choice = tuple[str, str]
EFFECTS = (
    ("deny", "Deny"), ("escalate", "Ask a person"), ("allow", "Allow"), ("oblige", "Only add duties"),
)  # fmt: skip
GROUPS = (
    ("all", "All of these hold"), ("any", "Any of these holds"), ("not_all", "Not all of these hold"),
    ("none", "None of these holds"),
)  # fmt: skip
ON_MISSING = (
    ("", "As usual: deny and ask match, allow does not"), ("match", "The rule matches"),
    ("skip", "The rule is skipped"),
)  # fmt: skip
_BROWSER_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?)Z|")
_OF_RULE = re.compile(r"r(\d+)\.")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|")


@dataclass
class Control:
    """One control: what it is called, what it shows, what is wrong with it."""

    name: str
    label: str
    value: Any = ""
    kind: str = "text"
    choices: Iterable[Choice] = ()
    hint: str = ""
    unit: str = ""
    listed: str = ""
    problems: tuple[str, ...] = ()
    hides_label: bool = False
    shapes: bool = False

    @property
    def values(self) -> list[str]:
        """The entries of a list with an empty one behind them, to type the next into."""
        given = [shown(item) for item in self.value] if isinstance(self.value, list) else []
        return given if given and not given[-1] else [*given, ""]


@dataclass
class Item:
    """One row, expression or group of a condition."""

    name: str
    kind: str
    controls: list[Control] = field(default_factory=list)
    items: list["Item"] = field(default_factory=list)
    problems: tuple[str, ...] = ()
    label: str = ""
    may_group: bool = True
    is_root: bool = False


@dataclass
class Card:
    """One rule."""

    name: str
    number: int
    id: Control
    effect: Control
    reason: Control
    more: list[Control]
    when: Item
    sentence: str
    preview: str
    problems: tuple[str, ...]
    terms: list[Control] = field(default_factory=list)
    duties: list["Duty"] = field(default_factory=list)
    is_first: bool = False
    is_last: bool = False


@dataclass
class Duty:
    """One obligation."""

    name: str
    controls: list[Control]
    raw: str = ""


class Problems:
    """The problems of a form by path; what no part of the page takes is shown on top."""

    def __init__(self, found: Iterable[Problem], more: Mapping[str, str]) -> None:
        self._left = [(problem.path, _sentence(problem)) for problem in found] + list(more.items())

    def at(self, path: str) -> tuple[str, ...]:
        """The sentences about this part and what lies in it."""
        taken = [words for where, words in self._left if _lies_in(where, path)]
        self._left = [(where, words) for where, words in self._left if not _lies_in(where, path)]
        return tuple(taken)

    def exactly(self, path: str) -> tuple[str, ...]:
        """The sentences about this very part."""
        taken = [words for where, words in self._left if where == path]
        self._left = [(where, words) for where, words in self._left if where != path]
        return tuple(taken)

    def rest(self) -> tuple[str, ...]:
        """What no part took."""
        return tuple(f"{where}: {words}" if where else words for where, words in self._left)


def _sentence(problem: Problem) -> str:
    return said(problem) if problem.line > 1 or problem.column > 1 else said(_anywhere(problem))


def _anywhere(problem: Problem) -> Problem:
    return Problem(problem.message, 0, 0, 0, problem.suggestion, problem.path)


def _lies_in(where: str, path: str) -> bool:
    return where == path or where.startswith((f"{path}.", f"{path}["))


class PolicyCards:
    """Everything that the page of a policy's form shows."""

    def __init__(self, at: Typed, draft: Draft, known: Vocabulary, schema: Schema, *, is_new: bool) -> None:
        self.at, self.draft, self.known, self.schema, self.is_new = at, draft, known, schema, is_new
        self.form: Part = at.form
        self.found = Problems(draft.checked.problems, at.wrong)
        self.to_fill: list[str] = []
        self.head = self._head()
        self.facts = _example_facts(self.form)
        self.cards = [self._card(rule, number) for number, rule in enumerate(self.form["rules"])]
        self.tests = self._tests()
        self.new_test = self._new_test()
        self.rest = self.found.rest()
        self.problem_count = len(draft.checked.problems) - len(self.to_fill)

    @property
    def json(self) -> str:
        """The whole form, as the page carries it."""
        return json.dumps(self.form, ensure_ascii=False)

    @property
    def undo_json(self) -> str:
        """The form before the last deletion, nothing when none is to be undone."""
        return json.dumps(self.at.undo, ensure_ascii=False) if self.at.undo is not None else ""

    @property
    def fields(self) -> list[tuple[str, list[Choice]]]:
        """The fields to choose from, by group."""
        return [
            (name, [(each.path, f"{each.words} · {each.path}" if each.label else each.path) for each in fields])
            for name, fields in self.known.groups.items()
        ]

    @property
    def offered(self) -> set[str]:
        """The paths that can be chosen; a row may hold another one, of a system that the reader may not see."""
        return {each.path for fields in self.known.groups.values() for each in fields}

    def control(self, name: str, label: str, value: Any, path: str, **more: Any) -> Control:
        """A control with the problems of its part. That it is empty is no mistake before somebody tries to save."""
        given = value if isinstance(value, list) else shown(value)
        problems = self.found.at(path)
        if problems and not given and path not in self.at.wrong:
            problems = self._empty(name, label, more.get("kind", ""))
        return Control(name, label, given, problems=problems, **more)

    def _empty(self, name: str, label: str, kind: str) -> tuple[str, ...]:
        if self.at.is_tried:
            return ({"select": "Choose one.", "list": "Name at least one."}.get(kind, "Fill this in."),)
        rule = _OF_RULE.match(name)
        self.to_fill.append(f"{label} of rule {int(rule[1]) + 1}" if rule else label)
        return ()

    # --- the head -------------------------------------------------------------------------------------------------
    def _head(self) -> list[Control]:
        form = self.form
        scope = form["scope"] if isinstance(form.get("scope"), dict) else {}
        effective = form["effective"] if isinstance(form.get("effective"), dict) else {}
        key = [self.control("key", "Key", form.get("key"), "key", hint="Never changes, such as finance.refunds.")]
        return [
            *(key if self.is_new else []),
            self.control("title", "Title", form.get("title"), "title"),
            self.control("description", "Description", form.get("description"), "description"),
            self.control("scope.actions", "Actions", _list(scope, "actions"), "scope.actions", kind="list",
                         listed="known-actions", hint="What it decides about: invoice.pay, a family invoice.* or *."),
            self.control("scope.resource", "Kind of thing", scope.get("resource"), "scope.resource",
                         listed="known-resources", hint="Empty: any."),
            self.control("scope.roles", "Roles", _list(scope, "roles"), "scope.roles", kind="list",
                         listed="known-roles", hint="Empty: any."),
            self.control("scope.workflows", "Workflows", _list(scope, "workflows"), "scope.workflows", kind="list",
                         hint="Empty: any."),
            self.control("priority", "Priority", form.get("priority"), "priority", kind="number",
                         hint="Of two rules with one effect the higher leads."),
            self.moment("effective.from", "In force from", effective.get("from"), "effective.from"),
            self.moment("effective.until", "Until", effective.get("until"), "effective.until"),
        ]  # fmt: skip

    def moment(self, name: str, label: str, value: Any, path: str) -> Control:
        """A day, or a moment as text when it is more than a day."""
        kind = "date" if _DATE.fullmatch(shown(value)) else "text"
        return self.control(name, label, value, path, kind=kind, hint="Empty: no limit.")

    # --- rules ----------------------------------------------------------------------------------------------------
    def _card(self, rule: Part, number: int) -> Card:
        name, path = f"r{number}", f"rules[{number}]"
        when = self._when(rule, name, path)
        effect = shown(rule.get("effect"))
        card = Card(
            name=name, number=number + 1, when=when,
            id=self.control(f"{name}.id", "Name of the rule", rule.get("id"), f"{path}.id"),
            effect=self.control(f"{name}.effect", "Effect", effect, f"{path}.effect", kind="select",
                                choices=EFFECTS, shapes=True),
            reason=self.control(f"{name}.reason", "Reason given", rule.get("reason"), f"{path}.reason", kind="area",
                                hint="People and the agent read it. {field} stands for the value of a field."),
            more=self._more(rule, name, path),
            sentence=self.draft.sentences[number] if number < len(self.draft.sentences) else "",
            preview=self._preview(rule), problems=(),
            terms=self._terms(rule, name, path) if effect == "escalate" else [],
            duties=self._duties(rule, name, path),
            is_first=number == 0, is_last=number == len(self.form["rules"]) - 1,
        )  # fmt: skip
        card.problems = self.found.at(path)
        return card

    def _more(self, rule: Part, name: str, path: str) -> list[Control]:
        return [
            self.control(f"{name}.priority", "Priority of this rule", rule.get("priority"), f"{path}.priority",
                         kind="number", hint="Empty: that of the policy."),
            self.control(f"{name}.on_missing", "When a field is missing", rule.get("on_missing"), f"{path}.on_missing",
                         kind="select", choices=ON_MISSING),
            self.control(f"{name}.actions", "Only for the actions", _list(rule, "actions"), f"{path}.actions",
                         kind="list", listed="known-actions", hint="Empty: all of the policy."),
            self.control(f"{name}.description", "Remark", rule.get("description"), f"{path}.description"),
        ]  # fmt: skip

    def _preview(self, rule: Part) -> str:
        try:
            template = compile_template(shown(rule.get("reason")), self.schema)
        except LanguageError:
            return ""
        facts: dict[str, Any] = {}
        for path in template.fields:
            known, value = self.schema.get(path), find(self.facts, path)
            _put(facts, path, value if value is not None else f"‹{known.words if known else path}›")
        return template.render(facts)

    def _terms(self, rule: Part, name: str, path: str) -> list[Control]:
        terms, name, path = rule.get("escalate") or {}, f"{name}.escalate", f"{path}.escalate"
        chosen = shown(terms.get("path"))
        paths = [("", "Choose whom to ask…"), *self.known.paths.items()]
        if chosen and chosen not in self.known.paths:
            paths.append((chosen, chosen))
        return [
            self.control(f"{name}.path", "Whom to ask", chosen, f"{path}.path", kind="select", choices=paths),
            self.control(f"{name}.sla", "Within", terms.get("sla"), f"{path}.sla", hint="Such as 30m, 4h or 2d."),
            self.control(f"{name}.approvals", "Approvals needed", terms.get("approvals"), f"{path}.approvals",
                         kind="number", hint="Empty: one."),
            self.control(f"{name}.not_by", "Not by", _list(terms, "not_by"), f"{path}.not_by", kind="list",
                         listed="known-people", hint="Fields that name who may not approve."),
            self.control(f"{name}.grants", "Is an approval enough?", "yes" if terms.get("grants") else "no",
                         f"{path}.grants", kind="select",
                         choices=(("no", "No: another rule must allow it too"), ("yes", "Yes: it allows by itself"))),
        ]  # fmt: skip

    def _duties(self, rule: Part, name: str, path: str) -> list[Duty]:
        items = rule["obligations"] if isinstance(rule.get("obligations"), list) else []
        return [
            self._duty(item, f"{name}.obligations.{number}", f"{path}.obligations[{number}]")
            for number, item in enumerate(items)
        ]

    def _duty(self, item: Any, name: str, path: str) -> Duty:
        kind = item.get("type") if isinstance(item, Mapping) else None
        if kind not in TYPES:
            return Duty(name, [], raw=json.dumps(item, ensure_ascii=False))
        controls = [
            Control(f"{name}.type", "Duty", kind, "select", choices=tuple(OBLIGATIONS.items()), shapes=True)
        ] + [self._duty_part(item, kind, key, name, path) for key in TYPES[kind]]
        return Duty(name, controls)

    def _duty_part(self, item: Part, kind: str, key: str, name: str, path: str) -> Control:
        given, name, path = item.get(key), f"{name}.{key}", f"{path}.{key}"
        if kind in LISTS:
            label = "Fields" if kind == "redact" else "Whom"
            return self.control(name, label, given if isinstance(given, list) else [], path, kind="list")
        if kind == "log":
            levels = tuple((level, level) for level in LEVELS)
            return self.control(name, "How much", given, path, kind="select", choices=levels)
        if key == "field":
            return self.control(name, "Field", given, path, kind="fields")
        labels = {"max": "At most", "for": "How long", "level": "Level"}
        return self.control(name, labels[key], given, path, hint="Such as 30m." if key == "for" else "")

    # --- conditions -----------------------------------------------------------------------------------------------
    def _when(self, rule: Part, name: str, path: str) -> Item:
        when = rule.get("when")
        if isinstance(when, dict):
            item = self._item(when, f"{name}.when", f"{path}.when", 1)
            item.is_root = True
            return item
        return Item(f"{name}.when", "group", is_root=True, problems=self.found.exactly(f"{path}.when"))

    def _item(self, node: Part, name: str, path: str, depth: int) -> Item:
        kind, items = group_of(node)
        if kind:
            return self._group(kind, items, name, path, depth)
        if "expression" in node:
            control = Control(f"{name}.expression", "Expression", shown(node["expression"]), "area", hides_label=True,
                              problems=self.found.at(path), listed="mono")  # fmt: skip
            return Item(name, "expression", [control])
        return self._row(node, name, path)

    def _group(self, kind: str, items: list[Part], name: str, path: str, depth: int) -> Item:
        inner = {"all": ".all", "any": ".any", "not_all": ".not.all", "none": ".not.any"}[kind]
        control = Control(f"{name}.group", "Group", kind, "select", choices=GROUPS, hides_label=True)
        below = [
            self._item(item, f"{name}.{number}", f"{path}{inner}[{number}]", depth + 1)
            for number, item in enumerate(items)
        ]
        wrong = (*self.found.exactly(f"{path}{inner}"), *self.found.exactly(path))
        return Item(name, "group", [control], below, wrong, may_group=depth < GROUPS_AT_MOST)

    def _row(self, node: Part, name: str, path: str) -> Item:
        chosen, known = shown(node.get("field")), self.schema.get(shown(node.get("field")))
        operator = OPERATORS.get(shown(node.get("op")))
        about = Control(f"{name}.field", "Field", chosen, "fields", hides_label=True, shapes=True)
        asked = Control(f"{name}.op", "Operator", _chosen_op(node), "select", choices=self._operators(known),
                        hides_label=True, shapes=True)  # fmt: skip
        values = self._values(node, name, known, operator.wants) if operator is not None else []
        label = known.words if known is not None else "Condition"
        return Item(name, "row", [about, asked, *values], problems=self.found.at(path), label=label)

    def _operators(self, known: Field | None) -> list[Choice]:
        if known is None:
            return [("", "…")]
        found: list[Choice] = []
        for operator in operators_of(known):
            words = operator.label_for(known.kind)
            found.append((operator.name, words))
            if operator.compares and self._others(known, operator.name):
                found.append((f"{operator.name}.other", f"{words} the field"))
        return found

    def _others(self, known: Field, operator: str) -> list[Choice]:
        fields = (each for group in self.known.groups.values() for each in group)
        return [
            (each.path, each.words)
            for each in fields
            if each.path != known.path and comparable(known, OPERATORS[operator], each)
        ]

    def _values(self, node: Part, name: str, known: Field | None, wants: Wants) -> list[Control]:
        if known is None or wants is Wants.NOTHING:
            return []
        if "other" in node:
            others = [("", "Choose a field…"), *self._others(known, shown(node.get("op")))]
            if node["other"] and node["other"] not in dict(others):
                others.append((node["other"], node["other"]))
            return [Control(f"{name}.other", "Other field", node["other"], "select", others, hides_label=True)]
        value = node.get("value")
        if wants is Wants.TWO:
            low, high = value if isinstance(value, list) and len(value) == 2 else ("", "")
            return [_value(f"{name}.low", "From", low, known), _value(f"{name}.high", "To", high, known)]
        if wants is Wants.MANY:
            return [Control(f"{name}.value", "Values", value if isinstance(value, list) else [], "list",
                            listed=f"words-{known.path}" if known.enum else "", hides_label=True)]  # fmt: skip
        if wants is Wants.DAYS:
            return [Control(f"{name}.value", "Days", shown(value), "number", unit="days", hides_label=True)]
        return [_value(f"{name}.value", "Value", value, known)]

    @property
    def enums(self) -> list[tuple[str, tuple[str, ...]]]:
        """The words of each field that has only some, for the lists that offer them."""
        return [(each.path, each.enum) for group in self.known.groups.values() for each in group if each.enum]

    @property
    def people_fields(self) -> list[str]:
        """The fields that may name who may not approve."""
        return [each.path for group in self.known.groups.values() for each in group if each.kind is Kind.STRING]

    # --- tests ----------------------------------------------------------------------------------------------------
    def _tests(self) -> list[dict[str, Any]]:
        results = {result.name: result for result in self.draft.tests}
        tests = self.form["tests"] if isinstance(self.form.get("tests"), list) else []
        return [
            {
                "name": shown(test.get("name")),
                "expect": test.get("expect") or {},
                "result": results.get(shown(test.get("name"))),
            }
            for test in tests
            if isinstance(test, dict)
        ]

    def _new_test(self) -> list[Control]:
        effects = tuple((effect, words) for effect, words in EFFECTS if effect != "oblige")
        return [
            self.control("test.name", "Name of the test", "", "test.name"),
            self.control("test.effect", "Expected", "deny", "test.effect", kind="select", choices=effects),
            self.control("test.request", "What differs from the usual request", "", "test.request", kind="area",
                         hint="As YAML, such as context: {amount: \"5000.01\"}. Empty: the usual request."),
        ]  # fmt: skip


def _list(part: Part, key: str) -> list[Any]:
    value = part.get(key)
    return value if isinstance(value, list) else []


def _chosen_op(node: Part) -> str:
    return shown(node.get("op")) + (".other" if "other" in node else "")


def _value(name: str, label: str, value: Any, known: Field) -> Control:
    text, unit = shown(value), known.unit_for({})
    if known.enum:
        words = [("", "…"), *((word, word) for word in known.enum)]
        if text and text not in known.enum:
            words.append((text, text))
        return Control(name, label, text, "select", words, hides_label=True)
    if known.kind in (Kind.INT, Kind.DECIMAL):
        return Control(name, label, text, "decimal", unit=unit, hides_label=True)
    if known.kind is Kind.TIMESTAMP and _BROWSER_MOMENT.fullmatch(text):
        return Control(name, label, text.removesuffix("Z"), "datetime-local", unit="UTC", hides_label=True)
    if known.kind is Kind.DURATION:
        return Control(name, label, text, "text", unit="such as 4h", hides_label=True)
    return Control(name, label, text, "text", unit=unit, hides_label=True)


def _put(facts: dict[str, Any], path: str, value: Any) -> None:
    *groups, name = path.split(".")
    for group in groups:
        facts = facts.setdefault(group, {})
    facts[name] = value


def _example_facts(form: Part) -> Mapping[str, Any]:
    """The facts of the usual request that the tests of a policy change."""
    base = form.get("base_request")
    try:
        return flatten(base) if isinstance(base, dict) else {}
    except RequestInvalid:
        return {}
