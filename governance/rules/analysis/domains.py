"""Analysis of rules, domains: the set of values that a condition leaves one field, and whether it may be missing.

Every set here is exact: `meet` and `without` are the intersection and the difference of sets.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from governance.language import Kind

Bound = Any  # Decimal, datetime or timedelta; all bounds of one field are of one kind


@dataclass(frozen=True, slots=True)
class Span:
    """The values between two bounds; None is no bound, an open bound is outside."""

    low: Bound | None = None
    high: Bound | None = None
    low_open: bool = False
    high_open: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing lies between the bounds."""
        if self.low is None or self.high is None:
            return False
        return bool(self.low > self.high) or (self.low == self.high and (self.low_open or self.high_open))

    def meet(self, other: "Span") -> "Span":
        """What lies in both."""
        low, low_open = _tighter(self.low, self.low_open, other.low, other.low_open, above=True)
        high, high_open = _tighter(self.high, self.high_open, other.high, other.high_open, above=False)
        return Span(low, high, low_open, high_open)

    def outside(self) -> tuple["Span", ...]:
        """What lies below and above."""
        below = () if self.low is None else (Span(None, self.low, False, not self.low_open),)
        above = () if self.high is None else (Span(self.high, None, not self.high_open, False),)
        return (*below, *above)


def _tighter(left: Bound, left_open: bool, right: Bound, right_open: bool, *, above: bool) -> tuple[Bound, bool]:
    if left is None or right is None:
        return (right, right_open) if left is None else (left, left_open)
    if left == right:
        return left, left_open or right_open
    return (left, left_open) if (left > right) is above else (right, right_open)


def _overlap(left: Span, right: Span) -> bool:
    return _begins(left, right) and _begins(right, left)


def _begins(left: Span, right: Span) -> bool:
    # Whether the first begins before the second has ended.
    if left.low is None or right.high is None:
        return True
    if left.low == right.high:
        return not (left.low_open or right.high_open)
    return bool(left.low < right.high)


@dataclass(frozen=True, slots=True)
class Ordered:
    """Numbers, moments or lengths of time, as spans that do not touch one another."""

    spans: tuple[Span, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is no value."""
        return not self.spans

    def touches(self, other: "Ordered") -> bool:
        """Whether a value lies in both: what `meet` says, without working it out."""
        return any(_overlap(left, right) for left in self.spans for right in other.spans)

    def meet(self, other: "Ordered") -> "Ordered":
        """The values in both."""
        met = (left.meet(right) for left in self.spans for right in other.spans)
        return Ordered(tuple(span for span in met if not span.is_empty))

    def without(self, other: "Ordered") -> "Ordered":
        """The values in this and not in the other."""
        left = self
        for span in other.spans:
            left = left.meet(Ordered(span.outside()))
        return left


@dataclass(frozen=True, slots=True)
class Words:
    """Single values: these, or (inverted) all but these."""

    items: frozenset[Any]
    inverted: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is no value."""
        return not self.items and not self.inverted

    def touches(self, other: "Words") -> bool:
        """Whether a value lies in both: what `meet` says, without working it out."""
        if self.inverted:
            return other.inverted or not other.items <= self.items
        return not (self.items <= other.items if other.inverted else self.items.isdisjoint(other.items))

    def meet(self, other: "Words") -> "Words":
        """The values in both."""
        if self.inverted and other.inverted:
            return Words(self.items | other.items, True)
        if self.inverted:
            return Words(other.items - self.items)
        return Words(self.items - other.items if other.inverted else self.items & other.items)

    def without(self, other: "Words") -> "Words":
        """The values in this and not in the other."""
        return self.meet(replace(other, inverted=not other.inverted))


Values = Ordered | Words
_EVERY_NUMBER = Ordered((Span(),))
_ORDERED_KINDS = frozenset({Kind.INT, Kind.DECIMAL, Kind.TIMESTAMP, Kind.DURATION})
TRUTHS = frozenset({True, False})


@dataclass(frozen=True, slots=True)
class Domain:
    """The values that are left for one field, and whether it may also be missing."""

    values: Values
    missing: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left: no value, and it cannot be missing."""
        return not self.missing and self.values.is_empty

    def touches(self, other: "Domain") -> bool:
        """Whether both leave something in common."""
        return (self.missing and other.missing) or self.values.touches(other.values)  # type: ignore[arg-type]

    def meet(self, other: "Domain") -> "Domain":
        """What both leave."""
        return Domain(self.values.meet(other.values), self.missing and other.missing)  # type: ignore[arg-type]

    def without(self, other: "Domain") -> "Domain":
        """What this leaves and the other does not."""
        return Domain(self.values.without(other.values), self.missing and not other.missing)  # type: ignore[arg-type]


def every(kind: Kind, enum: Iterable[str] = ()) -> Values:
    """All values that a field of this kind can have."""
    if kind in _ORDERED_KINDS:
        return _EVERY_NUMBER
    if kind is Kind.BOOL:
        return Words(TRUTHS)
    words = frozenset(enum)
    return Words(words) if words else Words(frozenset(), True)


def none(kind: Kind) -> Values:
    """No value of this kind."""
    return Ordered(()) if kind in _ORDERED_KINDS else Words(frozenset())


def compared(kind: Kind, operation: str, bound: Any) -> Values | None:
    """The values for which `value <operation> bound` holds; None for what has no such set."""
    if kind not in _ORDERED_KINDS:
        return Words(frozenset([bound]), operation == "different") if operation in ("equal", "different") else None
    span = _span(kind, operation, Decimal(bound) if isinstance(bound, int) else bound)
    if span is None:
        return None
    return Ordered(span.outside()) if operation == "different" else Ordered(() if span.is_empty else (span,))


def _span(kind: Kind, operation: str, bound: Bound) -> Span | None:
    whole = kind is Kind.INT
    down = bound.to_integral_value(ROUND_FLOOR) if whole else bound
    up = bound.to_integral_value(ROUND_CEILING) if whole else bound
    match operation:
        case "less":
            return Span(None, up - 1) if whole else Span(None, bound, high_open=True)
        case "at_most":
            return Span(None, down)
        case "more":
            return Span(down + 1) if whole else Span(bound, low_open=True)
        case "at_least":
            return Span(up)
        case "equal" | "different":
            return Span(up, down) if whole else Span(bound, bound)
    return None
