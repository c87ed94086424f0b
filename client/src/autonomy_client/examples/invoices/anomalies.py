"""Anomalies of one invoice: sums, mandatory fields, bank account, duplicates. Plain values in and out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum

from autonomy_client.examples.invoices.invoice import ZERO, Adjustment, Invoice, Line, Party, Tax, plain_id
from autonomy_client.examples.invoices.invoice import Kind as Direction
from autonomy_client.examples.invoices.vendors import Vendor

CENT = Decimal("0.01")
# Sellers round each step; a line may differ by two cents and a tax by one per line that makes it up.
LINE_SLACK = Decimal("0.02")
# A hostile quantity times a hostile price still has to round without an error.
WIDE = Context(prec=60)


class Kind(StrEnum):
    """What can be wrong with an invoice by itself."""

    DUPLICATE = "duplicate"
    CHANGED_ACCOUNT = "changed_bank_account"
    ARITHMETIC = "arithmetic"
    MISSING_FIELD = "missing_field"

    @property
    def words(self) -> str:
        """The kind as people read it."""
        return self.replace("_", " ")


class Risk(StrEnum):
    """How bad it may get, in rising order."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


RISKS = {
    Kind.DUPLICATE: Risk.HIGH,
    Kind.CHANGED_ACCOUNT: Risk.HIGH,
    Kind.ARITHMETIC: Risk.MEDIUM,
    Kind.MISSING_FIELD: Risk.LOW,
}


@dataclass(frozen=True)
class Finding:
    """One anomaly and the sentence that shows it."""

    kind: Kind
    note: str

    @property
    def risk(self) -> Risk:
        return RISKS[self.kind]


@dataclass(frozen=True)
class Seen:
    """An invoice that came in before: the file and number, and which identity it shares with this one."""

    document: str
    number: str
    same: str


def find_anomalies(invoice: Invoice, vendor: Vendor | None = None, earlier: Sequence[Seen] = ()) -> tuple[Finding, ...]:
    """All findings about an invoice, at most one for each kind, the riskiest first."""
    notes = {
        Kind.DUPLICATE: [_duplicate(seen) for seen in earlier[:1]],
        Kind.CHANGED_ACCOUNT: list(_account(invoice, vendor)),
        Kind.ARITHMETIC: list(wrong_sums(invoice)),
        Kind.MISSING_FIELD: [f"{rule}: {field} is missing." for rule, field in missing_fields(invoice)],
    }
    return tuple(Finding(kind, " ".join(found)) for kind, found in notes.items() if found)


def highest_risk(findings: Sequence[Finding]) -> Risk:
    """The worst risk among the findings; none when there are none."""
    return max((finding.risk for finding in findings), key=list(Risk).index, default=Risk.NONE)


def identities(invoice: Invoice) -> dict[str, str]:
    """The two keys by which the same bill is known again: its number, and its amount with its date."""
    seller, kind = invoice.seller.key, invoice.kind
    keys = {}
    if invoice.number:
        keys["number"] = f"{kind}|{seller}|number|{plain_id(invoice.number)}"
    if invoice.totals.total is not None and invoice.issue_date:
        total = f"{invoice.totals.total.quantize(CENT)}"
        keys["amount and date"] = f"{kind}|{seller}|amount|{invoice.currency}|{total}|{invoice.issue_date}"
    return keys


def _duplicate(seen: Seen) -> str:
    return f"Same seller and {seen.same} as {seen.number or 'an invoice'} in {seen.document}."


def _account(invoice: Invoice, vendor: Vendor | None) -> Iterator[str]:
    if vendor is None:
        return
    for account in invoice.payment.accounts:
        if account != vendor.account:
            known = f"{vendor.id} is paid to {vendor.account} since {vendor.account_since}"
            yield f"Asks for payment to {account}; {known}."


