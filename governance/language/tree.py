"""The policy language, its syntax tree: what the text says, before any type is known."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from governance.language.values import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A part of an expression; `start` and `end` are its place and do not count in comparisons."""

    start: int = field(default=0, compare=False, repr=False)
    end: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A value written in the text."""

    value: bool | int | Decimal | str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Path(Node):
    """A field, such as `context.amount`."""

    parts: tuple[str, ...]

    @property
    def dotted(self) -> str:
        """The path as one string."""
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    """A list written in the text."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapOf(Node):
    """A map written in the text: pairs of key and value."""

    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`target[index]`: an item of a list by its number, or a value of a map by its key."""

    target: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """The item that a macro looks at; it is no field."""

    name: str


@dataclass(frozen=True, slots=True)
class Macro(Node):
    """`target.exists(x, condition)` and its kin; `items` are the expressions in which `variable` may stand."""

    name: str
    target: Node
    variable: Variable
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`!x` or `-x`."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Two operands with an arithmetic or comparing operator between them."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """Two or more operands with `&&` or `||` between them."""

    operator: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice(Node):
    """`test ? yes : no`."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function `name(arguments)` or, with a target, a method `target.name(arguments)`."""

    name: str
    target: Node | None
    arguments: tuple[Node, ...]


def children(node: Node) -> tuple[Node, ...]:
    """Give the nodes directly below a node, from left to right."""
    match node:
        case ListOf(items=items) | Chain(items=items):
            return items
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Choice(test=test, yes=yes, no=no):
            return (test, yes, no)
        case Call(target=target, arguments=arguments):
            return arguments if target is None else (target, *arguments)
        case Macro(target=target, items=items):
            return (target, *items)
        case Index(target=target, index=index):
            return (target, index)
        case MapOf(entries=entries):
            return tuple(part for entry in entries for part in entry)
    return ()


def with_depth(root: Node) -> Iterator[tuple[Node, int]]:
    """Walk over all nodes with their depth (the root has 1), without recursion."""
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in children(node))
