"""The prices of models: read by what comes in, set by people with the right to it."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from django.db import IntegrityError, transaction
from django.db.models import Max

from observability import ledger
from observability.ledger import Actor, Subject
from observability.models import ModelPrice
from observability.rules.pricing import Price

RIGHT = "observability.set_prices"
TRIES = 3


class PriceInvalid(ledger.Invalid):
    """The price has errors; nothing was changed."""

    code = "price_invalid"


class SetsPrices(Protocol):
    """Who sets prices: an actor whose rights can be asked."""

    def as_actor(self) -> Actor: ...

    def may(self, permission: str, row: Any = None) -> bool: ...


def prices() -> list[Price]:
    """The whole table as the rules read it."""
    return [row.as_price() for row in ModelPrice.objects.order_by("version")]


def set_price(
    *, provider: str, model: str, kind: str, per_million: Decimal | None, currency: str, valid_from: datetime,
    by: SetsPrices, at: datetime, why: str,
) -> ModelPrice:  # fmt: skip
    """Add a price to the table, or with None for `per_million` end one: the next version. It counts for what comes in
    from now on. Raises NotAllowed, PriceInvalid."""
    if not by.may(RIGHT):
        raise ledger.NotAllowed(f"{by.as_actor().name} may not set prices.")
    _check(model, kind, per_million, currency, why)
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                last = ModelPrice.objects.aggregate(last=Max("version"))["last"] or 0
                row = ModelPrice.objects.create(
                    version=last + 1, provider=provider, model=model, kind=kind, per_million=per_million,
                    currency=currency, valid_from=valid_from, set_at=at, set_by=by.as_actor().name, why=why,
                )  # fmt: skip
                _record(row, by=by, at=at)
                return row
        except IntegrityError:
            continue  # somebody else took this version
    raise ledger.TooLate


def _check(model: str, kind: str, per_million: Decimal | None, currency: str, why: str) -> None:
    wrong: dict[str, str] = {}
    if not model or "*" in model[:-1]:
        wrong["model"] = "Name a model; a * may stand at its end."
    if kind not in ModelPrice.TokenKind.values:
        wrong["kind"] = "Choose a kind of tokens."
    if per_million is not None and not 0 <= per_million < 10**8:
        wrong["per_million"] = "Give an amount that is not negative."
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        wrong["currency"] = "Give the three letters of a currency, as USD."
    if not why.strip():
        wrong["why"] = "Say where the price comes from."
    if wrong:
        raise PriceInvalid(fields=wrong)


def _record(row: ModelPrice, *, by: SetsPrices, at: datetime) -> None:
    told = {
        "provider": row.provider, "kind": row.kind, "currency": row.currency, "version": row.version,
        "per_million": None if row.per_million is None else str(row.per_million),
        "valid_from": row.valid_from.isoformat(),
    }  # fmt: skip
    verb = "price.ended" if row.per_million is None else "price.set"
    ledger.record(verb, _Named(row), by=by, at=at, why=row.why, data=told)


class _Named:
    """A price as the ledger names it."""

    def __init__(self, row: ModelPrice) -> None:
        self._row = row

    def as_subject(self) -> Subject:
        return Subject(kind="price", id=str(self._row.version), name=str(self._row))
