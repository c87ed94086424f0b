"""Who sees what: a unit's work is not found by others, in no list and under no address; a grant opens one thing."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import URLPattern, get_resolver

from agents import operations
from agents.models import Agent, System, Unit
from governance.models import Escalation
from observability import ledger
from workflows.models import Run, Space

CANARY = "CANARY-7f3a"


@pytest.fixture
def stranger(halden: Any, robot: Any, now: Any) -> Any:
    """VO-01 of procurement, active and with a key."""
    agent = halden.agents["VO-01"]
    operations.activate(agent, by=ledger.SYSTEM, at=now)
    halden.keys["VO-01"] = operations.issue_key(agent, by=ledger.SYSTEM, at=now)
    return robot("VO-01")


@pytest.fixture
def work(bring: Any, robot: Any, question: Any, halden: Any) -> dict[str, str]:
    """A run of finance with a question, a decision and a fact, all carrying the canary: their ids."""
    run = bring(CANARY)
    clerk = robot("AP-04")
    claimed = clerk.claim()
    asked = clerk.call("post", "actions", question(claimed, title=f"Pay {CANARY}", statement=CANARY)).json()
    stored = robot("AP-02").call("post", "memory/facts", {"space": "orders", "key": CANARY, "value": {"text": CANARY}})
    assert stored.status_code == 201
    Agent.objects.filter(code="AP-04").update(purpose=CANARY)
    return {"run": run, "step": claimed["step"], "decision": asked["decision"], "escalation": asked["escalation"]["id"]}


def reading_routes() -> list[str]:
    """The paths of all API routes, with `<...>` where something is named."""
    found = []
    for route in get_resolver().url_patterns:
        if str(route.pattern) == "api/v1/":
            found += [str(each.pattern) for each in route.url_patterns if isinstance(each, URLPattern)]
    assert len(found) > 15
    return found


def filled(route: str, ids: dict[str, str]) -> list[str]:
    """The route with every id we know in the place of its name."""
    if "<" not in route:
        return [route]
    start, end = route.index("<"), route.index(">")
    return [route[:start] + each + route[end + 1 :] for each in (*ids.values(), "AP-04", "finance.invoice-payment")]


@pytest.mark.parametrize("who", ["tomasz", "aisha", "VO-01"])
def test_nothing_of_finance_reaches_another_unit_by_any_route(who: str, work: Any, sign_in: Any, stranger: Any) -> None:
    caller = stranger if who == "VO-01" else sign_in(who)
    answers = {}
    for route in reading_routes():
        for path in filled(route, work):
            for query in ({}, {"space": "orders", "key": CANARY}):
                answer = caller.call("get", path, query)
                answers.setdefault(path, answer.status_code)
                assert CANARY not in answer.content.decode(), path
                assert answer.status_code < 500, path

    assert answers["runs"] == 200
    assert answers[f"runs/{work['run']}"] == 404
    assert answers[f"escalations/{work['escalation']}"] == 404
    assert answers[f"decisions/{work['decision']}"] == 404
    assert answers["agents/AP-04"] == 404


def test_what_belongs_to_finance_is_seen_in_finance(work: Any, sign_in: Any) -> None:
    priya = sign_in("priya")

    for path in (
        "runs",
        "escalations",
        "agents",
        f"runs/{work['run']}",
        f"escalations/{work['escalation']}",
        "agents/AP-04",
    ):
        answer = priya.call("get", path)
        assert CANARY in answer.content.decode(), path


@pytest.mark.parametrize("who", ["ingrid", "jonas", "daniel", "edith"])
def test_those_who_answer_for_the_group_see_all_units(who: str, work: Any, sign_in: Any) -> None:
    assert CANARY in sign_in(who).call("get", "runs").content.decode()


def test_somebody_elses_work_is_not_found_for_acting_either(
    work: Any, sign_in: Any, stranger: Any, question: Any
) -> None:
    tomasz = sign_in("tomasz")
    body = {"request_sha256": "0" * 64, "reason": "No"}
    for answer in ("approve", "reject"):
        assert tomasz.call("post", f"escalations/{work['escalation']}/{answer}", body).status_code == 404

    lease = {"lease_token": 1}
    for act, more in (("heartbeat", {}), ("finish", {"output": {}}), ("fail", {"reason": "x"})):
        assert stranger.call("post", f"steps/{work['step']}/{act}", {**lease, **more}).status_code == 404
    assert stranger.call("post", "actions", question({"step": work["step"], "lease_token": 1})).status_code == 404
    assert stranger.call("post", "runs", {"workflow": "invoice-to-payment", "key": "x"}).status_code == 404
    assert stranger.call("post", "memory/facts", {"space": "orders", "key": "x", "value": {}}).status_code == 404
    assert stranger.claim() is None
    assert Escalation.objects.get().is_open


def test_a_unit_without_its_place_in_the_tree_opens_no_other(halden: Any, sign_in: Any, now: Any) -> None:
    stray = Unit.objects.create(code="stray", name="Made by hand")
    operations.grant("agents.view_unit", halden.people["tomasz"], stray, by=ledger.SYSTEM, at=now)

    codes = {agent["code"] for agent in sign_in("tomasz").call("get", "agents").json()["results"]}

    assert codes == {"VO-01"}


def test_every_verb_of_a_system_is_a_right_that_can_be_given(halden: Any) -> None:
    rights = Permission.objects.filter(codename__endswith="_in_system").values_list("codename", flat=True)

    assert set(rights) == {f"{verb}_in_system" for verb in System.Verb.values}


def test_a_grant_on_one_agent_opens_that_agent_and_no_other(halden: Any, sign_in: Any, now: Any) -> None:
    operations.grant("agents.view_agent", halden.people["tomasz"], halden.agents["AP-04"], by=ledger.SYSTEM, at=now)
    tomasz = sign_in("tomasz")

    codes = {agent["code"] for agent in tomasz.call("get", "agents").json()["results"]}

    assert codes == {"VO-01", "AP-04"}
    assert tomasz.call("get", "agents/AP-04").status_code == 200
    assert tomasz.call("get", "agents/AP-01").status_code == 404


def test_a_grant_on_one_workflow_opens_its_runs(halden: Any, sign_in: Any, work: Any, now: Any) -> None:
    tomasz = sign_in("tomasz")
    assert tomasz.call("get", "runs").json()["results"] == []

    operations.grant("workflows.view_workflow", halden.people["tomasz"], halden.workflow, by=ledger.SYSTEM, at=now)

    again = sign_in("tomasz")
    assert [run["key"] for run in again.call("get", "runs").json()["results"]] == [CANARY]
    assert again.call("get", f"runs/{work['run']}").status_code == 200
    assert again.call("get", f"escalations/{work['escalation']}").status_code == 404


def test_a_grant_on_one_space_opens_its_facts_to_read_only(halden: Any, work: Any, stranger: Any, now: Any) -> None:
    orders = Space.objects.get(code="orders")
    operations.grant("workflows.view_space", halden.agents["VO-01"].principal, orders, by=ledger.SYSTEM, at=now)

    found = stranger.call("get", "memory/facts", {"space": "orders", "key": CANARY.lower()}).json()["fact"]
    put = stranger.call("post", "memory/facts", {"space": "orders", "key": "mine", "value": {}})

    assert found["value"] == {"text": CANARY}
    assert put.status_code == 403
    assert stranger.call("get", "memory/facts", {"space": "invoices-seen", "key": "x"}).status_code == 404


def test_an_agent_sees_its_own_work_and_unknown_ids_are_not_found(work: Any, robot: Any) -> None:
    clerk = robot("AP-04")

    assert clerk.call("get", f"decisions/{work['decision']}").status_code == 200
    for kind in ("runs", "decisions", "escalations"):
        assert clerk.call("get", f"{kind}/{uuid.uuid4()}").status_code == 404


def test_lists_cost_the_same_number_of_queries_however_long_they_are(
    halden: Any, sign_in: Any, django_assert_max_num_queries: Any, now: Any
) -> None:
    version = halden.workflow.versions.get()
    rows = [
        Run(key=f"{n}", workflow=halden.workflow, version=version, unit=halden.units["finance"], started_at=now)
        for n in range(40)
    ]  # fmt: skip
    Run.objects.bulk_create(rows)
    priya = sign_in("priya")

    for path, queries in (("runs", 10), ("agents", 10), ("escalations", 10)):
        with django_assert_max_num_queries(queries):
            assert priya.call("get", path).status_code == 200
