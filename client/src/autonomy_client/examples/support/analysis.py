"""What a ticket is about, how sure that is, and what it costs, by rules on words and orders; no network, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from autonomy_client.examples.support.tickets import Order

RETURN_DAYS = 30
GIVEN_UP_AFTER_DAYS = 21
SURE, VAGUE, WITHOUT_ORDER = Decimal("0.95"), Decimal("0.30"), Decimal("0.50")
CENT = Decimal("0.01")


class Topic(StrEnum):
    """What customers write about."""

    DAMAGED = "damaged"
    WRONG_ITEM = "wrong_item"
    RETURN = "return"
    LATE = "late"
    CANCEL = "cancel"
    INVOICE = "invoice"
    HOW_TO = "how_to"
    OTHER = "other"


# Words of English and German, each with its weight; a word that ends in * stands for all that begin with it.
WORDS: Mapping[Topic, Mapping[str, int]] = {
    Topic.DAMAGED: {
        "broken": 3, "damage*": 3, "crack*": 3, "scratch*": 2, "dent*": 2, "defect*": 3, "leak*": 2, "kaputt": 3,
        "beschädigt": 3, "zerbrochen": 3, "defekt*": 3,
    },
    Topic.WRONG_ITEM: {
        "wrong item": 4, "wrong colour": 4, "wrong size": 4, "instead of": 3, "not what i ordered": 4,
        "falschen artikel": 4, "statt": 2,
    },
    Topic.RETURN: {
        "send it back": 4, "return": 3, "money back": 3, "changed my mind": 3, "zurückgeben": 4, "zurückschicken": 4,
        "do not need": 2,
    },
    Topic.LATE: {
        "where is": 3, "not arrived": 4, "still waiting": 3, "late": 2, "delay*": 2, "track*": 2, "nicht angekommen": 4,
        "wo bleibt": 3, "noch nicht da": 3,
    },
    Topic.CANCEL: {"cancel*": 4, "stornier*": 4, "call off": 3},
    Topic.INVOICE: {"invoice": 4, "bill": 2, "vat": 2, "copy of the receipt": 4, "rechnung": 4},
    Topic.HOW_TO: {
        "how do i": 4, "manual": 3, "instructions": 3, "assemble": 2, "anleitung": 3, "how to": 3, "settings": 2,
    },
}  # fmt: skip
URGENT = ("urgent", "immediately", "as soon as possible", "asap", "dringend", "sofort")
GERMAN = frozenset(
    ("der", "die", "das", "ist", "nicht", "und", "ich", "meine", "wir", "bitte", "ein", "eine", "noch", "sie")
)
NEEDS_AN_ORDER = frozenset((Topic.DAMAGED, Topic.WRONG_ITEM, Topic.RETURN, Topic.LATE, Topic.CANCEL, Topic.INVOICE))


@dataclass(frozen=True)
class Finding:
    """What was understood of a ticket; the refund is in EUR."""

    topic: Topic
    sure: Decimal
    urgent: bool
    refund: Decimal


def understand(text: str, order: Order | None, received: date) -> Finding:
    """The topic with the most weight of words, how sure it is, and what the customer gets back."""
    plain = " ".join(text.lower().split())
    topic, sure = topic_of(plain)
    if topic in NEEDS_AN_ORDER and order is None:
        sure = min(sure, WITHOUT_ORDER)
    urgent = any(word in plain for word in URGENT) or (order is not None and order.tier == "key_account")
    return Finding(topic, sure, urgent, refund_for(topic, order, received))


def topic_of(plain: str) -> tuple[Topic, Decimal]:
    """The topic of a text in small letters, and how far it is ahead of the second."""
    weights = {topic: _weight(plain, words) for topic, words in WORDS.items()}
    best, *others = sorted(weights.values(), reverse=True)
    if not best:
        return Topic.OTHER, VAGUE
    topic = next(topic for topic, weight in weights.items() if weight == best)
    if not others[0]:
        return topic, SURE
    share = Decimal(best) / (best + others[0])
    return topic, min(SURE, share.quantize(CENT, ROUND_HALF_UP))


def _weight(plain: str, words: Mapping[str, int]) -> int:
    return sum(weight for word, weight in words.items() if _pattern(word).search(plain))


def _pattern(word: str) -> re.Pattern[str]:
    end = r"" if word.endswith("*") else r"\b"
    return re.compile(rf"\b{re.escape(word.rstrip('*'))}{end}")


def refund_for(topic: Topic, order: Order | None, received: date) -> Decimal:
    """What the customer gets back by the terms of the shop; a rule or a person still decides whether it is paid."""
    if order is None:
        return Decimal("0.00")
    arrived = order.status == "delivered"
    owed = {
        Topic.DAMAGED: arrived,
        Topic.WRONG_ITEM: arrived,
        Topic.RETURN: arrived and order.age_days(received) <= RETURN_DAYS,
        Topic.LATE: not arrived and (received - order.promised).days > GIVEN_UP_AFTER_DAYS,
        Topic.CANCEL: order.status == "processing",
    }
    return order.total if owed.get(topic, False) else Decimal("0.00")


def language_of(text: str) -> str:
    """The language that a text is written in: de or en."""
    words = re.findall(r"\w+", text.lower())
    return "de" if sum(word in GERMAN for word in words) * 5 > len(words) else "en"
