"""Support tickets with orders: each is written for a case that is known before, so that the answers need no reading."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

DAY = date(2026, 11, 16)
CLOSED, BY_A_PERSON = "Ticket closed", "A person answers"
CUSTOMERS = (
    "Anna Berger", "Bastian Vogt", "Carla Neri", "Dilan Aydin", "Emil Sorensen", "Fatou Diallo", "Greta Holm",
    "Hugo Laurent", "Ivana Petric", "Jan de Vries", "Karin Maurer", "Liam Byrne", "Marta Kowalska", "Nils Eriksson",
    "Olga Tamm", "Pedro Alves", "Quirin Hofer", "Rosa Marin", "Stefan Kolb", "Teresa Costa", "Ulrich Sand",
    "Vera Lind", "Wim Peeters", "Xenia Roth", "Yusuf Demir", "Zoe Martin", "Alva Nyberg", "Boris Hahn", "Cleo Dubois",
    "Dora Weiss", "Eric Moreau", "Frida Dahl", "Georg Simon", "Hanna Wolf", "Igor Novak", "Julia Conti", "Kai Brandt",
    "Lea Fischer", "Milo Rossi", "Nora Jensen", "Otto Lang",
)  # fmt: skip
ITEMS = (
    ("desk lamp", "19.90"), ("shelf board", "14.50"), ("office chair", "48.00"), ("wall clock", "12.00"),
    ("kettle", "22.90"), ("side table", "31.00"), ("bed linen", "25.50"), ("garden hose", "17.00"),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A kind of ticket: what is written, what the order is like, and what has to come of it.

    `refund`: whether the whole order is owed. `paid`: whether policies and people let it be paid. `asks`: how often a
    person is asked. `ends`: the name of the end.
    """

    text: str
    topic: str
    status: str = "delivered"
    age_days: int = 10
    promised_days_ago: int = 5
    refund: bool = False
    paid: bool = False
    asks: int = 0
    ends: str = CLOSED
    total: str = ""
    tier: str = "standard"
    refunds_90d: int = 0
    names_order: bool = True
    language: str = "en"


