"""Units isolate: nothing of one unit reaches a person or agent of another, by any address, list, count or message."""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from difflib import unified_diff
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from agents import operations as agents
from agents.models import Agent, Grant, Principal, Review, ReviewItem, System, Unit
from agents.operations.holdings import find_object
from governance import operations as governance
from governance.models import (
    Budget,
    ControlDrill,
    Decision,
    Delegation,
    Escalation,
    EscalationPath,
    Incident,
    Policy,
    PolicyVersion,
    Replay,
    ReplayFlip,
    ShadowRuling,
)
from governance.operations import policies
from governance.operations.incidents import open_incident
from observability import ledger
from observability.consumers import missed
from observability.models import Event
from tests.invoices import ask_to_pay
from workflows import operations
from workflows.models import Fact, Run, Space, Step, Workflow

MARK = "Zq7f3a"
"""Every name of the other unit begins with it; what is searched for is only its beginning, as an echo tells nothing."""
BEGINNING = MARK[:4]
CODE = "KZ-77"
FACT = f"{MARK}-fact"
LIST = "held_sellers"
DAY = timedelta(days=1)
KINDS = ("unit", "agent", "workflow", "policy", "system", "space")
CHARTS = ("cycle-time", "cost", "throughput", "errors", "error-rate", "people", "asked", "by-hour")
NOT_BY_GET = {"sign-out"}
OWNERS = {"policies": ["finance.invoice-payment"], "workflows": ["invoice-to-payment"]}
"""Whose things stand below an address: with another name before them there is nothing to find."""


@dataclass
class Other:
    """Finance as procurement must not know it: the names that would betray it, and the ids to ask for."""

    uids: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    unit: int = 0


@pytest.fixture
def finance(halden: Any, robot: Any, now: Any) -> Other:
    """Everything that finance can have, each thing with the mark in its name, its key or its reason."""
    unit = halden.units["finance"]
    rename(unit)
    other = Other(unit=unit.pk)
    fill(halden, robot, now)
    for table in (
        Run, Step, Decision, Escalation, Fact, Delegation, Review, Grant, Budget, Incident, ControlDrill, Replay,
    ):  # fmt: skip
        rows = table._default_manager.order_by("-pk").values_list("uid", flat=True)
        other.uids += [str(uid) for uid in rows[:1]]
    other.uids += [
        str(uid) for uid in Event.objects.filter(unit=str(unit.pk)).order_by("-pk").values_list("uid", flat=True)[:2]
    ]
    other.names += [CODE, "finance", "maria", f"agent:{CODE}", "payables", "orders", "treasury"]
    other.names += ["invoice-to-payment", "finance.invoice-payment", LIST]
    other.numbers += [str(ReviewItem.objects.latest("pk").pk), "1"]
    while ledger.seal():
        pass
    return other


def rename(unit: Unit) -> None:
    """Mark the names of all that belongs to the unit, and what of it is copied elsewhere."""
    Unit.objects.filter(pk=unit.pk).update(name=f"{MARK} unit")
    for table, name in (
        (Workflow, "name"),
        (Policy, "title"),
        (System, "name"),
        (Space, "name"),
        (EscalationPath, "name"),
    ):
        for row in table._default_manager.filter(unit=unit):
            table._default_manager.filter(pk=row.pk).update(**{name: f"{MARK} {row}"})
    for agent in Agent.objects.filter(unit=unit):
        code = CODE if agent.code == "AP-04" else agent.code
        Agent.objects.filter(pk=agent.pk).update(name=f"{MARK} {agent.name}", purpose=f"{MARK} purpose", code=code)
        name, account = f"{code} {MARK} {agent.name}", f"agent:{code}"
        Principal.objects.filter(pk=agent.principal_id).update(name=name, username=account)
    for person in Principal.objects.people().filter(unit=unit):
        Principal.objects.filter(pk=person.pk).update(name=f"{MARK} {person.name}", title=f"{MARK} title")


