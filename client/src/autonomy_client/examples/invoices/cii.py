"""UN/CEFACT Cross Industry Invoice (also inside ZUGFeRD, Factur-X and XRechnung)."""

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

ROOT = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
DEAL = "rsm:SupplyChainTradeTransaction"
AGREEMENT = f"{DEAL}/ram:ApplicableHeaderTradeAgreement"
DELIVERY = f"{DEAL}/ram:ApplicableHeaderTradeDelivery"
SETTLEMENT = f"{DEAL}/ram:ApplicableHeaderTradeSettlement"
TERMS = f"{SETTLEMENT}/ram:SpecifiedTradePaymentTerms"
MEANS = f"{SETTLEMENT}/ram:SpecifiedTradeSettlementPaymentMeans"
CONTEXT = "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"


def read_cii_invoice(root: Node) -> Invoice:
    """The invoice that a CrossIndustryInvoice element states."""
    type_code = root.text("rsm:ExchangedDocument/ram:TypeCode")
    currency = root.text(f"{SETTLEMENT}/ram:InvoiceCurrencyCode")
    representative = root.first(f"{AGREEMENT}/ram:SellerTaxRepresentativeTradeParty")
    return Invoice(
        syntax="UN/CEFACT CII",
        profile=root.text(CONTEXT),
        number=root.text("rsm:ExchangedDocument/ram:ID"),
        type_code=type_code,
        kind=Kind.CREDIT_NOTE if type_code in CREDIT_TYPE_CODES else Kind.INVOICE,
        issue_date=root.day("rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString"),
        due_date=root.day(f"{TERMS}/ram:DueDateDateTime/udt:DateTimeString"),
        delivery_date=root.day(
            f"{DELIVERY}/ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime/udt:DateTimeString"
        ),
        currency=currency,
        buyer_reference=root.text(f"{AGREEMENT}/ram:BuyerReference"),
        order_reference=root.text(f"{AGREEMENT}/ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID"),
        preceding_invoice=root.text(f"{SETTLEMENT}/ram:InvoiceReferencedDocument/ram:IssuerAssignedID"),
        note=root.text("rsm:ExchangedDocument/ram:IncludedNote/ram:Content"),
        seller=_party(root.first(f"{AGREEMENT}/ram:SellerTradeParty")),
        buyer=_party(root.first(f"{AGREEMENT}/ram:BuyerTradeParty")),
        tax_representative=_party(representative) if representative else None,
        payment=_payment(root),
        totals=_totals(root, currency),
        adjustments=_adjustments(root, f"{SETTLEMENT}/ram:SpecifiedTradeAllowanceCharge"),
        taxes=tuple(_tax(node) for node in root.all(f"{SETTLEMENT}/ram:ApplicableTradeTax")),
        lines=tuple(_line(node) for node in root.all(f"{DEAL}/ram:IncludedSupplyChainTradeLineItem")),
    )


def _party(node: Node | None) -> Party:
    if node is None:
        return Party()
    registrations = {
        found.attribute("ram:ID", "schemeID"): found.text("ram:ID")
        for found in node.all("ram:SpecifiedTaxRegistration")
    }
    return Party(
        name=node.text("ram:Name"),
        trade_name=node.text("ram:SpecifiedLegalOrganization/ram:TradingBusinessName"),
        identifier=node.text("ram:GlobalID") or node.text("ram:ID"),
        legal_id=node.text("ram:SpecifiedLegalOrganization/ram:ID"),
        vat_id=registrations.get("VA", ""),
        country=node.text("ram:PostalTradeAddress/ram:CountryID"),
        has_address=node.first("ram:PostalTradeAddress") is not None,
    )


def _payment(root: Node) -> Payment:
    accounts: list[str] = []
    for node in root.all(f"{MEANS}/ram:PayeePartyCreditorFinancialAccount"):
        accounts.append(plain_account(node.text("ram:IBANID") or node.text("ram:ProprietaryID")))
    return Payment(
        means=root.text(f"{MEANS}/ram:TypeCode"),
        accounts=tuple(dict.fromkeys(account for account in accounts if account)),
        bic=root.text(f"{MEANS}/ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID"),
        reference=root.text(f"{SETTLEMENT}/ram:PaymentReference"),
        terms=root.text(f"{TERMS}/ram:Description"),
    )


def _totals(root: Node, currency: str) -> Totals:
    sums = root.first(f"{SETTLEMENT}/ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    if sums is None:
        return Totals()
    return Totals(
        lines=sums.amount("ram:LineTotalAmount"),
        allowances=sums.amount("ram:AllowanceTotalAmount") or ZERO,
        charges=sums.amount("ram:ChargeTotalAmount") or ZERO,
        net=sums.amount("ram:TaxBasisTotalAmount"),
        tax=_tax_total(sums, currency),
        total=sums.amount("ram:GrandTotalAmount"),
        prepaid=sums.amount("ram:TotalPrepaidAmount") or ZERO,
        rounding=sums.amount("ram:RoundingAmount") or ZERO,
        payable=sums.amount("ram:DuePayableAmount"),
    )


def _tax_total(sums: Node, currency: str) -> Decimal | None:
    # A second TaxTotalAmount may state the tax in the currency of the tax office.
    stated = list(sums.all("ram:TaxTotalAmount"))
    own = [node for node in stated if node.attribute(".", "currencyID") == currency]
    chosen = next(iter(own or stated), None)
    return chosen.amount(".") if chosen else None


def _tax(node: Node) -> Tax:
    return Tax(
        category=node.text("ram:CategoryCode"),
        rate=node.amount("ram:RateApplicablePercent"),
        taxable=node.amount("ram:BasisAmount"),
        amount=node.amount("ram:CalculatedAmount"),
    )


def _adjustments(node: Node, path: str) -> tuple[Adjustment, ...]:
    return tuple(
        Adjustment(
            is_charge=found.text("ram:ChargeIndicator/udt:Indicator").lower() in {"true", "1"},
            amount=found.amount("ram:ActualAmount") or ZERO,
            reason=found.text("ram:Reason"),
        )
        for found in node.all(path)
    )


def _line(node: Node) -> Line:
    agreement, settlement = "ram:SpecifiedLineTradeAgreement", "ram:SpecifiedLineTradeSettlement"
    quantity, price = (
        "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity",
        f"{agreement}/ram:NetPriceProductTradePrice",
    )
    return Line(
        id=node.text("ram:AssociatedDocumentLineDocument/ram:LineID"),
        name=node.text("ram:SpecifiedTradeProduct/ram:Name"),
        item_id=node.text("ram:SpecifiedTradeProduct/ram:SellerAssignedID"),
        order_line=node.text(f"{agreement}/ram:BuyerOrderReferencedDocument/ram:LineID"),
        quantity=node.amount(quantity),
        unit=node.attribute(quantity, "unitCode"),
        price=node.amount(f"{price}/ram:ChargeAmount"),
        price_base=node.amount(f"{price}/ram:BasisQuantity") or Decimal(1),
        net=node.amount(f"{settlement}/ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"),
        tax_category=node.text(f"{settlement}/ram:ApplicableTradeTax/ram:CategoryCode"),
        tax_rate=node.amount(f"{settlement}/ram:ApplicableTradeTax/ram:RateApplicablePercent"),
        adjustments=_adjustments(node, f"{settlement}/ram:SpecifiedTradeAllowanceCharge"),
    )
