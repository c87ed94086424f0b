"""What runs short, what is late, and which other carrier is worth its price; no network, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from autonomy_client.examples.supply.freight import Offer, Shipment, Stock

LATE_FROM_DAYS = 2
# Another carrier may cost at most this share of what the goods are worth.
WORTH = Decimal("0.15")
CENT = Decimal("0.01")
NEVER = 10_000


@dataclass(frozen=True)
class Shortage:
    """A part that is used up before more of it comes."""

    stock: Stock
    days_left: int


@dataclass(frozen=True)
class Route:
    """A late shipment on another carrier: what that costs, and when it arrives."""

    shipment: Shipment
    carrier: str
    cost: Decimal
    arrives: date

    @property
    def saved_days(self) -> int:
        """How much sooner the goods arrive."""
        return (self.shipment.expected - self.arrives).days

    def __str__(self) -> str:
        return f"{self.shipment.number} on {self.carrier} for {self.cost} EUR, {self.saved_days} days sooner"


def days_left(stock: Stock, shipments: Sequence[Shipment], today: date) -> int:
    """After how many days the part is used up, with what arrives until then; NEVER when nothing uses it."""
    if stock.daily_use <= 0:
        return NEVER
    quantity, day = stock.on_hand, 0
    coming = sorted(
        ((each.expected - today).days, each.quantity)
        for each in shipments
        if (each.plant, each.part) == (stock.plant, stock.part)
    )
    for arrives, more in coming:
        if arrives > quantity // stock.daily_use:
            break
        quantity += more
    day = quantity // stock.daily_use
    return min(day, NEVER)


def shortages(stock: Sequence[Stock], shipments: Sequence[Shipment], today: date, ahead: int) -> list[Shortage]:
    """The parts that are used up within so many days, the first of them first."""
    found = [Shortage(each, days_left(each, shipments, today)) for each in stock]
    short = [each for each in found if each.days_left < ahead]
    return sorted(short, key=lambda each: (each.days_left, each.stock.plant, each.stock.part))


def late(shipments: Sequence[Shipment]) -> list[Shipment]:
    """The shipments that are late, the latest first."""
    found = [each for each in shipments if each.delay_days >= LATE_FROM_DAYS]
    return sorted(found, key=lambda each: (-each.delay_days, each.number))


def price(offer: Offer, shipment: Shipment) -> Decimal:
    """What a carrier takes for a shipment, in EUR."""
    return (offer.cost + offer.cost_per_1000 * shipment.value / 1000).quantize(CENT, ROUND_HALF_UP)


def routes(shipments: Sequence[Shipment], offers: Sequence[Offer], today: date) -> list[Route]:
    """For each late shipment the cheapest carrier that is sooner and worth it, where there is one."""
    found = (_route(each, offers, today) for each in late(shipments))
    return [route for route in found if route is not None]


def _route(shipment: Shipment, offers: Sequence[Offer], today: date) -> Route | None:
    possible = [
        Route(shipment, offer.carrier, price(offer, shipment), today + timedelta(days=offer.days))
        for offer in offers
        if offer.carrier != shipment.carrier and (offer.hazardous or not shipment.hazardous)
    ]
    good = [each for each in possible if each.saved_days >= 1 and each.cost <= shipment.value * WORTH]
    return min(good, key=lambda each: (each.cost, each.arrives, each.carrier), default=None)
