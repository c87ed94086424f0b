"""Autonomy is earned: the evidence, a request that the council decides, and a level that is lost again."""

from typing import Any

import pytest
import yaml
from django.conf import settings

from agents.models import Agent
from governance import operations
from governance.models import DemotionRule
from governance.operations import RuleChange
from observability import ledger
from observability.models import Event
from tests.invoices import ask_to_pay
from tests.invoices import question as to_pay

POLICY = settings.BASE / "autonomy_site/demo/policies/invoice_payment.yaml"
WHY = "Priya agreed with everything it asked."


@pytest.fixture
def trusting(halden: Any, now: Any) -> None:
    """A policy in force that lets agents from level 3 on pay up to 25,000 alone."""
    document = yaml.safe_load(POLICY.read_text())
    limit = next(rule for rule in document["rules"] if rule["id"] == "ip-limit")
    limit["when"] += " && subject.autonomy_level < 3"
    version = operations.add_policy(
        {**document, "version": 2, "title": "Trust"}, unit=halden.units["finance"], owner=halden.people["maria"],
        by=ledger.SYSTEM, at=now,
    )  # fmt: skip
    operations.activate(version, by=ledger.SYSTEM, at=now)


@pytest.fixture
def answered(robot: Any, sign_in: Any) -> Any:
    """`answered("2026-1", "approve")`: the clerk asks about an invoice of 9,000, Priya answers, the clerk finishes."""

    def brought(number: str, answer: str) -> None:
        asked = ask_to_pay(robot, number)
        body: dict[str, str] = {"request_sha256": asked.request_sha256}
        if answer == "reject":
            body |= {"reason": "Paid by card.", "reason_code": "duplicate"}
        assert sign_in("priya").call("post", f"escalations/{asked.uid}/{answer}", body).status_code == 200
        clerk = robot("AP-04")
        work = clerk.claim()
        if answer == "approve":
            assert clerk.call("post", "actions", to_pay(work, "9000.00")).json()["effect"] == "allow"
        assert clerk.finish(work, paid=answer == "approve", message_id="M", file="f.xml").status_code == 200

    return brought


def rule(halden: Any, at: Any, **change: Any) -> DemotionRule:
    """A rule for payments clerks that the council set."""
    said = {"overruled_percent": 20, "error_percent": None, "at_least": 3, "days": 30, **change}
    return operations.set_demotion_rule(
        RuleChange(role="payments-clerk", **said), by=halden.people["ingrid"], at=at, why="Agreed in the council."
    )


def test_maria_asks_ingrid_approves_and_the_clerk_acts_at_level_3(
    trusting: None, answered: Any, robot: Any, sign_in: Any
) -> None:
    maria, ingrid = sign_in("maria"), sign_in("ingrid")
    for number in ("2026-1", "2026-2", "2026-3"):
        answered(number, "approve")

    # Maria reads the evidence and asks; it is kept as it is now.
    evidence = maria.call("get", "agents/AP-04/evidence").json()
    assert evidence["total"]["agreement"] | {"low": "", "high": ""} == {
        "part": 3, "whole": 3, "share": "1.0000", "small_sample": True, "low": "", "high": ""
    }  # fmt: skip
    asked = maria.call("post", "agents/AP-04/promotions", {"reason": WHY})
    assert asked.status_code == 201, asked.content
    assert (asked.json()["from_level"], asked.json()["to_level"], asked.json()["status"]) == (2, 3, "open")
    assert Agent.objects.get(code="AP-04").autonomy_level == 2, "asking changes nothing"

    # Ingrid sees it on her overview and approves it.
    assert "waits for the council" in ingrid.get("/").content.decode()
    uid = asked.json()["id"]
    approved = ingrid.call("post", f"promotions/{uid}/approve", {"reason": "Convincing."})
    assert approved.json()["status"] == "approved", approved.content
    assert Agent.objects.get(code="AP-04").autonomy_level == 3
    told = Event.objects.get(verb="agent.promoted")
    assert (told.actor_name, told.before, told.after, told.why) == (
        "Ingrid Halden", "level 2", "level 3", "Convincing."
    )  # fmt: skip

    # The clerk's next payment of 9,000 needs no question.
    ask_nobody(robot, "2026-4")


def ask_nobody(robot: Any, number: str) -> None:
    """An invoice of 9,000 that the clerk pays alone."""
    from tests.invoices import bring

    bring(robot, number)
    clerk = robot("AP-04")
    work = clerk.claim()
    assert clerk.call("post", "actions", to_pay(work, "9000.00")).json()["effect"] == "allow"
    clerk.finish(work, paid=True, message_id="M", file="f.xml")
