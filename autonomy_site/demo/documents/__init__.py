"""The demo's documents: invoices with orders, receipts and a vendor master, the same for the same seed."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path

from autonomy_site.demo.documents import papers
from autonomy_site.demo.documents.deals import Bill, Defect, make_trade
from autonomy_site.demo.documents.trade import SUPPLIERS

__all__ = ["Defect", "Document", "generate"]

FINDERS = {
    Defect.UNREADABLE: "invoice-reader",
    Defect.NO_ORDER: "three-way-match",
    Defect.PRICE: "three-way-match",
    Defect.QUANTITY: "three-way-match",
    Defect.SHORT: "three-way-match",
    Defect.DUPLICATE: "anomaly-scout",
    Defect.ACCOUNT: "anomaly-scout",
    Defect.ARITHMETIC: "anomaly-scout",
}


@dataclass(frozen=True)
class Document:
    """One invoice file of the set; `defect` is None when it is sound, `total` is in euro."""

    file: str
    number: str
    seller: str
    order: str
    total: str
    defect: str | None
    detail: str
    found_by: str | None


def generate(folder: Path, count: int = 60, seed: int = 2026) -> list[Document]:
    """Write `count` invoices, one in six with a defect, and two broken files; says what is in each."""
    draw = random.Random(seed)  # noqa: S311 (nothing secret: the same documents for the same seed)
    trade = make_trade(count, draw)
    documents = []
    for index, bill in enumerate(trade.bills, start=1):
        document = _document(index, bill)
        _write(folder / document.file, papers.invoice(bill))
        documents.append(document)
    for index, bill in enumerate(draw.sample(trade.bills, min(2, count)), start=count + 1):
        documents.append(_write_torn(folder, index, bill, draw))
    for order in trade.orders:
        _write(folder / "orders" / f"{order.number}.xml", papers.order(order))
    for receipt in trade.receipts:
        _write(folder / "receipts" / f"{receipt.number}.xml", papers.receipt(receipt))
    _write(folder / "vendors.json", _vendors())
    answers = {"seed": seed, "count": count, "documents": [asdict(document) for document in documents]}
    _write(folder / "answers.json", _json(answers))
    return documents


def _document(index: int, bill: Bill) -> Document:
    seller = bill.order.supplier.company.name
    return Document(
        file=f"invoices/{index:03d}-{_slug(seller)}-{_slug(bill.number)}.xml",
        number=bill.number,
        seller=seller,
        order=bill.order.number,
        total=f"{bill.total:.2f}",
        defect=bill.defect and str(bill.defect),
        detail=bill.detail,
        found_by=FINDERS[bill.defect] if bill.defect else None,
    )


def _write_torn(folder: Path, index: int, bill: Bill, draw: random.Random) -> Document:
    """Part of an invoice, as an interrupted upload leaves it."""
    data = papers.invoice(bill)
    kept = len(data) * draw.randint(30, 80) // 100
    file = f"invoices/{index:03d}-scan-{draw.randint(1000, 9999)}.xml"
    _write(folder / file, data[:kept])
    detail = f"cut off after {kept} of {len(data)} bytes"
    return Document(file, "", "", "", "", str(Defect.UNREADABLE), detail, FINDERS[Defect.UNREADABLE])


def _vendors() -> bytes:
    return _json(
        [
            {
                "id": supplier.id,
                "name": supplier.company.name,
                "country": supplier.company.country,
                "vat": supplier.company.vat,
                "iban": supplier.account,
                "iban_since": supplier.account_since.isoformat(),
            }
            for supplier in SUPPLIERS
        ]
    )


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()


def _write(path: Path, data: bytes) -> None:
    # An unchanged file keeps its time stamp, so that a second start does not look like new mail.
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
