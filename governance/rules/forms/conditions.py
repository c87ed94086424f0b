"""Rules of governance, forms: conditions as rows and groups; what has no row stays an expression, as it was written.

A condition is `{"all": [...]}`, `{"any": [...]}`, `{"not": ...}`, `{"field", "op", "value" | "other"}` or
`{"expression": text}`. Values are text; several are a list.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from governance.language import Field, Kind, LanguageError, Problem, Schema, WrongValue, did_you_mean
from governance.language.printing import print_tree
from governance.language.reading import read
from governance.language.tree import Binary, Call, Chain, ListOf, Literal, Node, Path, Unary
from governance.language.values import NUMBERS
from governance.rules.forms.operators import OPERATORS, Operator, Wants, operators_of
from governance.rules.forms.values import NOW, days, days_of, literal, shifted, value_of

Condition = Mapping[str, Any]
GROUPS_AT_MOST = 3
DEEPEST = 20
_GROUP = {"all": "&&", "any": "||"}
_SIGNS = {"==": "is", "!=": "is_not", "<": "less", "<=": "at_most", ">": "more", ">=": "at_least"}
_METHODS = {"contains": "contains", "startsWith": "starts_with", "endsWith": "ends_with", "matches": "matches"}
_OPPOSITE = {
    "present": "missing", "yes": "no", "one_of": "not_one_of", "contains": "not_contains",
}  # fmt: skip


class FormInvalid(LanguageError):
    """The form is not filled in; each problem names its row, such as `all[1].value`."""


def to_cel(form: Condition, schema: Schema) -> str:
    """The text of a condition; raise FormInvalid with every row that is not filled in."""
    return print_tree(to_tree(form, schema))


def to_tree(form: Condition, schema: Schema, *, at: str = "") -> Node:
    """The tree of a condition; raise FormInvalid with every row that is not filled in, their paths under `at`."""
    writing = _Writing(schema)
    tree = writing.node(form, at, 1)
    if writing.problems or tree is None:
        raise FormInvalid(writing.problems)
    return tree


def to_form(tree: Node, schema: Schema, *, groups: int = GROUPS_AT_MOST) -> dict[str, Any]:
    """The condition of a tree, with groups at most so deep; what has no row becomes an expression."""
    return _Reading(schema, groups).node(tree, 1, within_all=False)


def normal(form: Condition) -> dict[str, Any]:
    """The same condition as groups all the way: a lone row stands in a group, and so does what `not` denies."""
    whole = _grouped(form)
    return whole if set(whole) & {*_GROUP, "not"} else {"all": [whole]}


def _grouped(form: Condition) -> dict[str, Any]:
    for name in _GROUP:
        if name in form:
            return {name: [_grouped(item) for item in form[name]]}
    if "not" in form:
        inner = _grouped(form["not"])
        return {"not": inner if set(inner) & set(_GROUP) else {"all": [inner]}}
    return dict(form)


def _under(at: str, part: str) -> str:
    return f"{at}.{part}" if at else part


class _Writing:
    """From a form to a tree; a method gives None when it has noted a problem."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.problems: list[Problem] = []

    def wrong(self, at: str, message: str, suggestion: str | None = None) -> None:
        self.problems.append(Problem(message, 0, 0, 0, suggestion, at))

    def node(self, form: object, at: str, depth: int) -> Node | None:
        if not isinstance(form, Mapping) or depth > DEEPEST:
            self.wrong(at, "Must be a condition: a group, a row or an expression, and not too deep.")
            return None
        for name in _GROUP:
            if name in form:
                return self.group(form, name, at, depth)
        if "not" in form:
            self.only(form, ("not",), at)
            inner = self.node(form["not"], _under(at, "not"), depth + 1)
            return inner and Unary("!", inner)
        if "expression" in form:
            return self.expression(form, at)
        conjuncts = self.row(form, at)
        if conjuncts is None:
            return None
        return conjuncts[0] if len(conjuncts) == 1 else Chain("&&", conjuncts)

    def only(self, form: Condition, known: tuple[str, ...], at: str) -> None:
        for name in form:
            if name not in known:
                self.wrong(_under(at, str(name)[:100]), "is not known here.", did_you_mean(str(name), known))

    def group(self, form: Condition, name: str, at: str, depth: int) -> Node | None:
        self.only(form, (name,), at)
        at, items = _under(at, name), form[name]
        if not isinstance(items, list | tuple) or not items:
            self.wrong(at, "This group has no conditions.", "Add one, or delete the group.")
            return None
        nodes: list[Node | None] = []
        for number, item in enumerate(items):
            place = f"{at}[{number}]"
            if name == "all" and isinstance(item, Mapping) and "op" in item:
                nodes += self.row(item, place) or (None,)  # the two halves of `between` stand in the group itself
            else:
                nodes.append(self.node(item, place, depth + 1))
        known = tuple(node for node in nodes if node is not None)
        if len(known) < len(nodes):
            return None
        return known[0] if len(known) == 1 else Chain(_GROUP[name], known)

    def expression(self, form: Condition, at: str) -> Node | None:
        self.only(form, ("expression",), at)
        text = form["expression"]
        if not isinstance(text, str):
            self.wrong(at, "An expression is text.")
            return None
        try:
            return read(text)
        except LanguageError as wrong:
            self.problems += [replace(problem, path=at) for problem in wrong.problems]
            return None

    def row(self, form: Condition, at: str) -> tuple[Node, ...] | None:
        self.only(form, ("field", "op", "value", "other"), at)
        field = self.field(form.get("field"), _under(at, "field"))
        if field is None:
            return None
        operator = OPERATORS.get(str(form.get("op", "")))
        if operator is None or operator not in operators_of(field):
            words = ", ".join(each.name for each in operators_of(field))
            self.wrong(_under(at, "op"), "Choose an operator." if not form.get("op") else f"Must be one of {words}.")
            return None
        try:
            return self.conjuncts(field, operator, form, at)
        except WrongValue as wrong:
            self.wrong(_under(at, "value"), f"The value {wrong}.")
            return None

    def field(self, path: object, at: str) -> Field | None:
        if not isinstance(path, str) or not path:
            self.wrong(at, "Choose a field.")
            return None
        field = self.schema.get(path)
        if field is None:
            self.wrong(at, f"`{path[:200]}` is not a known field.", self.schema.suggest(path[:200]))
        return field

    def conjuncts(self, field: Field, operator: Operator, form: Condition, at: str) -> tuple[Node, ...] | None:
        path, value = Path(tuple(field.path.split("."))), form.get("value")
        if operator.wants is Wants.TWO:
            if not isinstance(value, list | tuple) or len(value) != 2:
                raise WrongValue("must be two values, the lower one first")
            low, high = (literal(each, field.kind) for each in value)
            return Binary(">=", path, low), Binary("<=", path, high)
        if operator.wants is Wants.DAYS:
            number = days(value)
            low = NOW if operator.name == "next_days" else shifted("-", number)
            high = NOW if operator.name == "last_days" else shifted("+", number)
            return Binary(">=", path, low), Binary("<=", path, high)
        if operator.wants is Wants.NOTHING:
            return (_asked(operator.name, path),)
        node = self.compared(field, operator, path, form, at)
        return None if node is None else (node,)

    def compared(self, field: Field, operator: Operator, path: Path, form: Condition, at: str) -> Node | None:
        right: Node | None
        if "other" in form:
            right = self.other(field, operator, form["other"], _under(at, "other"))
            if right is None:
                return None
        elif operator.wants is Wants.MANY:
            right = _listed(form.get("value"), field.kind)
        else:
            right = literal(form.get("value"), (field.item or Kind.STRING) if field.kind is Kind.LIST else field.kind)
        node = _compared(operator, field, path, right)
        return Unary("!", node) if operator.name in ("not_one_of", "not_contains") else node

    def other(self, field: Field, operator: Operator, path: object, at: str) -> Node | None:
        other = self.field(path, at)
        if other is None:
            return None
        if not operator.compares or not comparable(field, operator, other):
            self.wrong(at, f"`{other.path}` cannot stand here: it is {other.type}.")
            return None
        return Path(tuple(other.path.split(".")))


