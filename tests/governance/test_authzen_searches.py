"""Searches: what they find is allowed when it is asked, and what is allowed they find, whatever the rules are."""

import itertools
from datetime import timedelta
from typing import Any
from uuid import uuid4

import hypothesis.strategies as st
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings

from agents import operations as agents
from agents.models import Agent, Blueprint, System
from governance import operations
from governance.models import Decision, PolicyVersion
from governance.operations.searching import LOOKED_AT_MOST
from observability import ledger
from observability.models import Event
from tests.governance.authzen import KNOWN, asked, post, said

NUMBERS = ("A-1", "A-2", "B-1", "B-2")
SELLERS = ("Kessler", "Brandt")


@pytest.fixture
def clerk(robot: Any) -> Any:
    """The payments clerk at the decision point."""
    return robot("AP-04")


def entitle(halden: Any, to: Any) -> None:
    agents.grant("agents.ask_for_unit", to, halden.units["halden"], by=ledger.SYSTEM, at=ledger.database_now())


def found(client: Any, wanted: str, body: Any, *, limit: int = 200) -> list[Any]:
    """All results, page after page."""
    results: list[Any] = []
    page: dict[str, Any] = {"limit": limit}
    while True:
        answer = post(client, f"search/{wanted}", {**body, "page": page})
        assert answer.status_code == 200, answer.content
        told = answer.json()
        assert len(told["results"]) <= limit
        results += told["results"]
        if not told["page"]["next_token"]:
            return results
        page = {"limit": limit, "token": told["page"]["next_token"]}


def bought(clerk: Any) -> None:
    """Four invoices that the clerk asked about before."""
    for number, seller in zip(NUMBERS, itertools.cycle(SELLERS), strict=False):
        properties = {**KNOWN, "seller": seller, "bank_changed_days": 3 if number == "B-2" else 412}
        said(clerk, asked("1", resource={"type": "invoice", "id": number, "properties": properties}))


def test_who_may_pay_is_found_among_those_one_may_ask_about(clerk: Any, sign_in: Any, halden: Any) -> None:
    entitle(halden, halden.people["priya"])
    body = asked("1", subject={"type": "agent", "id": "ignored"})

    assert found(clerk, "subject", body) == [{"type": "agent", "id": "AP-04"}]
    assert found(sign_in("priya"), "subject", body) == [{"type": "agent", "id": "AP-04"}]
    assert found(clerk, "subject", asked("9000.00")) == [], "what a person would be asked about is not allowed"
    assert found(clerk, "subject", {**body, "subject": {"type": "user"}}) == []
    assert not Decision.objects.exists()


def test_what_may_be_paid_is_found_among_what_was_asked_about(clerk: Any) -> None:
    bought(clerk)
    before = Decision.objects.count()

    results = found(clerk, "resource", asked("1", resource={"type": "invoice", "id": "ignored"}))

    assert [each["id"] for each in results] == ["A-1", "A-2", "B-1"], "the bank data of B-2 is fresh"
    assert found(clerk, "resource", asked("1", resource={"type": "invoice"}), limit=1) == results
    for each in results:
        assert said(clerk, asked("1", resource=each))["decision"] is True
    assert found(clerk, "resource", asked("1", resource={"type": "planet"})) == []
    assert Decision.objects.count() == before + len(results), "a search leaves no decision"


def asked_before(clerk: Any, numbers: list[str], *, days: int = 0, **properties: Any) -> None:
    """Invoices that the clerk asked about, as the record keeps them."""
    first = Decision.objects.filter(effect="allow").order_by("pk")[0]
    for number in numbers:
        resource = {"type": "invoice", "id": number, "properties": {**KNOWN, **properties}}
        first.pk, first.uid, first.request_key, first.resource_id = None, uuid4(), str(uuid4()), number
        first.request, first.at = {**first.request, "resource": resource}, ledger.database_now() - timedelta(days=days)
        first.matter_sha256 = f"{number:0>64}"
        first.save(force_insert=True)


