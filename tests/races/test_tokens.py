"""One assertion, one consent, one key, used by many at the same moment, on PostgreSQL: each works once."""

from typing import Any

import pytest
from django.db import connection

from agents import operations
from agents.models import Key, UsedToken
from observability import ledger
from observability.ledger import Caller, database_now
from tests.agents.tokens import ENDPOINT, ISSUER, Program, pair

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
ROUNDS = 10
SERVER = operations.Server(ISSUER, ENDPOINT)


@pytest.fixture
def clerk(halden: Any, now: Any) -> Program:
    """The payments clerk's program, its public key registered."""
    made = Program("AP-04", pair())
    operations.register_client_key(halden.agents["AP-04"], made.jwk, by=ledger.SYSTEM, at=now)
    return made


def prove(assertion: str) -> Any:
    return operations.prove_client(assertion, server=SERVER, caller=Caller(), at=database_now())


def test_an_assertion_that_comes_in_four_times_at_once_works_once(clerk: Program, together: Any) -> None:
    for _ in range(ROUNDS):
        assertion = clerk.assertion()

        results = together(4, lambda _, text=assertion: prove(text))

        refused = [each for each in results if isinstance(each, operations.InvalidClient)]
        assert len(refused) == 3, results
    assert UsedToken.objects.count() == ROUNDS


def test_a_consent_is_exchanged_once_by_two_at_once(clerk: Program, halden: Any, together: Any) -> None:
    for _ in range(ROUNDS):
        _, text = operations.give_consent(halden.agents["AP-04"], by=halden.people["maria"], at=database_now())

        def exchange(_: int, subject: str = text) -> Any:
            return operations.exchange_token(
                prove(clerk.assertion()), subject=subject, kind=operations.CONSENT, asked="", server=SERVER,
                resource="", audience="", caller=Caller(), at=database_now(),
            )  # fmt: skip

        results = together(2, exchange)

        assert sorted(type(each).__name__ for each in results) == ["InvalidGrant", "Issued"], results


def test_a_key_that_is_rotated_by_three_at_once_has_one_successor(halden: Any, together: Any) -> None:
    agent = halden.agents["AP-04"]
    key = agent.keys.get()

    results = together(3, lambda _: operations.rotate_key(key, by=agent, at=database_now()))

    assert all(isinstance(each, str) for each in results), results
    assert Key.objects.filter(agent=agent, status="active").count() == 2, "the old one and the last new one"
    assert Key.objects.get(replaces=key).status == "active"
