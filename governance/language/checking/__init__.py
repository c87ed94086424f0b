"""The policy language, its types: from the syntax tree and a schema to typed terms, or to problems."""

from governance.language.checking.base import Base
from governance.language.checking.calls import Calls
from governance.language.checking.loops import Loops
from governance.language.checking.operators import Operators
from governance.language.costs import MAX_COST, cost_of
from governance.language.problems import LanguageError
from governance.language.schema import Schema
from governance.language.terms import Constant, Read, Term
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
from governance.language.values import Kind, Type

__all__ = ["Base", "check"]

_LITERALS = {kind: Type(kind) for kind in Kind}


def check(tree: Node, schema: Schema, text: str, *, expects: Kind | None) -> Term:
    """Give the typed term of a tree; raise LanguageError with every problem and its place in `text`."""
    checker = _Checker(schema, text)
    term = checker.term(tree)
    if term is not None and expects is not None and not _accepts(expects, term.type):
        checker.problem(tree, f"The expression gives {term.type}, but {expects} is wanted.")
    if term is not None and checker.has_loops and (cost := cost_of(term, schema)) > MAX_COST:
        hint = "Loop over shorter lists, or over one list after the other."
        checker.problem(tree, f"The expression may take {cost:,} steps; at most {MAX_COST:,} are allowed.", hint)
    if checker.problems or term is None:
        raise LanguageError(checker.problems)
    return term


def _accepts(wanted: Kind, given: Type) -> bool:
    return given.kind is wanted or (wanted is Kind.DECIMAL and given.kind is Kind.INT)


class _Checker(Calls, Loops, Operators):
    def term(self, node: Node) -> Term | None:
        match node:
            case Path():
                field = self.field(node)
                return Read(field.type, node, field.path) if field else None
            case Literal():
                return Constant(_LITERALS[node.kind], node, node.value)
            case Binary():
                return self.binary(node)
            case Chain():
                return self.chain(node)
            case Call():
                return self.call(node)
            case ListOf():
                return self.listing(node)
            case Unary():
                return self.unary(node)
            case Choice():
                return self.choice(node)
            case _:
                return self.of_items(node)

    def of_items(self, node: Node) -> Term | None:
        match node:
            case Variable():
                return self.item(node)
            case Macro():
                return self.macro(node)
            case Index():
                return self.index(node)
            case MapOf():
                return self.table(node)
        raise TypeError(f"{type(node).__name__} is no node of the language.")
