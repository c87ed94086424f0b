"""The three-way match by its table, and on the one real purchase whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from autonomy_client.examples.invoices.invoice import Invoice, Kind, Line, Party, Payment, Totals
from autonomy_client.examples.invoices.matching import Match, Status, match
from autonomy_client.examples.invoices.orders import (
    Order,
    OrderLine,
    Receipt,
    ReceivedLine,
    read_order,
    read_receipt,
)
from autonomy_client.examples.invoices.reading import read_invoice

ORDER = Order("PO-1", "EUR", "DE1", Decimal(0), (OrderLine("1", "A", "Paper", Decimal(100), Decimal("10.00")),))
RECEIPT = Receipt("GR-1", "PO-1", (ReceivedLine("1", "A", Decimal(100)),))


def bill(quantity: str = "100", price: str = "10.00", **changes: Any) -> Invoice:
    """An invoice over one line of order PO-1."""
    net = Decimal(quantity) * Decimal(price)
    line = Line("1", "Paper", "A", "1", Decimal(quantity), "C62", Decimal(price), net=net)
    invoice = Invoice(
        syntax="UBL Invoice", profile="p", number="7", type_code="380", kind=Kind.INVOICE, issue_date=date(2026, 11, 2),
        due_date=None, delivery_date=None, currency="EUR", buyer_reference="", order_reference="PO-1",
        preceding_invoice="", note="", seller=Party(name="Seller", vat_id="DE 1"), buyer=Party(name="Halden"),
        tax_representative=None, payment=Payment(), totals=Totals(lines=net, net=net, total=net, payable=net),
        adjustments=(), taxes=(), lines=(line,),
    )  # fmt: skip
    return replace(invoice, **changes)


def received(quantity: str) -> list[Receipt]:
    return [replace(RECEIPT, lines=(ReceivedLine("1", "A", Decimal(quantity)),))]


@pytest.mark.parametrize(
    ("invoice", "receipts", "status", "percent"),
    [
        (bill(), [RECEIPT], Status.MATCHED, "0.00"),
        (bill(price="10.20"), [RECEIPT], Status.MATCHED, "2.00"),  # the tolerance itself still matches
        (bill(price="10.21"), [RECEIPT], Status.PRICE_DEVIATION, "2.10"),
        (bill(price="9.79"), [RECEIPT], Status.PRICE_DEVIATION, "2.10"),
        (bill("102"), received("102"), Status.MATCHED, "2.00"),
        (bill("103"), received("103"), Status.QUANTITY_DEVIATION, "3.00"),
        (bill("50"), received("50"), Status.MATCHED, "0.00"),  # a part delivery
        (bill("50"), received("40"), Status.SHORT_RECEIPT, "20.00"),
        (bill(), received("97"), Status.SHORT_RECEIPT, "3.00"),
        (bill(), [], Status.SHORT_RECEIPT, "100.00"),
        (bill("103", "11.00"), [RECEIPT], Status.PRICE_DEVIATION, "10.00"),  # the price is named first
        (bill(order_reference=""), [RECEIPT], Status.NO_ORDER, "100"),
        (bill(seller=Party(vat_id="NL2")), [RECEIPT], Status.NO_ORDER, "100"),
        (bill(currency="USD"), [RECEIPT], Status.PRICE_DEVIATION, "100.00"),
        (bill(kind=Kind.CREDIT_NOTE), [], Status.MATCHED, "0.00"),
    ],
)
def test_the_match_names_the_deviation(invoice: Invoice, receipts: list[Receipt], status: Status, percent: str) -> None:
    found = match(invoice, ORDER, receipts)

    assert (found.status, found.deviation_percent) == (status, Decimal(percent))
    assert found.note


def test_an_order_that_nobody_knows_matches_nothing() -> None:
    assert match(bill(), None, []) == Match(Status.NO_ORDER, Decimal(100), "Order PO-1 does not exist.")


def test_a_line_that_was_not_ordered_is_named() -> None:
    extra = Line("2", "Freight", quantity=Decimal(1), net=Decimal("5.00"))
    invoice = bill()

    found = match(replace(invoice, lines=(*invoice.lines, extra)), ORDER, [RECEIPT])

    assert found.status is Status.QUANTITY_DEVIATION
    assert "Line 2 (Freight) was not ordered." in found.note


def test_two_lines_for_one_order_line_count_together() -> None:
    half = bill("60").lines[0]

    found = match(bill(lines=(half, replace(half, id="2"))), ORDER, received("120"))

    assert (found.status, found.deviation_percent) == (Status.QUANTITY_DEVIATION, Decimal("20.00"))


def test_charges_that_were_not_agreed_are_a_price_deviation() -> None:
    found = match(bill(totals=Totals(lines=Decimal(1000), charges=Decimal(50))), ORDER, [RECEIPT])

    assert (found.status, found.deviation_percent) == (Status.PRICE_DEVIATION, Decimal("5.00"))


def test_absurd_numbers_give_an_answer_and_no_error() -> None:
    absurd = replace(bill().lines[0], quantity=Decimal("0.0000000001"), net=Decimal(10) ** 15)

    found = match(bill(lines=(absurd,)), ORDER, [RECEIPT])

    assert found.deviation_percent == Decimal("999999.99")


def test_an_order_survives_the_shared_memory() -> None:
    assert Order.from_fact(ORDER.as_fact()) == ORDER


def test_the_real_purchase_of_100_with_90_received_is_short(real_invoices: Path) -> None:
    chain = real_invoices / "ubl20_chain"
    order = read_order(next(chain.glob("03*")).read_bytes())
    receipt = read_receipt(next(chain.glob("06*")).read_bytes())
    invoice = read_invoice(next(chain.glob("07*")).read_bytes())

    found = match(replace(invoice, currency="GBP", order_reference=order.number), order, [receipt])

    assert found.status is Status.SHORT_RECEIPT
    assert found.deviation_percent == Decimal("10.00")
    assert "100 invoiced, 90 received" in found.note
