"""The program of the support desk: gathers, analyses, drafts, refunds where it may, and answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from autonomy_client import Autonomy, Change, Evidence, Work
from autonomy_client.examples import desk
from autonomy_client.examples.desk import Case, Desk, GiveUp, Question, Result, Step, as_json, ask, safe
from autonomy_client.examples.support.analysis import Finding, language_of, understand
from autonomy_client.examples.support.replies import reply, reply_unpaid
from autonomy_client.examples.support.tickets import Order, Shop, Ticket, meant

Letter = Callable[[str, Finding, Order | None, date, str], str]


@dataclass(frozen=True)
class Known:
    """A ticket with everything that follows from it and from the orders; computed anew in each step."""

    ticket: Ticket
    orders: tuple[Order, ...]
    order: Order | None
    finding: Finding
    language: str


class Support(Desk):
    """The steps of customer support."""

    workflow = "customer-support"

    def __init__(self, data: Path, out: Path) -> None:
        super().__init__(data, out)
        self.shop = Shop(data)

    def cases(self) -> Iterator[Case]:
        """Every ticket."""
        for ticket in self.shop.tickets():
            yield Case(ticket.number, {"ticket": ticket.number, "customer": ticket.customer, "text": ticket.text})

    def steps(self) -> Mapping[str, Step]:
        """What is done for each element."""
        return {
            "gather": self.gather, "analyse": self.analyse, "draft": self.draft, "refund": self.refund,
            "update": self.update,
        }  # fmt: skip

    def known(self, work: Work) -> Known:
        """What is known about the ticket of this run."""
        number = str(work.variables["input"]["ticket"])
        ticket = self.shop.ticket(number)
        if ticket is None:
            raise GiveUp(f"There is no ticket {number}.")
        orders = self.shop.orders_of(ticket.customer)
        order = meant(ticket.text, orders)
        finding = understand(ticket.text, order, ticket.received)
        return Known(ticket, tuple(orders), order, finding, language_of(ticket.text))

    def gather(self, client: Autonomy, work: Work) -> Result:
        """The customer's orders and what happened before."""
        known = self.known(work)
        refunds = max((order.refunds_90d for order in known.orders), default=0)
        history = "; ".join(f"{order.number} {order.item}, {order.status}" for order in known.orders) or "No orders."
        note = f"{len(known.orders)} orders, {refunds} refunds in 90 days. {history}"
        output = {"orders": len(known.orders), "history": history, "language": known.language}
        return Result(output, note)

    def analyse(self, client: Autonomy, work: Work) -> Result:
        """What it is about, how sure that is, and what it costs."""
        finding = self.known(work).finding
        output = {
            "topic": str(finding.topic), "urgent": finding.urgent, "refund": finding.refund, "sure": finding.sure,
        }  # fmt: skip
        return Result(output, f"{finding.topic}, sure {finding.sure}, refund {finding.refund} EUR.")

    def draft(self, client: Autonomy, work: Work) -> Result:
        """The letter, and what it rests on."""
        known = self.known(work)
        text = _letter(reply, known)
        sources = f"order {known.order.number}" if known.order else "the ticket alone"
        return Result({"reply": text, "sources": sources}, f"Drafted from {sources}.")

    def refund(self, client: Autonomy, work: Work) -> Result:
        """The money back, where the rules or a person allow it; a file for the bank's system."""
        known = self.known(work)
        if known.order is None or known.finding.refund <= 0:
            return Result({"paid": False, "reason": "There is nothing to pay."}, "There is nothing to pay.")
        answer = ask(client, work, _refund_question(known, known.order))
        if answer.allowed:
            self.keep(
                f"refunds/{safe(known.ticket.number)}.json",
                as_json({"ticket": known.ticket.number, "order": known.order.number, "amount": known.finding.refund}),
            )
        return Result({"paid": answer.allowed, "reason": answer.reason}, answer.reason)

    def update(self, client: Autonomy, work: Work) -> Result:
        """The letter goes out, and the ticket is closed."""
        known = self.known(work)
        paid = bool(work.variables.get("refund", {}).get("paid"))
        unpaid = known.finding.refund > 0 and not paid
        text = _letter(reply_unpaid, known) if unpaid else str(work.variables["draft"]["reply"])
        answer = ask(client, work, _reply_question(known, text, changed=unpaid, paid=paid))
        if answer.allowed:
            self.keep(f"replies/{safe(known.ticket.number)}.txt", text)
        return Result({"sent": answer.allowed, "closed": answer.allowed}, answer.reason)


def _letter(write: Letter, known: Known) -> str:
    return write(known.ticket.customer, known.finding, known.order, known.ticket.received, known.language)


def _refund_question(known: Known, order: Order) -> Question:
    amount = f"{known.finding.refund:.2f}"
    return Question(
        "refund.pay", "refund", f"R-{known.ticket.number}",
        {
            "refunds_90d": order.refunds_90d,
            "purchase": {"total": f"{order.total:.2f}", "age_days": order.age_days(known.ticket.received)},
            "customer": {"tier": order.tier, "is_private": order.tier != "key_account"},
        },
        {"amount": amount, "currency": "EUR"}, title=f"Refund {amount} EUR for order {order.number}",
        statement=f"{known.ticket.customer} writes about order {order.number}: {known.finding.topic}. A person read "
        "the reply that promises the refund.",
        confidence=max(known.finding.sure, Decimal("0.80")), changes=[Change("Balance of the shop", "", f"-{amount}")],
        evidence=[Evidence("order", order.number, f"{order.item} for {order.total} EUR, {order.status}")],
    )  # fmt: skip


def _reply_question(known: Known, text: str, *, changed: bool, paid: bool) -> Question:
    return Question(
        "ticket.reply", "ticket", known.ticket.number,
        {
            "topic": str(known.finding.topic), "language": known.language, "reply_changed": changed,
            "promised": f"{Decimal(0) if changed else known.finding.refund:.2f}", "refund_paid": paid,
        },
        {"length": len(text)}, title=f"Answer {known.ticket.customer} on ticket {known.ticket.number}",
        statement=text, confidence=known.finding.sure,
        changes=[Change(f"Ticket {known.ticket.number}", "open", "answered and closed")],
        evidence=[Evidence("order", known.order.number, known.order.item)] if known.order else (),
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the support desk until it is stopped."""
    return desk.main(Support, "Answers the tickets of a folder.", argv)


if __name__ == "__main__":
    sys.exit(main())
