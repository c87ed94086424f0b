"""Stock, late shipments and other carriers, by tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from autonomy_client.examples.supply.freight import Offer, Shipment, Stock
from autonomy_client.examples.supply.watching import NEVER, days_left, late, price, routes, shortages
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 11, 16)
VALVES = Stock("north", "Kiel", "valve", 30, 10)
COMING = Shipment(
    "S-1", "north", "Kiel", "valve", 100, "Seaways", TODAY, TODAY + timedelta(days=5), Decimal(10_000), hazardous=False
)
QUICK = Offer("Quick", "north", 2, Decimal(150), Decimal("4.0"), hazardous=True)
SLOW = Offer("Slow", "north", 4, Decimal(100), Decimal("1.0"), hazardous=False)


def arriving(days: int, quantity: int = 100) -> Shipment:
    return replace(COMING, expected=TODAY + timedelta(days=days), quantity=quantity)


@pytest.mark.parametrize(
    ("on_hand", "daily_use", "shipments", "left"),
    [
        (30, 10, [], 3),
        (39, 10, [], 3),
        (0, 10, [], 0),
        (30, 0, [], NEVER),
        (30, 10, [arriving(3)], 13),  # on the day on which it is used up is in time
        (30, 10, [arriving(4)], 3),
        (30, 10, [arriving(3, 20), arriving(5, 20)], 7),  # the second comes in time because of the first
        (30, 10, [arriving(6, 20), arriving(3, 20)], 5),
        (30, 10, [replace(arriving(1), plant="Rostock")], 3),
        (30, 10, [replace(arriving(1), part="seal")], 3),
    ],
)
def test_a_part_lasts_as_long_as_stock_and_what_comes_in_time(
    on_hand: int, daily_use: int, shipments: list[Shipment], left: int
) -> None:
    assert days_left(replace(VALVES, on_hand=on_hand, daily_use=daily_use), shipments, TODAY) == left


def test_what_is_used_up_first_is_the_worst() -> None:
    seals, plenty = replace(VALVES, part="seal", on_hand=10), replace(VALVES, part="gear", on_hand=100)
    found = shortages([VALVES, plenty, seals], [], TODAY, 10)
    assert [(each.stock.part, each.days_left) for each in found] == [("seal", 1), ("valve", 3)]


def test_one_day_late_is_not_late_yet_and_the_latest_comes_first() -> None:
    due = [replace(COMING, number=f"S-{days}", due=COMING.expected - timedelta(days=days)) for days in (-3, 0, 1, 2, 9)]
    assert [each.number for each in late(due)] == ["S-9", "S-2"]
    assert due[0].delay_days == 0


@pytest.mark.parametrize(
    ("shipment", "offers", "booked"),
    [
        (COMING, [QUICK, SLOW], ("Slow", "110.00", 1)),  # the cheapest that is sooner
        (arriving(4), [QUICK, SLOW], ("Quick", "190.00", 2)),  # on the same day is not sooner
        (arriving(2), [QUICK, SLOW], None),
        (replace(COMING, hazardous=True), [QUICK, SLOW], ("Quick", "190.00", 3)),
        (replace(COMING, hazardous=True), [SLOW], None),
        (replace(COMING, value=Decimal(700)), [QUICK, SLOW], ("Slow", "100.70", 1)),
        (replace(COMING, value=Decimal(600)), [QUICK, SLOW], None),  # not worth it
        (replace(COMING, carrier="Slow"), [SLOW], None),  # it is with them already
        (COMING, [], None),
    ],
)
def test_a_late_shipment_goes_to_the_cheapest_carrier_that_is_sooner_and_worth_it(
    shipment: Shipment, offers: list[Offer], booked: tuple[str, str, int] | None
) -> None:
    delayed = replace(shipment, due=shipment.expected - timedelta(days=3))
    found = [(each.carrier, str(each.cost), each.saved_days) for each in routes([delayed], offers, TODAY)]
    assert found == ([] if booked is None else [booked])


@given(st.integers(min_value=0, max_value=10**7), st.integers(min_value=0, max_value=500))
def test_a_route_never_costs_more_than_it_is_worth(value: int, days: int) -> None:
    shipment = replace(arriving(days), value=Decimal(value), due=TODAY - timedelta(days=2))
    for route in routes([shipment], [QUICK, SLOW], TODAY):
        assert route.cost == price(next(each for each in (QUICK, SLOW) if each.carrier == route.carrier), shipment)
        assert route.cost <= value * Decimal("0.15")
        assert route.saved_days >= 1
