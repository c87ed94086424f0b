"""The support desk's rules on words and orders, by tables: topic, how sure, refund, language, and the letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from autonomy_client.examples.support.analysis import (
    RETURN_DAYS,
    Finding,
    Topic,
    language_of,
    refund_for,
    topic_of,
    understand,
)
from autonomy_client.examples.support.replies import reply, reply_unpaid
from autonomy_client.examples.support.tickets import Order, meant
from hypothesis import given
from hypothesis import strategies as st

DAY = date(2026, 11, 16)
LAMP = Order(
    "70101", "Anna Berger", "desk lamp", Decimal("19.90"), DAY - timedelta(days=10), DAY - timedelta(days=5),
    "delivered", "HL70101X", "standard", 0,
)  # fmt: skip
ON_ITS_WAY, IN_THE_HOUSE = replace(LAMP, status="shipped"), replace(LAMP, status="processing")
OLD = replace(LAMP, ordered=DAY - timedelta(days=RETURN_DAYS + 1))
LOST = replace(ON_ITS_WAY, promised=DAY - timedelta(days=22))


@pytest.mark.parametrize(
    ("text", "topic", "sure"),
    [
        ("the lamp is broken", Topic.DAMAGED, "0.95"),
        ("it is scratched all over", Topic.DAMAGED, "0.95"),
        ("the unbroken one", Topic.OTHER, "0.30"),  # a word inside another is not that word
        ("a toaster instead of a lamp", Topic.WRONG_ITEM, "0.95"),
        ("das paket ist beschädigt", Topic.DAMAGED, "0.95"),
        ("it has not arrived, and send me the invoice", Topic.LATE, "0.50"),  # both weigh the same
        ("where is it? still waiting, and the invoice", Topic.LATE, "0.60"),
        ("good morning", Topic.OTHER, "0.30"),
        ("", Topic.OTHER, "0.30"),
    ],
)
def test_a_text_is_about_what_most_of_its_words_are_about(text: str, topic: Topic, sure: str) -> None:
    assert topic_of(text) == (topic, Decimal(sure))


@pytest.mark.parametrize(
    ("topic", "order", "owed"),
    [
        (Topic.DAMAGED, LAMP, "19.90"),
        (Topic.DAMAGED, OLD, "19.90"),
        (Topic.DAMAGED, ON_ITS_WAY, "0.00"),
        (Topic.RETURN, LAMP, "19.90"),
        (Topic.RETURN, replace(LAMP, ordered=DAY - timedelta(days=RETURN_DAYS)), "19.90"),  # the last day
        (Topic.RETURN, OLD, "0.00"),
        (Topic.LATE, ON_ITS_WAY, "0.00"),
        (Topic.LATE, replace(ON_ITS_WAY, promised=DAY - timedelta(days=21)), "0.00"),
        (Topic.LATE, LOST, "19.90"),
        (Topic.CANCEL, IN_THE_HOUSE, "19.90"),
        (Topic.CANCEL, ON_ITS_WAY, "0.00"),
        (Topic.INVOICE, LAMP, "0.00"),
        (Topic.DAMAGED, None, "0.00"),
    ],
)
def test_money_goes_back_by_the_terms_of_the_shop(topic: Topic, order: Order | None, owed: str) -> None:
    assert refund_for(topic, order, DAY) == Decimal(owed)


def test_who_needs_an_order_and_names_none_is_not_understood_for_sure() -> None:
    assert understand("my lamp is broken", None, DAY) == Finding(Topic.DAMAGED, Decimal("0.50"), False, Decimal("0.00"))
    assert understand("how do I clean it", None, DAY).sure == Decimal("0.95")
    assert understand("broken, answer asap", LAMP, DAY).urgent
    assert understand("broken", replace(LAMP, tier="key_account"), DAY).urgent


def test_the_order_that_is_meant_is_the_one_that_is_named_or_the_only_one() -> None:
    other = replace(LAMP, number="70102")
    assert meant("order 70102 please", [LAMP, other]) == other
    assert meant("my order please", [LAMP]) == LAMP
    assert meant("my order please", [LAMP, other]) is None
    assert meant("order 79999 please", [LAMP]) is None, "somebody else's order is not taken for one's own"


@pytest.mark.parametrize(
    ("text", "language"),
    [("Where is it?", "en"), ("Wo ist die Lampe, ich warte noch", "de"), ("", "en"), ("die hard fans and more", "en")],
)
def test_the_language_is_told_by_small_words(text: str, language: str) -> None:
    assert language_of(text) == language


def test_the_letter_says_what_was_found() -> None:
    refund = Finding(Topic.DAMAGED, Decimal("0.95"), False, Decimal("19.90"))
    assert "We pay 19.90 EUR back" in reply("Anna Berger", refund, LAMP, DAY, "en")
    assert "erstatten 19.90 EUR" in reply("Anna Berger", refund, LAMP, DAY, "de")
    assert "cannot pay 19.90 EUR back" in reply_unpaid("Anna Berger", refund, LAMP, DAY, "en")
    unclear = Finding(Topic.OTHER, Decimal("0.30"), False, Decimal("0.00"))
    assert "A colleague reads it" in reply("Anna Berger", unclear, None, DAY, "en")


@given(
    st.text(max_size=200),
    st.sampled_from([None, LAMP, ON_ITS_WAY, IN_THE_HOUSE, OLD, LOST]),
    st.sampled_from(["en", "de"]),
)
def test_every_text_gets_a_letter_and_never_more_money_than_was_paid(
    text: str, order: Order | None, language: str
) -> None:
    found = understand(text, order, DAY)

    assert Decimal(0) <= found.refund <= (order.total if order else 0)
    assert Decimal(0) < found.sure < 1
    for letter in (reply, reply_unpaid):
        if order is not None or letter is reply:
            assert letter("Anna", found, order, DAY, language).startswith(("Dear Anna,", "Guten Tag Anna,"))
