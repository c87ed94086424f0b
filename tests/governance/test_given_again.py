"""A key that was used before: the same answer for a while, and no allow that nobody would give today."""

from datetime import timedelta
from typing import Any

import pytest

from agents import operations as agents
from agents.models import Agent
from governance import operations
from governance.models import Decision, Escalation
from governance.operations.facts import Circumstances
from observability import ledger
from tests.governance.authzen import asked

FREEZE = {
    "apiVersion": "autonomyos/v1", "kind": "Policy", "key": "finance.freeze", "version": 1, "title": "Freeze",
    "owner": "finance", "priority": 50, "scope": {"actions": ["invoice.pay"]},
    "rules": [{"id": "fr-1", "effect": "deny", "when": "context.amount > 0", "reason": "Nothing is paid today."}],
    "base_request": {"action": {"name": "invoice.pay"}, "context": {"amount": "1", "currency": "EUR"}},
    "tests": [{"name": "anything", "expect": {"effect": "deny"}}],
}  # fmt: skip


def question(amount: str = "1210.50", key: str = "k") -> operations.Question:
    """May this invoice be paid?"""
    body = asked(amount)
    return operations.Question(
        action="invoice.pay", resource=body["resource"], context=body["context"], request_key=key
    )  # fmt: skip


@pytest.fixture
def answer(halden: Any, now: Any) -> Any:
    """`answer("k", minutes=5)` is what the payments clerk is told under this key, that much later."""

    def said(key: str, amount: str = "1210.50", minutes: int = 0) -> Decision:
        clerk = Agent.objects.get(pk=halden.agents["AP-04"].pk)
        known = Circumstances(clerk, now + timedelta(minutes=minutes))
        return operations.evaluate(question(amount, key), known=known, by=clerk)

    return said


def test_a_repeat_is_answered_the_same_while_what_it_reserved_is_held(answer: Any) -> None:
    first = answer("k")

    assert (first.effect, answer("k", minutes=59).pk) == ("allow", first.pk)
    later = answer("k", minutes=61)
    assert (later.effect, later.rule) == ("deny", "given-before")
    assert "too long ago" in later.reason and later.request_key != "k"
    assert answer("new", minutes=61).effect == "allow"


def test_what_was_reported_is_not_allowed_once_more(answer: Any, halden: Any, now: Any) -> None:
    first = answer("k")
    operations.report_outcome(first, operations.Outcome(done=True), agent=halden.agents["AP-04"], at=now)

    assert (answer("k").effect, answer("k").rule) == ("deny", "given-before")


def test_rules_that_deny_since_then_deny_the_repeat(answer: Any, halden: Any, now: Any) -> None:
    first = answer("k")
    terms = {"unit": halden.units["finance"], "owner": halden.people["maria"], "by": ledger.SYSTEM, "at": now}
    operations.activate(operations.add_policy(FREEZE, **terms), by=ledger.SYSTEM, at=now)

    again = answer("k")

    assert (again.effect, again.reason, again.pk != first.pk) == ("deny", "Nothing is paid today.", True)


def test_an_agent_that_is_paused_meanwhile_gets_no_allow_however_it_came_in(answer: Any, halden: Any, now: Any) -> None:
    clerk = Agent.objects.get(pk=halden.agents["AP-04"].pk)
    assert answer("k").effect == "allow"
    agents.pause(halden.agents["AP-04"], by=ledger.SYSTEM, at=now, why="Strange payments.")

    came_before = Circumstances(clerk, now)
    assert operations.evaluate(question(key="other"), known=came_before, by=clerk).rule == "not-at-work"
    assert operations.evaluate(question(key="k"), known=came_before, by=clerk).rule == "not-at-work"


def test_an_approval_allows_once_however_old_the_questions_are(
    answer: Any, halden: Any, now: Any, sign_in: Any
) -> None:
    first = answer("a", "9000.00")
    clerk = Agent.objects.get(pk=halden.agents["AP-04"].pk)
    assert first.effect == "escalate"
    requested = operations.Requested(first.uid, question("9000.00", "a"))
    operations.request_access(requested, known=Circumstances(clerk, now), by=clerk)
    waiting = Escalation.objects.open().get()
    body = {"request_sha256": waiting.request_sha256, "reason": "Checked."}
    assert sign_in("priya").call("post", f"escalations/{waiting.uid}/approve", body).status_code == 200

    effects = []
    for key in ("b", "c", "d"):  # all three came in just before the approval
        known = Circumstances(clerk, now)
        effects.append(operations.evaluate(question("9000.00", key), known=known, by=clerk).effect)

    assert effects == ["allow", "escalate", "escalate"]
