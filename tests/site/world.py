"""Two units with the same things each, and one caller of every kind: what the generic tests ask the server about."""

import json
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from joserfc.jwk import ECKey

from agents import operations as agents
from agents.models import Agent, Blueprint, Principal, Unit
from autonomy_site.demo.company import Halden
from governance import operations as governance
from governance.models import Policy, Replay
from governance.operations import policies
from observability import ledger
from tests.site.routes import CALLERS, Side, idempotency_key
from tests.site.things import for_programs
from workflows import memory, operations
from workflows.models import Run, Space, Workflow

POLICY = {
    "apiVersion": "autonomyos/v1", "kind": "Policy", "title": "Orders", "owner": "procurement", "priority": 50,
    "scope": {"actions": ["order.read"]},
    "rules": [{"id": "or-1", "effect": "allow", "when": "context.amount < 10", "reason": "Small ones are read."}],
    "base_request": {"action": {"name": "order.read"}, "context": {"amount": "1"}},
    "tests": [{"name": "a small one", "expect": {"effect": "allow"}}],
}  # fmt: skip
VERSIONS: dict[str, tuple[str, ...]] = {
    "retired": ("retire",), "approved": ("ask_review", "approve"), "in_review": ("ask_review",), "draft": (),
}  # fmt: skip


