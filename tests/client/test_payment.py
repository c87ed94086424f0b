"""Paying: what a transfer can settle, and a pain.001 file that a bank takes once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import sepaxml
import xmlschema
from autonomy_client.examples.invoices.clerk import over_the_cap
from autonomy_client.examples.invoices.invoice import Invoice, Kind, Payment, Totals
from autonomy_client.examples.invoices.payment import (
    Debtor,
    iban_is_valid,
    message_id,
    transfer_for,
    why_not_payable,
    write_pain,
)
from autonomy_client.examples.invoices.reading import read_invoice

HALDEN = Debtor("Halden Group", "NL91ABNA0417164300", "ABNANL2A")
TODAY = date(2026, 11, 22)
PAIN = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"}


@pytest.fixture
def invoice() -> Invoice:
    ubl = "urn:oasis:names:specification:ubl:schema:xsd:"
    empty = read_invoice(f'<Invoice xmlns="{ubl}Invoice-2"/>'.encode())
    return replace(
        empty,
        number="RE-7",
        currency="EUR",
        due_date=date(2026, 12, 1),
        seller=replace(empty.seller, name="Büro & Söhne GmbH"),
        totals=Totals(payable=Decimal("1234.50")),
        payment=Payment("58", ("DE89370400440532013000",), "COBADEFF", "RE-7 / 2026"),
    )


def test_a_plain_invoice_can_be_paid(invoice: Invoice) -> None:
    assert why_not_payable(invoice) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": Kind.CREDIT_NOTE}, "booked against the account"),
        ({"totals": Totals()}, "no amount"),
        ({"totals": Totals(payable=Decimal(0))}, "Nothing is left to pay"),
        ({"totals": Totals(payable=Decimal(-5))}, "Nothing is left to pay"),
        ({"totals": Totals(payable=Decimal("1.005"))}, "no amount that a bank transfers"),
        ({"totals": Totals(payable=Decimal(10) ** 12)}, "no amount that a bank transfers"),
        ({"currency": "NOK"}, "Only euro"),
        ({"currency": ""}, "Only euro"),
        ({"payment": Payment("58")}, "no bank account"),
        ({"payment": Payment("58", ("DE88370400440532013000",))}, "not a valid IBAN"),
        ({"payment": Payment("59", ("DE89370400440532013000",))}, "collects the amount itself"),
    ],
)
def test_what_no_transfer_can_settle_is_not_paid(invoice: Invoice, changes: dict[str, object], reason: str) -> None:
    assert reason in why_not_payable(replace(invoice, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("iban", "valid"),
    [
        ("NL91ABNA0417164300", True),
        ("BE68539007547034", True),
        ("NL91ABNA0417164301", False),
        ("NL9", False),
        ("", False),
        ("nl91abna0417164300", False),
        ("DE89 3704 0044 0532 0130 00", False),
    ],
)
def test_check_digits_decide_about_an_iban(iban: str, valid: bool) -> None:
    assert iban_is_valid(iban) is valid


def test_the_file_is_valid_against_the_schema_of_the_standard(invoice: Invoice) -> None:
    data = write_pain(transfer_for(invoice, "run-7", TODAY), HALDEN)

    schema = xmlschema.XMLSchema(Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.03.xsd")
    schema.validate(data.decode())
    told = schema.to_dict(data.decode())["CstmrCdtTrfInitn"]  # type: ignore[index, call-overload]
    payment = told["PmtInf"][0]
    transfer = payment["CdtTrfTxInf"][0]
    assert (told["GrpHdr"]["NbOfTxs"], told["GrpHdr"]["CtrlSum"]) == ("1", Decimal("1234.50"))
    assert payment["ReqdExctnDt"] == "2026-12-01"
    assert payment["DbtrAcct"]["Id"]["IBAN"] == HALDEN.iban
    assert transfer["Amt"]["InstdAmt"] == {"@Ccy": "EUR", "$": Decimal("1234.50")}
    assert transfer["Cdtr"]["Nm"] == "Buro & Sohne GmbH"
    assert transfer["CdtrAcct"]["Id"]["IBAN"] == "DE89370400440532013000"
    assert transfer["RmtInf"]["Ustrd"] == ["RE-7 / 2026"]


def test_a_repeat_carries_the_same_ids_and_another_run_others(invoice: Invoice) -> None:
    first = write_pain(transfer_for(invoice, "run-7", TODAY), HALDEN)
    again = write_pain(transfer_for(invoice, "run-7", TODAY), HALDEN)

    lasting = message_id("run-7").encode()
    assert first.count(lasting) == again.count(lasting) == 3
    assert message_id("run-8").encode() not in first
    assert len(lasting) <= 35


@pytest.mark.parametrize(
    ("due", "on"), [(date(2026, 12, 1), date(2026, 12, 1)), (date(2026, 11, 1), TODAY), (None, TODAY)]
)
def test_a_transfer_is_made_on_the_due_date_and_never_in_the_past(invoice: Invoice, due: date | None, on: date) -> None:
    assert transfer_for(replace(invoice, due_date=due), "run-7", TODAY).on == on


@pytest.mark.parametrize(
    ("obligations", "refused"),
    [
        ([], False),
        ([{"type": "log", "level": "full"}], False),
        ([{"type": "cap", "field": "context.amount", "max": "5000"}], False),
        ([{"type": "cap", "field": "context.amount", "max": "4999.99"}], True),
        ([{"type": "cap", "max": 5000}, {"type": "cap", "max": 10}], True),
        ([{"type": "cap", "max": "NaN"}], True),
        ([{"type": "cap", "max": None}], True),
        ([{"type": "cap", "field": "resource.weight", "max": 9000}], True),
    ],
)
def test_a_cap_is_kept_and_one_that_is_not_understood_forbids(
    obligations: list[dict[str, object]], refused: bool
) -> None:
    assert bool(over_the_cap(obligations, Decimal(5000))) is refused
