"""Writing the demo's papers as UBL 2.1: invoices in the fields of EN 16931, orders and receipts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from lxml import etree

from autonomy_site.demo.documents.deals import Bill, Item, Order, Receipt
from autonomy_site.demo.documents.trade import Company

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
CAC, CBC = f"{UBL}CommonAggregateComponents-2", f"{UBL}CommonBasicComponents-2"
EXEMPTIONS = {
    "K": ("VATEX-EU-IC", "Intra-community supply"),
    "AE": ("VATEX-EU-AE", "Reverse charge"),
}


class Paper:
    """One element being written; methods add children and return what is useful next."""

    def __init__(self, element: etree._Element) -> None:
        self.element = element

    @classmethod
    def named(cls, name: str) -> Paper:
        """An empty document of this UBL type."""
        prefixes: dict[Any, str] = {None: f"{UBL}{name}-2", "cac": CAC, "cbc": CBC}
        return cls(etree.Element(f"{{{UBL}{name}-2}}{name}", nsmap=prefixes))

    def part(self, name: str) -> Paper:
        """A new aggregate inside this one."""
        return Paper(etree.SubElement(self.element, f"{{{CAC}}}{name}"))

    def say(self, name: str, value: object, **attributes: str) -> None:
        """A new field with its text."""
        etree.SubElement(self.element, f"{{{CBC}}}{name}", attributes).text = str(value)

    def amount(self, name: str, value: Decimal) -> None:
        """A new field with an amount in euro."""
        self.say(name, f"{value:.2f}", currencyID="EUR")

    def bytes(self) -> bytes:
        """The whole document."""
        return etree.tostring(self.element, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def invoice(bill: Bill) -> bytes:
    """The bill as a UBL Invoice."""
    paper = Paper.named("Invoice")
    paper.say("CustomizationID", "urn:cen.eu:en16931:2017")
    paper.say("ID", bill.number)
    paper.say("IssueDate", bill.on)
    paper.say("DueDate", bill.due_on)
    paper.say("InvoiceTypeCode", 380)
    paper.say("DocumentCurrencyCode", "EUR")
    paper.say("BuyerReference", bill.order.buyer.name)
    paper.part("OrderReference").say("ID", bill.order.number)
    _party(paper.part("AccountingSupplierParty").part("Party"), bill.order.supplier.company)
    _party(paper.part("AccountingCustomerParty").part("Party"), bill.order.buyer)
    _delivery(paper.part("Delivery"), bill)
    _payment(paper, bill)
    _taxes(paper.part("TaxTotal"), bill)
    _totals(paper.part("LegalMonetaryTotal"), bill)
    for position, item in enumerate(bill.items, start=1):
        _invoice_line(paper.part("InvoiceLine"), position, item, bill.tax_of(item))
    return paper.bytes()


def order(bought: Order) -> bytes:
    """The order as a UBL Order."""
    paper = Paper.named("Order")
    paper.say("CustomizationID", "urn:fdc:peppol.eu:poacc:trns:order:3")
    paper.say("ProfileID", "urn:fdc:peppol.eu:poacc:bis:ordering:3")
    paper.say("ID", bought.number)
    paper.say("IssueDate", bought.on)
    paper.say("OrderTypeCode", 220)
    paper.say("DocumentCurrencyCode", "EUR")
    _party(paper.part("BuyerCustomerParty").part("Party"), bought.buyer)
    _party(paper.part("SellerSupplierParty").part("Party"), bought.supplier.company)
    paper.part("AnticipatedMonetaryTotal").amount("PayableAmount", _sum(bought.items))
    for item in bought.items:
        line = paper.part("OrderLine").part("LineItem")
        line.say("ID", item.order_line)
        line.say("Quantity", item.quantity, unitCode=item.good.unit)
        line.amount("LineExtensionAmount", item.net)
        line.part("Price").amount("PriceAmount", item.price)
        _item(line.part("Item"), item)
    return paper.bytes()


def receipt(arrived: Receipt) -> bytes:
    """The receipt as a UBL ReceiptAdvice."""
    paper = Paper.named("ReceiptAdvice")
    paper.say("UBLVersionID", "2.1")
    paper.say("ID", arrived.number)
    paper.say("IssueDate", arrived.on)
    paper.part("OrderReference").say("ID", arrived.order.number)
    _party(paper.part("DeliveryCustomerParty").part("Party"), arrived.order.buyer)
    _party(paper.part("DespatchSupplierParty").part("Party"), arrived.order.supplier.company)
    for position, item in enumerate(arrived.items, start=1):
        line = paper.part("ReceiptLine")
        line.say("ID", position)
        line.say("ReceivedQuantity", item.quantity, unitCode=item.good.unit)
        line.part("OrderLineReference").say("LineID", item.order_line)
        _item(line.part("Item"), item)
    return paper.bytes()


def _party(party: Paper, company: Company) -> None:
    party.part("PartyName").say("Name", company.name)
    _address(party.part("PostalAddress"), company)
    scheme = party.part("PartyTaxScheme")
    scheme.say("CompanyID", company.vat)
    scheme.part("TaxScheme").say("ID", "VAT")
    legal = party.part("PartyLegalEntity")
    legal.say("RegistrationName", company.name)
    legal.say("CompanyID", company.registration)


def _address(address: Paper, company: Company) -> None:
    address.say("StreetName", company.street)
    address.say("CityName", company.city)
    address.say("PostalZone", company.postcode)
    address.part("Country").say("IdentificationCode", company.country)


def _delivery(delivery: Paper, bill: Bill) -> None:
    delivery.say("ActualDeliveryDate", bill.delivered_on)
    _address(delivery.part("DeliveryLocation").part("Address"), bill.order.buyer)


def _payment(paper: Paper, bill: Bill) -> None:
    means = paper.part("PaymentMeans")
    means.say("PaymentMeansCode", 58)
    means.say("PaymentID", bill.number)
    account = means.part("PayeeFinancialAccount")
    account.say("ID", bill.account)
    account.say("Name", bill.order.supplier.company.name)
    paper.part("PaymentTerms").say("Note", f"Payable within {bill.order.supplier.terms_days} days, no discount.")


def _taxes(total: Paper, bill: Bill) -> None:
    total.amount("TaxAmount", bill.tax)
    for category, rate, base, tax in bill.taxes:
        row = total.part("TaxSubtotal")
        row.amount("TaxableAmount", base)
        row.amount("TaxAmount", tax)
        kind = row.part("TaxCategory")
        kind.say("ID", category)
        kind.say("Percent", rate)
        if category in EXEMPTIONS:
            code, reason = EXEMPTIONS[category]
            kind.say("TaxExemptionReasonCode", code)
            kind.say("TaxExemptionReason", reason)
        kind.part("TaxScheme").say("ID", "VAT")


def _totals(totals: Paper, bill: Bill) -> None:
    totals.amount("LineExtensionAmount", bill.net)
    totals.amount("TaxExclusiveAmount", bill.net)
    totals.amount("TaxInclusiveAmount", bill.total)
    totals.amount("PayableAmount", bill.total)


def _invoice_line(line: Paper, position: int, item: Item, tax: tuple[str, Decimal]) -> None:
    line.say("ID", position)
    line.say("InvoicedQuantity", item.quantity, unitCode=item.good.unit)
    line.amount("LineExtensionAmount", item.net)
    line.part("OrderLineReference").say("LineID", item.order_line)
    category = _item(line.part("Item"), item).part("ClassifiedTaxCategory")
    category.say("ID", tax[0])
    category.say("Percent", tax[1])
    category.part("TaxScheme").say("ID", "VAT")
    line.part("Price").amount("PriceAmount", item.price)


def _item(described: Paper, item: Item) -> Paper:
    described.say("Name", item.good.name)
    described.part("SellersItemIdentification").say("ID", item.good.item_id)
    return described


def _sum(items: Sequence[Item]) -> Decimal:
    return sum((item.net for item in items), Decimal(0))
