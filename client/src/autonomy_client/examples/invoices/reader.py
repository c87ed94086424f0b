"""The invoice reader: starts a run for every file that arrives and reads it into the fields of EN 16931."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from autonomy_client import Autonomy, Work
from autonomy_client.examples.invoices.folder import Folder, Lost
from autonomy_client.examples.invoices.reading import Invoice, Unreadable, read_invoice
from autonomy_client.examples.invoices.work import Result, Worker, connect, options_for
from autonomy_client.examples.invoices.xml import LARGEST_BYTES

RUNS_AT_ONCE = 20
# New files are looked for between two claims, so the wait for work has to be short.
LOOK_EVERY_SECONDS = 2
LONGEST_TEXT = 200
LONGEST_REASON = 500


class Reader:
    """Starts the runs of one folder and does their reading steps."""

    def __init__(self, client: Autonomy, folder: Folder, workflow: str) -> None:
        self.client = client
        self.folder = folder
        self.workflow = workflow

    def start_runs(self) -> int:
        """Start a run for each new file, a few at a time; the number of files begun."""
        begun = 0
        for arrival in self.folder.arrivals(time.time(), RUNS_AT_ONCE):
            document = {"document": arrival.document, "sha256": arrival.sha256}
            self.client.start_run(self.workflow, arrival.key, document)
            begun += 1
        return begun

    def read(self, work: Work) -> Result:
        """The fields of the document, or the reason why a person has to look at it."""
        document, sha256 = work.variables["input"]["document"], work.variables["input"]["sha256"]
        try:
            invoice = read_invoice(self.folder.open(document, sha256))
        except Lost as lost:
            return _unreadable(self._why_lost(document, sha256) or str(lost))
        except Unreadable as broken:
            return _unreadable(str(broken))
        return Result(fields_of(invoice), f"Invoice {invoice.number} of {invoice.seller.display_name}")

    def _why_lost(self, document: str, sha256: str) -> str:
        size = self.folder.size(document)
        if size > LARGEST_BYTES:
            return f"The file is too large: {size:,} bytes, at most {LARGEST_BYTES:,} are read."
        return "" if sha256 else "The file could not be opened."


def _unreadable(reason: str) -> Result:
    return Result({"readable": False, "reason": reason[:LONGEST_REASON]}, reason)


def fields_of(invoice: Invoice) -> dict[str, Any]:
    """The step's output; an amount that the document does not state is left out."""
    totals = invoice.totals
    due = totals.total if totals.payable is None else totals.payable
    amounts = {"net": totals.net, "tax": totals.tax, "total": due}
    texts = {
        "number": invoice.number,
        "seller": invoice.seller.display_name,
        "seller_id": invoice.seller.vat_id or invoice.seller.legal_id or invoice.seller.identifier,
        "buyer": invoice.buyer.display_name,
        "issue_date": str(invoice.issue_date or ""),
        "due_date": str(invoice.due_date or ""),
        "currency": invoice.currency,
        "iban": invoice.payment.account,
        "order_reference": invoice.order_reference,
        "kind": str(invoice.kind),
    }
    return {
        "readable": True,
        "reason": "",
        **{name: text[:LONGEST_TEXT] for name, text in texts.items()},
        **{name: amount for name, amount in amounts.items() if amount is not None},
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the invoice reader until it is stopped."""
    parser = options_for("Reads the invoices of a folder and starts a run for each.")
    parser.add_argument("--workflow", default="invoice-to-payment")
    options = parser.parse_args(argv)
    with connect(options) as client:
        reader = Reader(client, Folder(options.documents, options.out), options.workflow)
        return Worker(client, reader.read, options, reader.start_runs, LOOK_EVERY_SECONDS).run()


if __name__ == "__main__":
    sys.exit(main())
