"""Rules of governance, words: a condition of a policy as a sentence that people read."""

from decimal import Decimal

from governance.language import Schema
from governance.language.printing import print_tree
from governance.language.tree import Binary, Call, Chain, ListOf, Literal, Node, Path, Unary

_RELATIONS = {
    "==": "is",
    "!=": "is not",
    ">": "above",
    ">=": "at least",
    "<": "below",
    "<=": "at most",
    "in": "is one of",
}
_JOINED = {"&&": " and ", "||": " or "}


def in_words(node: Node, schema: Schema) -> str:
    """Give a condition with the fields' labels in place of their paths: Amount above 5,000 and at most 25,000."""
    match node:
        case Chain(operator=operator, items=items):
            return _JOINED[operator].join(_within(item, schema) for item in items)
        case Unary(operator="!", operand=Path() as path):
            return f"{_label(path, schema)}: no"
        case Unary(operator="!", operand=operand):
            return f"not ({in_words(operand, schema)})"
        case Binary(operator="in", left=left, right=Path() as path):
            return f"{_label(path, schema)} include {_value(left, schema)}"
        case Binary(operator=operator, left=left, right=right) if operator in _RELATIONS:
            return f"{_value(left, schema)} {_RELATIONS[operator]} {_value(right, schema)}{_unit(left, right, schema)}"
        case Call(name="has", target=None, arguments=(Path() as path,)):
            return f"{_label(path, schema)} is given"
        case Path():
            return f"{_label(node, schema)}: yes"
    return print_tree(node)


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
    return print_tree(node)


def _unit(left: Node, right: Node, schema: Schema) -> str:
    field = schema.get(left.dotted) if isinstance(left, Path) else None
    unit = field.unit_for({}) if field is not None and isinstance(right, Literal) else ""
    return f" {unit}" if unit else ""
