"""Autonomy is earned: the evidence, a request that the council decides, and a level that is lost again."""

from typing import Any

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import Group

from agents.models import Agent
from governance import operations
from governance.models import DemotionRule, PromotionRequest
from governance.operations import RuleChange
from governance.tasks import watch_autonomy
from observability import ledger
from observability.models import Event
from tests.invoices import ask_to_pay, bring
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
    usual = {"role": "payments-clerk", "overruled_percent": 20, "error_percent": None, "at_least": 3, "days": 30}
    said = RuleChange(**{**usual, **change})
    return operations.set_demotion_rule(said, by=halden.people["ingrid"], at=at, why="Agreed in the council.")


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
    bring(robot, "2026-4")
    clerk = robot("AP-04")
    work = clerk.claim()
    assert clerk.call("post", "actions", to_pay(work, "9000.00")).json()["effect"] == "allow"
    clerk.finish(work, paid=True, message_id="M", file="f.xml")

    # What Maria saw stays as it was; what Ingrid sees now has grown.
    kept = ingrid.call("get", "agents/AP-04/promotions").json()["results"][0]["evidence"]["total"]
    now = ingrid.call("get", "agents/AP-04/evidence").json()["total"]
    assert (kept["alone"], now["alone"], kept["decided"], now["decided"]) == (0, 1, 3, 3)


def test_daniel_cannot_approve_what_he_asked(halden: Any, sign_in: Any) -> None:
    daniel = sign_in("daniel")
    uid = daniel.call("post", "agents/RK-01/promotions", {"reason": WHY}).json()["id"]

    assert daniel.call("post", f"promotions/{uid}/approve").status_code == 403, "risk does not promote"
    halden.people["daniel"].groups.add(Group.objects.get(name="council"))
    refused = daniel.call("post", f"promotions/{uid}/approve")

    assert (refused.status_code, refused.json()["code"]) == (403, "own_request")
    assert Event.objects.get(verb="promotion.refused").actor_name == "Daniel Okafor"
    assert Agent.objects.get(code="RK-01").autonomy_level == 3
    assert sign_in("ingrid").call("post", f"promotions/{uid}/approve").status_code == 200
    assert Agent.objects.get(code="RK-01").autonomy_level == 4


def test_who_answers_for_an_agent_does_not_decide_although_somebody_else_asked(halden: Any, sign_in: Any) -> None:
    halden.people["maria"].groups.add(Group.objects.get(name="council"))
    uid = sign_in("jonas").call("post", "agents/AP-04/promotions", {"reason": WHY}).json()["id"]

    answer = sign_in("maria").call("post", f"promotions/{uid}/approve")

    assert (answer.status_code, answer.json()["code"]) == (403, "own_request")


@pytest.mark.parametrize(
    ("name", "status"),
    [("maria", 201), ("jonas", 201), ("priya", 403), ("sofia", 403), ("ingrid", 403), ("edith", 403), ("lukas", 404)],
)
def test_who_may_ask(name: str, status: int, sign_in: Any) -> None:
    asked = sign_in(name).call("post", "agents/AP-04/promotions", {"reason": WHY})

    assert asked.status_code == status
    assert PromotionRequest.objects.count() == (status == 201)


def test_the_unit_owner_asks_for_an_agent_that_somebody_else_answers_for(sign_in: Any) -> None:
    assert sign_in("maria").call("post", "agents/RK-01/promotions", {"reason": WHY}).status_code == 201


def test_one_request_waits_at_a_time_and_none_above_the_ceiling(sign_in: Any) -> None:
    maria = sign_in("maria")
    first = maria.call("post", "agents/AP-01/promotions", {"reason": WHY}, key="same")

    assert maria.call("post", "agents/AP-01/promotions", {"reason": WHY}, key="same").json() == first.json()
    second = maria.call("post", "agents/AP-01/promotions", {"reason": WHY})
    assert (second.status_code, second.json()["code"]) == (409, "no_promotion")
    assert sign_in("ingrid").call("post", f"promotions/{first.json()['id']}/approve").status_code == 200
    above = maria.call("post", "agents/AP-01/promotions", {"reason": WHY})

    assert (above.status_code, above.json()["code"]) == (409, "no_promotion")
    assert "the highest that its job allows" in above.json()["detail"]