def fill(halden: Any, robot: Any, now: Any) -> None:
    """Work, questions, facts, rights, delegations and reviews of finance."""
    ask_to_pay(robot, f"{MARK}-run")
    fact = {"space": "orders", "key": FACT, "value": {"a": MARK}}
    assert robot("AP-02").call("post", "memory/facts", fact).status_code == 201
    Escalation.objects.update(title=f"{MARK} question", statement=f"{MARK} statement")
    people = {each.username: each for each in Principal.objects.people()}
    agent, why = Agent.objects.get(code=CODE), f"{MARK} reason"
    agents.grant("agents.pause_agent", people["sofia"], agent, by=people["jonas"], at=now, reason=why)
    terms = governance.Terms(person=people["maria"], delegate=people["priya"], ends_at=now + DAY, reason=why)
    governance.delegate(terms, by=people["maria"], at=now)
    scope = agents.Scope(name=f"{MARK} review", due_at=now + 5 * DAY, units=(halden.units["finance"],))
    agents.start_review(scope, by=people["daniel"], at=now)
    agents.pause(agent, by=people["maria"], at=now, why=why)
    agents.resume(agent, by=people["maria"], at=now, why=why)
    govern(halden.units["finance"], agent, people, now)


def govern(unit: Unit, agent: Agent, people: dict[str, Principal], now: Any) -> None:
    """A budget, a list, a comment, a replay and a shadow with what they found, a stop, a drill and an incident."""
    why = f"{MARK} reason"
    budget = governance.BudgetTerms(
        name=f"{MARK} budget", scope="agent", about=CODE, metric="money", period="day", hard_limit=Decimal(9000),
        why=why,
    )  # fmt: skip
    governance.open_budget(budget, by=people["maria"], at=now)
    items = [f"{MARK} item"]
    governance.add_list(LIST, title=f"{MARK} list", items=items, unit=unit, by=people["ingrid"], at=now, why=why)
    version = PolicyVersion.objects.get(policy__key="finance.invoice-payment", number=1)
    policies.add_comment(version, f"{MARK} comment", by=people["daniel"], at=now)
    span = {"since": now - DAY, "until": now, "asked_by": people["daniel"], "asked_at": now}
    replay = Replay.objects.create(version=version, status=Replay.Status.CANCELLED, ended_at=now, **span)
    decision = Decision.objects.filter(agent=agent).latest("pk")
    found = {"decision": decision, "band": "none", "before": "allow", "after": "deny", "rule_after": f"{MARK}@1#x"}
    ReplayFlip.objects.create(replay=replay, **found)
    ShadowRuling.objects.create(version=version, at=now, **found)
    scope = operations.find_scope("agent", CODE)
    operations.set_control(scope, "restricted", by=people["maria"], at=now, why=why)
    operations.practise(scope, by=people["maria"], at=now, why=why)
    evidence = Decision.objects.filter(pk=decision.pk)
    open_incident(
        Incident.Kind.QUARANTINE, f"agent:{CODE}", why=why, at=now, agent=agent, evidence=evidence,
        agent_was=Agent.Status.ACTIVE,
    )  # fmt: skip


# --- every address --------------------------------------------------------------------------------------------
def routes(only: str = "") -> list[tuple[str, str]]:
    """(route, name) of every address that is read with GET, with <converter:name> where something is named."""
    known = [(route, each) for route, each in _patterns(get_resolver().url_patterns, "") if route.startswith(only)]
    assert len(known) > 15
    return [(route, each.name or "") for route, each in known if _is_read(each)]


def _patterns(patterns: Any, before: str) -> Iterator[tuple[str, URLPattern]]:
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _patterns(each.url_patterns, route)
        else:
            yield route, each


def _is_read(pattern: URLPattern) -> bool:
    view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)
    return pattern.name not in NOT_BY_GET and (view is None or hasattr(view, "get"))


NAMED = re.compile(r"<(?:(\w+):)?(\w+)>")


def addresses(route: str, other: Other) -> list[str]:
    """The route with everything of the other unit in its places."""
    kinds, choices = NAMED.findall(route), []
    owners = OWNERS.get(route.removeprefix("api/v1/").partition("/")[0]) if len(kinds) > 1 else None
    for converter, name in kinds:
        if converter == "uuid":
            choices.append(other.uids)
        elif converter == "int":
            choices.append(other.numbers)
        else:
            named = [*KINDS] if name == "kind" else [*CHARTS] if "chart" in route else other.names
            choices.append(owners if owners and not choices else named)
    filled = []
    for values in itertools.product(*choices):
        given = iter(values)
        filled.append("/" + NAMED.sub(lambda _, given=given: next(given), route))
    return filled


