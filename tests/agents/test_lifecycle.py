"""An agent's life at the API: hired, submitted, let begin by a second person when nothing is missing, retired."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group

from agents import operations as agents
from agents.models import Agent, Assessment, Blueprint, Principal
from governance import operations as governance
from governance.models import Escalation, PathStep, PolicyVersion
from observability import ledger
from observability.models import Event
from workflows.models import Step, Workflow

NEW = {"code": "AP-09", "name": "Second clerk", "blueprint": "payments-clerk", "accountable": "maria"}
WHY = {"why": "Because."}


def act(person: Any, code: str, what: str, body: Any = None) -> Any:
    """POST what happens to the agent, as it stands now."""
    match = person.call("get", f"agents/{code}").headers["ETag"]
    return person.call("post", f"agents/{code}/{what}", {} if body is None else body, match=match)


def hired(person: Any, **more: Any) -> Any:
    answer = person.call("post", "agents", NEW | more)
    assert answer.status_code == 201, answer.content
    return answer.json()


def missing(person: Any, code: str = "AP-09") -> set[str]:
    checks = person.call("get", f"agents/{code}/readiness").json()["checks"]
    return {check["name"] for check in checks if not check["met"]}


@pytest.fixture
def assess(halden: Any, now: Any) -> Any:
    """Daniel assesses the agent with this code."""
    words = agents.Assessed(does="Pays.", data="Amounts.", risks="Pays twice.", measures="A person approves.")
    return lambda code: agents.assess(Agent.objects.get(code=code), words, by=halden.people["daniel"], at=now)


def test_the_working_crew_passed_the_gate_for_real(halden: Any, now: Any) -> None:
    for code in ("AP-01", "AP-02", "RK-01", "AP-04"):
        agent = Agent.objects.get(code=code)
        assert governance.gaps(agent, at=now) == [], code
    assert {gap.name for gap in governance.gaps(halden.agents["VO-01"], at=now)} == {"boundaries", "assessment"}


def test_hire_review_activate_pause_resume_retire(sign_in: Any, assess: Any) -> None:
    jonas, ingrid = sign_in("jonas"), sign_in("ingrid")
    told = hired(jonas)
    assert (told["status"], told["role"], told["risk_class"], told["unit"]) == ("draft", "payments-clerk", 3, "finance")
    assess("AP-09")
    assert missing(jonas) == set()

    for person, what, body, status in (
        (jonas, "submit", {}, "in_review"), (ingrid, "send-back", WHY, "draft"), (jonas, "submit", {}, "in_review"),
        (ingrid, "activate", {}, "active"), (jonas, "pause", WHY, "paused"), (jonas, "resume", {}, "active"),
        (ingrid, "retire", WHY, "retired"),
    ):  # fmt: skip
        answer = act(person, "AP-09", what, body)
        assert (answer.status_code, answer.json().get("status")) == (200, status), (what, answer.content)

    told = Event.objects.filter(subject_id="AP-09").order_by("id").values_list("verb", "actor_id")
    assert list(told) == [
        ("agent.hired", "jonas"), ("agent.assessed", "daniel"), ("agent.submitted", "jonas"),
        ("agent.sent_back", "ingrid"), ("agent.submitted", "jonas"), ("agent.activated", "ingrid"),
        ("agent.paused", "jonas"), ("agent.resumed", "jonas"), ("agent.retired", "ingrid"),
        ("agent.handed_over", "ingrid"),
    ]  # fmt: skip
    assert act(jonas, "AP-09", "resume").json()["code"] == "wrong_status"


def test_nobody_lets_begin_what_he_hired_or_submitted(sign_in: Any, halden: Any, assess: Any) -> None:
    halden.people["daniel"].groups.add(Group.objects.get(name="it"))
    jonas, ingrid, daniel = sign_in("jonas"), sign_in("ingrid"), sign_in("daniel")
    hired(jonas)
    assess("AP-09")
    assert act(ingrid, "AP-09", "activate").json()["code"] == "wrong_status", "a draft was reviewed by nobody"
    assert act(ingrid, "AP-09", "submit").status_code == 200

    for person in (jonas, ingrid):
        refused = act(person, "AP-09", "activate")
        assert (refused.status_code, refused.json()["code"]) == (403, "second_person_needed")
    assert act(sign_in("maria"), "AP-09", "activate").status_code == 403
    assert act(daniel, "AP-09", "activate").status_code == 200


def test_each_gap_is_named_and_closes_the_gate(sign_in: Any, halden: Any, now: Any, assess: Any) -> None:
    jonas, ingrid = sign_in("jonas"), sign_in("ingrid")
    hired(jonas)
    act(jonas, "AP-09", "submit")

    refused = act(ingrid, "AP-09", "activate")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_ready")
    assert [error["field"] for error in refused.json()["errors"]] == ["assessment"]

    assess("AP-09")
    assert missing(ingrid) == set()
    Assessment.objects.update(valid_until=now)
    assert missing(ingrid) == {"assessment"}
    assess("AP-09")
    Blueprint.objects.filter(code="payments-clerk").update(status="draft", autonomy_ceiling=0)
    Agent.objects.filter(code="AP-09").update(autonomy_level=1)
    assert missing(ingrid) == {"blueprint", "autonomy"}
    Blueprint.objects.filter(code="payments-clerk").update(actions=[{"system": "*", "action": "*", "scope": {}}])
    assert "boundaries" in missing(ingrid)
    Blueprint.objects.filter(code="payments-clerk").update(actions=[], status="active", autonomy_ceiling=2)
    assert missing(ingrid) == {"boundaries"}, "it may do nothing"
    Principal.objects.filter(username="maria").update(is_active=False)
    assert missing(ingrid) == {"boundaries", "sponsor"}
    assert act(ingrid, "AP-09", "activate").json()["code"] == "not_ready"
    assert Agent.objects.get(code="AP-09").status == "in_review"


def test_policies_and_reviewers_are_part_of_the_gate(sign_in: Any, halden: Any, now: Any, assess: Any) -> None:
    ingrid = sign_in("ingrid")
    hired(sign_in("jonas"))
    assess("AP-09")

    first = PathStep.objects.get(path__key="finance-approver", level=1)
    first.people.set([halden.people["sofia"]])  # a member, who decides nothing
    assert missing(ingrid) == {"reviewers:finance-approver"}
    Principal.objects.filter(username="priya").update(is_active=False)
    large = PathStep.objects.get(path__key="large-payments")
    large.people.set([halden.people["priya"], halden.people["daniel"]])  # two have to approve, one is left
    assert missing(ingrid) == {"reviewers:finance-approver", "reviewers:large-payments"}

    for version in PolicyVersion.objects.all():
        ledger.move(version, "retired", by=ledger.SYSTEM, verb="policy.retired", at=now)
    governance.policies.rulebook._shelf.page = None
    assert missing(ingrid) == {"policy:invoice.pay"}


def test_a_sponsor_who_created_an_agent_of_risk_class_3_is_refused(sign_in: Any) -> None:
    jonas = sign_in("jonas")

    refused = jonas.call("post", "agents", NEW | {"accountable": "jonas"})
    assert [error["field"] for error in refused.json()["errors"]] == ["accountable"]
    hired(jonas)
    match = jonas.call("get", "agents/AP-09").headers["ETag"]
    changed = jonas.call("patch", "agents/AP-09", WHY | {"accountable": "jonas"}, match=match)
    assert [error["field"] for error in changed.json()["errors"]] == ["accountable"]
    hired(jonas, code="AP-10", blueprint="invoice-reader", accountable="jonas")


@pytest.mark.parametrize(
    "wrong",
    [
        {"ends_on": "2020-01-01"}, {"ends_on": "soon"}, {"starts_on": "2099-01-02", "ends_on": "2099-01-01"},
        {"blueprint": "nothing"}, {"unit": "procurement"}, {"autonomy_level": 4}, {"accountable": "agent:AP-01"},
        {"stand_in": "maria"}, {"hours": {"days": []}}, {"code": "chart"}, {"code": "AP-04"}, {"icon": "no-such"},
    ],
    ids=str,
)  # fmt: skip
def test_what_makes_no_sense_is_not_hired(sign_in: Any, wrong: Any) -> None:
    answer = sign_in("jonas").call("post", "agents", NEW | wrong)

    assert answer.status_code == 400, answer.content
    assert {error["field"] for error in answer.json()["errors"]} <= set(wrong)
    assert Agent.objects.count() == 8


def test_a_disabled_blueprint_hires_nobody(sign_in: Any) -> None:
    Blueprint.objects.filter(code="payments-clerk").update(status="disabled")

    answer = sign_in("jonas").call("post", "agents", NEW)

    assert [error["field"] for error in answer.json()["errors"]] == ["blueprint"]


def test_a_move_needs_the_state_that_was_read_and_is_made_once(sign_in: Any) -> None:
    jonas = sign_in("jonas")
    hired(jonas)
    match = jonas.call("get", "agents/AP-09").headers["ETag"]

    assert jonas.call("post", "agents/AP-09/submit", {}).status_code == 428
    answers = [jonas.call("post", "agents/AP-09/submit", {}, match=match, key="one") for _ in range(2)]
    assert [answer.json()["status"] for answer in answers] == ["in_review", "in_review"]
    assert jonas.call("post", "agents/AP-09/send-back", WHY, match=match).status_code == 412
    assert Event.objects.filter(verb="agent.submitted").count() == 1


def test_the_sponsor_may_submit_and_pause_its_own_agent(sign_in: Any) -> None:
    hired(sign_in("jonas"), accountable="priya")

    assert act(sign_in("sofia"), "AP-09", "submit").status_code == 403
    assert act(sign_in("priya"), "AP-09", "submit").status_code == 200


def test_retiring_returns_work_withdraws_questions_closes_memory_and_hands_over(
    sign_in: Any, robot: Any, bring: Any, question: Any, halden: Any, now: Any
) -> None:
    bring("2026-1")
    bring("2026-2")
    clerk, jonas = robot("AP-04"), sign_in("jonas")
    asked, held = clerk.claim(), clerk.claim()
    assert clerk.call("post", "actions", question(asked)).json()["effect"] == "escalate"
    clerk.call("post", "actions", question(amount="7000.00"))
    hired(jonas)
    agents.grant(
        "workflows.write_space", halden.agents["AP-04"].principal, halden.workflow.unit.spaces.get(code="orders"),
        by=ledger.SYSTEM, at=now,
    )  # fmt: skip

    answer = act(jonas, "AP-04", "retire", {"why": "Replaced.", "successor": "AP-09"})

    assert answer.status_code == 200, answer.content
    steps = Step.objects.filter(uid__in=[asked["step"], held["step"]])
    assert {(step.status, step.attempt, step.escalation) for step in steps} == {("ready", 0, None)}
    assert set(Escalation.objects.values_list("status", flat=True)) == {"withdrawn"}
    assert clerk.call("get", "me").status_code == 401
    assert clerk.finish(held, paid=True).status_code == 401
    old, new = (Agent.objects.get(code=code) for code in ("AP-04", "AP-09"))
    assert not Workflow.objects.worked_by(old)
    assert list(Workflow.objects.worked_by(new)) == [halden.workflow]
    rights = ("workflows", "space", "write_space")
    assert not old.principal.rights.rows.get(rights)
    assert not new.principal.rights.rows.get(rights)
    told = Event.objects.get(verb="agent.handed_over").data
    assert (told["steps"], told["questions"], told["successor"]) == (2, 2, "AP-09")
    assert (told["workflows"], told["spaces"]) == (["Invoice to payment"], ["Orders"])


def test_only_an_agent_of_the_same_role_takes_the_place(sign_in: Any) -> None:
    refused = act(sign_in("jonas"), "AP-04", "retire", WHY | {"successor": "AP-01"})

    assert (refused.status_code, refused.json()["code"]) == (400, "no_successor")
    assert Agent.objects.get(code="AP-04").status == "active"


def test_an_agent_past_its_last_day_is_not_resumed(sign_in: Any, halden: Any, now: Any) -> None:
    jonas = sign_in("jonas")
    act(jonas, "AP-04", "pause", WHY)
    Agent.objects.filter(code="AP-04").update(ends_on=(now - timedelta(days=1)).date())

    assert act(jonas, "AP-04", "resume").json()["code"] == "wrong_status"
