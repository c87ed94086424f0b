"""The payments clerk: asks whether an invoice may be paid, and writes the bank's file when it may."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from autonomy_client import Autonomy, Change, Decision, Evidence, Work
from autonomy_client.examples.files import file_name, write_whole
from autonomy_client.examples.invoices.folder import Books, Folder
from autonomy_client.examples.invoices.payment import (
    Debtor,
    InvalidPayment,
    message_id,
    transfer_for,
    why_not_payable,
    write_pain,
)
from autonomy_client.examples.invoices.reading import Invoice, read_invoice
from autonomy_client.examples.invoices.work import Result, Worker, connect, options_for

ACTION = "invoice.pay"
LONGEST_PROOF = 500
SURE, UNSURE = Decimal("0.98"), Decimal("0.60")


class Clerk:
    """Does the payment steps: one question and at most one file for each run."""

    def __init__(self, client: Autonomy, folder: Folder, books: Books, out: Path, debtor: Debtor) -> None:
        self.client = client
        self.folder = folder
        self.books = books
        self.out = out
        self.debtor = debtor

    def pay(self, work: Work) -> Result | None:
        """The payment, the reason why there is none, or None while a person decides."""
        given = work.variables["input"]
        invoice = read_invoice(self.folder.open(given["document"], given["sha256"]))
        refusal = _refusal(work) or why_not_payable(invoice)
        if refusal:
            return _unpaid(refusal)
        decision = self.ask(work, invoice)
        if decision.waits_for_a_person:
            return None
        if not decision.allowed:
            return _unpaid(decision.reason or "Denied without a reason.")
        over = over_the_cap(decision.obligations, invoice.totals.payable or Decimal(0))
        return _unpaid(over) if over else self._write(work, invoice, decision)

    def ask(self, work: Work, invoice: Invoice) -> Decision:
        """The question to the governance: the same facts each time, so that an approval stays bound."""
        return self.client.ask(
            work,
            ACTION,
            {"type": "invoice", "id": _name_of(work, invoice), "properties": self.properties(work, invoice)},
            {
                "amount": f"{invoice.totals.payable:.2f}",
                "currency": invoice.currency,
                "due_date": str(invoice.due_date or ""),
            },
            title=f"Pay {invoice.currency} {invoice.totals.payable:,.2f} to {invoice.seller.display_name}"[:300],
            statement=statement(work.variables, invoice)[:4000],
            confidence=SURE if _is_clean(work.variables) else UNSURE,
            changes=changes(invoice, self.debtor),
            evidence=self.evidence(work, invoice),
            approval=work.approval.id if work.approval else None,
        )

    def properties(self, work: Work, invoice: Invoice) -> dict[str, Any]:
        """What policies can look at; what is not known is left out and so never lets pass."""
        matched, anomalies = work.variables.get("match", {}), work.variables.get("anomalies", {})
        known = {
            "seller": invoice.seller.display_name,
            "seller_id": invoice.seller.key,
            "iban": invoice.payment.account,
            "order": matched.get("order"),
            "order_matched": matched.get("matched"),
            "deviation_percent": matched.get("deviation_percent"),
            "findings": anomalies.get("findings"),
            "kinds": anomalies.get("kinds"),
            "bank_changed_days": self._bank_changed_days(invoice),
        }
        return {name: value for name, value in known.items() if value is not None}

    def _bank_changed_days(self, invoice: Invoice) -> int | None:
        # Counted up to the invoice's own date: an approval must not lapse because a day went by.
        vendor = self.books.vendors().find(invoice.seller)
        if vendor is None or invoice.issue_date is None:
            return None
        if invoice.payment.account != vendor.account:
            return 0
        return max((invoice.issue_date - vendor.account_since).days, 0)

    def evidence(self, work: Work, invoice: Invoice) -> list[Evidence]:
        """The papers behind the payment, each with its digest."""
        given, number = work.variables["input"], invoice.order_reference
        orders = [
            Evidence("order", name, f"What was ordered as {number}"[:LONGEST_PROOF], sha256)
            for _, name, sha256 in self.books.orders.find(number)
        ]
        receipts = [
            Evidence("receipt", name, f"What arrived as {receipt.number}"[:LONGEST_PROOF], sha256)
            for receipt, name, sha256 in self.books.receipts.find(number)
        ]
        bill = Evidence("invoice", given["document"][-300:], "What the seller asks for", given["sha256"])
        return [bill, *orders, *receipts]

    def _write(self, work: Work, invoice: Invoice, decision: Decision) -> Result:
        key = work.run.key or work.run.id
        transfer = transfer_for(invoice, key, datetime.now().astimezone().date())
        try:
            data = write_pain(transfer, self.debtor)
        except InvalidPayment as broken:
            return _unpaid(f"The bank's file would not be valid: {broken}"[:500])
        file = f"payments/{file_name(key)}-{message_id(key)[-8:]}.xml"
        write_whole(self.out / file, data)
        output = {"paid": True, "message_id": message_id(key), "file": file, "reason": decision.reason}
        return Result(output, f"{transfer.amount} EUR to {transfer.creditor} on {transfer.on}, in {file}.")


def _name_of(work: Work, invoice: Invoice) -> str:
    return (invoice.number or str(work.variables["input"]["document"]))[:200]


def _refusal(work: Work) -> str:
    if work.approval is None or work.approval.granted:
        return ""
    return f"The approval was {work.approval.status}: {work.approval.reason or 'no reason was given'}"


def _unpaid(reason: str) -> Result:
    return Result({"paid": False, "message_id": "", "file": "", "reason": reason}, reason)


def over_the_cap(obligations: Sequence[Mapping[str, Any]], amount: Decimal) -> str:
    """Why a cap among the obligations forbids this amount; empty when none does."""
    caps = (obligation for obligation in obligations if obligation.get("type") == "cap")
    return next(filter(None, (_over(cap, amount) for cap in caps)), "")


def _over(cap: Mapping[str, Any], amount: Decimal) -> str:
    try:
        if cap.get("field", "context.amount") == "context.amount":
            return "" if amount <= Decimal(str(cap.get("max"))) else f"{amount} is over the cap of {cap['max']}."
    except InvalidOperation:
        pass  # no number: falls through to the refusal, because a cap that is not understood forbids
    return f"The payment is capped in a way that is not understood: {dict(cap)}."


def statement(variables: Mapping[str, Any], invoice: Invoice) -> str:
    """Why the clerk wants to pay, in its own words."""
    matched, anomalies = variables.get("match", {}), variables.get("anomalies", {})
    bill = f"Invoice {invoice.number} of {invoice.issue_date} is due on {invoice.due_date or 'receipt'}."
    order = f"Order: {matched.get('note') or 'not compared.'}"
    return f"{bill} {order} Anomalies: {anomalies.get('note') or 'not looked for.'}"


def changes(invoice: Invoice, debtor: Debtor) -> list[Change]:
    """What is different afterwards."""
    amount = f"{invoice.totals.payable:.2f} {invoice.currency}"
    return [
        Change(f"Invoice {invoice.number[:100]}", "open", f"scheduled for {invoice.due_date or 'today'}"),
        Change(f"Account {debtor.iban}", "", f"−{amount}"),
        Change(f"Account {invoice.payment.account}", "", f"+{amount}"),
    ]


def _is_clean(variables: Mapping[str, Any]) -> bool:
    return bool(variables.get("match", {}).get("matched")) and variables.get("anomalies", {}).get("findings") == 0


def _debtor(options: argparse.Namespace) -> Debtor:
    return Debtor(options.debtor_name, options.debtor_iban, options.debtor_bic)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the payments clerk until it is stopped."""
    parser = options_for("Pays invoices that may be paid, as SEPA credit transfers.")
    parser.add_argument("--debtor-name", default="Halden Group")
    parser.add_argument("--debtor-iban", default="NL91ABNA0417164300")
    parser.add_argument("--debtor-bic", default="ABNANL2A")
    options = parser.parse_args(argv)
    with connect(options) as client:
        folder, books = Folder(options.documents, options.out), Books(options.documents)
        clerk = Clerk(client, folder, books, options.out, _debtor(options))
        return Worker(client, clerk.pay, options).run()


if __name__ == "__main__":
    sys.exit(main())
