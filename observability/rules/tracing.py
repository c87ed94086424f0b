"""How a trace is drawn: spans as a tree in the order of time, each with its bar, and what its calls used together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Generic, TypeVar

DEPTH_AT_MOST = 12  # what lies deeper is drawn at this depth
NARROWEST = 0.4  # percent of the whole: a bar is seen however short


# A span with its ids, times, tokens and cost: the row `Span`, or anything like it.
Drawn = TypeVar("Drawn", bound=Any)


@dataclass
class Branch(Generic[Drawn]):
    """A span in the tree. `left` and `width` are percent of the whole time; `counts`: a call of a model that lies in no
    other call, since two instrumentations tell of the same call one inside the other."""

    span: Drawn
    depth: int
    left: float
    width: float
    counts: bool
    is_orphan: bool


@dataclass
class Totals:
    """What the calls of models used: tokens, cost by currency, and how many calls have no price."""

    calls: int = 0
    unpriced: int = 0
    input: int = 0
    output: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)


def laid_out(spans: Sequence[Drawn]) -> list[Branch[Drawn]]:
    """The spans as a tree from top to bottom; one whose parent is not here stands at the top, and so does one of a
    ring."""
    ordered = sorted(spans, key=lambda span: (span.started_at, -span.nanoseconds))
    here = {(span.trace_id, span.span_id) for span in ordered}
    below: dict[tuple[str, str], list[Drawn]] = {}
    tops: list[Drawn] = []
    for span in ordered:
        above = (span.trace_id, span.parent_id)
        if span.parent_id and above in here:
            below.setdefault(above, []).append(span)
        else:
            tops.append(span)
    first, whole = _whole(ordered)
    done: set[tuple[str, str]] = set()
    found: list[Branch[Drawn]] = []
    for top in (*tops, *ordered):
        for span, depth, inside in _down(top, below, done):
            left = (span.started_at.timestamp() - first) / whole * 100
            width = max(span.nanoseconds / 1e9 / whole * 100, NARROWEST)
            orphan = bool(span.parent_id) and (span.trace_id, span.parent_id) not in here
            found.append(Branch(span, depth, min(left, 100 - NARROWEST), min(width, 100 - left) if left < 100 else
                                NARROWEST, span.is_call and not inside, orphan))  # fmt: skip
    return found


def _whole(spans: Sequence[Any]) -> tuple[float, float]:
    if not spans:
        return 0.0, 1.0
    first = min(span.started_at.timestamp() for span in spans)
    last = max(span.started_at.timestamp() + span.nanoseconds / 1e9 for span in spans)
    return first, max(last - first, 1e-9)


def _down(
    top: Drawn, below: dict[tuple[str, str], list[Drawn]], done: set[tuple[str, str]]
) -> Iterator[tuple[Drawn, int, bool]]:
    waiting = [(top, 0, False)]
    while waiting:
        span, depth, inside = waiting.pop()
        name = (span.trace_id, span.span_id)
        if name in done:
            continue
        done.add(name)
        yield span, min(depth, DEPTH_AT_MOST), inside
        further = inside or span.is_call
        waiting += [(each, depth + 1, further) for each in reversed(below.get(name, []))]


def totals(branches: Sequence[Branch[Drawn]]) -> Totals:
    """What was used together, each call once."""
    found = Totals()
    for span in (branch.span for branch in branches if branch.counts):
        found.calls += 1
        found.input += span.input_tokens or 0
        found.output += span.output_tokens or 0
        if span.cost is None:
            found.unpriced += 1
        else:
            found.costs[span.currency] = found.costs.get(span.currency, Decimal(0)) + span.cost
    return found