@dataclass
class World:
    """The two sides, and how each caller shows who it is: a key or a session."""

    own: Side
    far: Side
    keys: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def ask(self, caller: str, method: str, path: str, body: Any = None, *, is_api: bool = True, **headers: str) -> Any:
        """The answer to this caller; a POST to the API carries a new Idempotency-Key unless headers have one."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.client.cookies.clear()
        if caller in self.sessions:
            self.client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[caller]
        elif caller in self.keys:
            headers["Authorization"] = f"Bearer {self.keys[caller]}"
        if method == "get":
            return self.client.get(path, body or {}, headers=headers)
        if method == "delete" and body:
            return self.client.delete(path, query_params=body, headers=headers)
        if not is_api:
            return getattr(self.client, method)(path, body or {}, headers=headers)
        headers = {"Idempotency-Key": idempotency_key(), **headers}
        return getattr(self.client, method)(path, body or {}, content_type="application/json", headers=headers)


def built(halden: Halden, at: datetime) -> World:
    """The world: finance is the own unit, procurement the far one."""
    keys: dict[str, str] = {}
    _orders(halden.units["procurement"], at)
    own = _side(halden, "finance", halden.workflow, halden.agents["AP-01"], halden.keys["AP-01"], at)
    reader = _hired(halden, "PR-01", at)
    keys["agent"], keys["far_agent"] = halden.keys["AP-01"], agents.issue_key(reader, by=ledger.SYSTEM, at=at)
    far = _side(halden, "procurement", _workflow(halden, at), reader, keys["far_agent"], at)
    keys["paused"] = halden.keys["AP-02"]
    agents.pause(halden.agents["AP-02"], by=ledger.SYSTEM, at=at, why="A drill.")
    people = ("sofia", "priya", "maria", "tomasz", "edith", "jonas", "ingrid", "daniel")
    sessions = {name: session_of(halden.people[who]) for name, who in zip(CALLERS[4:12], people, strict=True)}
    world = World(own, far, keys, {**sessions, "disabled": _disabled(halden.units["finance"], at)})
    for side, owner, stand_in in ((own, "maria", "priya"), (far, "tomasz", "ingrid")):
        _shown_on_pages(side, halden, halden.people[owner], halden.people[stand_in], at)
    for side, owner, giver in ((own, "maria", "priya"), (far, "tomasz", "tomasz")):
        for_programs(side, halden.people[owner], halden.people[giver], at)
    return world


def _orders(unit: Unit, at: datetime) -> None:
    """The system that the policies are about."""
    agents.add_system(
        "orders", "Orders", unit=unit, resource="order",
        actions=[{"name": "order.read", "label": "Read an order", "risk": 1, "effect": "Nothing leaves the company"}],
        fields=[{"path": "context.amount", "kind": "decimal", "label": "Amount"}], by=ledger.SYSTEM, at=at,
    )  # fmt: skip


def session_of(person: Principal) -> str:
    """The key of a new session of this person."""
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(person.pk), person.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "agents.views.PeopleBackend"
    session["account_authentication_methods"] = [{"method": each, "at": time.time()} for each in ("password", "mfa")]
    session["account_authentication_methods_user"] = str(person.pk)
    session.create()
    return str(session.session_key)


def _disabled(unit: Unit, at: datetime) -> str:
    otto = agents.admit_person(
        "otto", "Otto Frank", unit=unit, roles=["reviewer"], password="correct horse battery", by=ledger.SYSTEM, at=at
    )
    session = session_of(otto)
    Principal.objects.filter(pk=otto.pk).update(is_active=False)
    return session


def _hired(halden: Halden, code: str, at: datetime) -> Agent:
    job = agents.Hired(
        code=code, name="Order reader", purpose="Reads orders.", unit=halden.units["procurement"],
        blueprint=_reading(halden, at), accountable=halden.people["tomasz"], autonomy_level=1,
        ends_on=halden.agents["AP-01"].ends_on,
    )  # fmt: skip
    agent = agents.hire(job, by=ledger.SYSTEM, at=at)
    agents.activate(agent, by=ledger.SYSTEM, at=at)
    return agent


def _reading(halden: Halden, at: datetime) -> Blueprint:
    job = agents.JobDescription(
        name="Order reader", purpose="Reads orders.", role=halden.agents["AP-01"].role,
        unit=halden.units["procurement"], owner=halden.people["tomasz"], autonomy_ceiling=3, runtime="A program",
    )  # fmt: skip
    blueprint = agents.draft_blueprint("order-reading", job, by=ledger.SYSTEM, at=at)
    agents.activate_blueprint(blueprint, by=ledger.SYSTEM, at=at)
    return blueprint


def _workflow(halden: Halden, at: datetime) -> Workflow:
    bpmn = halden.workflow.versions.all()[0].bpmn.encode()
    tomasz = halden.people["tomasz"]
    level = governance.Level(3600, (tomasz,))
    path = governance.add_path(
        "orders-desk", "Orders desk", unit=halden.units["procurement"], levels=[level], by=ledger.SYSTEM, at=at
    )  # fmt: skip
    version = operations.publish(
        "order-intake", bpmn, by=ledger.SYSTEM, at=at, unit=halden.units["procurement"], owner=tomasz,
        incident_path=path,
    )  # fmt: skip
    return version.workflow


def _side(halden: Halden, unit: str, workflow: Workflow, agent: Agent, key: str, at: datetime) -> Side:
    where = halden.units[unit]
    for permission in ("workflows.work_in_workflow", "workflows.start_workflow"):
        agents.grant(permission, agent.principal, workflow, by=ledger.SYSTEM, at=at)
    space = Space.objects.create(code=f"{unit}-notes", name="Notes", unit=where)
    agents.grant("workflows.write_space", agent.principal, space, by=ledger.SYSTEM, at=at)
    finding = memory.Finding(key="k", value={"total": "1.00"})
    memory.put(space, finding, agent=agent, at=at)
    run, _ = operations.start(workflow, key=f"{unit}-1", variables={"document": "1.xml"}, by=agent, at=at)
    operations.start(workflow, key=f"{unit}-2", variables={"document": "2.xml"}, by=agent, at=at)
    step = operations.claim(agent, at=at)
    assert step is not None
    question = governance.Question(
        request_key=f"{unit}-asked", action="invoice.pay", resource={"type": "invoice", "id": "1", "properties": {}},
        context={"amount": "1.00", "currency": "EUR"},
    )  # fmt: skip
    decision = operations.request_action(question, agent=agent, at=at)
    return Side(
        where, agent, key.split("_")[2].partition(".")[0][:12], workflow, Run.objects.get(pk=run.pk), step,
        _question(halden, unit, workflow, agent, at), decision, _policy(halden, unit, at), space,
    )  # fmt: skip


def _question(halden: Halden, unit: str, workflow: Workflow, agent: Agent, at: datetime) -> Any:
    asked = governance.Asked(
        kind="incident", title=f"Is this right in {unit}?", path=workflow.incident_path, unit=halden.units[unit],
        likeness=f"drill:{unit}", request={"asked": unit}, request_sha256="ab" * 32, agent=agent,
    )  # fmt: skip
    return governance.open_escalation(asked, by=agent, at=at)


def _policy(halden: Halden, unit: str, at: datetime) -> Policy:
    document = {**POLICY, "key": f"{unit}.orders", "version": 1}
    governance.add_list(
        f"{unit}_sellers", title=f"Sellers of {unit}", items=["One", "Two"], unit=halden.units[unit], by=ledger.SYSTEM,
        at=at, why="A drill.",
    )  # fmt: skip
    home = {"unit": halden.units[unit], "owner": halden.people["maria"]}
    for status, steps in VERSIONS.items():
        author = halden.people["ingrid"] if status == "draft" else ledger.SYSTEM
        version = governance.add_policy(document, **home, by=author, at=at)
        for step in steps:
            getattr(policies, step)(version, by=ledger.SYSTEM, at=at, why="A drill.")
        if status == "approved":
            seen = {"looked_at": at, "looked_by": halden.people["ingrid"], "status": Replay.Status.DONE}
            Replay.objects.create(
                version=version,
                since=at - timedelta(days=7),
                until=at,
                asked_by=halden.people["ingrid"],
                asked_at=at,
                **seen,
            )
    for words in ("A drill.", "Another one."):
        policies.add_comment(version, words, by=halden.people["daniel"], at=at)
    return Policy.objects.get(key=f"{unit}.orders")


# --- what only pages show -------------------------------------------------------------------------------------
def _shown_on_pages(side: Side, halden: Halden, owner: Principal, stand_in: Principal, at: datetime) -> None:
    """One of each thing that has a page and no place in a Side; routes.py finds them by their unit."""
    for status in ("draft", "in_review", "active"):
        job = agents.Hired(
            code=f"{side.agent.code[:2]}-{status[:2].upper()}", name="New", purpose="Begins later.", unit=side.unit,
            blueprint=side.agent.blueprint, accountable=owner, ends_on=side.agent.ends_on,
        )  # fmt: skip
        agent = agents.hire(job, by=ledger.SYSTEM, at=at)
        if status != "draft":
            agents.submit(agent, by=ledger.SYSTEM, at=at)
    agents.activate(agent, by=ledger.SYSTEM, at=at)
    governance.ask_promotion(agent, by=owner, at=at, why="A drill.")
    for version in ("1", "2"):
        card = {"name": side.unit.code, "version": version, "url": "https://a.example", "skills": [{"id": "x"}]}
        agents.import_card(json.dumps(card).encode(), unit=side.unit, by=ledger.SYSTEM, at=at)
    agents.register_client_key(side.agent, ECKey.generate_key("P-256").as_dict(private=False), by=ledger.SYSTEM, at=at)
    agents.grant("workflows.view_space", owner, side.space, by=ledger.SYSTEM, at=at, reason="A drill.")
    later = {"starts_at": at + timedelta(days=1), "ends_at": at + timedelta(days=2)}
    terms = governance.Terms(person=owner, delegate=stand_in, reason="A drill.", **later)
    governance.delegate(terms, by=owner, at=at)
    scope = agents.Scope(name=f"Rights of {side.unit}", due_at=at + timedelta(days=5), units=(side.unit,))
    agents.start_review(scope, by=halden.people["daniel"], at=at)
    rule = governance.RuleChange(
        role=side.agent.role.code, overruled_percent=None, error_percent=Decimal(5), at_least=20, days=30
    )
    governance.set_demotion_rule(rule, by=ledger.SYSTEM, at=at, why="A drill.")
    job = agents.JobDescription(
        name="New", purpose="Begins later.", role=side.agent.role, unit=side.unit, owner=owner, runtime="A program"
    )
    agents.draft_blueprint(f"{side.unit.code}-draft", job, by=ledger.SYSTEM, at=at)