def queries(route: str, other: Other) -> list[dict[str, str]]:
    """What a list can be asked for: the beginning of the mark in each field, the other unit, its workflow, its ids."""
    asked: list[dict[str, str]] = [{}, {"q": BEGINNING}, {"unit": str(other.unit), "tab": "all", "period": "30"}]
    asked += [{"workflow": "invoice-to-payment", "agent": CODE, "who": "maria"}, {"after": "0"}]
    asked += [{"kind": kind, "q": BEGINNING} for kind in (*KINDS, "person") if route.startswith("access")]
    asked += [{"space": "orders", "key": key, "q": ""} for key in (BEGINNING, FACT.lower()) if "memory" in route]
    asked += [{"fact": each} for each in other.uids if route == "memory"]
    asked += [{"entry": each} for each in other.uids if route == "audit"]
    asked += [{"run": each} for each in other.uids[:4] if route in ("audit", "audit/export.csv", "runs")]
    asked += [{"about": f"agent:{CODE}"}, {"who": f"agent:{CODE}"}] if route.startswith("audit") else []
    if route.startswith("api/"):  # one at a time: the API refuses what it does not know
        return [{}] + [{name: value} for query in asked for name, value in query.items()]
    return asked + ([{"tab": "done"}] if route.startswith("escalations") else [])


def walk(ask: Any, other: Other, only: str = "") -> dict[str, int]:
    """Ask for every address; its answer without a query, by address. Nothing of it may carry the mark or the code."""
    told: dict[str, int] = {}
    for route, _ in routes(only):
        for path in addresses(route, other):
            for query in [{}] if NAMED.search(route) else queries(route, other):
                answer = ask(path, query)
                body = b"".join(answer).decode() if answer.streaming else answer.content.decode()
                told.setdefault(path, answer.status_code)
                assert answer.status_code < 500, (path, query)
                assert MARK.casefold() not in body.replace(FACT.lower(), "").casefold(), (path, query)
                assert CODE not in body or CODE in f"{path}{query}", (path, query)
    return told


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")
@pytest.mark.parametrize("who", ["tomasz", "newcomer"])
def test_no_page_and_no_answer_tells_a_person_of_another_unit(
    who: str, finance: Other, sign_in: Any, halden: Any, now: Any
) -> None:
    if who == "newcomer":
        agents.admit_person(
            "newcomer", "Nina Neu", unit=halden.units["procurement"], roles=["reviewer", "member"],
            password="correct horse battery staple", by=ledger.SYSTEM, at=now,
        )  # fmt: skip

    told = walk(sign_in(who).get, finance)

    assert len(told) > 300
    assert told["/agents"] == told["/api/v1/runs"] == told["/access"] == told["/audit/export.csv"] == 200
    assert told[f"/agents/{CODE}"] == told["/access/objects/unit/finance"] == 404


def test_no_answer_tells_an_agent_of_another_unit(finance: Other, robot: Any, halden: Any, now: Any) -> None:
    agents.activate(halden.agents["VO-01"], by=ledger.SYSTEM, at=now)
    key = agents.issue_key(halden.agents["VO-01"], by=ledger.SYSTEM, at=now)
    headers, browser = {"Authorization": f"Bearer {key}"}, Client()

    told = walk(lambda path, query: browser.get(path, query, headers=headers), finance, only="api/v1/")

    assert told["/api/v1/me"] == 200
    assert told[f"/api/v1/access/principals/agent:{CODE}"] == 403, "only people ask this, whomever it is about"


