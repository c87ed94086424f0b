"""Three-way match: does the invoice agree with what was ordered and what arrived? Plain values in and out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from autonomy_client.examples.invoices.invoice import ZERO, Invoice, Kind, Line, plain_id
from autonomy_client.examples.invoices.orders import Order, OrderLine, Receipt, ReceivedLine, unit_price

TOLERANCE_PERCENT = Decimal(2)
ALL = Decimal(100)
LARGEST_PERCENT = Decimal("999999.99")


class Status(StrEnum):
    """The outcome of a match; of several deviations the first in this order is named."""

    NO_ORDER = "no_order"
    PRICE_DEVIATION = "price_deviation"
    QUANTITY_DEVIATION = "quantity_deviation"
    SHORT_RECEIPT = "short_receipt"
    MATCHED = "matched"


@dataclass(frozen=True)
class Deviation:
    """One difference between invoice and order or receipt, in per cent of what was expected."""

    status: Status
    percent: Decimal
    note: str


@dataclass(frozen=True)
class Match:
    """The answer of the three-way match, with its largest deviation in per cent."""

    status: Status
    deviation_percent: Decimal
    note: str

    @property
    def matched(self) -> bool:
        return self.status is Status.MATCHED


def match(
    invoice: Invoice, order: Order | None, receipts: Sequence[Receipt], tolerance: Decimal = TOLERANCE_PERCENT
) -> Match:
    """Compare an invoice with its order and receipts; a deviation of exactly the tolerance still matches."""
    missing = _no_order(invoice, order)
    if order is None or missing:
        return Match(Status.NO_ORDER, ALL, missing)
    deviations = list(_deviations(invoice, order, receipts))
    beyond = [found for found in deviations if found.percent > tolerance]
    if not beyond:
        largest = max((found.percent for found in deviations), default=ZERO)
        return Match(Status.MATCHED, _rounded(largest), f"Agrees with order {order.number} within {tolerance} %.")
    status = min((found.status for found in beyond), key=list(Status).index)
    percent = max(found.percent for found in beyond if found.status is status)
    return Match(status, _rounded(percent), " ".join(dict.fromkeys(found.note for found in beyond)))


def _no_order(invoice: Invoice, order: Order | None) -> str:
    if not invoice.order_reference:
        return "The invoice names no order."
    if order is None:
        return f"Order {invoice.order_reference} does not exist."
    seller = plain_id(invoice.seller.vat_id)
    if order.seller and seller and order.seller != seller:
        return f"Order {order.number} was placed with another supplier ({order.seller})."
    return ""


def _deviations(invoice: Invoice, order: Order, receipts: Sequence[Receipt]) -> Iterator[Deviation]:
    if order.currency and order.currency != invoice.currency:
        note = f"The order is in {order.currency}, the invoice in {invoice.currency}."
        yield Deviation(Status.PRICE_DEVIATION, ALL, note)
    yield from _charges(invoice, order)
    for ordered, lines in _paired(invoice, order):
        if ordered is None:
            yield from (_not_ordered(line) for line in lines)
            continue
        invoiced = sum((line.quantity or ZERO for line in lines), ZERO)
        yield from (_price(line, ordered) for line in lines)
        yield _quantity(invoiced, ordered)
        if invoice.kind is Kind.INVOICE:
            yield _receipt(invoiced, ordered, receipts)


def _paired(invoice: Invoice, order: Order) -> Iterator[tuple[OrderLine | None, list[Line]]]:
    pairs: dict[OrderLine | None, list[Line]] = {}
    for line in invoice.lines:
        pairs.setdefault(_ordered(line, order), []).append(line)
    yield from pairs.items()


def _ordered(line: Line, order: Order) -> OrderLine | None:
    for wanted, name in ((line.order_line, "id"), (line.item_id, "item_id"), (line.name, "name")):
        found = [candidate for candidate in order.lines if wanted and getattr(candidate, name) == wanted]
        if found:
            return found[0]
    return None


def _not_ordered(line: Line) -> Deviation:
    return Deviation(Status.QUANTITY_DEVIATION, ALL, f"Line {line.id} ({line.name}) was not ordered.")


def _charges(invoice: Invoice, order: Order) -> Iterator[Deviation]:
    extra = invoice.totals.charges - order.charges
    if extra > 0:
        percent = _percent(extra, invoice.totals.lines or ZERO)
        yield Deviation(Status.PRICE_DEVIATION, percent, f"Charges of {extra} were not agreed in the order.")


def _price(line: Line, ordered: OrderLine) -> Deviation:
    charged = unit_price(line.quantity, line.net, line.price, line.price_base)
    note = f"Line {line.id}: {_money(charged)} per unit instead of the {_money(ordered.unit_price)} agreed."
    return Deviation(Status.PRICE_DEVIATION, _percent(abs(charged - ordered.unit_price), ordered.unit_price), note)


def _quantity(invoiced: Decimal, ordered: OrderLine) -> Deviation:
    # Fewer than ordered is a part delivery, and its receipt decides.
    over = max(invoiced - ordered.quantity, ZERO)
    note = f"{ordered.name}: {_plain(invoiced)} invoiced, {_plain(ordered.quantity)} ordered."
    return Deviation(Status.QUANTITY_DEVIATION, _percent(over, ordered.quantity), note)


def _receipt(invoiced: Decimal, ordered: OrderLine, receipts: Sequence[Receipt]) -> Deviation:
    arrived = sum((line.quantity for receipt in receipts for line in receipt.lines if _same(line, ordered)), ZERO)
    short = max(invoiced - arrived, ZERO)
    note = f"{ordered.name}: {_plain(invoiced)} invoiced, {_plain(arrived)} received."
    return Deviation(Status.SHORT_RECEIPT, _percent(short, invoiced), note)


def _same(received: ReceivedLine, ordered: OrderLine) -> bool:
    if received.order_line:
        return received.order_line == ordered.id
    return bool(received.item_id) and received.item_id == ordered.item_id


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    if not part:
        return ZERO
    return min(abs(part * 100 / whole), LARGEST_PERCENT) if whole else ALL


def _rounded(percent: Decimal) -> Decimal:
    return percent.quantize(Decimal("0.01"))


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
