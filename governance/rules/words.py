"""Rules of governance, words: a condition of a policy as a sentence that people read."""

from decimal import Decimal

from governance.language import Schema
from governance.language.printing import print_tree
from governance.language.tree import (
    Binary,
    Call,
    Chain,
    Choice,
    Index,
    ListOf,
    Literal,
    Macro,
    MapOf,
    Node,
    Path,
    Unary,
    Variable,
    with_depth,
)

_RELATIONS = {
    "==": "is",
    "!=": "is not",
    ">": "above",
    ">=": "at least",
    "<": "below",
    "<=": "at most",
    "in": "is one of",
}
_ASKED = {
    "startsWith": "starts with",
    "endsWith": "ends with",
    "contains": "contains",
    "matches": "matches the pattern",
}
_LOOPED = {"all": "each", "exists": "at least one", "exists_one": "exactly one"}
_PARTS = {
    "getFullYear": "year",
    "getMonth": "month (0 to 11)",
    "getDate": "day of the month",
    "getDayOfMonth": "day of the month (from 0)",
    "getDayOfWeek": "day of the week (0 is Sunday)",
    "getDayOfYear": "day of the year (from 0)",
    "getHours": "hours",
    "getMinutes": "minutes",
    "getSeconds": "seconds",
    "getMilliseconds": "milliseconds",
}
_ARITHMETIC = {"+": "plus", "-": "minus", "*": "times", "/": "divided by", "%": "modulo"}
_JOINED = {"&&": " and ", "||": " or "}


def in_words(node: Node, schema: Schema) -> str:
    """Give a condition with the fields' labels in place of their paths: Amount above 5,000 and at most 25,000."""
    match node:
        case Chain(operator=operator, items=items):
            return _JOINED[operator].join(_within(item, schema) for item in items)
        case Unary(operator="!", operand=Path() as path):
            return f"{_label(path, schema)}: no"
        case Unary(operator="!", operand=Call(name="has", target=None, arguments=(Path() as path,))):
            return f"{_label(path, schema)} is missing"
        case Unary(operator="!", operand=operand):
            return f"not ({in_words(operand, schema)})"
        case Binary(operator="in", left=left, right=Path() as path):
            return f"{_label(path, schema)} include {_value(left, schema)}"
        case Binary(operator=operator, left=left, right=right) if operator in _RELATIONS:
            return f"{_value(left, schema)} {_RELATIONS[operator]} {_value(right, schema)}{_unit(left, right, schema)}"
        case Call(name="has", target=None, arguments=(Path() as path,)):
            return f"{_label(path, schema)} is given"
        case Call(name=name, target=Node() as target, arguments=(part,)) if name in _ASKED:
            return f"{_value(target, schema)} {_ASKED[name]} {_value(part, schema)}"
        case Macro(name=name) if name in _LOOPED:
            return _loop(node, schema)
        case Choice(test=test, yes=yes, no=no):
            sides = (_within(side, schema) for side in (test, yes, no))
            return "if {}, then {}, else {}".format(*sides)
        case Path():
            return f"{_label(node, schema)}: yes"
        case Variable(name=name):
            return f"{name}: yes"
    return print_tree(node)


def _loop(node: Macro, schema: Schema) -> str:
    """Each of Tags is urgent; where the item stands elsewhere too, it keeps its name."""
    which, items, (test, *_) = _LOOPED[node.name], _value(node.target, schema), node.items
    short = test if isinstance(test, Binary) and test.operator in _RELATIONS else None
    if isinstance(test, Call) and test.name in _ASKED and test.target == node.variable:
        return f"{which} of {items} {_ASKED[test.name]} {_value(test.arguments[0], schema)}"
    if short is not None and short.left == node.variable and not _names(short.right, node.variable):
        return f"{which} of {items} {_RELATIONS[short.operator]} {_value(short.right, schema)}"
    return f"{which} {node.variable.name} of {items} with {_within(test, schema)}"


def _names(node: Node, variable: Variable) -> bool:
    return any(each == variable for each, _ in with_depth(node))


def conjuncts(node: Node | None) -> tuple[Node, ...]:
    """Give the conditions that must all hold, one by one."""
    if node is None:
        return ()
    return node.items if isinstance(node, Chain) and node.operator == "&&" else (node,)


def _within(node: Node, schema: Schema) -> str:
    text = in_words(node, schema)
    return f"({text})" if isinstance(node, Chain) else text


def _label(path: Path, schema: Schema) -> str:
    field = schema.get(path.dotted)
    return field.words if field is not None else path.dotted


def _value(node: Node, schema: Schema) -> str:
    match node:
        case Path():
            return _label(node, schema)
        case Literal(value=bool() as truth):
            return "yes" if truth else "no"
        case Literal(value=int() | Decimal() as number):
            return f"{number:,}"
        case Literal(value=str() as text):
            return text
        case ListOf(items=items):
            return ", ".join(_value(item, schema) for item in items)
        case Variable(name=name):
            return name
        case Call():
            return _called(node, schema)
        case Binary(operator=sign, left=left, right=right) if sign in _ARITHMETIC:
            return f"{_operand(left, schema)} {_ARITHMETIC[sign]} {_operand(right, schema)}"
    return _picked(node, schema)


def _operand(node: Node, schema: Schema) -> str:
    text = _value(node, schema)
    return f"({text})" if isinstance(node, Binary) else text


def _called(node: Call, schema: Schema) -> str:
    match node:
        case Call(name="size", target=None, arguments=(counted,)) | Call(name="size", target=Node() as counted):
            return f"the size of {_value(counted, schema)}"
        case Call(name="duration" | "timestamp", arguments=(Literal(value=text),)):
            return str(text)
        case Call(name="min" | "max", arguments=values):
            which = "the lowest of" if node.name == "min" else "the highest of"
            return f"{which} {', '.join(_value(value, schema) for value in values)}"
        case Call(name="lowerAscii", target=Node() as text):
            return f"{_value(text, schema)} in small letters"
        case Call(name=name, target=Node() as moment, arguments=zone) if name in _PARTS:
            place = f" in {_value(zone[0], schema)}" if zone else ""
            return f"{_PARTS[name]} of {_value(moment, schema)}{place}"
    return print_tree(node)


def _picked(node: Node, schema: Schema) -> str:
    match node:
        case Index(target=MapOf(entries=entries), index=index):
            pairs = ", ".join(f"{_value(key, schema)} {_value(value, schema)}" for key, value in entries)
            return f"the value for {_value(index, schema)} ({pairs})"
        case Index(target=target, index=Literal(value=int() as at)):
            return f"item {at + 1} of {_value(target, schema)}"
        case Macro(name="filter", target=target, variable=variable, items=(test,)):
            return f"{_value(target, schema)} (only {variable.name} with {in_words(test, schema)})"
        case Choice(test=test, yes=yes, no=no):
            return f"{_value(yes, schema)} if {in_words(test, schema)}, else {_value(no, schema)}"
        case Chain() | Unary(operator="!"):
            return f"({in_words(node, schema)})"
    return print_tree(node)


def _unit(left: Node, right: Node, schema: Schema) -> str:
    field = schema.get(left.dotted) if isinstance(left, Path) else None
    unit = field.unit_for({}) if field is not None and isinstance(right, Literal) else ""
    return f" {unit}" if unit else ""