def test_finance_itself_finds_all_of_it(finance: Other, sign_in: Any) -> None:
    maria = sign_in("maria")
    for path in (
        "/agents", "/runs", "/escalations?tab=all", "/workflows", "/policies", "/memory", "/audit", "/performance",
        "/budgets", "/incidents", "/control", "/policies/lists", "/api/v1/budgets", "/api/v1/incidents",
        "/api/v1/control/drills", "/api/v1/value-lists", "/access", "/access/principals",
        "/access/delegations", "/access/reviews", f"/access/objects/agent/{CODE}",
        "/api/v1/runs", "/api/v1/agents", "/api/v1/escalations", "/api/v1/delegations", "/api/v1/reviews",
    ):  # fmt: skip
        assert MARK in maria.get(path).content.decode(), path


# --- messages and counts --------------------------------------------------------------------------------------
def test_no_message_of_the_socket_tells_of_another_unit(finance: Other, halden: Any) -> None:
    for who in ("tomasz", "aisha", "agent:VO-01"):
        events, _ = missed(Principal.objects.get(username=who), 0)
        assert MARK not in json.dumps(events) and CODE not in json.dumps(events), who
    events, _ = missed(Principal.objects.get(username="maria"), 0)
    assert MARK in json.dumps(events)


ALWAYS_NEW = {"audit-export", "mfa_activate_totp", "mfa_add_webauthn"}  # a secret is made each time
VOLATILE = (
    r'name="csrfmiddlewaretoken" value="\w+"', r'data-live-position="\d+"', r"<time[^>]*>.*?</time>",
    r'"position": ?\d+', r"after=\d+",
    r'"trace_id": "\w+"',
    r'"(?:now|at|started_at|since|until)": "[^"]*"',
)  # fmt: skip


def seen_by(browser: Any) -> dict[str, str]:
    """Everything that a person sees at the addresses that name nothing, without what changes by itself."""
    told = {}
    for route, name in routes():
        if NAMED.search(route) or name in ALWAYS_NEW or route.startswith("api/schema"):
            continue
        body = browser.get(f"/{route}").content.decode()
        for pattern in VOLATILE:
            body = re.sub(pattern, "", body)
        told[f"/{route}"] = body
    return told


def test_what_finance_does_changes_no_count_of_procurement(halden: Any, sign_in: Any, robot: Any, now: Any) -> None:
    rename(halden.units["finance"])
    tomasz = sign_in("tomasz")
    while ledger.seal():
        pass
    before = seen_by(tomasz)

    fill(halden, robot, now)
    while ledger.seal():
        pass

    after = seen_by(tomasz)
    assert len(after) > 25
    changed = {path: list(unified_diff(before[path].split("\n"), after[path].split("\n"), n=0)) for path in after}
    assert {path: lines for path, lines in changed.items() if lines} == {}


# --- one right opens one thing --------------------------------------------------------------------------------
OPENED: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("agent", "system", "policy"), ("run", "question", "statement", "fact", "Invoice to payment", "Orders")),
    (("space",), ("run", "question", "statement", "purpose", "Invoice to payment", "Accounts payable")),
]
KEYS = {"agent": CODE, "system": "payables", "policy": "finance.invoice-payment", "space": "orders"}


@pytest.mark.parametrize("kinds, hidden", OPENED, ids=["agent, system, policy", "space"])
def test_sight_of_single_objects_opens_nothing_else(
    kinds: tuple[str, ...], hidden: tuple[str, ...], finance: Other, halden: Any, sign_in: Any, now: Any
) -> None:
    for kind in kinds:
        row = find_object(kind, KEYS[kind], viewer=halden.people["daniel"])
        permission = f"{row._meta.app_label}.view_{kind}"
        agents.grant(permission, halden.people["tomasz"], row, by=ledger.SYSTEM, at=now, reason="He helps")
    tomasz = sign_in("tomasz")

    for route, name in routes():
        tabs = [{"tab": tab} for tab in ("work", "audit", "keys")] if name == "agent" else []
        for path, query in itertools.product(addresses(route, finance), ({}, *tabs)):
            answer = tomasz.get(path, query)
            body = "" if answer.streaming else answer.content.decode()
            assert answer.status_code < 500, path
            for word in hidden:
                assert f"{MARK} {word}" not in body and f"{MARK}-{word}" not in body, (path, query, word)
    for kind in kinds:
        assert tomasz.get(f"/access/objects/{kind}/{KEYS[kind]}").status_code == 200
