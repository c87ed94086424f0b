"""Incidents, safeguards and circuits through the doors for programs: read, let go on, leave paused, set limits."""

from dataclasses import replace
from typing import Any

import pytest

from agents.models import Agent
from governance import operations
from governance.models import Incident, SystemGuard, SystemReport
from governance.operations import SafeguardChange
from governance.rules.breaking import DEFAULTS
from observability.models import Event


@pytest.fixture
def stopped(robot: Any, halden: Any, now: Any) -> Incident:
    """The payments clerk asked three times for what nobody may, and is in quarantine."""
    change = SafeguardChange("payments-clerk", replace(DEFAULTS, denials=3))
    operations.set_safeguards(change, by=halden.people["ingrid"], at=now, why="Agreed in the council.")
    clerk = robot("AP-04")
    for number in range(3):
        asked = {"action": f"unknown.{number}", "resource": {"type": "x", "id": "1"}, "context": {}}
        assert clerk.call("post", "actions", asked).json()["effect"] == "deny"
    return Incident.objects.get()


NOT_DONE = {"done": False, "failed": True}


def status_of(code: str) -> str:
    return str(Agent.objects.get(code=code).status)


# --- quarantine -----------------------------------------------------------------------------------------------------
def test_daniel_reads_why_the_clerk_was_stopped_and_lets_it_work_again(
    stopped: Incident, sign_in: Any, robot: Any, question: Any
) -> None:
    daniel = sign_in("daniel")
    listed = daniel.call("get", "incidents", {"status": "open", "agent": "AP-04", "unit": "finance"}).json()["results"]
    assert [(each["id"], each["kind"]) for each in listed] == [(str(stopped.uid), "quarantine")]
    shown = daniel.call("get", f"incidents/{stopped.uid}")
    assert [each["action"] for each in shown.json()["evidence"]] == ["unknown.2", "unknown.1", "unknown.0"]
    assert shown.json()["may_resolve"]

    release = f"incidents/{stopped.uid}/release"
    assert daniel.call("post", release, {"why": "A wrong list."}).status_code == 428
    assert daniel.call("post", release, {"why": " "}, match=shown["ETag"]).status_code == 400
    answer = daniel.call("post", release, {"why": "A wrong list."}, key="one", match=shown["ETag"])
    again = daniel.call("post", release, {"why": "A wrong list."}, key="one", match=shown["ETag"])

    assert answer.status_code == 200, answer.content
    assert (answer.json()["outcome"], answer.json()["resolved_by"]) == ("released", "daniel")
    assert again.json() == answer.json()
    assert daniel.call("post", release, {"why": "Again."}, match=shown["ETag"]).status_code == 412
    assert daniel.call("post", release, {"why": "Again."}, match="*").json()["code"] == "too_late"
    assert robot("AP-04").call("post", "actions", question()).status_code == 200


def test_who_may_not_let_a_paused_agent_work_again_may_not_release_it(stopped: Incident, sign_in: Any) -> None:
    priya = sign_in("priya")
    refused = priya.call("post", f"incidents/{stopped.uid}/release", {"why": "Please."}, match="*")

    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_incident")
    assert sign_in("tomasz").call("get", f"incidents/{stopped.uid}").status_code == 404, "another unit"
    assert status_of("AP-04") == "paused"
    assert Event.objects.filter(verb="incident.refused").exists()


def test_an_ordinary_resume_closes_the_incident_with_it(
    stopped: Incident, sign_in: Any, robot: Any, question: Any
) -> None:
    maria = sign_in("maria")
    silent = maria.call("post", "agents/AP-04/resume", {}, match="*")
    assert (silent.status_code, silent.json()["errors"][0]["field"]) == (400, "why")
    assert (status_of("AP-04"), Incident.objects.open().count()) == ("paused", 1), "nothing was half done"

    resumed = maria.call("post", "agents/AP-04/resume", {"why": "The list was wrong."}, match="*")

    assert (resumed.status_code, resumed.json()["status"]) == (200, "active"), resumed.content
    incident = Incident.objects.get()
    assert (incident.outcome, incident.reason) == ("released", "The list was wrong.")
    told = Event.objects.filter(verb__in=("incident.resolved", "agent.resumed")).order_by("id")
    assert list(told.values_list("verb", "actor_id", "why")) == [
        ("incident.resolved", "maria", "The list was wrong."), ("agent.resumed", "maria", "The list was wrong."),
    ]  # fmt: skip
    assert robot("AP-04").call("post", "actions", question()).status_code == 200, "and is not stopped at once again"