def test_a_reason_is_needed_to_ask_and_to_reject(sign_in: Any) -> None:
    maria, ingrid = sign_in("maria"), sign_in("ingrid")
    assert maria.call("post", "agents/AP-04/promotions", {"reason": " "}).status_code == 400
    uid = maria.call("post", "agents/AP-04/promotions", {"reason": WHY}).json()["id"]

    missing = ingrid.call("post", f"promotions/{uid}/reject", {"reason": ""})
    rejected = ingrid.call("post", f"promotions/{uid}/reject", {"reason": "Too few questions."})

    assert [error["field"] for error in missing.json()["errors"]] == ["reason"]
    assert (rejected.json()["status"], rejected.json()["answer"]) == ("rejected", "Too few questions.")
    late = ingrid.call("post", f"promotions/{uid}/approve")
    assert (late.status_code, late.json()["code"]) == (409, "too_late")
    assert Agent.objects.get(code="AP-04").autonomy_level == 2


def test_maria_takes_her_request_back(sign_in: Any) -> None:
    maria = sign_in("maria")
    uid = maria.call("post", "agents/AP-04/promotions", {"reason": WHY}).json()["id"]

    assert sign_in("ingrid").call("post", f"promotions/{uid}/withdraw").status_code == 403
    assert sign_in("lukas").call("post", f"promotions/{uid}/withdraw").status_code == 404
    assert maria.call("post", f"promotions/{uid}/withdraw").json()["status"] == "withdrawn"


# --- losing a level -------------------------------------------------------------------------------------------
def test_a_clerk_that_is_overruled_loses_its_level_and_asks_again(
    trusting: None, answered: Any, robot: Any, sign_in: Any, halden: Any, now: Any
) -> None:
    for number in ("2026-1", "2026-2", "2026-3"):
        answered(number, "reject" if number == "2026-2" else "approve")
    rule(halden, now, at_least=4)
    maria = sign_in("maria")
    maria.call("post", "agents/AP-04/promotions", {"reason": WHY})
    assert watch_autonomy() == 0, "three questions are too few for the rule"

    answered("2026-4", "reject")
    assert watch_autonomy() == 1

    assert Agent.objects.get(code="AP-04").autonomy_level == 1
    told = Event.objects.get(verb="agent.demoted")
    assert told.why == "Overruled in 2 of 4 questions that people decided in 30 days: 50 %. The limit is 20 %."
    assert (told.actor_name, told.data["part"], told.data["whole"]) == ("Autonomy OS", 2, 4)
    assert PromotionRequest.objects.get().status == "withdrawn", "what was asked for no longer fits"
    evidence = maria.call("get", "agents/AP-04/evidence").json()
    assert (evidence["total"]["decided"], evidence["demoted_at"] is not None) == (0, True), "it counts anew"
    assert watch_autonomy() == 0

    # At level 1 no rule lets it pay.
    bring(robot, "2026-5")
    clerk = robot("AP-04")
    assert clerk.call("post", "actions", to_pay(clerk.claim(), "100.00")).json()["effect"] == "deny"