def test_one_page_looks_at_a_part_and_the_next_one_goes_on(clerk: Any) -> None:
    bought(clerk)
    asked_before(clerk, [f"A-0{number:03}" for number in range(LOOKED_AT_MOST + 20)], findings=1)
    body = asked("1", resource={"type": "invoice"})

    with CaptureQueriesContext(connection) as statements:
        page = post(clerk, "search/resource", body).json()

    assert (page["results"], page["page"]["count"]) == ([], 0), "the findings of the first ones are open"
    assert page["page"]["next_token"]
    asking = [each for each in statements if "SAVEPOINT" not in each["sql"]]
    assert len(asking) < 30, "what people answered is looked up together"
    assert [each["id"] for each in found(clerk, "resource", body)] == ["A-1", "A-2", "B-1"]


def test_things_of_long_ago_are_not_looked_at(clerk: Any) -> None:
    bought(clerk)
    asked_before(clerk, ["C-1"], days=89)
    asked_before(clerk, ["C-2"], days=91)

    results = found(clerk, "resource", asked("1", resource={"type": "invoice"}))

    assert [each["id"] for each in results] == ["A-1", "A-2", "B-1", "C-1"]


def test_what_the_agent_may_do_is_found_by_name(clerk: Any) -> None:
    body = {name: asked("1")[name] for name in ("subject", "resource", "context")}

    names = [each["name"] for each in found(clerk, "action", body)]

    assert "invoice.pay" in names
    for name in names:
        assert said(clerk, {**body, "action": {"name": name}})["decision"] is True
    assert [each["name"] for each in found(clerk, "action", body, limit=1)] == names


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [("subject", "resource.id"), ("subject", "action"), ("subject", "subject.type"), ("resource", "subject.id"),
     ("resource", "resource.type"), ("resource", "action.name"), ("action", "subject.id"), ("action", "resource.id")],
)  # fmt: skip
def test_a_search_without_what_it_needs_is_400(clerk: Any, wanted: str, missing: str) -> None:
    body = asked("1")
    group, _, name = missing.partition(".")
    del (body[group] if name else body)[name or group]

    assert post(clerk, f"search/{wanted}", body).status_code == 400


def test_a_page_token_belongs_to_one_search_of_one_caller(clerk: Any, robot: Any) -> None:
    bought(clerk)
    body = asked("1", resource={"type": "invoice"})
    token = post(clerk, "search/resource", {**body, "page": {"limit": 1}}).json()["page"]["next_token"]
    others = [
        (clerk, {**body, "context": {"amount": "2", "currency": "EUR"}}, token), (robot("AP-01"), body, token),
        (clerk, body, token + "x"), (clerk, body, "x"),
    ]  # fmt: skip
    for who, asking, text in others:
        answer = post(who, "search/resource", {**asking, "page": {"token": text}})
        assert (answer.status_code, answer.json()["code"]) == (400, "page_token_invalid")
    assert post(clerk, "search/resource", {**body, "page": {"token": token, "limit": 2}}).status_code == 200
    for page in (5, {"limit": 0}, {"limit": 201}, {"limit": "1"}, {"token": 1}):
        assert post(clerk, "search/resource", {**body, "page": page}).status_code == 400


def test_a_search_about_somebody_else_finds_nothing_and_is_written_down(robot: Any) -> None:
    assert found(robot("AP-01"), "resource", asked("1", resource={"type": "invoice"})) == []
    assert Event.objects.filter(verb="agent.refused", actor_id="AP-01").count() == 1


def test_things_of_the_registry_are_found_as_far_as_the_agent_may_see_them(clerk: Any, halden: Any) -> None:
    rule = {"id": "look", "effect": "allow", "reason": "Everybody may look.",
            "when": 'resource.type == "system" && resource.id.startsWith("p")'}  # fmt: skip
    in_force(halden, [rule], ["memory.read"])

    body = asked("1", action={"name": "memory.read"}, resource={"type": "system"}, context={})
    results = found(clerk, "resource", body)

    seen = System.objects.visible_to(halden.agents["AP-04"].principal).filter(code__startswith="p")
    assert [each["id"] for each in results] == sorted(seen.values_list("code", flat=True)) != []


# --- whatever the rules are -----------------------------------------------------------------------------------
def in_force(halden: Any, rules: list[dict[str, Any]], actions: list[str]) -> None:
    document = {
        "apiVersion": "autonomyos/v1", "kind": "Policy", "key": "finance.drawn", "version": 1, "title": "Drawn",
        "scope": {"actions": actions}, "rules": rules,
    }  # fmt: skip
    at = ledger.database_now()
    version = operations.add_policy(
        document, unit=halden.units["finance"], owner=halden.people["maria"], by=ledger.SYSTEM, at=at
    )
    operations.activate(version, by=ledger.SYSTEM, at=at)