def test_an_agent_without_an_incident_is_resumed_as_ever(halden: Any, sign_in: Any) -> None:
    jonas = sign_in("jonas")
    assert jonas.call("post", "agents/AP-02/pause", {"why": "A look."}, match="*").status_code == 200
    assert jonas.call("post", "agents/AP-02/resume", {}, match="*").json()["status"] == "active"


def test_edith_sees_and_daniel_leaves_it_paused_until_jonas_resumes_it(stopped: Incident, sign_in: Any) -> None:
    keep = f"incidents/{stopped.uid}/keep"
    assert sign_in("edith").call("post", keep, {"why": "No."}, match="*").status_code == 403
    kept = sign_in("daniel").call("post", keep, {"why": "It was hijacked."}, match="*").json()
    assert (kept["status"], kept["outcome"], status_of("AP-04")) == ("resolved", "kept", "paused")

    assert sign_in("jonas").call("post", "agents/AP-04/resume", {}, match="*").json()["status"] == "active"
    assert Incident.objects.get().outcome == "kept"


# --- what becomes of decisions counts ---------------------------------------------------------------------------------
def allowed(clerk: Any, question: Any, number: int, **more: Any) -> dict[str, Any]:
    asked = question(amount="10.00", **more)
    asked["resource"]["id"] = f"2026-{number}"
    answer: dict[str, Any] = clerk.call("post", "actions", asked).json()
    return answer


def test_outcomes_that_failed_open_the_circuit_and_one_on_trial_that_worked_closes_it(
    robot: Any, question: Any, sign_in: Any
) -> None:
    clerk, jonas = robot("AP-04"), sign_in("jonas")
    for number in range(5):
        decision = allowed(clerk, question, number)
        assert decision["effect"] == "allow", decision
        outcome = f"decisions/{decision['decision']}/outcome"
        for _ in range(2):  # the same outcome again counts once
            assert clerk.call("post", outcome, NOT_DONE).status_code == 200

    assert SystemReport.objects.count() == 5
    denied = allowed(clerk, question, 6)
    assert (denied["effect"], denied["rule"]) == ("deny", "circuit-breaker")
    circuit = jonas.call("get", "circuits/payables").json()
    assert (circuit["status"], circuit["incident"]) == ("open", str(Incident.objects.get().uid))

    SystemGuard.objects.update(retry_at=Event.objects.latest("id").at)  # the minute has passed
    trial = allowed(clerk, question, 7)
    assert trial["effect"] == "allow"
    assert clerk.call("post", f"decisions/{trial['decision']}/outcome", {"done": True}).status_code == 200

    assert jonas.call("get", "circuits/payables").json()["status"] == "closed"
    assert Incident.objects.get().outcome == "recovered"


def test_what_was_not_tried_says_nothing_about_its_system(robot: Any, question: Any) -> None:
    clerk = robot("AP-04")
    outcome = f"decisions/{allowed(clerk, question, 1)['decision']}/outcome"
    both = clerk.call("post", outcome, {"done": True, "failed": True})
    assert (both.status_code, both.json()["errors"][0]["field"]) == (400, "failed")

    assert clerk.call("post", outcome, {"done": False}).status_code == 200

    assert not SystemReport.objects.exists()