BROKEN = "the {item} arrived broken, one side is cracked. Order {order}."
CASES = (
    # Damaged: the whole order comes back; a person reads each promise of money.
    *(Case(f"Hello, {BROKEN}", "damaged", refund=True, paid=True, asks=1) for _ in range(3)),
    Case("The glass of my {item} ({order}) is damaged and it leaks.", "damaged", refund=True, paid=True, asks=1),
    Case("Mein Paket kam an, aber {item} ist kaputt und ich bitte um Ersatz, Bestellung {order}.", "damaged",
         refund=True, paid=True, asks=1, language="de"),
    Case("Our {item} for the lobby came with a big dent, order {order}.", "damaged", refund=True, paid=True, asks=2,
         total="149.00"),
    # Too old for the policy: nobody is asked about the money, and the changed reply is read once more.
    Case("After some weeks the {item} is defective. It was order {order}.", "damaged", age_days=45, refund=True,
         asks=2),
    # Something else than ordered.
    *(Case("You sent me the wrong item: a toaster instead of the {item}, order {order}.", "wrong_item", refund=True,
           paid=True, asks=1) for _ in range(2)),
    Case("This {item} is in the wrong colour. Order {order}", "wrong_item", refund=True, paid=True, asks=1),
    Case("Ich habe den falschen Artikel bekommen und nicht {item}, Bestellung {order}.", "wrong_item", refund=True,
         paid=True, asks=1, language="de"),
    # Sent back in time, too often, and too late.
    *(Case("I changed my mind about the {item}, can I send it back? Order {order}.", "return", refund=True, paid=True,
           asks=1) for _ in range(3)),
    Case("I would like to return {item}, order {order}.", "return", refund=True, paid=True, asks=2, refunds_90d=3),
    Case("Wir möchten {item} zurückgeben, die Bestellung ist {order}.", "return", refund=True, paid=True, asks=1,
         language="de"),
    *(Case("Is it possible to return the {item}? I bought it in summer, order {order}.", "return", age_days=96)
      for _ in range(3)),
    # On the way, and lost.
    *(Case("My {item} has not arrived, order {order}. Thank you for a look.", "late", status="shipped")
      for _ in range(3)),
    Case("Where is my order {order}? The {item} was promised last week, please answer as soon as possible.", "late",
         status="shipped"),
    Case("Wo bleibt {item}? Bestellung {order} ist noch nicht da.", "late", status="shipped", language="de"),
    Case("I am still waiting for the {item}, order {order}.", "late", status="shipped", age_days=29,
         promised_days_ago=24, refund=True, paid=True, asks=1),
    # Cancelled in time, and too late.
    *(Case("Please cancel order {order}, I do not want the {item} any more.", "cancel", status="processing", age_days=1,
           promised_days_ago=-4, refund=True, paid=True, asks=1) for _ in range(3)),
    *(Case("I want to cancel my order {order} ({item}).", "cancel", status="shipped", age_days=3, promised_days_ago=-2)
      for _ in range(2)),
    # Papers and questions.
    *(Case("Could you mail me the invoice of order {order} for the {item}?", "invoice") for _ in range(2)),
    Case("We need a copy of the receipt for the {item}.", "invoice", tier="key_account", names_order=False),
    Case("Bitte senden Sie mir die Rechnung zu {item}, Bestellung {order}.", "invoice", language="de"),
    *(Case("How do I clean the {item}?", "how_to", names_order=False) for _ in range(2)),
    Case("The manual of the {item} is missing a page.", "how_to", names_order=False),
    # Not clear: two things at once, and none that anybody knows. A person reads the first, and answers the second.
    *(Case("My {item} has not arrived, and I need the invoice of order {order} as well.", "late", status="shipped",
           asks=1) for _ in range(2)),
    *(Case("Hello, are you the people with the shop at the station?", "other", asks=1, ends=BY_A_PERSON,
           names_order=False) for _ in range(2)),
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What has to come of one ticket."""

    ticket: str
    topic: str
    language: str
    refund: str
    paid: bool
    asks: int
    ends: str


def generate(folder: Path, cases: Sequence[Case] = CASES) -> list[Told]:
    """Write tickets, orders and what has to come of them; the same each time."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, orders, answers = [], [], []
    for number, (case, customer) in enumerate(zip(cases, CUSTOMERS, strict=False)):
        item, price = ITEMS[number % len(ITEMS)]
        order, total = str(70_100 + number * 7), case.total or price
        text = case.text.format(item=item, order=order)
        ticket = f"T-{4001 + number}"
        rows.append({"ticket": ticket, "customer": customer, "received": DAY.isoformat(), "text": text})
        orders.append(_order(case, customer, order, item, total))
        refund = total if case.refund else "0.00"
        answers.append(Told(ticket, case.topic, case.language, refund, case.paid, case.asks, case.ends))
    (folder / "tickets.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
    with (folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(orders[0]))
        writer.writeheader()
        writer.writerows(orders)
    (folder / "answers.json").write_text(json.dumps([asdict(each) for each in answers], indent=1) + "\n", "utf-8")
    return answers


def _order(case: Case, customer: str, order: str, item: str, total: str) -> dict[str, str]:
    sent = case.status != "processing"
    return {
        "order": order, "customer": customer, "item": item, "total": f"{Decimal(total):.2f}",
        "ordered": (DAY - timedelta(days=case.age_days)).isoformat(),
        "promised": (DAY - timedelta(days=case.promised_days_ago)).isoformat(), "status": case.status,
        "tracking": f"HL{order}X" if sent else "", "tier": case.tier, "refunds_90d": str(case.refunds_90d),
    }  # fmt: skip