ATOMS = st.sampled_from([
    'resource.id == "A-1"', 'resource.id in ["A-1", "B-2"]', '"B-1" == resource.id', 'resource.id != "A-2"',
    'resource.id.startsWith("B")', 'resource.id > "A-2"', 'resource.seller == "Kessler"', 'resource.seller != "Brandt"',
    "resource.bank_changed_days < 10", "resource.findings == 0", "has(resource.order_matched)",
    'subject.role == "payments-clerk"', 'subject.role in ["invoice-reader", "payments-clerk"]', 'subject.id == "AP-01"',
    "subject.risk_class >= 2", "subject.autonomy_level >= 2", 'subject.team == "finance"', "perm.pay",
    'context.amount <= 2', 'context.currency == "EUR"', 'action.name == "invoice.pay"', 'resource.type == "invoice"',
    "false", "true",
])  # fmt: skip
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]} && {two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} || {two[1]})"),
        inner.map(lambda one: f"!({one})"),
    ),
    max_leaves=5,
)
RULES = st.lists(st.tuples(st.sampled_from(["allow", "allow", "deny", "escalate"]), CONDITIONS), min_size=1, max_size=4)


def written(number: int, effect: str, when: str) -> dict[str, Any]:
    terms = {"escalate": {"path": "finance-approver", "sla": "1h", "grants": True}} if effect == "escalate" else {}
    return {"id": f"r{number}", "effect": effect, "when": when, "reason": "Drawn.", **terms}


@given(rules=RULES)
@settings(
    max_examples=40, deadline=None, database=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
def test_a_search_and_a_question_never_disagree(rules: Any, clerk: Any, sign_in: Any, halden: Any) -> None:
    with transaction.atomic():
        Blueprint.objects.update(actions=[{"system": "*", "action": "*", "scope": {}}])
        entitle(halden, halden.people["daniel"])
        bought(clerk)
        PolicyVersion.objects.active().update(status="retired")
        in_force(halden, [written(n, *rule) for n, rule in enumerate(rules)], ["invoice.pay", "order.read"])
        agrees(sign_in("daniel"))
        transaction.set_rollback(True)


def agrees(daniel: Any) -> None:
    """Every result is allowed, and everything that is allowed is a result."""
    base = asked("1")
    remembered = {
        each["id"]: each for each in Decision.objects.filter(resource_kind="invoice").order_by("pk").values_list(
            "request__resource", flat=True)
    }  # fmt: skip
    codes = list(Agent.objects.order_by("code").values_list("code", flat=True))
    for code in ("AP-04", "AP-01"):
        subject = {"type": "agent", "id": code}
        things = found(daniel, "resource", {**base, "subject": subject, "resource": {"type": "invoice"}}, limit=3)
        asking = [{**base, "subject": subject, "resource": each} for each in remembered.values()]
        assert [each["id"] for each in things] == sorted(each["resource"]["id"] for each in allowed(daniel, asking))
        assert all(each["properties"] == remembered[each["id"]]["properties"] for each in things)
    for thing in list(remembered.values())[:2]:
        who = found(daniel, "subject", {**base, "subject": {"type": "agent"}, "resource": thing}, limit=2)
        asking = [{**base, "subject": {"type": "agent", "id": code}, "resource": thing} for code in codes]
        assert [each["id"] for each in who] == [each["subject"]["id"] for each in allowed(daniel, asking)]
        what = found(daniel, "action", {**base, "resource": thing})
        names = ["invoice.pay", "order.read", "memory.read", "memory.write"]
        asking = [{**base, "resource": thing, "action": {"name": name}} for name in names]
        assert {each["name"] for each in what} >= {each["action"]["name"] for each in allowed(daniel, asking)} - {
            "order.read"
        }


def allowed(client: Any, asking: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions of these that are answered with yes."""
    with transaction.atomic():
        answers = post(client, "evaluations", {"evaluations": asking}).json()["evaluations"]
        transaction.set_rollback(True)
    return [question for question, answer in zip(asking, answers, strict=True) if answer["decision"]]
