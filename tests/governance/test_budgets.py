"""Budgets at the doors: what is reserved, what is spent, who is asked, and what is never let pass."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F, Value

from agents.models import Blueprint, System, Unit
from governance import operations
from governance.models import Budget, BudgetPeriod, Decision, Escalation, EscalationPath, Reservation
from governance.models.budgets import ExactField
from governance.operations.policies import decision_schema, rules_now, turn_page
from governance.rules.budgeting import keep_within
from governance.tasks import expire_reservations
from observability import ledger
from observability.models import Event
from workflows.models import Step


def budget(at: Any, **more: Any) -> Budget:
    """A budget of EUR 10,000 a day for the payments clerk, or what `more` says."""
    usual = {
        "name": "Payments of AP-04", "scope": "agent", "about": "AP-04", "metric": "money", "period": "day",
        "hard_limit": Decimal(10_000), "why": "A drill.",
    }  # fmt: skip
    return operations.open_budget(operations.BudgetTerms(**{**usual, **more}), by=ledger.SYSTEM, at=at)


def figures(of: Budget) -> tuple[Decimal, Decimal]:
    """What is spent and what is reserved of it."""
    row = BudgetPeriod.objects.get(budget=of)
    return row.spent, row.reserved


def ask(client: Any, body: Any) -> Any:
    """The answer to a question, which must be one."""
    answer = client.call("post", "actions", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.fixture
def clerk(robot: Any) -> Any:
    """The payments clerk at the API."""
    return robot("AP-04")


@pytest.fixture
def ready(bring: Any, clerk: Any) -> Any:
    """The payment step of an invoice, in the clerk's hand."""
    bring()
    return clerk.claim()


PAID = {"paid": True}


def test_what_is_allowed_is_reserved_and_what_is_done_is_spent(ready: Any, clerk: Any, question: Any, now: Any) -> None:
    daily = budget(now)

    assert ask(clerk, question(ready, amount="4000.00"))["effect"] == "allow"
    assert figures(daily) == (0, 4000)

    assert clerk.finish(ready, paid=True).status_code == 200
    assert figures(daily) == (Decimal("4000.01"), 0), "the payment, and the cost that the agent reported"
    assert set(Reservation.objects.values_list("status", flat=True)) == {"settled", "spent"}


def test_above_the_hard_limit_the_answer_names_the_budget_and_when_it_renews(
    clerk: Any, question: Any, now: Any
) -> None:
    daily = budget(now, hard_limit=Decimal(6000))
    assert ask(clerk, question(amount="4000.00"))["effect"] == "allow"

    answer = ask(clerk, question(amount="4000.01"))

    assert (answer["effect"], answer["rule"]) == ("deny", "budget")
    assert "“Payments of AP-04”: EUR 2,000.00 of EUR 6,000.00 are left" in answer["reason"]
    assert "It renews on" in answer["reason"]
    assert answer["budget"]["id"] == str(daily.uid)
    assert answer["budget"]["left"] == "2000.000000"
    assert answer["budget"]["renews_at"] is not None
    assert figures(daily) == (0, 4000)
    assert Decision.objects.get(uid=answer["decision"]).because == [f"built-in#budget:{daily.uid}"]


def test_above_the_soft_limit_a_person_lets_pass_up_to_the_hard_one(
    clerk: Any, question: Any, now: Any, sign_in: Any
) -> None:
    path = EscalationPath.objects.get(key="finance-approver")
    daily = budget(now, soft_limit=Decimal(3000), path=path)
    first = ask(clerk, question(amount="4000.00"))
    assert (first["effect"], first["rule"]) == ("escalate", "budget")
    asked = Escalation.objects.get(uid=first["escalation"]["id"])
    assert asked.conditions[0]["wanted"] == "more than EUR 3,000.00"
    assert sign_in("priya").get(f"/escalations/{asked.uid}").status_code == 200
    assert Reservation.objects.count() == 0, "a question reserves nothing"

    body = {"request_sha256": asked.request_sha256}
    assert sign_in("priya").call("post", f"escalations/{asked.uid}/approve", body).status_code == 200

    assert ask(clerk, question(amount="4000.00"))["effect"] == "allow"
    assert figures(daily) == (0, 4000)
    Budget.objects.update(hard_limit=5000)
    BudgetPeriod.objects.update(hard_limit=5000)
    assert ask(clerk, question(amount="4000.00"))["effect"] == "deny", "no approval lifts the hard limit"


def test_a_failed_step_and_a_cancelled_run_release_what_they_hold(
    ready: Any, clerk: Any, question: Any, now: Any, halden: Any
) -> None:
    daily = budget(now)
    ask(clerk, question(ready, amount="4000.00"))

    body = {"lease_token": ready["lease_token"], "reason": "The bank did not answer.", "retryable": True}
    assert clerk.call("post", f"steps/{ready['step']}/fail", body).status_code == 200
    assert figures(daily) == (0, 0)
    assert Event.objects.filter(verb="reservation.released").count() == 1

    Step.objects.filter(uid=ready["step"]).update(available_at=now)
    again = clerk.claim()
    ask(clerk, question(again, amount="3000.00"))
    from workflows import operations as workflows  # the story goes on one app higher

    run = Step.objects.get(uid=ready["step"]).run
    workflows.cancel(run, by=ledger.SYSTEM, at=now, why="A drill.")
    assert figures(daily) == (0, 0)


