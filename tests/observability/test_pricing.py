"""What a call costs by the table of prices."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from observability.rules.genai.meaning import Tokens
from observability.rules.pricing import Price, Priced, priced

AT = datetime(2026, 11, 1, tzinfo=UTC)


def price(version: int, kind: str, amount: str | None, **more: object) -> Price:
    usual = {"provider": "", "model": "m", "currency": "USD", "valid_from": AT - timedelta(days=1)}
    return Price(version=version, kind=kind, per_million=None if amount is None else Decimal(amount), **usual | more)  # type: ignore[arg-type]


TABLE = [
    price(1, "input", "2"), price(2, "output", "10"), price(3, "cached", "0.5"),
    price(4, "input", "3", valid_from=AT + timedelta(days=1)),
    price(5, "input", "1", model="big-*"), price(6, "output", "1", model="big-*"),
    price(7, "input", "9", model="big-old*"), price(8, "output", None, model="big-old*"),
    price(9, "input", "4", provider="p"), price(10, "input", "7", model="euro", currency="EUR"),
    price(11, "output", "7", model="euro"), price(12, "input", "99999999", model="dear"),
    price(13, "output", "99999999", model="dear"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tokens", "provider", "model", "cost"),
    [
        (Tokens(1_000_000, 100_000), "", "m", Priced(Decimal(3), "USD", 2)),
        (Tokens(1_000_000, 100_000), "P", "M", Priced(Decimal(5), "USD", 9)),
        (Tokens(1_000_000, 0, cached=400_000), "", "m", Priced(Decimal("1.4"), "USD", 3)),
        (Tokens(1_000_000, 0, written=400_000), "", "m", Priced(Decimal(2), "USD", 1)),  # as input
        (Tokens(10, 10), "", "big-new", Priced(Decimal("0.00002"), "USD", 6)),
        (Tokens(10, 0), "", "big-old-1", Priced(Decimal("0.00009"), "USD", 7)),
        (Tokens(10, 10), "", "big-old-1", None),  # this price was ended
        (Tokens(10, 10), "", "euro", None),  # two currencies make no sum
        (Tokens(10, None), "", "euro", Priced(Decimal("0.00007"), "EUR", 10)),
        (Tokens(10, 10), "", "other", None),
        (Tokens(10, 10), "", "", None),
        (Tokens(), "", "m", None),
        (Tokens(0, 0), "", "m", None),
        (Tokens(10**12, 10**12), "", "dear", None),  # more than anything can cost
    ],
)
def test_a_call_costs_by_the_closest_price_or_has_none(
    tokens: Tokens, provider: str, model: str, cost: Priced | None
) -> None:
    assert priced(tokens, provider=provider, model=model, at=AT, prices=TABLE) == cost


def test_a_price_counts_from_its_day_on() -> None:
    later = priced(Tokens(1_000_000), provider="", model="m", at=AT + timedelta(days=2), prices=TABLE)
    before = priced(Tokens(1_000_000), provider="", model="m", at=AT - timedelta(days=2), prices=TABLE)

    assert (later, before) == (Priced(Decimal(3), "USD", 4), None)
