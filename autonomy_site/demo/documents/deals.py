"""What happened in the demo's trade: orders, deliveries and bills, and the defects hidden in some of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from autonomy_site.demo.documents.trade import BUYERS, SUPPLIERS, VAT_RATES, Company, Good, Supplier, iban

CENT = Decimal("0.01")
FIRST_ORDER_DATE = date(2026, 8, 3)
LARGE_EVERY = 10
HUGE = (17, 41)


class Defect(StrEnum):
    """What can be wrong with a file of the demo set."""

    DUPLICATE = "duplicate"
    PRICE = "price_deviation"
    QUANTITY = "quantity_deviation"
    ACCOUNT = "changed_bank_account"
    ARITHMETIC = "arithmetic"
    NO_ORDER = "no_order"
    SHORT = "short_receipt"
    UNREADABLE = "unreadable"


DEALT = [defect for defect in Defect if defect is not Defect.UNREADABLE]


@dataclass(frozen=True)
class Item:
    """One position: the line of the order it belongs to, how much, at which net price."""

    order_line: int
    good: Good
    quantity: int
    price: Decimal

    @property
    def net(self) -> Decimal:
        return (self.quantity * self.price).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Order:
    """What a unit of the Halden Group ordered."""

    number: str
    supplier: Supplier
    buyer: Company
    on: date
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Receipt:
    """What arrived for an order."""

    number: str
    order: Order
    on: date
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Bill:
    """What the supplier asks for; `added_error` is by how much its total is wrong."""

    number: str
    order: Order
    on: date
    delivered_on: date
    account: str
    items: tuple[Item, ...]
    defect: Defect | None = None
    detail: str = ""
    added_error: Decimal = Decimal(0)

    @property
    def due_on(self) -> date:
        return self.on + timedelta(days=self.order.supplier.terms_days)

    @property
    def taxes(self) -> list[tuple[str, Decimal, Decimal, Decimal]]:
        """The VAT breakdown: category, rate, taxable amount, tax."""
        bases: dict[tuple[str, Decimal], Decimal] = {}
        for item in self.items:
            bases[self.tax_of(item)] = bases.get(self.tax_of(item), Decimal(0)) + item.net
        return [
            (category, rate, base, (base * rate / 100).quantize(CENT, ROUND_HALF_UP))
            for (category, rate), base in sorted(bases.items())
        ]

    @property
    def net(self) -> Decimal:
        return sum((item.net for item in self.items), Decimal(0))

    @property
    def tax(self) -> Decimal:
        return sum((tax for *_, tax in self.taxes), Decimal(0))

    @property
    def total(self) -> Decimal:
        return self.net + self.tax + self.added_error

    def tax_of(self, item: Item) -> tuple[str, Decimal]:
        """Category and rate: at home the national rate; abroad the buyer owes the tax."""
        seller, buyer = self.order.supplier.company, self.order.buyer
        if seller.country != buyer.country:
            return ("AE" if item.good.is_service else "K"), Decimal(0)
        standard, reduced = VAT_RATES[seller.country]
        return "S", reduced if item.good.is_reduced else standard


@dataclass(frozen=True)
class Trade:
    """Everything that happened: the bills in the order in which they arrive, and the papers behind them."""

    bills: tuple[Bill, ...]
    orders: tuple[Order, ...]
    receipts: tuple[Receipt, ...]


def make_trade(count: int, draw: random.Random) -> Trade:
    """As many bills as asked for, one in six of them with a defect, the same for the same random source."""
    defects = _placed(count, draw)
    bills: list[Bill] = []
    receipts: list[Receipt] = []
    for index in range(count):
        defect = defects.get(index)
        if defect is Defect.DUPLICATE:
            bills.append(_repeated(bills, index, draw))
        elif _is_second_delivery(index, defects, bills):
            bills.append(_second(bills[-1], index, receipts))
        else:
            bills.append(_first(index, count, defect, draw, receipts))
    return Trade(_told_apart(bills), _orders(bills), tuple(receipts))


def _placed(count: int, draw: random.Random) -> dict[int, Defect]:
    # One in each six, so that exceptions come all along the way. A large bill stays clean: its amount is its
    # exception. The last one is the duplicate, which needs earlier bills.
    blocks = ([index for index in range(at, at + 6) if index and not _is_large(index)] for at in range(0, count - 5, 6))
    places = [draw.choice(block) for block in blocks]
    kinds = [*DEALT, *draw.sample(DEALT, len(DEALT))]
    return {place: kinds[turn % len(kinds)] for turn, place in enumerate(reversed(places))}


def _is_large(index: int) -> bool:
    return index % LARGE_EVERY == 7 or index in HUGE


def _first(index: int, count: int, defect: Defect | None, draw: random.Random, receipts: list[Receipt]) -> Bill:
    order = _order(index, count, draw)
    arrived = order.on + timedelta(days=draw.randint(4, 12))
    bill = Bill(
        number=_number(order.supplier, arrived, index),
        order=order,
        on=arrived + timedelta(days=draw.randint(0, 3)),
        delivered_on=arrived,
        account=order.supplier.account,
        items=order.items,
        defect=defect,
    )
    received = order.items
    if defect is Defect.SHORT:
        bill, received = _shortened(bill, draw)
    if defect is not Defect.NO_ORDER:
        receipts.append(Receipt(f"GR-{4100 + index}", order, arrived, received))
    return _spoilt(bill, draw)


def _order(index: int, count: int, draw: random.Random) -> Order:
    supplier = draw.choice(SUPPLIERS)
    at_home = [buyer for buyer in BUYERS if buyer.country == supplier.company.country]
    buyer = at_home[0] if at_home and draw.random() < 0.7 else draw.choice(BUYERS)
    target = Decimal(draw.randint(120, 3900))
    if _is_large(index):
        target = Decimal(draw.randint(5300, 17000))
    if index in HUGE:
        target = Decimal(draw.randint(26500, 44000))
    on = FIRST_ORDER_DATE + timedelta(days=index * 90 // max(count, 1))
    return Order(f"PO-2026-{3000 + index * 7}", supplier, buyer, on, _items(supplier, target, draw))


def _items(supplier: Supplier, target: Decimal, draw: random.Random) -> tuple[Item, ...]:
    wanted = draw.randint(1, 6)
    goods = draw.sample(supplier.goods, min(wanted, len(supplier.goods)))
    share = target / len(goods)
    return tuple(
        Item(line, good, max(1, int(share * draw.randint(60, 130) / 100 / good.price)), good.price)
        for line, good in enumerate(goods, start=1)
    )


def _number(supplier: Supplier, on: date, index: int) -> str:
    return supplier.number_format.format(year=on.year, serial=210 + index * 13)


def _is_second_delivery(index: int, defects: dict[int, Defect], bills: Sequence[Bill]) -> bool:
    is_free = index not in defects and index - 1 not in defects and not _is_large(index)
    return index % 9 == 3 and is_free and bool(bills)


def _second(first: Bill, index: int, receipts: list[Receipt]) -> Bill:
    """The second half of an order that is delivered and billed twice; the first bill was one half of it."""
    arrived = first.delivered_on + timedelta(days=9)
    number = _number(first.order.supplier, arrived, index)
    receipts.append(Receipt(f"GR-{4100 + index}", first.order, arrived, first.items))
    return replace(first, number=number, on=arrived + timedelta(days=1), delivered_on=arrived)


def _orders(bills: Sequence[Bill]) -> tuple[Order, ...]:
    """Each order that exists, over all that was billed rightly for it."""
    orders: dict[str, Order] = {}
    for bill in bills:
        if bill.defect in {Defect.NO_ORDER, Defect.DUPLICATE}:
            continue
        earlier = orders.get(bill.order.number)
        orders[bill.order.number] = _doubled(bill.order) if earlier else bill.order
    return tuple(orders.values())


def _doubled(order: Order) -> Order:
    return replace(order, items=tuple(replace(item, quantity=item.quantity * 2) for item in order.items))


def _repeated(bills: Sequence[Bill], index: int, draw: random.Random) -> Bill:
    """An earlier clean bill once more: as it was, or under a new number."""
    first = draw.choice([bill for bill in bills if bill.defect is None])
    if index % 2:
        return replace(first, defect=Defect.DUPLICATE, detail=f"sent again: {first.number}")
    number = _number(first.order.supplier, first.on, index)
    return replace(first, number=number, defect=Defect.DUPLICATE, detail=f"{first.number} under a new number")


def _shortened(bill: Bill, draw: random.Random) -> tuple[Bill, tuple[Item, ...]]:
    at = draw.randrange(len(bill.items))
    item = bill.items[at]
    missing = max(1, item.quantity * draw.randint(8, 30) // 100)
    received = list(bill.items)
    received[at] = replace(item, quantity=item.quantity - missing)
    return replace(bill, detail=f"{item.good.name}: {missing} did not arrive"), tuple(received)


def _spoilt(bill: Bill, draw: random.Random) -> Bill:
    """The bill with its defect built in; clean ones may differ by a price step within the tolerance."""
    at = draw.randrange(len(bill.items))
    item = bill.items[at]
    if bill.defect is Defect.PRICE:
        price = (item.price * draw.randint(105, 118) / 100).quantize(CENT, ROUND_HALF_UP)
        return _with_item(bill, at, replace(item, price=price), f"{item.good.name}: {price} instead of {item.price}")
    if bill.defect is Defect.QUANTITY:
        quantity = item.quantity + max(1, item.quantity * draw.randint(10, 40) // 100)
        detail = f"{item.good.name}: {quantity} instead of {item.quantity}"
        return _with_item(bill, at, replace(item, quantity=quantity), detail)
    if bill.defect is Defect.ACCOUNT:
        account = _other_account(bill.account, draw)
        return replace(bill, account=account, detail=f"{account} instead of {bill.account}")
    if bill.defect is Defect.ARITHMETIC:
        error = Decimal(draw.randint(900, 42000)) / 100
        return replace(bill, added_error=error, detail=f"the total is {error:.2f} too high")
    if bill.defect is Defect.NO_ORDER:
        return replace(bill, detail=f"{bill.order.number} does not exist")
    if bill.defect is None and draw.random() < 0.1 and item.price > 20:
        return _with_item(bill, at, replace(item, price=(item.price * Decimal("1.01")).quantize(CENT)), "")
    return bill


def _with_item(bill: Bill, at: int, item: Item, detail: str) -> Bill:
    items = list(bill.items)
    items[at] = item
    return replace(bill, items=tuple(items), detail=detail)


def _other_account(account: str, draw: random.Random) -> str:
    digits = "".join(str(draw.randrange(10)) for _ in range(6))
    return iban(account[:2], f"{account[4:-6]}{digits}")


def _told_apart(bills: Sequence[Bill]) -> tuple[Bill, ...]:
    """The bills with dates moved so that only duplicates share seller, date and total."""
    seen: set[tuple[str, date, Decimal]] = set()
    apart: list[Bill] = []
    for bill in bills:
        while bill.defect is not Defect.DUPLICATE and _identity(bill) in seen:
            bill = replace(bill, on=bill.on + timedelta(days=1))
        seen.add(_identity(bill))
        apart.append(bill)
    return tuple(apart)


def _identity(bill: Bill) -> tuple[str, date, Decimal]:
    return bill.order.supplier.id, bill.on, bill.total