def test_a_step_that_asks_the_same_again_holds_it_once(ready: Any, clerk: Any, question: Any, now: Any) -> None:
    daily = budget(now)

    for _ in range(2):
        assert ask(clerk, question(ready, amount="4000.00"))["effect"] == "allow"

    assert figures(daily) == (0, 4000)


def test_an_outcome_outside_a_step_is_reported_once(clerk: Any, robot: Any, question: Any, now: Any) -> None:
    daily = budget(now)
    decision = ask(clerk, question(amount="4000.00"))["decision"]
    address = f"decisions/{decision}/outcome"

    assert robot("AP-01").call("post", address, {"done": True}).status_code == 404, "another agent's decision"
    done = clerk.call("post", address, {"done": True, "amount": "3900.00"})
    assert done.status_code == 200, done.content
    assert clerk.call("post", address, {"done": True, "amount": "3900.00"}).json() == done.json()
    other = clerk.call("post", address, {"done": False})

    assert (other.status_code, other.json()["code"]) == (409, "reported_already")
    assert figures(daily) == (3900, 0)


def test_what_was_not_done_is_free_again_and_what_was_denied_has_no_outcome(
    clerk: Any, question: Any, now: Any
) -> None:
    daily = budget(now)
    decision = ask(clerk, question(amount="4000.00"))["decision"]
    denied = ask(clerk, question(amount="1", properties={"findings": 1}))["decision"]

    assert clerk.call("post", f"decisions/{decision}/outcome", {"done": False}).status_code == 200
    assert clerk.call("post", f"decisions/{denied}/outcome", {"done": True}).status_code == 409

    assert figures(daily) == (0, 0)


def test_what_really_happened_is_counted_above_the_limit_and_told(clerk: Any, question: Any, now: Any) -> None:
    daily = budget(now)
    decision = ask(clerk, question(amount="4000.00"))["decision"]

    clerk.call("post", f"decisions/{decision}/outcome", {"done": True, "amount": "12000.00"})

    assert figures(daily) == (12_000, 0)
    assert BudgetPeriod.objects.get().overspent
    assert Event.objects.filter(verb="budget.overspent", subject_id=str(daily.uid)).count() == 1
    assert ask(clerk, question(amount="1.00"))["effect"] == "deny"


def test_eighty_and_a_hundred_percent_are_told_once(clerk: Any, question: Any, now: Any) -> None:
    budget(now)
    for amount in ("4000.00", "3999.99", "0.01", "100.00", "1900.00"):
        assert ask(clerk, question(amount=amount))["effect"] == "allow"

    told = Event.objects.filter(verb__startswith="budget.").exclude(verb="budget.opened").order_by("pk")
    assert list(told.values_list("verb", flat=True)) == ["budget.near_limit", "budget.used_up"]


def test_what_nobody_reported_on_is_free_after_its_time(clerk: Any, question: Any, now: Any) -> None:
    daily = budget(now)
    decision = ask(clerk, question(amount="4000.00"))["decision"]
    Reservation.objects.update(expires_at=now - timedelta(seconds=1))

    assert expire_reservations() == 1
    assert figures(daily) == (0, 0)

    clerk.call("post", f"decisions/{decision}/outcome", {"done": True})
    assert figures(daily) == (4000, 0), "the truth counts, however late it comes"


@pytest.mark.parametrize(
    ("scope", "about", "binds"),
    [
        ("agent", "AP-04", True), ("agent", "AP-01", False), ("role", "payments-clerk", True), ("everything", "", True),
        ("role", "invoice-reader", False), ("unit", "", True), ("workflow", "invoice-to-payment", True),
        ("run", "invoice-to-payment", True), ("run", "", True),
    ],
)  # fmt: skip
def test_a_budget_binds_what_it_is_about(
    halden: Any, ready: Any, clerk: Any, question: Any, now: Any, scope: str, about: str, binds: bool
) -> None:
    unit = halden.units["finance"]
    budget(now, scope=scope, about=about, unit=unit, period="total", hard_limit=Decimal(10))

    assert (ask(clerk, question(ready, amount="11.00"))["rule"] == "budget") == binds


def test_a_budget_of_another_unit_binds_nobody_here(halden: Any, clerk: Any, question: Any, now: Any) -> None:
    budget(now, scope="unit", about="", unit=halden.units["procurement"], hard_limit=Decimal(10))

    assert ask(clerk, question(amount="11.00"))["effect"] == "allow"


def test_each_run_has_a_budget_of_its_own(bring: Any, clerk: Any, question: Any, now: Any) -> None:
    budget(now, scope="run", about="", unit=Unit.objects.get(parent=None), period="total", hard_limit=Decimal(5000))

    for key in ("2026-1187", "2026-1188"):
        bring(key)
        work = clerk.claim()
        assert ask(clerk, question(work, amount="4000.00"))["effect"] == "allow"
        assert ask(clerk, question(work, amount="1000.01"))["rule"] == "budget"

    assert BudgetPeriod.objects.count() == 2


