"""Reading invoices: real ones of three standards agree with figures found by others, hostile ones are refused."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from autonomy_client.examples.invoices.anomalies import missing_fields, wrong_sums
from autonomy_client.examples.invoices.invoice import Kind
from autonomy_client.examples.invoices.reading import Invoice, Unreadable, read_invoice

FOLDERS = ("nl_testset", "xrechnung", "zugferd_cii", "zugferd_ubl", "cen_ubl", "cen_cii", "peppol_bis3")
UBL = 'xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"'
CBC = 'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"'


@pytest.fixture(scope="session")
def answers(real_invoices: Path) -> dict[str, dict[str, Any]]:
    known = json.loads((real_invoices / "answers.json").read_text("utf-8"))
    return {document["file"]: document for document in known["documents"]}


@pytest.fixture(scope="session")
def read(real_invoices: Path) -> dict[str, Invoice]:
    """All real invoices; a file that is none is left out."""
    files = (path for name in FOLDERS for path in sorted((real_invoices / name).rglob("*")) if path.is_file())
    found = {}
    for path in files:
        name = path.relative_to(real_invoices).as_posix()
        if "Order_ok_minimal" in name:
            continue
        found[name] = read_invoice(path.read_bytes())
    return found


def test_every_real_invoice_is_read_with_the_figures_that_others_found(
    read: dict[str, Invoice], answers: dict[str, dict[str, Any]]
) -> None:
    wrong = []
    for name, invoice in read.items():
        totals = invoice.totals
        figures = {
            "id": invoice.number,
            "currency": invoice.currency,
            "issue_date": str(invoice.issue_date),
            "lines": len(invoice.lines),
            "payable": totals.payable,
            "tax_inclusive": totals.total,
            "tax_exclusive": totals.net,
            "line_total": totals.lines,
        }
        known = {key: answers[name][key] for key in figures.keys() & answers[name].keys()}
        stated = {key: type(figures[key])(value) for key, value in known.items() if figures[key] is not None}
        wrong += [(name, key, figures[key], value) for key, value in stated.items() if figures[key] != value]
        wrong += [(name, key, None, value) for key, value in known.items() if figures[key] is None]

    assert len(read) == 130
    assert wrong == []


def test_the_seller_is_known_by_its_registered_or_its_trading_name(
    read: dict[str, Invoice], answers: dict[str, dict[str, Any]]
) -> None:
    strangers = {
        name: (invoice.seller, answers[name]["seller"])
        for name, invoice in read.items()
        if "seller" in answers[name]
        and " ".join(answers[name]["seller"].split()) not in (invoice.seller.name, invoice.seller.trade_name)
    }

    assert strangers == {}


def test_the_same_invoice_in_two_syntaxes_reads_the_same(read: dict[str, Invoice]) -> None:
    pairs = [(name, name.replace("cii", "ubl")) for name in read if name.startswith("zugferd_cii/")]
    pairs += [(name, name.replace("uncefact", "ubl")) for name in read if name.endswith("_uncefact.xml")]

    assert len(pairs) == 22
    for one, other in pairs:
        first, second = read[one], read[other]
        assert first.totals == second.totals, one
        assert (first.number, first.kind, first.currency) == (second.number, second.kind, second.currency), one
        assert (first.issue_date, first.due_date) == (second.issue_date, second.due_date), one
        assert [line.net for line in first.lines] == [line.net for line in second.lines], one
        assert first.payment.accounts == second.payment.accounts, one


def test_missing_fields_are_those_that_the_official_rules_find(
    read: dict[str, Invoice], answers: dict[str, dict[str, Any]]
) -> None:
    # The profile of 2013 lets its sellers leave out more than the rules that we name look at.
    ours = {name for name in read if not name.startswith("nl_testset/general/")}
    found = {name: {rule for rule, _ in missing_fields(read[name])} for name in ours}
    official = {
        name: {rule for rule in answers[name].get("cen_en16931_fatal", ()) if not rule.startswith("BR-C")}
        for name in ours
    }

    assert {name: rules for name, rules in found.items() if rules} == {
        name: rules for name, rules in official.items() if rules
    }


def test_the_sums_of_valid_invoices_add_up(read: dict[str, Invoice], answers: dict[str, dict[str, Any]]) -> None:
    # Published examples do contain lines whose price and quantity do not give their amount; the sums are right.
    complaints = {
        name: [note for note in wrong_sums(invoice) if not note.startswith("Line ")]
        for name, invoice in read.items()
        if not answers[name].get("cen_en16931_fatal")
    }

    assert {name: notes for name, notes in complaints.items() if notes} == {}


def test_a_total_that_the_official_rules_refuse_is_found(read: dict[str, Invoice]) -> None:
    invoice = read["nl_testset/SI-UBL-2.0/SI-UBL-2.0_BR-CO-15_error_taxtotal.xml"]

    assert list(wrong_sums(invoice)) == ["Total with VAT should be 242.00 and says 243.00."]


def test_an_order_among_the_invoices_is_named_as_one(real_invoices: Path) -> None:
    order = real_invoices / "nl_testset/Peppol-BIS-3/Order/PB3-Order_ok_minimal.xml"

    with pytest.raises(Unreadable, match="UBL Order, not an invoice"):
        read_invoice(order.read_bytes())


def test_a_credit_note_is_told_from_an_invoice(read: dict[str, Invoice]) -> None:
    assert read["peppol_bis3/base-creditnote-correction.xml"].kind is Kind.CREDIT_NOTE
    assert read["peppol_bis3/base-example.xml"].kind is Kind.INVOICE


def laughs(encoding: str) -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE l [<!ENTITY a0 "ha">{entities}]><l>&a9;</l>'
    return text.encode(encoding)


XXE = b'<!DOCTYPE Invoice [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + f"<Invoice {UBL}>&x;</Invoice>".encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"\0" * 10_000_001, "too large"),
        (XXE, "DOCTYPE"),
        (b"<?xml version='1.0'?>\n<!-- a --><?b c?>\n" + XXE, "DOCTYPE"),
        (b"\xef\xbb\xbf" + XXE, "DOCTYPE"),
        (laughs("utf-8"), "DOCTYPE"),
        (laughs("utf-16"), "DOCTYPE"),
        (b"<?xml " * 200_000, "not well-formed"),
        (b"<!-- " * 200_000, "not well-formed"),
        (b"<a>" * 5_000 + b"</a>" * 5_000, "not well-formed"),
        (f"<Invoice {UBL}><cbc:ID".encode(), "not well-formed"),
        (f"<Invoice {UBL}>\xff</Invoice>".encode("latin-1"), "not well-formed"),
        (b"%PDF-1.7 not xml at all", "not well-formed"),
        (b"\x89PNG\r\n\x1a\n", "not well-formed"),
        (b"<html><body>Invoice</body></html>", "root element is html"),
        (b"<Invoice><ID>1</ID></Invoice>", "root element is Invoice"),
        (f"<Invoice {UBL} {CBC}><cbc:IssueDate>2026-02-30</cbc:IssueDate></Invoice>".encode(), "is not a date"),
    ],
)
def test_a_broken_hostile_or_foreign_file_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_invoice(data)


@pytest.mark.parametrize("number", ["NaN", "1e9", "Infinity", "10,00", "1" * 16, "٣", "--1", "0x10"])
def test_an_amount_that_is_no_plain_decimal_is_refused(number: str) -> None:
    total = f"<cac:LegalMonetaryTotal><cbc:PayableAmount>{number}</cbc:PayableAmount></cac:LegalMonetaryTotal>"
    cac = CBC.replace("cbc", "cac").replace("CommonBasic", "CommonAggregate")

    with pytest.raises(Unreadable, match=r"PayableAmount says .* is not a number"):
        read_invoice(f"<Invoice {UBL} {CBC} {cac}>{total}</Invoice>".encode())


def test_a_comment_cannot_cut_a_value_in_two() -> None:
    invoice = read_invoice(f"<Invoice {UBL} {CBC}><cbc:ID>4<!-- x -->2</cbc:ID></Invoice>".encode())

    assert invoice.number == "42"


def test_dates_and_amounts_keep_their_exact_value(read: dict[str, Invoice]) -> None:
    invoice = read["zugferd_cii/EN16931_Gutschrift.cii.xml"]

    assert invoice.issue_date == date(2018, 3, 5)
    assert invoice.totals.total == Decimal("529.87")
    assert [line.price for line in invoice.lines] == [Decimal("9.9000"), Decimal("5.5000")]
