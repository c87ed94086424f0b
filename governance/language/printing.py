"""The policy language, printed: from the syntax tree back to text that reads the same."""

from decimal import Decimal

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
)

_ATOM, _UNARY, _CHOICE = 9, 8, 1
_STRENGTH = {"||": 2, "&&": 3, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6}
_RELATION = 4
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def print_tree(node: Node) -> str:
    """Give the text of a tree; reading it again gives an equal tree."""
    match node:
        case Literal(value=value):
            return _literal(value)
        case Path():
            return node.dotted
        case ListOf(items=items):
            return f"[{_joined(items)}]"
        case Unary(operator=operator, operand=operand):
            return operator + _operand_of_unary(operand)
        case Binary(operator=operator, left=left, right=right):
            strength = _strength(node)
            return f"{_inside(left, strength)} {operator} {_inside(right, strength + 1)}"
        case Chain(operator=operator, items=items):
            return f" {operator} ".join(_inside(item, _strength(node) + 1) for item in items)
        case Choice(test=test, yes=yes, no=no):
            return f"{_inside(test, _CHOICE + 1)} ? {_inside(yes, _CHOICE + 1)} : {print_tree(no)}"
        case Call(name=name, target=target, arguments=arguments):
            prefix = "" if target is None else f"{_inside(target, _ATOM)}."
            return f"{prefix}{name}({_joined(arguments)})"
        case Variable(name=name):
            return name
        case Index(target=target, index=index):
            return f"{_inside(target, _ATOM)}[{print_tree(index)}]"
        case MapOf(entries=entries):
            return "{" + ", ".join(f"{print_tree(key)}: {print_tree(value)}" for key, value in entries) + "}"
        case Macro(name=name, target=target, variable=variable, items=items):
            return f"{_inside(target, _ATOM)}.{name}({variable.name}, {_joined(items)})"
    raise TypeError(f"{type(node).__name__} is no node of the language.")


def _joined(items: tuple[Node, ...]) -> str:
    return ", ".join(map(print_tree, items))


def _literal(value: bool | int | Decimal | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_ESCAPED.get(character, character) for character in value) + '"'
    if isinstance(value, Decimal):
        digits = format(value, "f")
        return digits if "." in digits else f"{digits}.0"
    return str(value)


def _operand_of_unary(operand: Node) -> str:
    is_number = isinstance(operand, Literal) and not isinstance(operand.value, bool | str)
    return f"({print_tree(operand)})" if is_number else _inside(operand, _UNARY)


def _inside(node: Node, least: int) -> str:
    text = print_tree(node)
    return f"({text})" if _strength(node) < least else text


def _strength(node: Node) -> int:
    match node:
        case Binary(operator=operator) | Chain(operator=operator):
            return _STRENGTH.get(operator, _RELATION)
        case Choice():
            return _CHOICE
        case Unary():
            return _UNARY
    return _ATOM