def test_calls_tokens_and_seconds_are_budgets_too(ready: Any, clerk: Any, question: Any, now: Any) -> None:
    calls, tokens, seconds = (
        budget(now, name=metric, metric=metric, hard_limit=Decimal(most))
        for metric, most in (("calls", 2), ("tokens", 1000), ("seconds", 3600))
    )

    assert ask(clerk, question(ready, amount="1.00", context={"tokens": 400}))["effect"] == "allow"
    assert ask(clerk, question(ready, amount="2.00", context={"tokens": 601}))["rule"] == "budget"
    assert [figures(each)[1] for each in (calls, tokens, seconds)] == [1, 400, 0]
    body = {"lease_token": ready["lease_token"], "output": PAID}
    done = clerk.call("post", f"steps/{ready['step']}/finish", {**body, "tokens": 1200})
    assert done.status_code == 200, done.content

    assert [figures(each) for each in (calls, tokens)] == [(1, 0), (1200, 0)], "what was used replaces the estimate"
    assert figures(seconds)[0] > 0
    assert ask(clerk, question(amount="3.00"))["rule"] == "budget", "no token is left"


def test_a_run_beyond_the_budget_of_runs_does_not_start(robot: Any, now: Any) -> None:
    runs = budget(now, scope="workflow", about="invoice-to-payment", metric="runs", hard_limit=Decimal(2))
    body = {"workflow": "invoice-to-payment", "input": {"document": "x.xml"}}
    reader = robot("AP-01")

    codes = [reader.call("post", "runs", {**body, "key": str(key)}).status_code for key in (1, 2, 1, 3)]

    assert codes == [201, 201, 200, 409], "the same key is the same run"
    assert figures(runs) == (2, 0)


def test_another_currency_is_never_let_pass_in_silence(clerk: Any, question: Any, now: Any, sign_in: Any) -> None:
    budget(now, currency="USD", hard_limit=Decimal(10), path=EscalationPath.objects.get(key="finance-approver"))

    answer = ask(clerk, question(amount="1.00"))

    assert (answer["effect"], answer["rule"]) == ("escalate", "budget")
    assert "in EUR, and this budget counts USD" in answer["reason"]


def test_a_cost_that_is_not_given_is_not_nothing(clerk: Any, question: Any, now: Any) -> None:
    budget(now)
    Blueprint.objects.update(actions=[{"system": "*", "action": "*", "scope": {}}])
    asked = question(amount="1.00")
    del asked["context"]["amount"]

    assert ask(clerk, asked)["effect"] == "deny", "nobody can be asked"

    system = System.objects.get(code="payables")
    system.actions = [{**system.actions[0], "cost": ""}]
    system.save(update_fields=["actions"])
    turn_page()
    assert ask(clerk, asked)["rule"] != "budget"
    assert ask(clerk, question(amount="-5.00"))["rule"] != "budget", "the action says that it has no cost"
    system.actions = [{**system.actions[0], "cost": "context.amount"}]
    system.save(update_fields=["actions"])
    turn_page()
    assert ask(clerk, question(amount="-5.00"))["effect"] == "deny"


def test_the_same_facts_give_the_same_answer_again(clerk: Any, question: Any, now: Any) -> None:
    budget(now, hard_limit=Decimal(6000))
    for amount in ("4000.00", "4000.01", "2000.00"):
        ask(clerk, question(amount=amount))
    rules, _ = rules_now()

    for decision in Decision.objects.order_by("pk"):
        context = {**decision.facts["context"], "time": decision.at.isoformat()}
        facts = decision_schema().coerce({**decision.facts, "context": context})
        ruling = keep_within(facts, rules.decide(facts))
        assert (ruling.verdict, ruling.reason) == (decision.effect, decision.reason)
        assert list(ruling.because) == decision.because


def test_the_database_refuses_a_reservation_above_the_limit(clerk: Any, question: Any, now: Any) -> None:
    budget(now)
    ask(clerk, question(amount="4000.00"))

    with pytest.raises(IntegrityError), transaction.atomic():
        BudgetPeriod.objects.update(reserved=F("reserved") + Value(Decimal(6001), output_field=ExactField()))


def test_a_day_ends_at_midnight_of_the_company(halden: Any, clerk: Any, question: Any, now: Any) -> None:
    daily = budget(now, hard_limit=Decimal(4000))
    asked = operations.Question(
        action="invoice.pay", resource=question()["resource"], context=question(amount="4000.00")["context"],
        request_key="k1",
    )  # fmt: skip
    agent = halden.agents["AP-04"]
    assert operations.decide(asked, agent=agent, at=now).effect == "allow"
    ends_at = BudgetPeriod.objects.get(budget=daily).ends_at
    for key, at, effect in (("k2", ends_at - timedelta(seconds=1), "deny"), ("k3", ends_at, "allow")):
        again = operations.Question(**{**vars(asked), "request_key": key})
        assert operations.decide(again, agent=agent, at=at).effect == effect
