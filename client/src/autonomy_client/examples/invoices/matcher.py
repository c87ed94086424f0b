"""The three-way matcher: compares each invoice with its order and receipts, and looks each order up once."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from decimal import Decimal

from autonomy_client import Autonomy, Evidence, Work
from autonomy_client.examples.invoices.folder import Books, Folder
from autonomy_client.examples.invoices.matching import match
from autonomy_client.examples.invoices.orders import Order
from autonomy_client.examples.invoices.reading import read_invoice
from autonomy_client.examples.invoices.work import (
    LONGEST_NOTE,
    Result,
    Worker,
    connect,
    cost_of,
    options_for,
)

SPACE = "orders"
ORDER_LASTS_SECONDS = 86_400
LONGEST_KEY = 120


class Matcher:
    """Does the matching steps; orders come from the shared memory when somebody looked before."""

    def __init__(self, client: Autonomy, folder: Folder, books: Books, cost_per_hour: Decimal) -> None:
        self.client = client
        self.folder = folder
        self.books = books
        self.cost_per_hour = cost_per_hour

    def match(self, work: Work) -> Result:
        """Whether the invoice agrees with what was ordered and what arrived."""
        given = work.variables["input"]
        invoice = read_invoice(self.folder.open(given["document"], given["sha256"]))
        number = invoice.order_reference[:LONGEST_KEY]
        order = self.order(number, work) if number else None
        receipts = [receipt for receipt, _, _ in self.books.receipts.find(number)] if order else []
        found = match(invoice, order, receipts)
        output = {
            "matched": found.matched,
            "status": str(found.status),
            "deviation_percent": found.deviation_percent,
            "order": order.number if order else "",
            "receipt": ", ".join(receipt.number for receipt in receipts),
            "note": found.note[:LONGEST_NOTE],
        }
        return Result(output, found.note)

    def order(self, number: str, work: Work) -> Order | None:
        """The order of this number, from the shared memory or else from the books."""
        fact = self.client.recall(SPACE, number, run=work.run.id)
        if fact:
            return Order.from_fact(fact.value)
        began = time.perf_counter()
        found = self.books.orders.find(number)
        if not found:
            return None
        order, name, sha256 = found[0]
        seconds = Decimal(repr(time.perf_counter() - began))
        self.client.remember(
            SPACE,
            number,
            order.as_fact(),
            evidence=[Evidence("order", name, f"What was ordered as {number}", sha256)],
            expires_seconds=ORDER_LASTS_SECONDS,
            run=work.run.id,
            cost=cost_of(seconds, self.cost_per_hour),
            seconds=f"{seconds:.3f}",
        )
        return order


def main(argv: Sequence[str] | None = None) -> int:
    """Run the three-way matcher until it is stopped."""
    options = options_for("Matches invoices with orders and receipts.").parse_args(argv)
    with connect(options) as client:
        folder, books = Folder(options.documents, options.out), Books(options.documents)
        return Worker(client, Matcher(client, folder, books, options.cost_per_hour).match, options).run()


if __name__ == "__main__":
    sys.exit(main())
