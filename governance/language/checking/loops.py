"""The policy language, the checker's macros: loops over the items of a list, and what they can cost."""

from governance.language.checking.base import BOOL, SIMPLE, Base
from governance.language.reading import MAX_NESTING
from governance.language.terms import Application, Constant, Item, Listing, Loop, Term, origin
from governance.language.tree import Macro, Variable
from governance.language.values import Kind, Type


class Loops(Base):
    """Macros and the items they look at."""

    def item(self, node: Variable) -> Term | None:
        known = self.loops.get(node.name)
        if known is None:
            self.problem(node, f"`{node.name}` is not the name of an item here.")
            return None
        return Item(known.type, node, known.name, known.path)

    def macro(self, node: Macro) -> Term | None:
        target = self.term(node.target)
        if target is None or not self._may_loop(node, target):
            return None
        name, kind = node.variable.name, target.type.key if target.type.kind is Kind.MAP else target.type.item
        if kind is None:
            self.problem(node.target, f"`{node.name}` finds nothing in what is always empty.")
            return None
        item = Item(Type(kind), node.variable, name, origin(target))
        self.loops[name], self.has_loops = item, True
        loop = self._mapping(node, target, item) if node.name == "map" else self._asking(node, target, item)
        del self.loops[name]
        return loop

    def _may_loop(self, node: Macro, target: Term) -> bool:
        name = node.variable.name
        if target.type.kind not in (Kind.LIST, Kind.MAP):
            self.problem(target.node, f"`{node.name}` works on list, but this is {target.type}.")
        elif len(self.loops) >= MAX_NESTING:
            self.problem(node, f"Macros are nested deeper than {MAX_NESTING} levels.")
        elif name in self.loops:
            self.problem(node.variable, f"`{name}` is the name of an item already.", "Give this item another name.")
        elif self.schema.get(name) is not None or self.schema.group(name):
            self.problem(node.variable, f"`{name}` begins the name of fields.", "Give the item another name.")
        else:
            return True
        return False

    def _asking(self, node: Macro, target: Term, item: Item) -> Term | None:
        test = self.boolean(node.items[0], f"`{node.name}`")
        if test is None:
            return None
        kept = _listed(target.type) if node.name == "filter" else BOOL
        return Loop(kept, node, node.name, _checked(target), item, test, None)

    def _mapping(self, node: Macro, target: Term, item: Item) -> Term | None:
        *tests, made = node.items
        test = self.boolean(tests[0], "`map`") if tests else None
        value = self.term(made)
        if value is None or (tests and test is None):
            return None
        if value.type.kind not in SIMPLE:
            self.problem(made, f"`map` must make simple values, but this is {value.type}.")
            return None
        return Loop(Type(Kind.LIST, value.type.kind), node, "map", _checked(target), item, test, value)


def _listed(type_: Type) -> Type:
    return Type(Kind.LIST, type_.key) if type_.kind is Kind.MAP else type_


def _checked(items: Term) -> Term:
    """The list with a check of its items, unless the language itself made it."""
    if isinstance(items, Listing | Loop) or items.type.kind is Kind.MAP:
        return items
    return Application(items.type, items.node, "items", (items, Constant(BOOL, items.node, items.type.item)))
