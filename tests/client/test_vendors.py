"""Screening, accounts and risk of vendors, by tables."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest
from autonomy_client.examples.vendors.checks import LENGTHS, Rating, check_account, iban_is_sound, rate
from autonomy_client.examples.vendors.papers import Application, Listed
from autonomy_client.examples.vendors.screening import hits, likeness, plain
from hypothesis import given
from hypothesis import strategies as st

from autonomy_site.demo.documents.trade import iban

LIST = [Listed("Severnaya Metallurgiya Kombinat", "XA", "2022-05-03"), Listed("Blue Caravan Exchange", "XB", "2018")]
ACCOUNT = "DE89370400440532013000"
VENDOR = Application(
    "A-1", "Alpenguss GmbH", "DE", "DE-1", "castings", date(2010, 5, 1), date(2026, 11, 12),
    {
        "tax_form": {}, "register": {},
        "bank_letter": {"iban": "DE89 3704 0044 0532 0130 00", "holder": "ALPENGUSS Gmbh"},
    },
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("Officine Bertoldi S.r.l.", "bertoldi officine"),
        ("Nordhavn Pumper A/S", "nordhavn pumper"),
        ("Łódzkie Zakłady", "lodzkie zaklady"),
        ("Müller & Söhne KG", "and muller sohne"),
        ("Strauß AG", "strauss"),
        ("GmbH", "gmbh"),  # a name of nothing but a legal form is still a name
        ("  ", ""),
        ("中文", ""),
    ],
)
def test_a_name_is_plain_without_accents_signs_legal_form_and_order(name: str, normal: str) -> None:
    assert plain(name) == normal


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Severnaya Metallurgiya Kombinat", 0),
        ("KOMBINAT Severnaya Metallurgiya, OOO", 0),
        ("Sewernaja Metallurgija Kombinat", 0),
        ("Exchange Blue Caravan Ltd", 1),
        ("Severnaya Travel", None),
        ("Blue Exchange", None),
        ("", None),
    ],
)
def test_a_listed_name_is_found_however_it_is_written(name: str, listed: int | None) -> None:
    assert [hit.listed for hit in hits(name, LIST)] == ([] if listed is None else [LIST[listed]])


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_does_not_depend_on_who_is_compared_with_whom(one: str, other: str) -> None:
    assert likeness(one, other) == likeness(other, one)
    assert 0 <= likeness(one, other) <= 1


@pytest.mark.parametrize(
    ("number", "sound"),
    [
        (ACCOUNT, True),
        ("DE89370400440532013001", False),
        ("DE8937040044053201300", False),  # one sign too few
        ("GB29NWBK60161331926819", True),
        ("XX89370400440532013000", False),
        ("de89370400440532013000", False),
        ("", False),
        ("ÄÖ89370400440532013000", False),
    ],
)
def test_an_account_has_its_length_and_its_check_digits(number: str, sound: bool) -> None:
    assert iban_is_sound(number) is sound


@given(st.sampled_from(sorted(LENGTHS)), st.integers(min_value=0))
def test_one_wrong_digit_is_always_noticed(country: str, seed: int) -> None:
    chance = random.Random(seed)
    number = iban(country, "".join(chance.choices("0123456789", k=LENGTHS[country] - 4)))
    place = chance.randrange(4, len(number))
    wrong = str((int(number[place]) + chance.randrange(1, 10)) % 10)

    assert iban_is_sound(number)
    assert not iban_is_sound(number[:place] + wrong + number[place + 1 :])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "are right"),
        ({"iban": "DE00370400440532013000"}, "check digits"),
        ({"iban": ""}, "No account"),
        ({"iban": "GB29NWBK60161331926819"}, "The account is in GB"),
        ({"holder": "Peter Schuster"}, "belongs to Peter Schuster"),
    ],
)
def test_an_account_can_be_the_vendors_or_not(changed: dict[str, str], said: str) -> None:
    letter = VENDOR.papers["bank_letter"] | changed
    account = check_account(replace(VENDOR, papers=VENDOR.papers | {"bank_letter": letter}))
    assert said in account.note
    assert account.matches is (not changed)


@pytest.mark.parametrize(
    ("changed", "score", "word"),
    [
        ({}, 5, "low"),
        ({"country": "TR"}, 30, "medium"),
        ({"founded": date(2024, 11, 13)}, 25, "low"),  # one day short of two years
        ({"founded": date(2024, 11, 12)}, 5, "low"),
        ({"country": "TR", "trade": "scrap"}, 60, "high"),
        ({"country": "IR"}, 75, "high"),
        ({"country": "IR", "trade": "arms", "founded": date(2026, 1, 1)}, 100, "high"),
    ],
)
def test_the_risk_is_made_of_country_trade_and_age(changed: dict[str, object], score: int, word: str) -> None:
    rating = rate(replace(VENDOR, **changed))  # type: ignore[arg-type]
    assert (rating.score, rating.word) == (score, word)


def test_missing_papers_are_named() -> None:
    assert VENDOR.missing == []
    assert replace(VENDOR, papers={"register": {}}).missing == ["tax_form", "bank_letter"]
    assert Rating(59, ()).word == "medium"