def test_what_a_decision_and_its_step_say_counts_once(bring: Any, robot: Any, question: Any) -> None:
    bring("2026-1")
    clerk = robot("AP-04")
    work = clerk.claim()
    decision = clerk.call("post", "actions", question(work, amount="10.00")).json()
    assert decision["effect"] == "allow"
    assert clerk.call("post", f"decisions/{decision['decision']}/outcome", NOT_DONE).status_code == 200
    body = {"lease_token": work["lease_token"], "reason": "The bank does not answer.", "retryable": False}
    assert clerk.call("post", f"steps/{work['step']}/fail", body).status_code == 200
    assert SystemReport.objects.filter(failed=True).count() == 1

    bring("2026-2")
    work = clerk.claim()
    decision = clerk.call("post", "actions", question(work, amount="10.00")).json()
    body = {"lease_token": work["lease_token"], "reason": "The bank does not answer.", "retryable": False}
    assert clerk.call("post", f"steps/{work['step']}/fail", body).status_code == 200
    assert clerk.call("post", f"decisions/{decision['decision']}/outcome", NOT_DONE).status_code == 200
    assert SystemReport.objects.filter(failed=True).count() == 2


def test_outcomes_that_failed_are_no_progress(bring: Any, robot: Any, question: Any, halden: Any, now: Any) -> None:
    change = SafeguardChange("", replace(DEFAULTS, no_progress=2))
    operations.set_safeguards(change, by=halden.people["ingrid"], at=now, why="Agreed.")
    bring()
    clerk = robot("AP-04")
    work = clerk.claim()
    for amount in ("10.00", "11.00"):
        decision = clerk.call("post", "actions", question(work, amount=amount)).json()
        assert decision["effect"] == "allow", decision
        assert clerk.call("post", f"decisions/{decision['decision']}/outcome", NOT_DONE).status_code == 200

    assert clerk.call("post", "actions", question(work, amount="12.00")).json()["rule"] == "loop-breaker"


# --- who sets what --------------------------------------------------------------------------------------------------
def test_ingrid_sets_and_drops_the_limits_of_a_role(halden: Any, sign_in: Any) -> None:
    ingrid, path = sign_in("ingrid"), "safeguards/payments-clerk"
    shown = ingrid.call("get", path)
    assert (shown.json()["is_own"], shown.json()["repeats"]) == (False, 20)
    set_to = ingrid.call("patch", path, {"repeats": 5, "rate_factor": 3, "why": "Agreed."}, match=shown["ETag"])
    assert set_to.status_code == 200, set_to.content
    told = set_to.json()
    assert (told["is_own"], told["repeats"], told["rate_factor"], told["denials"]) == (True, 5, 3, 30)
    assert ingrid.call("patch", path, {"repeats": 6, "why": "Agreed."}, match=shown["ETag"]).status_code == 412

    assert [each["role"] for each in ingrid.call("get", "safeguards").json()["results"]] == ["payments-clerk"]
    assert ingrid.call("post", f"{path}/drop", {"why": "As usual."}, match=set_to["ETag"]).json()["repeats"] == 20
    assert ingrid.call("post", f"{path}/drop", {"why": "As usual."}, match="*").json()["code"] == "wrong_status"
    assert ingrid.call("get", "safeguards/nobody-does-this").status_code == 404
    assert ingrid.call("patch", "safeguards/everybody", {"repeats": 0, "why": "No."}, match="*").status_code == 400


@pytest.mark.parametrize("name", ["daniel", "jonas", "maria", "edith"])
def test_only_the_council_sets_limits_and_circuits(name: str, halden: Any, sign_in: Any) -> None:
    person = sign_in(name)
    for path in ("safeguards/everybody", "circuits/payables"):
        assert person.call("patch", path, {"why": "I want to."}, match="*").status_code == 403, path


def test_ingrid_says_when_a_system_is_left_alone(halden: Any, sign_in: Any) -> None:
    ingrid = sign_in("ingrid")
    shown = ingrid.call("get", "circuits/payables")
    assert (shown.json()["status"], shown.json()["percent"]) == ("closed", 50)

    changed = ingrid.call("patch", "circuits/payables", {"percent": 30, "why": "Money."}, match=shown["ETag"])

    assert (changed.status_code, changed.json()["percent"], changed.json()["trials"]) == (200, 30, 2)
    assert (
        ingrid.call("patch", "circuits/payables", {"percent": 20, "why": "M."}, match=shown["ETag"]).status_code == 412
    )
    assert "payables" in [each["system"] for each in ingrid.call("get", "circuits").json()["results"]]
