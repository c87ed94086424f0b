"""The policy language, the checker's operators: arithmetic, comparison, membership, lists, maps and their items."""

from governance.language import meanings
from governance.language.checking.base import BOOL, SIMPLE, Base, common_type
from governance.language.printing import print_tree
from governance.language.terms import (
    Application,
    Conjunction,
    Constant,
    Disjunction,
    Listing,
    Mapping,
    Negation,
    Selection,
    Term,
)
from governance.language.tree import Binary, Chain, Choice, Index, ListOf, MapOf, Node, Unary
from governance.language.values import NUMBERS, Kind, Type

_KEYS = (Kind.STRING, Kind.INT, Kind.BOOL)


class Operators(Base):
    """Operators, lists and maps."""

    def listing(self, node: ListOf) -> Term | None:
        items = self.terms(node.items)
        if items is None:
            return None
        common: Type | None = items[0].type if items else None
        for item in items:
            common = common and common_type(common, item.type)
            if common is None or common.kind not in SIMPLE:
                self.problem(item.node, "The items of a list must all have the same simple type.")
                return None
        return Listing(Type(Kind.LIST, common.kind if common else None), node, items)

    def unary(self, node: Unary) -> Term | None:
        if node.operator == "!":
            operand = self.boolean(node.operand, "`!`")
            return operand and Negation(BOOL, node, operand)
        operand = self.term(node.operand)
        if operand is None:
            return None
        if operand.type.kind not in NUMBERS:
            self.problem(node, f"`-` wants a number, but this is {operand.type}.")
            return None
        return Application(operand.type, node, f"negate_{operand.type.kind}", (operand,))

    def chain(self, node: Chain) -> Term | None:
        found = [self.boolean(item, f"`{node.operator}`") for item in node.items]
        items = tuple(item for item in found if item is not None)
        if len(items) < len(found):
            return None
        return (Conjunction if node.operator == "&&" else Disjunction)(BOOL, node, items)

    def choice(self, node: Choice) -> Term | None:
        test = self.boolean(node.test, "`?`")
        yes, no = self.term(node.yes), self.term(node.no)
        if test is None or yes is None or no is None:
            return None
        common = common_type(yes.type, no.type)
        if common is None:
            self.problem(node, f"Both sides of `:` must have one type, but they are {yes.type} and {no.type}.")
            return None
        return Selection(common, node, test, yes, no)

    def binary(self, node: Binary) -> Term | None:
        left, right = self.term(node.left), self.term(node.right)
        if left is None or right is None:
            return None
        if node.operator == "in":
            return self.membership(node, left, right)
        if node.operator in meanings.COMPARISONS:
            return self.comparison(node, left, right)
        return self.arithmetic(node, left, right)

    def membership(self, node: Binary, left: Term, right: Term) -> Term | None:
        if right.type.kind not in (Kind.LIST, Kind.MAP):
            hint = "For a part of a text ask `text.contains(part)`." if right.type.kind is Kind.STRING else None
            self.problem(node.right, f"`in` wants a list on its right, but this is {right.type}.", hint)
            return None
        item = right.type.key if right.type.kind is Kind.MAP else right.type.item
        if left.type.kind not in SIMPLE or (item is not None and common_type(left.type, Type(item)) is None):
            self.problem(node, f"{left.type} can never be in a {right.type}.")
            return None
        if isinstance(right, Listing):
            self.known_words(left, right.items)
        else:
            self.known_words(right, (left,))
        return Application(BOOL, node, "is_in", (left, right))

    def comparison(self, node: Binary, left: Term, right: Term) -> Term | None:
        common = common_type(left.type, right.type)
        if common is None:
            message = f"{left.type} and {right.type} cannot be compared with `{node.operator}`."
            self.problem(node, message, self.quotes_hint(left, right))
            return None
        if node.operator not in ("==", "!="):
            return self.ordering(node, left, right, common)
        self.known_words(left, (right,))
        self.known_words(right, (left,))
        table = meanings.LIST_COMPARISONS if common.kind is Kind.LIST else meanings.COMPARISONS
        return Application(BOOL, node, table[node.operator], (left, right))

    def ordering(self, node: Binary, left: Term, right: Term, common: Type) -> Term | None:
        if common.kind not in meanings.ORDERED:
            self.problem(node, f"`{node.operator}` cannot order {common} values.")
            return None
        return Application(BOOL, node, meanings.COMPARISONS[node.operator], (left, right))

    def quotes_hint(self, left: Term, right: Term) -> str | None:
        for term, other in ((left, right), (right, left)):
            if isinstance(term, Constant) and isinstance(term.value, str) and other.type.kind in NUMBERS:
                return "Write the number without quotes."
            if term.type.kind is Kind.BOOL and other.type.kind in NUMBERS:
                return "Join two comparisons with `&&`, such as `1 < x && x < 5`."
        return None

    def arithmetic(self, node: Binary, left: Term, right: Term) -> Term | None:
        common = common_type(left.type, right.type)
        if common is not None and common.kind in NUMBERS:
            name = f"{meanings.NUMERIC[node.operator]}_{common.kind}"
            return Application(common, node, name, (left, right))
        if common is not None and common.kind is Kind.LIST and node.operator == "+":
            return Application(common, node, "join_lists", (left, right))
        meaning = meanings.OTHER_ARITHMETIC.get((node.operator, left.type.kind, right.type.kind))
        if meaning is None:
            self.problem(node, f"`{node.operator}` has no meaning between {left.type} and {right.type}.")
            return None
        return Application(Type(meaning[1]), node, meaning[0], (left, right))

    def table(self, node: MapOf) -> Term | None:
        """Check a map: keys are written values of one kind, each once; values have one simple type."""
        keys, values = self.keys(node), self.terms(tuple(value for _, value in node.entries))
        if keys is None or values is None:
            return None
        common: Type | None = values[0].type if values else None
        for value in values:
            common = common and common_type(common, value.type)
            if common is None or common.kind not in SIMPLE:
                self.problem(value.node, "The values of a map must all have the same simple type.")
                return None
        kind = keys[0].type.kind if keys else None
        item = common.kind if common is not None else None
        return Mapping(Type(Kind.MAP, item, kind), node, tuple(key.value for key in keys), values)

    def keys(self, node: MapOf) -> list[Constant] | None:
        found: list[Constant] = []
        for key, _ in node.entries:
            term = self.term(key)
            if term is None:
                return None
            if not isinstance(term, Constant) or term.type.kind not in _KEYS:
                self.problem(key, "A key of a map is a text, a whole number, true or false, written out.")
                return None
            if found and found[0].type != term.type:
                self.problem(key, "The keys of a map must all have the same type.")
                return None
            if any(known.value == term.value for known in found):
                self.problem(key, f"The key `{print_tree(key)}` stands twice in this map.")
                return None
            found.append(term)
        return found

    def index(self, node: Index) -> Term | None:
        found = self.terms((node.target, node.index))
        if found is None:
            return None
        target, index = found
        kind = Kind.INT if target.type.kind is Kind.LIST else target.type.key
        if target.type.kind not in (Kind.LIST, Kind.MAP):
            self.problem(node, f"Only a list or a map has items to pick, but this is {target.type}.")
            return None
        if target.type.item is None or index.type.kind is not kind:
            wanted = f"wants {kind}, but this is {index.type}" if target.type.item else "finds nothing in what is empty"
            self.problem(node.index, f"`[ ]` {wanted}.")
            return None
        operation, more = ("entry", ()) if target.type.kind is Kind.MAP else ("item", (_kind(node, target),))
        if isinstance(target, Mapping):
            self.known_words(index, tuple(Constant(index.type, key, value) for (key, _), value in _pairs(target)))
        return Application(Type(target.type.item), node, operation, (target, index, *more))


def _kind(node: Node, items: Term) -> Constant:
    """The kind of the items as a constant: who reads a list of the facts checks them by it."""
    return Constant(BOOL, node, items.type.item)


def _pairs(table: Mapping) -> list[tuple[tuple[Node, Node], object]]:
    node = table.node
    return list(zip(node.entries, table.keys, strict=True)) if isinstance(node, MapOf) else []
