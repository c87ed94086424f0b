"""Builds the Halden Group: units, people, agents, systems, policies, escalation paths and the first workflow."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import yaml
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt
from django.db import transaction

from agents import operations as agents
from agents.models import Agent, Blueprint, Principal, Role, System, Unit
from agents.rules import SECOND_FACTOR_ROLES
from governance import operations as governance
from governance.models import EscalationPath
from observability import ledger
from observability.models import Baseline, Target
from workflows import operations as workflows
from workflows.models import Space, Workflow

FOLDER = Path(__file__).resolve().parent
HOUR = 3600
WORKFLOW = "invoice-to-payment"

UNITS = {
    "finance": "Finance",
    "procurement": "Procurement",
    "customer-service": "Customer service",
    "supply-chain": "Supply chain",
}
PEOPLE = (
    ("ingrid", "Ingrid Halden", "Chair of the governance council", "halden", ["council"]),
    ("jonas", "Jonas Weber", "Head of IT operations", "halden", ["it"]),
    ("daniel", "Daniel Okafor", "Risk officer", "halden", ["risk"]),
    ("edith", "Edith Vogel", "Internal auditor", "halden", ["auditor"]),
    ("maria", "Maria Lindqvist", "Group controller", "finance", ["unit_owner"]),
    ("priya", "Priya Nair", "Accounts payable manager", "finance", ["reviewer"]),
    ("sofia", "Sofia Marin", "Accounts payable", "finance", ["member"]),
    ("tomasz", "Tomasz Nowak", "Head of procurement", "procurement", ["unit_owner"]),
    ("aisha", "Aisha Rahman", "Head of customer service", "customer-service", ["unit_owner"]),
    ("lukas", "Lukas Berg", "Head of supply chain", "supply-chain", ["unit_owner"]),
)
ROLES = (
    ("invoice-reader", "Invoice reader", "Turns invoices of any accepted format into checked fields."),
    ("three-way-match", "Three-way match", "Compares an invoice with its order and the receipt of goods."),
    ("anomaly-scout", "Anomaly scout", "Looks for duplicates, changed bank accounts and sums that are wrong."),
    ("payments-clerk", "Payments clerk", "Schedules payments that the policies allow or a person approved."),
    ("vendor-screener", "Vendor screener", "Checks new vendors against lists and registers."),
    ("reply-drafter", "Reply drafter", "Drafts answers to customers."),
    ("inventory-watcher", "Inventory watcher", "Watches stock against demand."),
    ("shipment-router", "Shipment re-router", "Proposes other routes for late shipments."),
)
CREW = (
    ("AP-01", "invoice-reader", "finance", "maria", "priya", 3, Agent.Risk.LOW, "scan-text"),
    ("AP-02", "three-way-match", "finance", "maria", "priya", 3, Agent.Risk.LOW, "layers"),
    ("RK-01", "anomaly-scout", "finance", "daniel", "maria", 3, Agent.Risk.MEDIUM, "eye"),
    ("AP-04", "payments-clerk", "finance", "maria", "priya", 2, Agent.Risk.HIGH, "receipt"),
    ("VO-01", "vendor-screener", "procurement", "tomasz", None, 1, Agent.Risk.MEDIUM, "shield-check"),
    ("CS-02", "reply-drafter", "customer-service", "aisha", None, 1, Agent.Risk.LOW, "messages-square"),
    ("SC-01", "inventory-watcher", "supply-chain", "lukas", None, 1, Agent.Risk.LOW, "boxes"),
    ("SC-03", "shipment-router", "supply-chain", "lukas", None, 1, Agent.Risk.MEDIUM, "truck"),
)
WORKING = ("AP-01", "AP-02", "RK-01", "AP-04")
RUNTIME = "Python program through the API"
JOBS: dict[str, list[dict[str, object]]] = {
    "payments-clerk": [
        {
            "system": "payables", "action": "invoice.pay",
            "scope": {"Alone": "up to 5,000 EUR", "With approval": "above that, two people above 25,000 EUR"},
        }
    ]
}  # fmt: skip
ASSESSMENTS = {
    "RK-01": agents.Assessed(
        does="Compares each invoice with those seen before and names what is unusual. It decides nothing.",
        data="Fields of invoices and orders, bank accounts of suppliers, the facts of the space Invoices seen.",
        risks="It misses a duplicate, or holds up a good invoice for a false alarm.",
        measures="A finding is put to a person. What was missed is found in the monthly sample of Internal audit.",
    ),
    "AP-04": agents.Assessed(
        does="Schedules payments of matched invoices on the day that the terms ask for.",
        data="Amounts, due dates and bank accounts of suppliers. No data of private persons.",
        risks="Money goes to a wrong or changed account, or is paid twice.",
        measures="Above 5,000 EUR a person approves, above 25,000 EUR two; a fresh bank account is called back first. "
        "Each payment is asked for with its invoice, and the same invoice is paid once.",
    ),
}
PAYABLES_FIELDS = [
    {"path": "context.amount", "kind": "decimal", "label": "Amount"},
    {"path": "context.currency", "kind": "string", "label": "Currency"},
    {"path": "context.due_date", "kind": "string", "label": "Due date"},
    {"path": "resource.seller", "kind": "string", "label": "Seller"},
    {"path": "resource.seller_id", "kind": "string", "label": "Seller's number"},
    {"path": "resource.iban", "kind": "string", "label": "Bank account"},
    {"path": "resource.order", "kind": "string", "label": "Order"},
    {"path": "resource.order_matched", "kind": "bool", "label": "Order matches"},
    {"path": "resource.deviation_percent", "kind": "decimal", "label": "Deviation from the order", "unit": "%"},
    {"path": "resource.findings", "kind": "int", "label": "Findings"},
    {"path": "resource.kinds", "kind": "string", "label": "What was found"},
    {"path": "resource.bank_changed_days", "kind": "int", "label": "Age of the bank account", "unit": "days"},
]
SPACES = (
    ("orders", "Orders", "What was ordered, by order number."),
    ("invoices-seen", "Invoices seen", "Which invoices came in before, to find duplicates."),
)


@dataclass(frozen=True)
class Halden:
    """What was built: rows by their short names, and each person's password and agent's key, known only now."""

    units: dict[str, Unit]
    people: dict[str, Principal]
    agents: dict[str, Agent]
    workflow: Workflow
    passwords: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)


def is_built() -> bool:
    """Whether the company is already there."""
    return Unit.objects.filter(code="halden").exists()


@transaction.atomic
def build(at: datetime, *, password: str = "") -> Halden:
    """Build the whole company at `at`; each person gets a random password, or `password` when it is given."""
    agents.define_people_roles()
    units = _units(at)
    people, passwords = _people(units, at, password)
    payables = _systems(units, at)
    crew = _crew(units, people, at)
    _rights(crew, payables, at)
    paths = _paths(units, people, at)
    _policies(units, people, at)
    workflow = _workflow(units, people, paths, crew, at)
    _memory(units, crew, at)
    keys = _begin(crew, people, at)
    _measures()
    return Halden(units, people, crew, workflow, passwords, keys)


def _units(at: datetime) -> dict[str, Unit]:
    top = agents.add_unit("halden", "Halden Group", parent=None, by=ledger.SYSTEM, at=at)
    below = {code: agents.add_unit(code, name, parent=top, by=ledger.SYSTEM, at=at) for code, name in UNITS.items()}
    return {"halden": top, **below}


def _people(units: dict[str, Unit], at: datetime, password: str) -> tuple[dict[str, Principal], dict[str, str]]:
    people, passwords = {}, {}
    for username, name, title, unit, roles in PEOPLE:
        passwords[username] = password or secrets.token_urlsafe(12)
        people[username] = agents.admit_person(
            username, name, unit=units[unit], roles=roles, password=passwords[username], title=title,
            by=ledger.SYSTEM, at=at,
            email=f"{username}@halden.example",
        )  # fmt: skip
    return people, passwords


def _crew(units: dict[str, Unit], people: dict[str, Principal], at: datetime) -> dict[str, Agent]:
    roles = {code: Role.objects.create(code=code, name=name, purpose=purpose) for code, name, purpose in ROLES}
    return {row[0]: _hired(row, _job(row, roles[row[1]], units, people, at), units, people, at) for row in CREW}


Row = tuple[str, str, str, str, str | None, int, int, str]


def _job(row: Row, role: Role, units: dict[str, Unit], people: dict[str, Principal], at: datetime) -> Blueprint:
    _, _, unit, accountable, _, level, risk, _ = row
    job = agents.JobDescription(
        name=role.name, purpose=role.purpose, role=role, unit=units[unit], owner=people[accountable],
        actions=JOBS.get(role.code, []), autonomy_ceiling=min(level + 1, 4), risk_class=risk, runtime=RUNTIME,
        model="None: rules in Python", rates={"run": "0.0004", "hour": "0.02"},
    )  # fmt: skip
    blueprint = agents.draft_blueprint(role.code, job, by=ledger.SYSTEM, at=at)
    agents.activate_blueprint(blueprint, by=ledger.SYSTEM, at=at)
    return blueprint


def _hired(row: Row, blueprint: Blueprint, units: dict[str, Unit], people: dict[str, Principal], at: datetime) -> Agent:
    code, _, unit, accountable, stand_in, level, _, icon = row
    job = agents.Hired(
        code=code, name=blueprint.name, purpose=blueprint.purpose, unit=units[unit], blueprint=blueprint,
        accountable=people[accountable], stand_in=people[stand_in] if stand_in else None, autonomy_level=level,
        icon=icon, ends_on=(at + timedelta(days=365)).date(),
    )  # fmt: skip
    return agents.hire(job, by=ledger.SYSTEM, at=at)


def _begin(crew: dict[str, Agent], people: dict[str, Principal], at: datetime) -> dict[str, str]:
    for code, assessed in ASSESSMENTS.items():
        agents.assess(crew[code], assessed, by=people["daniel"], at=at)
    for code in WORKING:
        agents.activate(crew[code], by=ledger.SYSTEM, at=at)
    return {code: agents.issue_key(crew[code], by=ledger.SYSTEM, at=at) for code in WORKING}


def _systems(units: dict[str, Unit], at: datetime) -> System:
    pay = {"name": "invoice.pay", "label": "Pay an invoice", "risk": 3, "effect": "Money leaves the company"}
    return agents.add_system(
        "payables", "Accounts payable", unit=units["finance"], resource="invoice", actions=[pay],
        fields=PAYABLES_FIELDS,
        by=ledger.SYSTEM, at=at,
    )  # fmt: skip


def _rights(crew: dict[str, Agent], payables: System, at: datetime) -> None:
    agents.grant("agents.pay_in_system", crew["AP-04"].principal, payables, by=ledger.SYSTEM, at=at)
    for code in WORKING:
        agents.grant("agents.read_in_system", crew[code].principal, payables, by=ledger.SYSTEM, at=at)


def _paths(units: dict[str, Unit], people: dict[str, Principal], at: datetime) -> dict[str, EscalationPath]:
    priya, maria, daniel = people["priya"], people["maria"], people["daniel"]
    wanted: dict[str, tuple[str, list[tuple[tuple[Principal, ...], int]]]] = {
        "document-desk": ("Document desk", [((priya, maria), 24 * HOUR)]),
        "invoice-exceptions": ("Invoice exceptions", [((priya, maria), 8 * HOUR)]),
        "group-controller": ("Group controller", [((maria,), 24 * HOUR), ((daniel,), 24 * HOUR)]),
        "finance-approver": ("Finance approver", [((priya, maria), 4 * HOUR), ((daniel,), 4 * HOUR)]),
        "large-payments": ("Large payments", [((priya, maria, daniel), 4 * HOUR)]),
        "treasury": ("Treasury call-back", [((maria, daniel), 2 * HOUR)]),
    }
    finance, paths = units["finance"], {}
    for key, (name, asked) in wanted.items():
        levels = [governance.Level(seconds, who) for who, seconds in asked]
        paths[key] = governance.add_path(key, name, unit=finance, levels=levels, by=ledger.SYSTEM, at=at)
    return paths


def _policies(units: dict[str, Unit], people: dict[str, Principal], at: datetime) -> None:
    document = yaml.safe_load((FOLDER / "policies" / "invoice_payment.yaml").read_text())
    version = governance.add_policy(document, unit=units["finance"], owner=people["maria"], by=ledger.SYSTEM, at=at)
    governance.activate(version, by=ledger.SYSTEM, at=at)


def set_budgets(built: Halden, at: datetime) -> None:
    """Limits well above what the demonstration does: a day of the payments clerk, and the work of each run."""
    path = EscalationPath.objects.get(key="finance-approver")
    day = governance.BudgetTerms(
        name="Payments of AP-04 in a day", scope="agent", about="AP-04", metric="money", currency="EUR", period="day",
        hard_limit=Decimal(2_000_000), soft_limit=Decimal(1_500_000), path=path, why="What a clerk pays in a day.",
    )  # fmt: skip
    run = governance.BudgetTerms(
        name="Calls of each run", scope="run", unit=built.units["finance"], metric="calls", period="total",
        hard_limit=Decimal(200), why="A run that asks more often than this goes in circles.",
    )  # fmt: skip
    for terms in (day, run):
        governance.open_budget(terms, by=ledger.SYSTEM, at=at)


def _workflow(
    units: dict[str, Unit],
    people: dict[str, Principal],
    paths: dict[str, EscalationPath],
    crew: dict[str, Agent],
    at: datetime,
) -> Workflow:
    version = workflows.publish(
        WORKFLOW, (FOLDER / "invoice_to_payment.bpmn").read_bytes(), by=ledger.SYSTEM, at=at, unit=units["finance"],
        owner=people["maria"], incident_path=paths["document-desk"],
    )  # fmt: skip
    for code in WORKING:
        agents.grant("workflows.work_in_workflow", crew[code].principal, version.workflow, by=ledger.SYSTEM, at=at)
    agents.grant("workflows.start_workflow", crew["AP-01"].principal, version.workflow, by=ledger.SYSTEM, at=at)
    return version.workflow


def _memory(units: dict[str, Unit], crew: dict[str, Agent], at: datetime) -> None:
    for code, name, purpose in SPACES:
        space = Space.objects.create(code=code, name=name, purpose=purpose, unit=units["finance"])
        for agent in ("AP-02", "RK-01"):
            agents.grant("workflows.write_space", crew[agent].principal, space, by=ledger.SYSTEM, at=at)


def _measures() -> None:
    Baseline.objects.create(
        workflow=WORKFLOW, cycle_seconds=Decimal(27_900), cost=Decimal("6.20"), error_share=Decimal("0.021"),
        runs_per_day=Decimal(55), source="Time study of accounts payable, March 2026",
    )  # fmt: skip
    for figure, value in (
        ("cycle_seconds", "7200"),
        ("cost", "2.00"),
        ("error_share", "0.01"),
        ("touchless_share", "0.85"),
    ):
        Target.objects.create(workflow=WORKFLOW, figure=figure, value=Decimal(value))


def new_password(username: str) -> str:
    """A new random password for a person of the demo."""
    person = Principal.objects.people().get(username=username)
    password = secrets.token_urlsafe(12)
    person.set_password(password)
    person.save(update_fields=["password"])
    return password


def second_factors() -> dict[str, str]:
    """The secret of an authenticator app for each of council, IT and risk without a second factor, so that they can
    sign in at once; the demo alone does this."""
    without = Principal.objects.people().filter(groups__name__in=SECOND_FACTOR_ROLES, authenticator=None)
    secrets_of = {}
    for person in without.filter(username__in=[row[0] for row in PEOPLE]).distinct().order_by("pk"):
        secrets_of[person.username] = generate_totp_secret()
        TOTP.activate(person, secrets_of[person.username])
    return secrets_of


def code_now(username: str) -> str | None:
    """The code that this person's authenticator app would show now, None without such an app."""
    app = Authenticator.objects.filter(user__username=username, type=Authenticator.Type.TOTP).first()
    if app is None:
        return None
    counters = list(yield_hotp_counters_from_time())
    return str(format_hotp_value(hotp_value(decrypt(app.data["secret"]), counters[len(counters) // 2])))


def knows_key(text: str) -> bool:
    """Whether this is the key of an agent here; that of another database, or a revoked one, is not."""
    try:
        agents.sign_in_with_key(text, at=ledger.database_now())
    except agents.UnknownKey:
        return False
    except agents.AgentNotActive:
        pass  # paused or retired by somebody who meant it: its program is told so
    return True


def new_key(code: str) -> str:
    """A new key for an agent of the demo."""
    return agents.issue_key(Agent.objects.get(code=code), by=ledger.SYSTEM, at=ledger.database_now())
