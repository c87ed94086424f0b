"""Many answered questions of one kind, for the tests of what is learnt from answers."""

from datetime import datetime, timedelta
from typing import Any

from governance.models import Escalation

SELLERS = ("Kessler Maschinenbau GmbH", "Nordhavn Pumper A/S")


def payment(number: int, amount: str, seller: str = SELLERS[0], **more: Any) -> dict[str, Any]:
    """The clerk's question outside of any run whether an invoice may be paid."""
    properties = {"seller": seller, "order_matched": True, "findings": 0, "bank_changed_days": 412}
    return {
        "action": "invoice.pay", "resource": {"type": "invoice", "id": f"L-{number}", "properties": properties},
        "context": {"amount": amount, "currency": "EUR"}, "title": f"Pay EUR {amount} to {seller}",
        "statement": "The order matches.", **more,
    }  # fmt: skip


def ask(robot: Any, number: int, amount: str = "6000.00", seller: str = SELLERS[0], **more: Any) -> Escalation:
    """One question of the clerk that waits for a person."""
    answer = robot("AP-04").call("post", "actions", payment(number, amount, seller, **more))
    assert answer.status_code == 200, answer.content
    assert answer.json()["effect"] == "escalate", answer.json()
    return Escalation.objects.get(uid=answer.json()["escalation"]["id"])


def answer(person: Any, asked: Escalation, what: str = "approve", *, seconds: int = 60) -> None:
    """A person's answer through the API; the question was asked so many seconds before."""
    Escalation.objects.filter(pk=asked.pk).update(opened_at=asked.opened_at - timedelta(seconds=seconds))
    body = {"request_sha256": asked.request_sha256}
    if what == "reject":
        body |= {"reason": "The order is another one.", "reason_code": "wrong_data"}
    answered = person.call("post", f"escalations/{asked.uid}/{what}", body)
    assert answered.status_code == 200, answered.content


def approve_many(
    robot: Any, people: list[Any], *, many: int = 25, first: int = 1, amount: int = 6000, step: int = 100
) -> None:
    """So many questions with rising amounts, approved in turn by these people."""
    for number in range(many):
        asked = ask(robot, first + number, f"{amount + step * number}.00", SELLERS[number % len(SELLERS)])
        answer(people[number % len(people)], asked)


def settled_ago(days: int, at: datetime) -> None:
    """Let everything that was answered have been answered so many days before."""
    Escalation.objects.exclude(settled_at=None).update(
        opened_at=at - timedelta(days=days, minutes=2), settled_at=at - timedelta(days=days)
    )
