"""Analysis of rules, regions: a condition as boxes, each a set of values for some fields; boxes intersect and subtract.

What a condition says about one field and constants becomes a domain of that field. Whatever else it says (`a > b`,
arithmetic, a text that starts with another) becomes a question of its own with the answers yes and no, so that a proof
over boxes holds for every request, while an example found in a box must still be tried.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from governance.language import EvaluationFailed, Kind, Missing, Schema
from governance.language.interpreting import evaluate
from governance.language.printing import print_tree
from governance.language.terms import (
    Application,
    Conjunction,
    Constant,
    Disjunction,
    Given,
    Listing,
    Negation,
    Read,
    Selection,
    Term,
    fields_of,
)
from governance.rules.analysis.domains import TRUTHS, Domain, Ordered, Values, Words, compared, every, none

MAX_BOXES = 256
MAX_PIECES = 2_000

Box = Mapping[str, Domain]
"""A domain for each field, or each question of its own (its name starts with `?`), that is not free."""

EVERYTHING: Box = {}


class TooManyBoxes(Exception):
    """The condition has too many alternatives to be looked at exactly."""


@dataclass(frozen=True, slots=True)
class Universe:
    """All that the fields and the questions of a set of rules can be."""

    schema: Schema
    lists: Mapping[str, Sequence[str]]

    def whole(self, name: str) -> Domain:
        """Everything that a field, or the answer to a question, can be."""
        field = self.schema.get(name)
        if field is None:
            return Domain(Words(TRUTHS), True)
        values = Words(frozenset(), True) if field.kind is Kind.LIST else every(field.kind, field.enum)
        return Domain(values, True)

    # --- boxes ------------------------------------------------------------------------------------------------
    def meet(self, left: Box, right: Box) -> Box | None:
        """What lies in both boxes; None when nothing does."""
        met = dict(left)
        for name, domain in right.items():
            both = met[name].meet(domain) if name in met else self.whole(name).meet(domain)
            if both.is_empty:
                return None
            met[name] = both
        return met

    def touch(self, left: Box, right: Box) -> bool:
        """Whether anything lies in both boxes: mostly one field that both name tells, and nothing is worked out."""
        new = []
        for name, domain in right.items():
            own = left.get(name)
            if own is None:
                new.append(name)
            elif not own.touches(domain):
                return False
        return all(self.whole(name).touches(right[name]) for name in new)

    def without(self, box: Box, other: Box) -> list[Box]:
        """What lies in the first box and not in the second, as boxes that do not overlap."""
        if not self.touch(box, other):
            return [box]
        pieces: list[Box] = []
        rest = dict(box)
        for name, domain in other.items():
            own = rest[name] if name in rest else self.whole(name)
            outside = own.without(domain)
            if not outside.is_empty:
                pieces.append({**rest, name: outside})
            rest[name] = own.meet(domain)
        return pieces

    def left_over(self, boxes: Iterable[Box], covers: Iterable[Box], *, at_most: int = MAX_PIECES) -> list[Box]:
        """What lies in one of the boxes and in none of the covers; raises TooManyBoxes when it falls in pieces."""
        left = list(boxes)
        for cover in covers:
            if not left:
                break
            left = [piece for box in left for piece in self.without(box, cover)]
            if len(left) > at_most:
                raise TooManyBoxes
        return left

    # --- conditions -------------------------------------------------------------------------------------------
    def region(
        self, term: Term | None, *, holds: bool = True, or_fails: bool = False, strict: bool = False
    ) -> list[Box]:
        """The boxes in which a yes/no term is true (`holds`) or false, with `or_fails` also those in which it cannot be
        worked out; `strict` leaves out the failures of questions of their own. Raises TooManyBoxes."""
        if term is None:
            return [EVERYTHING]
        return _Drawing(self, or_fails, strict).boxes(term, holds)


@dataclass(frozen=True, slots=True)
class _Drawing:
    universe: Universe
    or_fails: bool
    strict: bool

    def boxes(self, term: Term, holds: bool) -> list[Box]:
        match term:
            case Negation(operand=operand):
                return self.boxes(operand, not holds)
            case Conjunction(items=items):
                return self.all_of(items, holds) if holds else self.one_of(items, holds)
            case Disjunction(items=items):
                return self.one_of(items, holds) if holds else self.all_of(items, holds)
            case Selection():
                return self.selected(term, term.yes, term.no, holds)
        return self.atom(term, holds)

    def one_of(self, items: Iterable[Term], holds: bool) -> list[Box]:
        return _few([box for item in items for box in self.boxes(item, holds)])

    def all_of(self, items: Iterable[Term], holds: bool) -> list[Box]:
        found: list[Box] = [EVERYTHING]
        for item in items:
            found = self.both(found, self.boxes(item, holds))
        return found

    def both(self, left: list[Box], right: list[Box]) -> list[Box]:
        met = (self.universe.meet(one, other) for one in left for other in right)
        return _few([box for box in met if box is not None])

    def selected(self, choice: Selection, yes: Term, no: Term, holds: bool) -> list[Box]:
        exactly = replace(self, or_fails=False)
        first = self.both(exactly.boxes(choice.test, True), self.boxes(yes, holds))
        second = self.both(exactly.boxes(choice.test, False), self.boxes(no, holds))
        if not self.or_fails:
            return _few(first + second)
        broken = self.both(self.boxes(choice.test, True), self.boxes(choice.test, False))
        return _few(first + second + broken)

    def atom(self, term: Term, holds: bool) -> list[Box]:
        match term:
            case Constant(value=bool() as truth):
                return [EVERYTHING] if truth is holds else []
            case Given(path=path):
                whole = self.universe.whole(path)
                there = replace(whole, missing=False)
                return [{path: there if holds else whole.without(there)}]
            case Read(path=path):
                return self.field(path, Words(frozenset([holds])))
            case Application(operation=name, operands=(left, right)) if name in _MIRRORED:
                return self.comparison(term, name, left, right, holds)
            case Application(operation="is_in", operands=(left, right)):
                return self.membership(term, left, right, holds)
        return self.question(term, holds)

    def field(self, path: str, values: Values) -> list[Box]:
        domain = self.universe.whole(path).meet(Domain(values, self.or_fails))
        return [] if domain.is_empty else [{path: domain}]

    def comparison(self, term: Application, name: str, left: Term, right: Term, holds: bool) -> list[Box]:
        for side, operand in enumerate(term.operands):
            if isinstance(operand, Selection):
                yes, no = (_with_operand(term, side, each) for each in (operand.yes, operand.no))
                return self.selected(operand, yes, no, holds)
        left, right = _worked_out(left), _worked_out(right)
        if isinstance(left, Constant):
            left, right, name = right, left, _MIRRORED[name]
        if isinstance(left, Read) and isinstance(right, Constant):
            values = compared(left.type.kind, name if holds else _OPPOSITE[name], right.value)
            if values is not None:
                return self.field(left.path, values)
        return self.question(term, holds)

    def membership(self, term: Application, left: Term, right: Term, holds: bool) -> list[Box]:
        items = self.items_of(right)
        if not isinstance(left, Read) or items is None:
            return self.question(term, holds)
        values: Values = none(left.type.kind)
        if isinstance(values, Words):
            values = Words(frozenset(items), not holds)
        else:
            points = [compared(left.type.kind, "equal", item) for item in items]
            listed = Ordered(tuple(span for point in points if isinstance(point, Ordered) for span in point.spans))
            whole = every(left.type.kind)
            values = listed if holds else whole.without(listed)  # type: ignore[arg-type]
        return self.field(left.path, values)

    def items_of(self, term: Term) -> list[Any] | None:
        if isinstance(term, Listing) and all(isinstance(item, Constant) for item in term.items):
            return [item.value for item in term.items if isinstance(item, Constant)]
        if isinstance(term, Constant) and isinstance(term.value, tuple | list):
            return list(term.value)
        if isinstance(term, Read) and term.path.startswith("lists."):
            known = self.universe.lists.get(term.path.removeprefix("lists."))
            return None if known is None else list(known)
        return None

    def question(self, term: Term, holds: bool) -> list[Box]:
        name, truth = _named(term, holds)
        return [{name: Domain(Words(frozenset([truth])), self.or_fails or not self.strict)}]


def _with_operand(term: Application, side: int, operand: Term) -> Application:
    left, right = term.operands
    return replace(term, operands=(operand, right) if side == 0 else (left, operand))


def _worked_out(term: Term) -> Term:
    """What needs no field as the value it has, such as `-5` or `2 * 60`."""
    if isinstance(term, Constant | Listing) or fields_of(term):
        return term
    try:
        return Constant(term.type, term.node, evaluate(term, {}))
    except (Missing, EvaluationFailed, TypeError):
        return term


_MIRRORED = {
    "equal": "equal", "different": "different", "less": "more", "more": "less",
    "at_most": "at_least", "at_least": "at_most",
}  # fmt: skip
_OPPOSITE = {
    "equal": "different", "different": "equal", "less": "at_least", "at_least": "less",
    "more": "at_most", "at_most": "more",
}  # fmt: skip
_SIGNS = {"equal": "==", "different": "!=", "less": "<", "more": ">", "at_most": "<=", "at_least": ">="}
_POSITIVE = frozenset({"equal", "more", "at_least"})


def _named(term: Term, holds: bool) -> tuple[str, bool]:
    """One name for a question and its opposite, `a > b` and `a <= b`, and which of the two answers is meant."""
    if isinstance(term, Application) and term.operation in _MIRRORED and len(term.operands) == 2:
        name, (left, right) = term.operation, map(_printed, term.operands)
        if name not in _POSITIVE:
            name, holds = _OPPOSITE[name], not holds
        if name == "equal" and right < left:
            left, right = right, left
        return f"?{left} {_SIGNS[name]} {right}", holds
    return f"?{_printed(term)}", holds


def _printed(term: Term) -> str:
    return print_tree(term.node)


def _few(boxes: list[Box]) -> list[Box]:
    if len(boxes) > MAX_BOXES:
        raise TooManyBoxes
    return boxes


def is_question(name: str) -> bool:
    """Whether a dimension of a box is a question of its own and no field."""
    return name.startswith("?")


def fields_in(box: Box) -> Iterator[tuple[str, Domain]]:
    """The fields of a box with their domains."""
    return ((name, domain) for name, domain in box.items() if not is_question(name))
