"""A trace as a tree: whatever order spans come in, rings and orphans included."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from observability.rules.tracing import laid_out, totals

AT = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    span_id: str
    parent_id: str = ""
    start: int = 0
    nanoseconds: int = 10**9
    is_call: bool = False
    cost: Decimal | None = None
    currency: str = "EUR"
    input_tokens: int | None = None
    output_tokens: int | None = None
    trace_id: str = "t"

    @property
    def started_at(self) -> datetime:
        return AT + timedelta(seconds=self.start)


def shape(spans: list[Told]) -> list[tuple[str, int]]:
    return [(branch.span.span_id, branch.depth) for branch in laid_out(spans)]


def test_children_stand_below_their_parent_in_the_order_of_time() -> None:
    spans = [Told("c", "a", 5), Told("b", "a", 2), Told("d", "b", 3), Told("a", start=0, nanoseconds=9 * 10**9)]

    assert shape(spans) == [("a", 0), ("b", 1), ("d", 2), ("c", 1)]
    bars = {branch.span.span_id: (round(branch.left), round(branch.width)) for branch in laid_out(spans)}
    assert bars == {"a": (0, 100), "b": (22, 11), "d": (33, 11), "c": (56, 11)}


def test_orphans_and_rings_are_shown_too() -> None:
    ring = [Told("x", "y"), Told("y", "x", 1)]

    assert [branch.is_orphan for branch in laid_out([Told("o", "gone")])] == [True]
    assert shape(ring) == [("x", 0), ("y", 1)]
    assert shape([Told("s", "s")]) == [("s", 0)]
    assert shape([]) == []


def test_a_call_inside_a_call_is_counted_once_and_no_price_is_no_zero() -> None:
    outer = Told("a", is_call=True, cost=Decimal(2), input_tokens=10, output_tokens=1)
    spans = [
        outer, Told("b", "a", 1, is_call=True, cost=Decimal(2), input_tokens=10),
        Told("c", start=2, is_call=True), Told("d", start=3, is_call=True, cost=Decimal(1), currency="USD"),
    ]  # fmt: skip

    used = totals(laid_out(spans))

    assert (used.calls, used.unpriced, used.input, used.output) == (3, 1, 10, 1)
    assert used.costs == {"EUR": Decimal(2), "USD": Decimal(1)}


ids = st.sampled_from("abcdefg")


@given(st.lists(st.builds(Told, ids, st.just("") | ids, st.integers(0, 50), st.integers(0, 10**12)),
                unique_by=lambda span: span.span_id), st.randoms())  # fmt: skip
def test_every_span_is_drawn_once_inside_the_picture_in_any_order(spans: list[Told], chance: Any) -> None:
    shuffled = list(spans)
    chance.shuffle(shuffled)

    found = laid_out(spans)

    assert sorted(branch.span.span_id for branch in found) == sorted(span.span_id for span in spans)
    assert shape(shuffled) == shape(spans) or len({(s.start, s.nanoseconds) for s in spans}) < len(spans)
    for branch in found:
        assert 0 <= branch.left <= 100
        assert 0 < branch.width <= 100
