"""What an answer of the decision point costs the database: few statements, and for a batch hardly more than for one."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance import operations
from governance.models import BudgetPeriod, Decision
from observability import ledger
from observability.models import Event

MANY = 50
ONE_AT_MOST = 11  # 19 before what stands behind a first glance was looked up only where there is any
BATCH_AT_MOST = 13  # 362 before
EACH_BUDGET_AT_MOST = 8  # reserved one after the other: each question sees what those before it left
PROPERTIES = {"seller": "Kessler Maschinenbau GmbH", "order_matched": True, "findings": 0, "bank_changed_days": 412}


def asked(number: object, amount: str = "1210.50") -> dict[str, Any]:
    """May the payments clerk pay this invoice?"""
    return {
        "subject": {"type": "agent", "id": "AP-04"}, "action": {"name": "invoice.pay"},
        "resource": {"type": "invoice", "id": f"INV-{number}", "properties": PROPERTIES},
        "context": {"amount": amount, "currency": "EUR"},
    }  # fmt: skip


def many(series: str, amount: str = "1210.50") -> dict[str, Any]:
    """The same about fifty invoices."""
    return {**asked(0, amount), "evaluations": [{"resource": asked(f"{series}-{n}")["resource"]} for n in range(MANY)]}


@pytest.fixture
def costs(robot: Any) -> Any:
    """`costs("evaluation", body)` is what the clerk is told, and how many statements it took, rules compiled."""
    clerk = robot("AP-04")

    def send(path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {clerk.key}"}
        answer = clerk.post(f"/access/v1/{path}", json.dumps(body), content_type="application/json", headers=headers)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def counted(path: str, body: Any) -> tuple[Any, int]:
        send("evaluation", asked("first"))
        with CaptureQueriesContext(connection) as seen:
            told = send(path, body)
        return told, len(seen)

    return counted


def test_one_question_takes_eleven_statements(costs: Any) -> None:
    told, statements = costs("evaluation", asked("one"))

    assert told["decision"] is True
    assert statements <= ONE_AT_MOST
    assert Decision.objects.filter(resource_id="INV-one").count() == 1
    assert Event.objects.filter(verb="decision.made", subject_name="invoice.pay INV-one").count() == 1


def test_fifty_questions_take_hardly_more_than_one_and_each_is_recorded_in_its_turn(costs: Any) -> None:
    told, statements = costs("evaluations", many("b"))

    assert [each["decision"] for each in told["evaluations"]] == [True] * MANY
    assert statements <= BATCH_AT_MOST
    invoices = [f"INV-b-{number}" for number in range(MANY)]
    made = Decision.objects.filter(resource_id__startswith="INV-b-").order_by("pk")
    assert [decision.resource_id for decision in made] == invoices
    assert [each["context"]["evaluation_id"] for each in told["evaluations"]] == [str(each.uid) for each in made]
    events = Event.objects.filter(verb="decision.made", subject_name__contains="INV-b-").order_by("pk")
    assert list(events.values_list("subject_id", flat=True)) == [str(each.uid) for each in made]


def test_denials_in_a_batch_are_counted_without_asking_again_for_each(costs: Any) -> None:
    body = many("d")
    body["evaluations"] = [{**each, "action": {"name": "invoice.shred"}} for each in body["evaluations"][:20]]

    told, statements = costs("evaluations", body)

    assert [each["decision"] for each in told["evaluations"]] == [False] * 20
    assert statements <= BATCH_AT_MOST + 3, "what it was denied before, since when, and from what it read"


def test_a_batch_that_is_denied_too_often_puts_the_agent_in_quarantine_at_the_same_place(
    costs: Any, halden: Any
) -> None:
    body = many("q")
    body["evaluations"] = [{**each, "action": {"name": "invoice.shred"}} for each in body["evaluations"]]

    told, _ = costs("evaluations", body)

    rules = [each["context"]["rule"] for each in told["evaluations"]]
    assert "not-at-work" not in rules[:30]
    assert rules[30:] == ["not-at-work"] * 20, "the thirtieth denial stops it, and the rest is refused for that"
    assert Decision.objects.filter(resource_id__startswith="INV-q-").count() == MANY


def test_the_same_question_in_a_batch_is_a_circle_at_the_same_place(costs: Any) -> None:
    body = {**asked("same"), "evaluations": [{}] * 30}

    told, _ = costs("evaluations", body)

    assert [each["decision"] for each in told["evaluations"]] == [True] * 20 + [False] * 10
    assert {each["context"]["rule"] for each in told["evaluations"][20:]} == {"loop-breaker"}


def test_budgets_are_reserved_for_each_question_of_a_batch_and_stop_it_at_their_limit(costs: Any, now: Any) -> None:
    terms: dict[str, Any] = {
        "name": "Pay", "scope": "agent", "about": "AP-04", "metric": "money", "period": "total", "why": "A drill.",
        "hard_limit": Decimal("20000"),
    }  # fmt: skip
    budget = operations.open_budget(operations.BudgetTerms(**terms), by=ledger.SYSTEM, at=now)
    body = many("p", "1000.00")
    body["evaluations"] = body["evaluations"][:20]

    told, statements = costs("evaluations", body)

    # The question before the batch took 1,210.50 of it.
    assert [each["decision"] for each in told["evaluations"]] == [True] * 18 + [False] * 2
    row = BudgetPeriod.objects.get(budget=budget)
    assert (row.reserved, row.reservations.count()) == (Decimal("19210.50"), 19)
    assert statements <= BATCH_AT_MOST + 20 * EACH_BUDGET_AT_MOST
