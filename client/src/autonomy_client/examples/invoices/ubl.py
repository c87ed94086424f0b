"""Universal Business Language 2.1: invoices, credit notes, orders and receipts."""

from __future__ import annotations

from decimal import Decimal

from autonomy_client.examples.invoices.invoice import (
    CREDIT_TYPE_CODES,
    ZERO,
    Adjustment,
    Invoice,
    Kind,
    Line,
    Party,
    Payment,
    Tax,
    Totals,
    plain_account,
)
from autonomy_client.examples.invoices.xml import Node

DOCUMENT = "urn:oasis:names:specification:ubl:schema:xsd:{name}-2"


def read_ubl_invoice(root: Node) -> Invoice:
    """The invoice that a UBL Invoice or CreditNote element states."""
    currency = root.text("cbc:DocumentCurrencyCode")
    type_code = root.text("cbc:InvoiceTypeCode") or root.text("cbc:CreditNoteTypeCode")
    gives_back = root.name == "CreditNote" or type_code in CREDIT_TYPE_CODES
    tax_total = _tax_total(root, currency)
    representative = root.first("cac:TaxRepresentativeParty")
    return Invoice(
        syntax=f"UBL {root.name}",
        profile=root.text("cbc:CustomizationID"),
        number=root.text("cbc:ID"),
        type_code=type_code,
        kind=Kind.CREDIT_NOTE if gives_back else Kind.INVOICE,
        issue_date=root.day("cbc:IssueDate"),
        due_date=root.day("cbc:DueDate") or root.day("cac:PaymentMeans/cbc:PaymentDueDate"),
        delivery_date=root.day("cac:Delivery/cbc:ActualDeliveryDate"),
        currency=currency,
        buyer_reference=root.text("cbc:BuyerReference"),
        order_reference=_order_reference(root),
        preceding_invoice=root.text("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"),
        note=root.text("cbc:Note"),
        seller=_party(root.first("cac:AccountingSupplierParty/cac:Party")),
        buyer=_party(root.first("cac:AccountingCustomerParty/cac:Party")),
        tax_representative=_party(representative) if representative else None,
        payment=_payment(root),
        totals=_totals(root, tax_total),
        adjustments=read_adjustments(root),
        taxes=_taxes(tax_total),
        lines=tuple(_line(node, root.name) for node in root.all(f"cac:{root.name}Line")),
    )


def read_adjustments(node: Node) -> tuple[Adjustment, ...]:
    """The allowances and charges directly on this element."""
    return tuple(
        Adjustment(
            is_charge=found.text("cbc:ChargeIndicator").lower() in {"true", "1"},
            amount=found.amount("cbc:Amount") or ZERO,
            reason=found.text("cbc:AllowanceChargeReason"),
        )
        for found in node.all("cac:AllowanceCharge")
    )


def _order_reference(root: Node) -> str:
    header = root.text("cac:OrderReference/cbc:ID")
    return header or root.text("cac:InvoiceLine/cac:OrderLineReference/cac:OrderReference/cbc:ID")


def _party(node: Node | None) -> Party:
    if node is None:
        return Party()
    return Party(
        name=node.text("cac:PartyLegalEntity/cbc:RegistrationName"),
        trade_name=node.text("cac:PartyName/cbc:Name"),
        identifier=node.text("cac:PartyIdentification/cbc:ID"),
        legal_id=node.text("cac:PartyLegalEntity/cbc:CompanyID"),
        vat_id=_vat_id(node),
        country=node.text("cac:PostalAddress/cac:Country/cbc:IdentificationCode"),
        has_address=node.first("cac:PostalAddress") is not None,
    )


def _vat_id(party: Node) -> str:
    for scheme in party.all("cac:PartyTaxScheme"):
        if scheme.text("cac:TaxScheme/cbc:ID") == "VAT":
            return scheme.text("cbc:CompanyID")
    return ""


def _payment(root: Node) -> Payment:
    accounts = (plain_account(node.text("cbc:ID")) for node in root.all("cac:PaymentMeans/cac:PayeeFinancialAccount"))
    branch = "cac:PaymentMeans/cac:PayeeFinancialAccount/cac:FinancialInstitutionBranch"
    return Payment(
        means=root.text("cac:PaymentMeans/cbc:PaymentMeansCode"),
        accounts=tuple(dict.fromkeys(account for account in accounts if account)),
        bic=root.text(f"{branch}/cbc:ID") or root.text(f"{branch}/cac:FinancialInstitution/cbc:ID"),
        reference=root.text("cac:PaymentMeans/cbc:PaymentID"),
        terms=root.text("cac:PaymentTerms/cbc:Note"),
    )


def _tax_total(root: Node, currency: str) -> Node | None:
    # A second TaxTotal may state the tax in the currency of the tax office.
    totals = list(root.all("cac:TaxTotal"))
    own = [total for total in totals if total.attribute("cbc:TaxAmount", "currencyID") == currency]
    return next(iter(own or totals), None)


def _taxes(tax_total: Node | None) -> tuple[Tax, ...]:
    if tax_total is None:
        return ()
    return tuple(
        Tax(
            category=row.text("cac:TaxCategory/cbc:ID"),
            rate=row.amount("cac:TaxCategory/cbc:Percent"),
            taxable=row.amount("cbc:TaxableAmount"),
            amount=row.amount("cbc:TaxAmount"),
        )
        for row in tax_total.all("cac:TaxSubtotal")
    )


def _totals(root: Node, tax_total: Node | None) -> Totals:
    sums = root.first("cac:LegalMonetaryTotal") or root.first("cac:RequestedMonetaryTotal")
    tax = tax_total.amount("cbc:TaxAmount") if tax_total else None
    if sums is None:
        return Totals(tax=tax)
    return Totals(
        lines=sums.amount("cbc:LineExtensionAmount"),
        allowances=sums.amount("cbc:AllowanceTotalAmount") or ZERO,
        charges=sums.amount("cbc:ChargeTotalAmount") or ZERO,
        net=sums.amount("cbc:TaxExclusiveAmount"),
        tax=tax,
        total=sums.amount("cbc:TaxInclusiveAmount"),
        prepaid=sums.amount("cbc:PrepaidAmount") or ZERO,
        rounding=sums.amount("cbc:PayableRoundingAmount") or ZERO,
        payable=sums.amount("cbc:PayableAmount"),
    )


def _line(node: Node, document: str) -> Line:
    quantity = "cbc:CreditedQuantity" if document == "CreditNote" else "cbc:InvoicedQuantity"
    return Line(
        id=node.text("cbc:ID"),
        name=node.text("cac:Item/cbc:Name") or node.text("cac:Item/cbc:Description"),
        item_id=node.text("cac:Item/cac:SellersItemIdentification/cbc:ID"),
        order_line=node.text("cac:OrderLineReference/cbc:LineID"),
        quantity=node.amount(quantity),
        unit=node.attribute(quantity, "unitCode"),
        price=node.amount("cac:Price/cbc:PriceAmount"),
        price_base=node.amount("cac:Price/cbc:BaseQuantity") or Decimal(1),
        net=node.amount("cbc:LineExtensionAmount"),
        tax_category=node.text("cac:Item/cac:ClassifiedTaxCategory/cbc:ID"),
        tax_rate=node.amount("cac:Item/cac:ClassifiedTaxCategory/cbc:Percent"),
        adjustments=read_adjustments(node),
    )
