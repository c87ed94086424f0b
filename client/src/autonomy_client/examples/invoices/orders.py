"""Orders and receipts: what was bought, at what price, and what arrived (UBL Order and ReceiptAdvice)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from autonomy_client.examples.invoices.invoice import ZERO, plain_id
from autonomy_client.examples.invoices.ubl import DOCUMENT, read_adjustments
from autonomy_client.examples.invoices.xml import Node, Unreadable, open_document


@dataclass(frozen=True)
class OrderLine:
    """One ordered item; `unit_price` is net, for one unit, after the line's own discounts."""

    id: str
    item_id: str
    name: str
    quantity: Decimal
    unit_price: Decimal


@dataclass(frozen=True)
class Order:
    """A purchase order; `seller` is the plain VAT number, empty when the order names none."""

    number: str
    currency: str
    seller: str
    charges: Decimal
    lines: tuple[OrderLine, ...]

    def as_fact(self) -> dict[str, Any]:
        """The order as plain JSON values, for the shared memory."""
        lines = [{name: str(value) for name, value in vars(line).items()} for line in self.lines]
        return {**vars(self), "charges": str(self.charges), "lines": lines}

    @classmethod
    def from_fact(cls, value: Mapping[str, Any]) -> Order:
        """The order that `as_fact` wrote."""
        lines = tuple(
            OrderLine(
                id=line["id"],
                item_id=line["item_id"],
                name=line["name"],
                quantity=Decimal(line["quantity"]),
                unit_price=Decimal(line["unit_price"]),
            )
            for line in value["lines"]
        )
        return cls(value["number"], value["currency"], value["seller"], Decimal(value["charges"]), lines)


@dataclass(frozen=True)
class ReceivedLine:
    """How much of one item arrived."""

    order_line: str
    item_id: str
    quantity: Decimal


@dataclass(frozen=True)
class Receipt:
    """One delivery that the warehouse booked against an order."""

    number: str
    order: str
    lines: tuple[ReceivedLine, ...]


def read_order(data: bytes) -> Order:
    """The order in a UBL Order file; raises Unreadable."""
    root = _root(data, "Order")
    seller = "cac:SellerSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID"
    return Order(
        number=root.text("cbc:ID"),
        currency=root.text("cbc:DocumentCurrencyCode"),
        seller=plain_id(root.text(seller)),
        charges=sum((found.amount for found in read_adjustments(root) if found.is_charge), ZERO),
        lines=tuple(_order_line(node) for node in root.all("cac:OrderLine/cac:LineItem")),
    )


def read_receipt(data: bytes) -> Receipt:
    """The receipt in a UBL ReceiptAdvice file; raises Unreadable."""
    root = _root(data, "ReceiptAdvice")
    return Receipt(
        number=root.text("cbc:ID"),
        order=root.text("cac:OrderReference/cbc:ID"),
        lines=tuple(_received_line(node) for node in root.all("cac:ReceiptLine")),
    )


def _root(data: bytes, name: str) -> Node:
    root = open_document(data)
    if root.name != name or root.namespace != DOCUMENT.format(name=name):
        raise Unreadable(f"The file is no UBL {name}: its root element is {root.name}.")
    return root


def _order_line(node: Node) -> OrderLine:
    quantity = node.amount("cbc:Quantity") or ZERO
    return OrderLine(
        id=node.text("cbc:ID"),
        item_id=node.text("cac:Item/cac:SellersItemIdentification/cbc:ID"),
        name=node.text("cac:Item/cbc:Name"),
        quantity=quantity,
        unit_price=unit_price(
            quantity,
            node.amount("cbc:LineExtensionAmount"),
            node.amount("cac:Price/cbc:PriceAmount"),
            node.amount("cac:Price/cbc:BaseQuantity"),
        ),
    )


def _received_line(node: Node) -> ReceivedLine:
    return ReceivedLine(
        order_line=node.text("cac:OrderLineReference/cbc:LineID"),
        item_id=node.text("cac:Item/cac:SellersItemIdentification/cbc:ID"),
        quantity=node.amount("cbc:ReceivedQuantity") or ZERO,
    )


def unit_price(
    quantity: Decimal | None, net: Decimal | None, price: Decimal | None, price_base: Decimal | None
) -> Decimal:
    """What one unit really costs: from the line's total when there is one, else from the stated price."""
    # Stated prices mislead (price per box, per hundred, before discount); the total is what is owed.
    if net is not None and quantity:
        return net / quantity
    return (price or ZERO) / (price_base or Decimal(1))