def comparable(field: Field, operator: Operator, other: Field) -> bool:
    """Whether the other field may stand where a value of this field's row would."""
    if operator.wants is Wants.MANY:
        return other.kind is Kind.LIST and _alike(field.kind, other.item or Kind.STRING)
    return _alike(field.kind, other.kind)


def _alike(left: Kind, right: Kind) -> bool:
    return left == right or (left in NUMBERS and right in NUMBERS)


def _asked(name: str, path: Path) -> Node:
    node: Node = path if name in ("yes", "no") else Call("has", None, (path,))
    return Unary("!", node) if name in ("no", "missing") else node


def _listed(value: object, kind: Kind) -> Node:
    items = value if isinstance(value, list | tuple) else ()
    given = [item for item in items if item != ""]
    if not given:
        raise WrongValue("needs at least one entry")
    return ListOf(tuple(literal(item, kind) for item in given))


def _compared(operator: Operator, field: Field, path: Path, right: Node) -> Node:
    if operator.wants is Wants.MANY:
        return Binary("in", path, right)
    if field.kind is Kind.LIST:
        return Binary("in", right, path)
    if operator.sign in _SIGNS:
        return Binary(operator.sign, path, right)
    return Call(operator.sign, path, (right,))


class _Reading:
    """From a tree to a form."""

    def __init__(self, schema: Schema, groups: int) -> None:
        self.schema = schema
        self.groups = groups

    def node(self, node: Node, depth: int, *, within_all: bool) -> dict[str, Any]:
        row = self.row(node)
        if row is not None:
            return row
        if depth > self.groups:
            return {"expression": print_tree(node)}
        match node:
            case Chain(operator="&&", items=items):
                return self.all_of(items, depth, within_all=within_all)
            case Chain(operator="||", items=items):
                return {"any": [self.node(item, depth + 1, within_all=False) for item in items]}
            case Unary(operator="!", operand=Chain() as operand):
                return {"not": self.node(operand, depth, within_all=False)}
            case Unary(operator="!", operand=operand):
                return {"not": self.node(operand, depth + 1, within_all=False)}
        return {"expression": print_tree(node)}

    def all_of(self, items: tuple[Node, ...], depth: int, *, within_all: bool) -> dict[str, Any]:
        rows = self.paired(items, depth)
        if len(rows) > 1:
            return {"all": rows}
        # the one pair is the whole group: a row of its own, unless the group around it would take it apart
        return {"all": [self.node(item, depth + 1, within_all=True) for item in items]} if within_all else rows[0]

    def paired(self, items: tuple[Node, ...], depth: int) -> list[dict[str, Any]]:
        rows, number = [], 0
        while number < len(items):
            pair = self.pair(*items[number : number + 2]) if number + 1 < len(items) else None
            rows.append(pair or self.node(items[number], depth + 1, within_all=True))
            number += 2 if pair else 1
        return rows

    def pair(self, low: Node, high: Node) -> dict[str, Any] | None:
        match low, high:
            case (
                Binary(operator=">=", left=Path() as path, right=least),
                Binary(operator="<=", left=same, right=most),
            ):
                field = self.schema.get(path.dotted)
                return _pair(field, least, most) if field is not None and path == same else None
        return None

    def row(self, node: Node) -> dict[str, Any] | None:
        if isinstance(node, Unary) and node.operator == "!":
            row = self.plain(node.operand)
            opposite = _OPPOSITE.get(row["op"]) if row is not None else None
            return {**row, "op": opposite} if row is not None and opposite else None
        return self.plain(node)

    def plain(self, node: Node) -> dict[str, Any] | None:
        match node:
            case Path():
                return self.about(node, "yes")
            case Call(name="has", target=None, arguments=(Path() as path,)):
                return self.about(path, "present")
            case Call(name=name, target=Path() as path, arguments=(argument,)) if name in _METHODS:
                return None if self.is_list(path) else self.about(path, _METHODS[name], argument)
            case Binary(operator="in", left=Literal() as item, right=Path() as path):
                return self.about(path, "contains", item) if self.is_list(path) else None
            case Binary(operator="in", left=Path() as path, right=ListOf() | Path() as listed):
                return self.about(path, "one_of", listed)
            case Binary(operator=sign, left=Path() as path, right=right) if sign in _SIGNS:
                return self.about(path, _SIGNS[sign], right)
        return None

    def is_list(self, path: Path) -> bool:
        field = self.schema.get(path.dotted)
        return field is not None and field.kind is Kind.LIST

    def about(self, path: Path, name: str, right: Node | None = None) -> dict[str, Any] | None:
        field, operator = self.schema.get(path.dotted), OPERATORS[name]
        if field is None or operator not in operators_of(field):
            return None
        row = {"field": field.path, "op": name}
        if right is None:
            return row
        if isinstance(right, Path):
            other = self.schema.get(right.dotted)
            fits = other is not None and operator.compares and comparable(field, operator, other)
            return {**row, "other": right.dotted} if fits else None
        value = _values(right, field.kind) if operator.wants is Wants.MANY else _value(right, field)
        return None if value is None else {**row, "value": value}


def _value(node: Node, field: Field) -> str | None:
    return value_of(node, (field.item or Kind.STRING) if field.kind is Kind.LIST else field.kind)


def _values(node: Node, kind: Kind) -> list[str] | None:
    values = [value_of(item, kind) for item in node.items] if isinstance(node, ListOf) else []
    known = [value for value in values if value]
    return known if known and len(known) == len(values) else None


def _pair(field: Field, least: Node, most: Node) -> dict[str, Any] | None:
    low, high = value_of(least, field.kind), value_of(most, field.kind)
    if low is not None and high is not None and OPERATORS["between"] in operators_of(field):
        return {"field": field.path, "op": "between", "value": [low, high]}
    if field.kind is not Kind.TIMESTAMP:
        return None
    back, ahead = days_of(least, "-"), days_of(most, "+")
    if back and back == ahead:
        return {"field": field.path, "op": "within_days", "value": back}
    if back and most == NOW:
        return {"field": field.path, "op": "last_days", "value": back}
    if ahead and least == NOW:
        return {"field": field.path, "op": "next_days", "value": ahead}
    return None
