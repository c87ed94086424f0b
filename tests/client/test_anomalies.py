"""Anomalies of one invoice: duplicates, bank accounts and the risk that people see."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from autonomy_client.examples.invoices.anomalies import (
    Kind,
    Risk,
    Seen,
    find_anomalies,
    highest_risk,
    identities,
    wrong_sums,
)
from autonomy_client.examples.invoices.invoice import Invoice, Line, Party, Payment, Tax, Totals
from autonomy_client.examples.invoices.reading import read_invoice
from autonomy_client.examples.invoices.vendors import Vendor, VendorMaster

NET, TAX, TOTAL = Decimal("100.00"), Decimal("21.00"), Decimal("121.00")
VENDOR = Vendor("V-1", "Seller", "NL1", "NL91ABNA0417164300", date(2020, 1, 1))


@pytest.fixture
def invoice() -> Invoice:
    """A sound invoice over 100.00 and 21 % VAT."""
    empty = read_invoice(b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>')
    party = Party(name="Seller", vat_id="NL1", country="NL", has_address=True)
    line = Line("1", "Paper", "A", "1", Decimal(10), "C62", Decimal(10), net=NET, tax_category="S")
    return replace(
        empty,
        profile="urn:cen.eu:en16931:2017",
        number="7",
        type_code="380",
        currency="EUR",
        seller=party,
        buyer=party,
        issue_date=date(2026, 11, 2),
        due_date=date(2026, 12, 2),
        payment=Payment("58", (VENDOR.account,)),
        totals=Totals(lines=NET, net=NET, tax=TAX, total=TOTAL, payable=TOTAL),
        taxes=(Tax("S", Decimal(21), NET, TAX),),
        lines=(line,),
    )


def test_a_sound_invoice_has_no_findings(invoice: Invoice) -> None:
    assert find_anomalies(invoice, VENDOR) == ()
    assert highest_risk([]) is Risk.NONE


@pytest.mark.parametrize(
    ("totals", "note"),
    [
        (
            {"total": Decimal("122.00"), "payable": Decimal("122.00")},
            "Total with VAT should be 121.00 and says 122.00.",
        ),
        ({"lines": Decimal("99.00")}, "Sum of the lines should be 100.00 and says 99.00."),
        ({"tax": Decimal("20.00")}, "VAT should be 21.00 and says 20.00."),
        ({"prepaid": Decimal("21.00")}, "Amount to pay should be 100.00 and says 121.00."),
        ({"allowances": Decimal("5.00")}, "Net amount should be 95.00 and says 100.00."),
    ],
)
def test_a_sum_that_does_not_add_up_is_told_with_the_right_one(
    invoice: Invoice, totals: dict[str, Decimal], note: str
) -> None:
    assert note in list(wrong_sums(replace(invoice, totals=replace(invoice.totals, **totals))))


def test_tax_is_checked_against_its_rate_with_a_cent_for_rounding(invoice: Invoice) -> None:
    def taxed(amount: str) -> list[str]:
        tax = Decimal(amount)
        totals = replace(invoice.totals, tax=tax, total=NET + tax, payable=NET + tax)
        return list(wrong_sums(replace(invoice, taxes=(Tax("S", Decimal(21), NET, tax),), totals=totals)))

    assert taxed("21.01") == []
    assert taxed("21.03") == ["VAT at 21 % should be 21.00 and says 21.03."]


def test_absurd_numbers_are_a_finding_and_no_error(invoice: Invoice) -> None:
    line = replace(invoice.lines[0], quantity=Decimal(10) ** 15, price=Decimal(10) ** 15)

    assert find_anomalies(replace(invoice, lines=(line,)))[0].kind is Kind.ARITHMETIC


def test_another_account_than_the_known_one_is_high_risk(invoice: Invoice) -> None:
    findings = find_anomalies(replace(invoice, payment=Payment("58", ("DE89370400440532013000",))), VENDOR)

    assert [finding.kind for finding in findings] == [Kind.CHANGED_ACCOUNT]
    assert highest_risk(findings) is Risk.HIGH


def test_a_bill_that_came_before_is_a_duplicate_and_leads_the_findings(invoice: Invoice) -> None:
    findings = find_anomalies(replace(invoice, number=""), VENDOR, [Seen("old.xml", "6", "amount and date")])

    assert [finding.kind for finding in findings] == [Kind.DUPLICATE, Kind.MISSING_FIELD]
    assert findings[0].note == "Same seller and amount and date as 6 in old.xml."


def test_the_same_bill_is_known_however_its_number_is_spelt(invoice: Invoice) -> None:
    plain, spelt = replace(invoice, number="RE-2026/7"), replace(invoice, number="re 2026 7")

    assert identities(plain) == identities(spelt)
    assert identities(plain) != identities(replace(invoice, number="RE-2026/8"))
    others = identities(replace(invoice, seller=Party(name="Other")))
    assert set(others.values()).isdisjoint(identities(invoice).values())


def test_the_vendor_master_knows_a_seller_by_vat_number(invoice: Invoice) -> None:
    row = (
        '[{"id": "V-1", "name": "Seller", "vat": "NL 1", "iban": "NL91 ABNA 0417 1643 00", "iban_since": "2020-01-01"}]'
    )

    assert VendorMaster.from_json(row).find(invoice.seller) == VENDOR
    assert VendorMaster({}).find(invoice.seller) is None
