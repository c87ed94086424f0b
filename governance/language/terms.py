"""The policy language, its typed terms: what the checker makes of a tree for interpreter and compiler."""

from collections.abc import Iterator
from dataclasses import dataclass

from governance.language.tree import Node
from governance.language.values import Type


@dataclass(frozen=True, slots=True)
class Term:
    """A part of an expression whose type is known; `node` is the syntax it came from."""

    type: Type
    node: Node


@dataclass(frozen=True, slots=True)
class Constant(Term):
    """A value that never changes."""

    value: object


@dataclass(frozen=True, slots=True)
class Read(Term):
    """The value of a field."""

    path: str


@dataclass(frozen=True, slots=True)
class Given(Term):
    """Whether a field was given: `has(field)`."""

    path: str


@dataclass(frozen=True, slots=True)
class Negation(Term):
    """`!operand`."""

    operand: Term


@dataclass(frozen=True, slots=True)
class Conjunction(Term):
    """All items are true."""

    items: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Disjunction(Term):
    """At least one item is true."""

    items: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Selection(Term):
    """`test ? yes : no`."""

    test: Term
    yes: Term
    no: Term


@dataclass(frozen=True, slots=True)
class Listing(Term):
    """A list made from its items."""

    items: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Mapping(Term):
    """A map made from its keys, which never change, and its values."""

    keys: tuple[object, ...]
    values: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Item(Term):
    """The item that a loop looks at; `path` is the list field it comes from, if it comes from one."""

    name: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Loop(Term):
    """A macro over the items of `range`; without `test` every item counts, without `value` items stay what they are."""

    macro: str
    range: Term
    item: Item
    test: Term | None
    value: Term | None


@dataclass(frozen=True, slots=True)
class Application(Term):
    """An operation by its name in the table of meanings, with its operands."""

    operation: str
    operands: tuple[Term, ...]


def parts(term: Term) -> tuple[Term, ...]:
    """Give the terms directly below a term."""
    match term:
        case Conjunction(items=items) | Disjunction(items=items) | Listing(items=items):
            return items
        case Negation(operand=operand):
            return (operand,)
        case Selection(test=test, yes=yes, no=no):
            return (test, yes, no)
        case Application(operands=operands):
            return operands
        case Loop(range=inner, test=test, value=value):
            return tuple(part for part in (inner, test, value) if part is not None)
        case Mapping(values=values):
            return values
    return ()


def walk(term: Term) -> Iterator[Term]:
    """Walk over a term and everything below it."""
    waiting = [term]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(reversed(parts(part)))


def fields_of(term: Term) -> frozenset[str]:
    """Give the dotted paths a term reads or asks for."""
    return frozenset(part.path for part in walk(term) if isinstance(part, Read | Given))


def origin(term: Term) -> str:
    """Give the path of the field that a value, or each item of a list, comes from; nothing when it is worked out."""
    match term:
        case Read(path=path) | Item(path=path):
            return path
        case Loop(macro="filter", range=inner) | Application(operation="items" | "item", operands=(inner, *_)):
            return origin(inner)
    return ""
