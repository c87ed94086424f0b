"""The pages of the workforce: job descriptions, hiring, the checklist, versions, retiring, the org chart."""

import re
from typing import Any

import pytest

from agents.models import Agent, Blueprint, Principal, Version

JOB = {
    "code": "reminder", "name": "Reminder", "purpose": "Reminds late payers.", "role": "payments-clerk",
    "unit": "finance", "owner": "maria", "autonomy_ceiling": "2", "risk_class": "2", "currency": "EUR",
    "rate_run": "0.04", "does-payables-invoice.pay": "on", "limit-payables-invoice.pay": "Amount: 100 EUR; small ones",
}  # fmt: skip
HIRED = {
    "code": "AP-09", "name": "Second clerk", "blueprint": "payments-clerk", "purpose": "Pays.", "unit": "finance",
    "accountable": "maria", "stand_in": "priya", "autonomy_level": "1", "environment": "test", "icon": "bot",
    "starts_on": "2026-12-01", "ends_on": "", "hours_days": ["mon", "tue"], "hours_from": "08:00", "hours_to": "18:00",
    "hours_zone": "",
}  # fmt: skip


def said(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content
    return re.sub(r"\s+", " ", answer.content.decode())


def test_jonas_writes_edits_and_disables_a_job_description(sign_in: Any) -> None:
    jonas = sign_in("jonas")
    assert "Pay an invoice" in said(jonas.get("/blueprints/new"))

    assert jonas.post("/blueprints/new", JOB).url == "/blueprints/reminder"
    blueprint = Blueprint.objects.get(code="reminder")
    assert blueprint.actions == [
        {"system": "payables", "action": "invoice.pay", "scope": {"Amount": "100 EUR", "Limit": "small ones"}}
    ]
    assert blueprint.rates == {"run": "0.04"}
    jonas.post("/blueprints/reminder/activate")
    page = said(jonas.get("/blueprints/reminder"))
    assert "Amount: 100 EUR; Limit: small ones" in page
    assert "/agents/new?blueprint=reminder" in page

    edited = {**JOB, "name": "Late payers", "why": "Clearer."}
    del edited["does-payables-invoice.pay"]
    assert jonas.post("/blueprints/reminder/edit", edited).status_code == 302
    assert "Allowed actions: invoice.pay in payables" in said(jonas.get("/blueprints/reminder/history"))
    assert "Nothing was saved" in said(jonas.post("/blueprints/reminder/edit", edited), 400), "nothing changes"

    assert "A reason is needed." in said(jonas.post("/blueprints/reminder/disable", {"why": ""}), 400)
    assert jonas.post("/blueprints/reminder/disable", {"why": "Not needed."}).status_code == 302
    assert Blueprint.objects.get(code="reminder").status == "disabled"


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(sign_in: Any) -> None:
    page = said(sign_in("jonas").post("/blueprints/new", JOB | {"rate_run": "-1", "code": "Has Space"}), 400)

    assert 'href="#id_rate_run"' in page
    assert 'href="#id_code"' in page
    assert 'value="Has Space"' in page


@pytest.mark.parametrize(
    "path",
    ["/blueprints/new", "/agents/new", "/agents/AP-04/edit", "/agents/AP-04/retire", "/blueprints/payments-clerk/edit"],
)
def test_who_may_not_write_is_refused_and_sees_no_button(path: str, sign_in: Any) -> None:
    maria = sign_in("maria")

    assert maria.get(path).status_code == 403
    assert maria.post(path, {**JOB, **HIRED, "why": "x"}).status_code == 403
    for page in ("/agents", "/blueprints", "/agents/AP-04", "/blueprints/payments-clerk", "/agents/chart"):
        assert f'href="{path}"' not in said(maria.get(page))
    assert (Agent.objects.count(), Blueprint.objects.count()) == (8, 8)


def test_pages_of_another_unit_are_not_found(sign_in: Any) -> None:
    tomasz = sign_in("tomasz")

    for path in ("edit", "review", "assessment", "retire", "history"):
        assert tomasz.get(f"/agents/AP-04/{path}").status_code == 404, path
    for path in ("submit", "activate", "send-back"):
        assert tomasz.post(f"/agents/AP-04/{path}", {"why": "x"}).status_code == 404, path
    for path in ("", "/edit", "/history"):
        assert tomasz.get(f"/blueprints/payments-clerk{path}").status_code == 404
    assert "Payments clerk" not in said(tomasz.get("/blueprints")) + said(tomasz.get("/agents/chart"))


def test_hire_review_and_begin_on_the_pages(sign_in: Any) -> None:
    jonas, ingrid = sign_in("jonas"), sign_in("ingrid")
    form = said(jonas.get("/agents/new?blueprint=payments-clerk"))
    assert 'value="payments-clerk" selected' in form

    assert jonas.post("/agents/new", HIRED).url == "/agents/AP-09/review"
    agent = Agent.objects.get(code="AP-09")
    assert (agent.environment, str(agent.working_hours)) == ("test", "Monday, Tuesday, 08:00 to 18:00, UTC")
    page = said(jonas.get("/agents/AP-09/review"))
    assert "1 missing" in page
    assert 'href="/agents/AP-09/assessment"' in page

    words = {"does": "Pays.", "touches": "Amounts.", "risks": "Pays twice.", "measures": "A person approves."}
    assert "This field is required" in said(jonas.post("/agents/AP-09/assessment", {"does": "x"}), 400)
    assert sign_in("daniel").post("/agents/AP-09/assessment", words).status_code == 302
    assert sign_in("maria").post("/agents/AP-09/assessment", words).status_code == 403
    assert jonas.post("/agents/AP-09/submit").status_code == 302
    assert "so somebody else lets it begin" in said(jonas.get("/agents/AP-09/review"))
    assert "Somebody else lets this agent begin" in said(jonas.post("/agents/AP-09/activate"), 403)
    assert "A reason is needed." in said(ingrid.post("/agents/AP-09/send-back", {"why": ""}), 400)
    assert ingrid.post("/agents/AP-09/send-back", {"why": "Which hours?"}).status_code == 302
    jonas.post("/agents/AP-09/submit")
    assert ingrid.post("/agents/AP-09/activate").url == "/agents/AP-09"
    assert Agent.objects.get(code="AP-09").status == "active"


def test_what_is_missing_is_told_when_somebody_lets_it_begin_anyway(sign_in: Any) -> None:
    sign_in("jonas").post("/agents/new", HIRED)
    sign_in("jonas").post("/agents/AP-09/submit")

    page = said(sign_in("ingrid").post("/agents/AP-09/activate"), 409)

    assert "Something is missing before this agent can begin. Nothing was changed." in page


def test_an_agent_is_edited_and_rolled_back(sign_in: Any) -> None:
    jonas = sign_in("jonas")
    jonas.post("/agents/new", HIRED)
    assert 'value="08:00"' in said(jonas.get("/agents/AP-09/edit"))

    edited = {**HIRED, "name": "Third clerk", "hours_days": [], "hours_from": "", "hours_to": "", "why": "All day."}
    assert jonas.post("/agents/AP-09/edit", edited).status_code == 302
    wrong = said(jonas.post("/agents/AP-09/edit", edited | {"hours_from": "09:00", "ends_on": "2020-01-01"}), 400)
    assert "Name at least one day" in wrong
    assert "The end date lies in the past" in wrong
    page = said(jonas.get("/agents/AP-09/history?back=1"))
    assert "Go back to version 1?" in page
    assert "All day." in page
    assert jonas.post("/agents/AP-09/history", {"number": 1, "why": "It was right."}).status_code == 302
    agent = Agent.objects.get(code="AP-09")
    assert (agent.name, agent.hours["days"]) == ("Second clerk", ["mon", "tue"])
    assert Version.objects.of(agent).count() == 3
    assert jonas.post("/agents/AP-09/history", {"number": 99, "why": "x"}).status_code == 404
    assert sign_in("maria").post("/agents/AP-09/history", {"number": 1, "why": "x"}).status_code == 403


def test_the_history_names_people_and_not_their_user_names(sign_in: Any) -> None:
    jonas = sign_in("jonas")
    jonas.post("/agents/new", HIRED)
    jonas.post("/agents/AP-09/edit", {**HIRED, "stand_in": "sofia", "why": "Priya is away."})

    page = said(sign_in("maria").get("/agents/AP-09/history"))

    assert "Sofia Marin" in page
    assert "Go back" not in page


def test_retiring_shows_what_is_left_and_asks_who_takes_the_place(sign_in: Any, robot: Any, bring: Any) -> None:
    bring()
    robot("AP-04").claim()
    jonas = sign_in("jonas")
    jonas.post("/agents/new", HIRED)
    page = said(jonas.get("/agents/AP-04/retire"))
    assert "Steps in hand</dt><dd>1" in page.replace("> <", "><")
    assert "AP-09 Second clerk" in page

    assert jonas.post("/agents/AP-04/retire", {"why": "", "successor": ""}).status_code == 400
    assert jonas.post("/agents/AP-04/retire", {"why": "Replaced.", "successor": "AP-09"}).status_code == 302

    assert "1 step went back" in said(jonas.get("/agents/AP-04"))


def test_the_org_chart_shows_people_and_agents_in_one_tree(sign_in: Any, django_assert_max_num_queries: Any) -> None:
    ingrid = sign_in("ingrid")
    with django_assert_max_num_queries(20):
        page = said(ingrid.get("/agents/chart"))

    assert page.index("Halden Group</h2>") < page.index("Finance</h2>") < page.index("Maria Lindqvist</b>")
    assert page.index("Maria Lindqvist</b>") < page.index("/agents/AP-04")
    assert "Daniel Okafor answers for it" in page, "the scout works in finance, its sponsor sits above"
    assert "Vendor screener" not in said(sign_in("maria").get("/agents/chart"))


def test_agents_that_need_attention_stand_on_their_page_and_on_the_overview(sign_in: Any, now: Any) -> None:
    assert "Needs attention" not in said(sign_in("ingrid").get("/agents"))
    Principal.objects.filter(username="maria").update(is_active=False)
    Agent.objects.filter(accountable__username="maria").update(sponsor_missing_since=now)

    assert "Maria Lindqvist has left; Priya Nair stands in." in said(sign_in("ingrid").get("/agents"))
    assert "3 agents have lost the accountable person" in said(sign_in("jonas").get("/"))
    assert "lost the accountable person" in said(sign_in("priya").get("/")), "she stands in"
    assert "lost the accountable person" not in said(sign_in("sofia").get("/"))
    assert "Needs attention" not in said(sign_in("lukas").get("/agents"))