def test_an_approval_that_was_undone_later_counts_as_overruled(robot: Any, sign_in: Any, halden: Any, now: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")
    sign_in("priya").call("post", f"escalations/{asked.uid}/approve", {"request_sha256": asked.request_sha256})
    assert sign_in("maria").post(f"/runs/{asked.run}/cancel", {"why": "The wrong account."}).status_code == 302

    total = sign_in("maria").call("get", "agents/AP-04/evidence").json()["total"]

    assert (total["approved"], total["undone"], total["overruled"]) == (1, 1, 1)
    rule(halden, now, at_least=1)
    assert watch_autonomy() == 1


def test_a_reader_that_fails_too_often_loses_its_level(robot: Any, halden: Any, now: Any) -> None:
    reader = robot("AP-01")
    for number in ("2026-1", "2026-2", "2026-3"):
        body = {"workflow": "invoice-to-payment", "key": number, "input": {"document": f"{number}.xml"}}
        reader.call("post", "runs", body)
        work = reader.claim()
        failed = {"lease_token": work["lease_token"], "reason": "Unreadable.", "retryable": False}
        assert reader.call("post", f"steps/{work['step']}/fail", failed).status_code == 200
    rule(halden, now, role="", overruled_percent=None, error_percent=50)

    assert watch_autonomy() == 1

    assert Agent.objects.get(code="AP-01").autonomy_level == 2
    assert "Failed in 3 of 3 tries of steps" in Event.objects.get(verb="agent.demoted").why


def test_no_rule_leads_below_level_1(halden: Any, answered: Any, now: Any) -> None:
    for number in ("2026-1", "2026-2", "2026-3"):
        answered(number, "reject")
    Agent.objects.filter(code="AP-04").update(autonomy_level=1)
    rule(halden, now)

    assert watch_autonomy() == 0


@pytest.mark.parametrize(
    ("name", "status"),
    [("maria", 302), ("daniel", 302), ("ingrid", 302), ("jonas", 403), ("priya", 403), ("lukas", 404)],
)
def test_who_may_take_a_level(name: str, status: int, sign_in: Any) -> None:
    visitor = sign_in(name)

    assert visitor.post("/agents/AP-04/demotion", {"reason": ""}).status_code == (400 if status == 302 else status)
    assert visitor.post("/agents/AP-04/demotion", {"reason": "Odd payments."}).status_code == status

    assert Agent.objects.get(code="AP-04").autonomy_level == (1 if status == 302 else 2)
    assert Event.objects.filter(verb="agent.demoted", why="Odd payments.").exists() == (status == 302)


def test_only_the_council_sets_and_drops_rules(sign_in: Any) -> None:
    said = {"role": "payments-clerk", "overruled_percent": "20", "at_least": "5", "days": "30", "reason": "Agreed."}
    for name in ("daniel", "jonas", "maria"):
        assert sign_in(name).post("/autonomy", said).status_code == 403
    ingrid = sign_in("ingrid")

    assert ingrid.post("/autonomy", said | {"overruled_percent": ""}).status_code == 400, "a rule bounds something"
    assert ingrid.post("/autonomy", said | {"reason": ""}).status_code == 400
    assert ingrid.post("/autonomy", said).status_code == 302
    assert ingrid.post("/autonomy", said | {"at_least": "9"}).status_code == 302
    assert DemotionRule.objects.get().at_least == 9
    assert 'value="9"' in ingrid.get("/autonomy?rule=payments-clerk").content.decode()

    pk = DemotionRule.objects.get().pk
    assert sign_in("daniel").post(f"/autonomy/rules/{pk}/drop", {"reason": "No."}).status_code == 403
    assert ingrid.post(f"/autonomy/rules/{pk}/drop", {"reason": "Not needed."}).status_code == 302
    assert not DemotionRule.objects.exists()
    told = Event.objects.filter(verb__startswith="demotion.").order_by("id")
    assert list(told.values_list("verb", flat=True)) == [
        "demotion.set", "demotion.set", "demotion.dropped",
    ]  # fmt: skip


# --- what an agent and a stranger may read -----------------------------------------------------------------------
def test_an_agent_reads_its_own_boundaries_and_evidence_only(robot: Any) -> None:
    clerk = robot("AP-04")

    bounds = clerk.call("get", "agents/AP-04/boundaries").json()
    assert bounds["may_do_alone"][0] == {
        "what": "Pay an invoice", "conditions": ["Currency is EUR", "Amount above 0"], "note": "",
        "rule": {"policy": "finance.invoice-payment", "rule": "ip-allow"},
    }  # fmt: skip
    cells = {cell["action"]: (cell["effect"], cell["origin"]) for cell in bounds["matrix"][0]["cells"]}
    assert (cells["read"], cells["pay"], cells["send"]) == (
        ("allow", "grant"),
        ("escalate", "policy"),
        ("deny", "none"),
    )
    assert (bounds["level"], bounds["ceiling"]) == (2, 3)
    assert clerk.call("get", "agents/AP-04/evidence").json()["total"]["decided"] == 0
    for path in ("agents/AP-01/boundaries", "agents/AP-01/evidence"):
        assert clerk.call("get", path).status_code == 404
    assert clerk.call("get", "agents/AP-04/promotions").status_code == 403
    assert clerk.call("post", "agents/AP-04/promotions", {"reason": "I am good."}).status_code == 403


def test_a_stranger_finds_nothing(sign_in: Any) -> None:
    uid = sign_in("maria").call("post", "agents/AP-04/promotions", {"reason": WHY}).json()["id"]
    lukas = sign_in("lukas")

    for path in ("boundaries", "evidence", "promotions"):
        assert lukas.call("get", f"agents/AP-04/{path}").status_code == 404
    for path in ("promotion", "demotion"):
        assert lukas.get(f"/agents/AP-04/{path}").status_code == 404
    assert lukas.post(f"/promotions/{uid}/approve").status_code == 404
    assert "AP-04" not in lukas.get("/autonomy").content.decode()


@pytest.mark.parametrize("days", ["0", "367", "x", "1.5", "-1", "99999999999"])
def test_a_wrong_number_of_days_is_named(days: str, sign_in: Any) -> None:
    answer = sign_in("maria").call("get", f"agents/AP-04/evidence?days={days}")

    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["days"])
