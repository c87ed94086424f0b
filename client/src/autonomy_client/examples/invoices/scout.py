"""The anomaly scout: duplicates, changed bank accounts, wrong sums and missing fields."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence

from autonomy_client import Autonomy, Evidence, Work
from autonomy_client.examples.invoices.anomalies import Seen, find_anomalies, highest_risk, identities
from autonomy_client.examples.invoices.folder import Books, Folder
from autonomy_client.examples.invoices.reading import Invoice, read_invoice
from autonomy_client.examples.invoices.work import LONGEST_NOTE, Result, Worker, connect, options_for

SPACE = "invoices-seen"
SEEN_LASTS_SECONDS = 400 * 86_400
LONGEST_KEY = 120


class Scout:
    """Does the anomaly steps; which invoices came before is kept in the shared memory, not here."""

    def __init__(self, client: Autonomy, folder: Folder, books: Books) -> None:
        self.client = client
        self.folder = folder
        self.books = books

    def look(self, work: Work) -> Result:
        """Everything about this invoice that a person should see before money moves."""
        given = work.variables["input"]
        invoice = read_invoice(self.folder.open(given["document"], given["sha256"]))
        vendor = self.books.vendors().find(invoice.seller)
        findings = find_anomalies(invoice, vendor, self.earlier(invoice, work))
        note = " ".join(finding.note for finding in findings) or "No anomalies."
        if vendor is None:
            note += " The bank account could not be checked: the seller is not in the vendor master."
        output = {
            "findings": len(findings),
            "kinds": ", ".join(finding.kind.words for finding in findings),
            "note": note[:LONGEST_NOTE],
            "highest_risk": str(highest_risk(findings)),
        }
        return Result(output, note)

    def earlier(self, invoice: Invoice, work: Work) -> list[Seen]:
        """The same bill in other runs; what nobody has seen yet is remembered as seen here."""
        earlier = []
        for same, identity in identities(invoice).items():
            key = _short(identity)
            fact = self.client.recall(SPACE, key, run=work.run.id)
            if fact is None:
                self._remember(key, invoice, work)
            # A step that is done a second time meets its own trace and must not take it for another bill.
            elif fact.value.get("run") != work.run.id:
                earlier.append(Seen(str(fact.value.get("document")), str(fact.value.get("number")), same))
        return earlier

    def _remember(self, key: str, invoice: Invoice, work: Work) -> None:
        given = work.variables["input"]
        self.client.remember(
            SPACE,
            key,
            {"run": work.run.id, "document": given["document"], "number": invoice.number},
            evidence=[Evidence("invoice", given["document"][-300:], "This bill came in", given["sha256"])],
            expires_seconds=SEEN_LASTS_SECONDS,
            run=work.run.id,
        )


def _short(identity: str) -> str:
    return identity if len(identity) <= LONGEST_KEY else hashlib.sha256(identity.encode()).hexdigest()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the anomaly scout until it is stopped."""
    options = options_for("Looks for anomalies in invoices.").parse_args(argv)
    with connect(options) as client:
        scout = Scout(client, Folder(options.documents, options.out), Books(options.documents))
        return Worker(client, scout.look, options).run()


if __name__ == "__main__":
    sys.exit(main())
