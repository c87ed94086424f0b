"""Replies in English and German, composed from the order and what was understood; no network, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from autonomy_client.examples.support.analysis import Finding, Topic
from autonomy_client.examples.support.tickets import Order

# By language, topic, and whether money goes back.
BODIES: Mapping[str, Mapping[tuple[Topic, bool], str]] = {
    "en": {
        (Topic.DAMAGED, True): "we are sorry that {item} of order {order} reached you damaged. We pay {refund} EUR "
        "back; you need not send it to us.",
        (Topic.WRONG_ITEM, True): "we are sorry that order {order} brought you something else than {item}. We pay "
        "{refund} EUR back and send you a label for the parcel.",
        (Topic.RETURN, True): "of course you may send {item} of order {order} back. A label is attached, and we pay "
        "{refund} EUR back.",
        (Topic.RETURN, False): "order {order} is {age} days old. We take goods back for 30 days, so we cannot take "
        "{item} back any more.",
        (Topic.LATE, True): "{item} of order {order} was promised for {promised} and is lost, we fear. We pay {refund} "
        "EUR back.",
        (Topic.LATE, False): "{item} of order {order} is on its way. The carrier's number is {tracking}; it was "
        "promised for {promised}, and we are sorry that it takes longer.",
        (Topic.CANCEL, True): "order {order} is cancelled. We pay {refund} EUR back.",
        (Topic.CANCEL, False): "order {order} has left our house already (carrier's number {tracking}). You may refuse "
        "the parcel, or send it back within 30 days.",
        (Topic.INVOICE, False): "the invoice of order {order} over {total} EUR is attached once more.",
        (Topic.HOW_TO, False): "the manual is attached. Its first chapter shows every step with a picture; write again "
        "if one of them does not work.",
    },
    "de": {
        (Topic.DAMAGED, True): "es tut uns leid, dass „{item}“ aus der Bestellung {order} beschädigt ankam. Wir "
        "erstatten {refund} EUR; zurückschicken müssen Sie nichts.",
        (
            Topic.WRONG_ITEM,
            True,
        ): "es tut uns leid, dass die Bestellung {order} etwas anderes als „{item}“ brachte. Wir "
        "erstatten {refund} EUR und senden Ihnen einen Paketschein.",
        (Topic.RETURN, True): "gern nehmen wir „{item}“ aus der Bestellung {order} zurück und erstatten {refund} EUR. "
        "Ein Paketschein liegt bei.",
        (
            Topic.LATE,
            False,
        ): "„{item}“ aus der Bestellung {order} ist unterwegs. Die Nummer der Sendung ist {tracking}, "
        "zugesagt war der {promised}.",
        (Topic.INVOICE, False): "die Rechnung zur Bestellung {order} über {total} EUR liegt noch einmal bei.",
    },
}
UNKNOWN = {
    "en": "thank you for your message. A colleague reads it and answers you today.",
    "de": "vielen Dank für Ihre Nachricht. Eine Kollegin liest sie und antwortet Ihnen noch heute.",
}
UNPAID = {
    "en": "thank you for your patience with order {order}. We cannot pay {refund} EUR back right now; a colleague "
    "looks at it and calls you.",
    "de": "danke für Ihre Geduld mit der Bestellung {order}. Wir können {refund} EUR gerade nicht erstatten; eine "
    "Kollegin sieht es sich an und ruft Sie an.",
}
HELLO = {"en": "Dear {customer},", "de": "Guten Tag {customer},"}
GOODBYE = {"en": "Kind regards\nHalden Group, customer service", "de": "Freundliche Grüße\nHalden Group, Kundendienst"}


def reply(customer: str, finding: Finding, order: Order | None, received: date, language: str) -> str:
    """The letter to the customer: from a template where there is one for the case."""
    bodies = BODIES[language]
    body = bodies.get((finding.topic, finding.refund > 0)) or BODIES["en"].get((finding.topic, finding.refund > 0))
    if body is None or (order is None and "{order}" in body):
        body = UNKNOWN[language]
    return _letter(customer, body, finding, order, received, language)


def reply_unpaid(customer: str, finding: Finding, order: Order | None, received: date, language: str) -> str:
    """The letter for a refund that was promised in the draft and then not paid."""
    return _letter(customer, UNPAID[language], finding, order, received, language)


def _letter(
    customer: str, body: str, finding: Finding, order: Order | None, received: date, language: str
) -> str:  # fmt: skip
    known = {"refund": f"{finding.refund:.2f}"}
    if order is not None:
        known |= {
            "order": order.number, "item": order.item, "total": f"{order.total:.2f}", "tracking": order.tracking,
            "promised": order.promised.isoformat(), "age": str(order.age_days(received)),
        }  # fmt: skip
    return f"{HELLO[language].format(customer=customer)}\n\n{body.format(**known)}\n\n{GOODBYE[language]}\n"
