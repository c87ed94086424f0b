"""The policy language, what every part of the checker needs: the schema, the problems noted, the items in sight."""

from abc import ABC, abstractmethod

from governance.language.problems import MAX_PROBLEMS, LanguageError, Problem, did_you_mean, problem_at
from governance.language.schema import LISTS, Field, Schema
from governance.language.terms import Constant, Item, Term, origin
from governance.language.tree import Node, Path
from governance.language.values import NUMBERS, Kind, Type

BOOL = Type(Kind.BOOL)
SIMPLE = frozenset(Kind) - {Kind.LIST, Kind.MAP}


def common_type(left: Type, right: Type) -> Type | None:
    """The type both values have or may be read as; None when there is none."""
    if left == right:
        return left
    if left.kind in NUMBERS and right.kind in NUMBERS:
        return Type(Kind.DECIMAL)
    if left.kind is Kind.LIST and right.kind is Kind.LIST:
        return _common_list(left.item, right.item)
    if left.kind is Kind.MAP and right.kind is Kind.MAP:
        return _common_map(left, right)
    return None


def _common_list(left: Kind | None, right: Kind | None) -> Type | None:
    if left is None or right is None:
        return Type(Kind.LIST, left or right)
    item = common_type(Type(left), Type(right))
    return item and Type(Kind.LIST, item.kind)


def _common_map(left: Type, right: Type) -> Type | None:
    if left.item is None or right.item is None:
        return right if left.item is None else left
    item = common_type(Type(left.item), Type(right.item))
    return Type(Kind.MAP, item.kind, left.key) if item and left.key is right.key else None


class Base(ABC):
    """A method gives None when it has noted a problem, so that one mistake is told once."""

    def __init__(self, schema: Schema, text: str) -> None:
        self.schema = schema
        self.text = text
        self.problems: list[Problem] = []
        self.loops: dict[str, Item] = {}
        self.has_loops = False

    @abstractmethod
    def term(self, node: Node) -> Term | None:
        """Give the typed term of any node."""

    def problem(self, node: Node, message: str, suggestion: str | None = None) -> None:
        """Note what is wrong with a part; after 20 problems the check ends."""
        self.problems.append(problem_at(self.text, node.start, node.end, message, suggestion))
        if len(self.problems) == MAX_PROBLEMS:
            raise LanguageError(self.problems)

    def terms(self, nodes: tuple[Node, ...]) -> tuple[Term, ...] | None:
        """Give the terms of all nodes, or None when one has a problem."""
        found = [self.term(node) for node in nodes]
        known = tuple([term for term in found if term is not None])
        return known if len(known) == len(found) else None

    def boolean(self, node: Node, where: str) -> Term | None:
        """Give the term of what must be true or false."""
        term = self.term(node)
        if term is not None and term.type != BOOL:
            self.problem(node, f"{where} wants bool, but this is {term.type}.")
            return None
        return term

    def field(self, node: Path) -> Field | None:
        """Give the field of a path."""
        field = self.schema.get(node.dotted)
        if field is None:
            kind = "list" if node.dotted.startswith(LISTS) else "field"
            self.problem(node, f"`{node.dotted}` is not a known {kind}.", self._suggested(node))
        return field

    def _suggested(self, node: Path) -> str | None:
        if len(node.parts) == 1 and self.loops and (near := did_you_mean(node.dotted, self.loops)):
            return near
        return self.schema.suggest(node.dotted)

    def known_words(self, left: Term, others: tuple[Term, ...]) -> None:
        """Refuse a word that the field's list of words does not have: such a comparison is never true."""
        field = self.schema.get(origin(left))
        if field is None or not field.enum:
            return
        for other in others:
            if isinstance(other, Constant) and isinstance(other.value, str) and other.value not in field.enum:
                hint = did_you_mean(other.value, field.enum)
                words = ", ".join(field.enum)
                self.problem(other.node, f"`{field.path}` is never `{other.value}`; it is one of {words}.", hint)
