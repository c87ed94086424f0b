"""What a call costs by the table of prices: exact, and unknown where no price fits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from observability.rules.genai.meaning import COST_AT_MOST, PLACES, Tokens

MILLION = 1_000_000


class TokenKind(StrEnum):
    """Which tokens a price is for. Without a price of their own, cached and newly cached ones cost as input."""

    INPUT = "input"
    OUTPUT = "output"
    CACHED = "cached"
    WRITTEN = "written"


@dataclass(frozen=True)
class Price:
    """What a million tokens of one kind cost from a moment on. `model` may end in *; `per_million` None ends it."""

    version: int
    provider: str
    model: str
    kind: str
    per_million: Decimal | None
    currency: str
    valid_from: datetime


@dataclass(frozen=True)
class Priced:
    """What a call cost, by which version of the table: the newest of the prices that were used."""

    amount: Decimal
    currency: str
    version: int


def priced(tokens: Tokens, *, provider: str, model: str, at: datetime, prices: Iterable[Price]) -> Priced | None:
    """The cost of a call at that time. None when its tokens are unknown, or one of them has no price, or not all in
    one currency."""
    if not model or (tokens.input is None and tokens.output is None):
        return None
    fitting = _fitting(prices, provider, model, at)
    apart = (tokens.cached or 0) + (tokens.written or 0)
    counts = {
        TokenKind.INPUT: (tokens.input or 0) - apart, TokenKind.OUTPUT: tokens.output or 0,
        TokenKind.CACHED: tokens.cached or 0, TokenKind.WRITTEN: tokens.written or 0,
    }  # fmt: skip
    used: list[tuple[int, Price]] = []
    for kind, many in counts.items():
        price = fitting.get(kind) or (fitting.get(TokenKind.INPUT) if kind != TokenKind.OUTPUT else None)
        if many and (price is None or price.per_million is None):
            return None
        if many and price is not None:
            used.append((many, price))
    if len({price.currency for _, price in used}) != 1:
        return None
    amount = sum((many * (price.per_million or Decimal(0)) for many, price in used), Decimal(0)) / MILLION
    if amount > COST_AT_MOST:
        return None  # nothing costs so much: the tokens or the price are wrong
    return Priced(amount.quantize(PLACES), used[0][1].currency, max(price.version for _, price in used))


def _fitting(prices: Iterable[Price], provider: str, model: str, at: datetime) -> dict[str, Price]:
    found: dict[str, tuple[tuple[int, int, datetime, int], Price]] = {}
    for price in prices:
        closeness = _closeness(price, provider, model)
        if closeness is None or price.valid_from > at:
            continue
        rank = (*closeness, price.valid_from, price.version)
        if price.kind not in found or rank > found[price.kind][0]:
            found[price.kind] = (rank, price)
    return {kind: price for kind, (_, price) in found.items()}


def _closeness(price: Price, provider: str, model: str) -> tuple[int, int] | None:
    if price.provider and price.provider.lower() != provider.lower():
        return None
    named, asked = price.model.lower(), model.lower()
    if named == asked:
        return 10_000, int(bool(price.provider))
    if named.endswith("*") and asked.startswith(named[:-1]):
        return len(named) - 1, int(bool(price.provider))
    return None