def wrong_sums(invoice: Invoice) -> Iterator[str]:
    """A sentence for each sum that does not add up (EN 16931 BR-CO-10 to 17, and each line)."""
    totals = invoice.totals
    for line in invoice.lines:
        yield from _line_sum(line)
    lines = sum((line.net or ZERO for line in invoice.lines), ZERO)
    yield from _differs("Sum of the lines", lines, totals.lines)
    yield from _differs("Allowances", _adjusted(invoice.adjustments, is_charge=False), totals.allowances)
    yield from _differs("Charges", _adjusted(invoice.adjustments, is_charge=True), totals.charges)
    if totals.lines is not None:
        yield from _differs("Net amount", totals.lines - totals.allowances + totals.charges, totals.net)
    if invoice.taxes:
        yield from _differs("VAT", sum((tax.amount or ZERO for tax in invoice.taxes), ZERO), totals.tax)
    for tax in invoice.taxes:
        yield from _tax_sum(tax, len(invoice.lines))
    if totals.net is not None:
        yield from _differs("Total with VAT", totals.net + (totals.tax or ZERO), totals.total)
    if totals.total is not None:
        yield from _differs("Amount to pay", totals.total - totals.prepaid + totals.rounding, totals.payable)


def _line_sum(line: Line) -> Iterator[str]:
    if line.quantity is None or line.price is None:
        return
    extra = _adjusted(line.adjustments, is_charge=True) - _adjusted(line.adjustments, is_charge=False)
    expected = line.quantity * line.price / line.price_base + extra
    yield from _differs(f"Line {line.id}", expected, line.net, LINE_SLACK)


def _tax_sum(tax: Tax, lines: int) -> Iterator[str]:
    if tax.taxable is None or tax.rate is None:
        return
    expected = tax.taxable * tax.rate / 100
    yield from _differs(f"VAT at {tax.rate.normalize():f} %", expected, tax.amount, max(LINE_SLACK, CENT * lines))


def _differs(what: str, expected: Decimal, stated: Decimal | None, slack: Decimal = ZERO) -> Iterator[str]:
    if stated is None:
        return
    rounded = expected.quantize(CENT, ROUND_HALF_UP, WIDE)
    if abs(rounded - stated.quantize(CENT, ROUND_HALF_UP, WIDE)) > slack:
        yield f"{what} should be {rounded} and says {stated}."


def _adjusted(adjustments: Sequence[Adjustment], *, is_charge: bool) -> Decimal:
    return sum((found.amount for found in adjustments if found.is_charge is is_charge), ZERO)


def missing_fields(invoice: Invoice) -> list[tuple[str, str]]:
    """The mandatory fields of EN 16931 that are absent, as (rule, field)."""
    totals, payment = invoice.totals, invoice.payment
    required = [
        ("BR-01", "the specification identifier", invoice.profile),
        ("BR-02", "the invoice number", invoice.number),
        ("BR-03", "the issue date", invoice.issue_date),
        ("BR-04", "the type code", invoice.type_code),
        ("BR-05", "the currency", invoice.currency),
        ("BR-06", "the seller's name", invoice.seller.name),
        ("BR-07", "the buyer's name", invoice.buyer.name),
        *_address_fields(invoice.seller, "seller", "BR-08 BR-09"),
        *_address_fields(invoice.buyer, "buyer", "BR-10 BR-11"),
        ("BR-12", "the sum of the lines", totals.lines is not None),
        ("BR-13", "the net amount", totals.net is not None),
        ("BR-14", "the total with VAT", totals.total is not None),
        ("BR-15", "the amount to pay", totals.payable is not None),
        ("BR-16", "every line", invoice.lines),
        ("BR-CO-18", "the VAT breakdown", invoice.taxes),
    ]
    representative = invoice.tax_representative
    if representative:
        required.append(("BR-18", "the tax representative's name", representative.display_name))
        required += _address_fields(representative, "tax representative", "BR-19 BR-20")
    if invoice.kind is Direction.INVOICE and totals.payable and totals.payable > 0:
        required.append(("BR-CO-25", "a due date or payment terms", invoice.due_date or payment.terms))
    for line in invoice.lines:
        required += _line_fields(line)
    return [(rule, field) for rule, field, value in required if not value]


def _address_fields(party: Party, whose: str, rules: str) -> list[tuple[str, str, object]]:
    address, country = rules.split()
    return [
        (address, f"the {whose}'s address", party.has_address),
        (country, f"the {whose}'s country", party.country),
    ]


def _line_fields(line: Line) -> list[tuple[str, str, object]]:
    return [
        ("BR-21", "a line's identifier", line.id),
        ("BR-22", f"the quantity of line {line.id}", line.quantity is not None),
        ("BR-23", f"the unit of line {line.id}", line.unit),
        ("BR-24", f"the net amount of line {line.id}", line.net is not None),
        ("BR-25", f"the item name of line {line.id}", line.name),
        ("BR-26", f"the price of line {line.id}", line.price is not None),
    ]
