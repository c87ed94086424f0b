"""The demo's documents: the same for the same seed, sound where they say so, and every defect is found."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from autonomy_client.examples.invoices.anomalies import Seen, find_anomalies, identities, missing_fields
from autonomy_client.examples.invoices.folder import Books
from autonomy_client.examples.invoices.invoice import Invoice
from autonomy_client.examples.invoices.matching import match
from autonomy_client.examples.invoices.payment import iban_is_valid
from autonomy_client.examples.invoices.reading import Unreadable, read_invoice

from autonomy_site.demo.documents import Defect, Document, generate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    generate(folder)
    return folder


def answers(folder: Path) -> list[Document]:
    return [Document(**row) for row in json.loads((folder / "answers.json").read_text("utf-8"))["documents"]]


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sound(folder: Path) -> list[Invoice]:
    readable = (document for document in answers(folder) if document.defect != Defect.UNREADABLE)
    return [read_invoice((folder / document.file).read_bytes()) for document in readable]


def test_the_same_seed_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    generate(tmp_path)

    assert content(tmp_path) == content(folder)


def test_another_seed_writes_another_set(folder: Path, tmp_path: Path) -> None:
    generate(tmp_path, seed=1)

    assert content(tmp_path) != content(folder)


def test_writing_again_leaves_the_files_untouched(tmp_path: Path) -> None:
    generate(tmp_path, count=6)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    generate(tmp_path, count=6)

    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_one_in_six_has_a_defect_and_every_kind_occurs(folder: Path) -> None:
    kinds = Counter(document.defect for document in answers(folder))

    assert kinds[None] == 50
    assert {kind for kind in kinds if kind} == {str(defect) for defect in Defect}
    assert kinds[Defect.UNREADABLE] == 2


def test_some_amounts_need_a_person_and_one_or_two_need_two(folder: Path) -> None:
    totals = [Decimal(document.total) for document in answers(folder) if document.total]

    assert 5 <= sum(total > 5_000 for total in totals) <= 12
    assert 1 <= sum(total > 25_000 for total in totals) <= 2


def test_every_readable_invoice_has_all_mandatory_fields_and_a_real_account(folder: Path) -> None:
    for invoice in sound(folder):
        assert missing_fields(invoice) == [], invoice.number
        assert iban_is_valid(invoice.payment.account), invoice.payment.account
        assert 1 <= len(invoice.lines) <= 6
        assert all(line.tax_category for line in invoice.lines)


def found_in(folder: Path, document: Document, books: Books, seen: dict[str, str]) -> set[str]:
    """The kinds that the agents' rules find in one file, given what they saw before."""
    try:
        invoice = read_invoice((folder / document.file).read_bytes())
    except Unreadable:
        return {str(Defect.UNREADABLE)}
    orders = [order for order, _, _ in books.orders.find(invoice.order_reference)]
    receipts = [receipt for receipt, _, _ in books.receipts.find(invoice.order_reference)]
    matched = match(invoice, orders[0] if orders else None, receipts)
    keys = identities(invoice)
    earlier = [Seen(seen[key], invoice.number, same) for same, key in keys.items() if key in seen]
    seen |= {key: document.file for key in keys.values() if key not in seen}
    findings = find_anomalies(invoice, books.vendors().find(invoice.seller), earlier)
    return {str(finding.kind) for finding in findings} | (set() if matched.matched else {str(matched.status)})


@pytest.mark.parametrize(("count", "seed"), [(60, 2026), (6, 3), (200, 7)])
def test_the_agents_find_exactly_the_defects_and_raise_no_false_alarm(tmp_path: Path, count: int, seed: int) -> None:
    documents = generate(tmp_path, count=count, seed=seed)
    books, seen = Books(tmp_path), dict[str, str]()

    found = {document.file: found_in(tmp_path, document, books, seen) for document in documents}

    assert found == {document.file: {document.defect} if document.defect else set() for document in documents}
    assert answers(tmp_path) == documents
