"""What the demo adds to the Halden Group: procurement, customer service and supply chain with agents that ask."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import yaml
from autonomy_client import Autonomy, AutonomyError
from django.db import transaction

from agents import operations as agents
from agents.models import Agent, Principal, Role, System, Unit
from autonomy_site.demo.company import FOLDER, HOUR, RUNTIME
from governance import operations as governance
from governance.models import Decision, EscalationPath
from observability import ledger


@dataclass(frozen=True)
class Department:
    """A unit's system with its agent and policy. `verbs` are what the agent may do in the system."""

    unit: str
    head: str
    system: tuple[str, str, str]
    actions: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    policy: str
    agent: tuple[str, str, str, str, int, int, str]
    verbs: tuple[str, ...]
    assessed: agents.Assessed


MONEY: list[dict[str, Any]] = [
    {"path": "context.amount", "kind": "decimal", "label": "Amount"},
    {"path": "context.currency", "kind": "string", "label": "Currency"},
]
VENDORS = Department(
    unit="procurement", head="tomasz", system=("vendor-file", "Vendor file", "vendor"),
    actions=[
        {"name": "vendor.create", "label": "Put a vendor on file", "risk": 1, "effect": "Nothing is paid yet",
         "cost": ""},
        {"name": "vendor.activate", "label": "Activate a vendor", "risk": 2, "effect": "It can be paid", "cost": ""},
        {"name": "vendor.change_bank", "label": "Change a vendor's bank account", "risk": 3,
         "effect": "Money goes to another account", "cost": ""},
    ],
    fields=[
        {"path": "resource.requested_by", "kind": "string", "label": "Requested by"},
        {"path": "resource.vendor.name", "kind": "string", "label": "Vendor"},
        {"path": "resource.vendor.country", "kind": "string", "label": "Country of the vendor"},
        {"path": "resource.vendor.risk", "kind": "string", "label": "Risk of the vendor",
         "enum": ["low", "medium", "high"]},
        {"path": "resource.vendor.sanctions_hit", "kind": "bool", "label": "Is on a sanctions list"},
        {"path": "resource.vendor.papers", "kind": "list", "label": "Papers on file"},
        {"path": "resource.vendor.iban", "kind": "string", "label": "Bank account of the vendor"},
    ],
    policy="vendor_onboarding.yaml",
    agent=("VO-02", "vendor-onboarder", "Vendor onboarder", "Puts new vendors on file and activates them.", 3,
           Agent.Risk.MEDIUM, "shield-check"),
    verbs=("read", "create", "change"),
    assessed=agents.Assessed(
        does="Puts vendors on file, activates complete ones, prepares changes of bank accounts.",
        data="Names, countries, papers and bank accounts of companies.",
        risks="A vendor under sanctions is activated, or a bank account changes that should not.",
        measures="Sanctions deny, even when nobody looked. A change of account needs two people who call back.",
    ),
)  # fmt: skip
REFUNDS = Department(
    unit="customer-service", head="aisha", system=("service-desk", "Service desk", "refund"),
    actions=[{"name": "refund.pay", "label": "Refund a customer", "risk": 2, "effect": "Money leaves the company"}],
    fields=[
        *MONEY,
        {"path": "resource.refunds_90d", "kind": "int", "label": "Refunds in 90 days"},
        {"path": "resource.purchase.total", "kind": "decimal", "label": "Paid for the order",
         "unit": "{context.currency}"},
        {"path": "resource.purchase.age_days", "kind": "int", "label": "Age of the order", "unit": "days"},
        {"path": "resource.customer.tier", "kind": "string", "label": "Kind of customer",
         "enum": ["standard", "key_account"]},
        {"path": "resource.customer.is_private", "kind": "bool", "label": "Customer is a private person"},
        {"path": "resource.customer.email", "kind": "string", "label": "E-mail of the customer"},
        {"path": "resource.customer.phone", "kind": "string", "label": "Phone of the customer"},
        {"path": "resource.customer.address", "kind": "string", "label": "Address of the customer"},
    ],
    policy="support_refund.yaml",
    agent=("CS-05", "refund-clerk", "Refund clerk", "Refunds customers within what customer service may give back.", 2,
           Agent.Risk.HIGH, "receipt"),
    verbs=("read", "pay"),
    assessed=agents.Assessed(
        does="Pays refunds for orders of the last 30 days.",
        data="Orders, and names and addresses of customers, some of them private persons.",
        risks="It pays more than was paid, or again and again to the same customer.",
        measures="Above 100 EUR, after three refunds in 90 days or 20 in an hour a person decides. A budget ends it.",
    ),
)  # fmt: skip
SHIPMENTS = Department(
    unit="supply-chain", head="lukas", system=("freight-desk", "Freight desk", "shipment"),
    actions=[{"name": "shipment.rebook", "label": "Rebook a shipment", "risk": 2, "cost": "context.extra_cost",
              "effect": "Another carrier is paid"}],
    fields=[
        {"path": "context.extra_cost", "kind": "decimal", "label": "Extra cost", "unit": "{context.currency}"},
        {"path": "context.currency", "kind": "string", "label": "Currency"},
        {"path": "context.new_carrier", "kind": "string", "label": "New carrier"},
        {"path": "resource.delay", "kind": "duration", "label": "Delay of the shipment"},
        {"path": "resource.goods.value", "kind": "decimal", "label": "Value of the goods",
         "unit": "{context.currency}"},
        {"path": "resource.goods.hazardous", "kind": "bool", "label": "Goods are hazardous"},
    ],
    policy="shipment_rebooking.yaml",
    agent=("SC-07", "shipment-booker", "Shipment booker", "Puts late shipments on other carriers.", 2,
           Agent.Risk.MEDIUM, "truck"),
    verbs=("read", "change"),
    assessed=agents.Assessed(
        does="Books late shipments on other carriers.",
        data="Shipments, carriers, values of goods. No data of private persons.",
        risks="It pays too much, or gives hazardous goods to a carrier that may not have them.",
        measures="Above 750 EUR a person on duty decides; hazardous goods go with core carriers only.",
    ),
)  # fmt: skip
DEPARTMENTS = (VENDORS, REFUNDS, SHIPMENTS)
CREW = tuple(each.agent[0] for each in DEPARTMENTS)

LISTS = (
    ("sanctioned_countries", "Countries under sanctions", ["BY", "IR", "KP", "RU", "SY"], "procurement",
     "As risk and legal keep it."),
    ("core_carriers", "Core carriers", ["DHL", "DSV", "Kuehne + Nagel"], "supply-chain",
     "The frame contracts of 2026."),
)  # fmt: skip
PATHS: tuple[tuple[str, str, str, tuple[tuple[tuple[str, ...], int], ...]], ...] = (
    ("risk-officer", "Risk officer", "procurement", ((("daniel",), 8 * HOUR),)),
    ("vendor-call-back", "Vendor call-back", "procurement", ((("tomasz", "maria", "daniel"), 4 * HOUR),)),
    ("service-lead", "Head of customer service", "customer-service", ((("aisha",), 2 * HOUR), (("daniel",), 2 * HOUR))),
    ("logistics-duty", "Logistics on duty", "supply-chain", ((("lukas", "tomasz"), HOUR),)),
)


def are_built() -> bool:
    """Whether the other units have their agents already."""
    return System.objects.filter(code=VENDORS.system[0]).exists()


@transaction.atomic
def build(at: datetime) -> None:
    """Give three more units of the Halden Group a system, a policy, people to ask, and an agent that is at work."""
    units = {unit.code: unit for unit in Unit.objects.all()}
    people = {person.username: person for person in Principal.objects.people()}
    for name, title, items, unit, why in LISTS:
        governance.add_list(name, title=title, items=items, unit=units[unit], by=ledger.SYSTEM, at=at, why=why)
    for key, name, unit, asked in PATHS:
        levels = [governance.Level(seconds, tuple(people[who] for who in whom)) for whom, seconds in asked]
        governance.add_path(key, name, unit=units[unit], levels=levels, by=ledger.SYSTEM, at=at)
    for each in DEPARTMENTS:
        system = _system(each, units[each.unit], at)
        _policy(each, units[each.unit], people[each.head], at)
        _agent(each, system, units[each.unit], people, at)
    _budget(at)


def _system(each: Department, unit: Unit, at: datetime) -> System:
    code, name, resource = each.system
    return agents.add_system(
        code, name, unit=unit, resource=resource, actions=each.actions, fields=each.fields, by=ledger.SYSTEM, at=at
    )


def _policy(each: Department, unit: Unit, head: Principal, at: datetime) -> None:
    document = yaml.safe_load((FOLDER / "policies" / each.policy).read_text())
    version = governance.add_policy(document, unit=unit, owner=head, by=ledger.SYSTEM, at=at)
    governance.activate(version, by=ledger.SYSTEM, at=at)


def _agent(each: Department, system: System, unit: Unit, people: Mapping[str, Principal], at: datetime) -> None:
    code, role, name, purpose, level, risk, icon = each.agent
    job = agents.JobDescription(
        name=name, purpose=purpose, role=Role.objects.create(code=role, name=name, purpose=purpose), unit=unit,
        owner=people[each.head], autonomy_ceiling=level, risk_class=risk, runtime=RUNTIME,
        actions=[{"system": system.code, "action": action["name"], "scope": {}} for action in each.actions],
        model="None: rules in Python", rates={"run": "0.0004", "hour": "0.02"},
    )  # fmt: skip
    blueprint = agents.draft_blueprint(role, job, by=ledger.SYSTEM, at=at)
    agents.activate_blueprint(blueprint, by=ledger.SYSTEM, at=at)
    hired = agents.Hired(
        code=code, name=name, purpose=purpose, unit=unit, blueprint=blueprint, accountable=people[each.head],
        stand_in=people["daniel"], autonomy_level=level, icon=icon, ends_on=(at + timedelta(days=365)).date(),
    )  # fmt: skip
    agent = agents.hire(hired, by=ledger.SYSTEM, at=at)
    for verb in each.verbs:
        agents.grant(f"agents.{verb}_in_system", agent.principal, system, by=ledger.SYSTEM, at=at)
    agents.assess(agent, each.assessed, by=people["daniel"], at=at)
    agents.activate(agent, by=ledger.SYSTEM, at=at)


def _budget(at: datetime) -> None:
    lead = EscalationPath.objects.get(key="service-lead")
    terms = governance.BudgetTerms(
        "Refunds of a day", scope="agent", metric="money", period="day", hard_limit=Decimal(1000), about=CREW[1],
        currency="EUR", soft_limit=Decimal(800), path=lead, why="What customer service gives back without more words.",
    )  # fmt: skip
    governance.open_budget(terms, by=ledger.SYSTEM, at=at)


# --- what the agents ask on the first day ---------------------------------------------------------------------
Asked = tuple[str, str, str, str, dict[str, Any], dict[str, str]]


def _vendor(name: str, country: str, risk: str, papers: tuple[str, ...], **more: Any) -> dict[str, Any]:
    vendor = {"name": name, "country": country, "risk": risk, "papers": list(papers), "sanctions_hit": False}
    return {"vendor": vendor, **more}


def _refund(total: str, age_days: int, refunds: int, *, key_account: bool = False) -> dict[str, Any]:
    tier = "key_account" if key_account else "standard"
    return {
        "refunds_90d": refunds, "purchase": {"total": total, "age_days": age_days},
        "customer": {"tier": tier, "is_private": not key_account},
    }  # fmt: skip


def _shipment(delay: str, value: str, *, hazardous: bool = False) -> dict[str, Any]:
    return {"delay": delay, "goods": {"value": value, "hazardous": hazardous}}


def _paid(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR", "confidence": "0.92"}


def _booked(extra_cost: str, carrier: str) -> dict[str, str]:
    return {"extra_cost": extra_cost, "currency": "EUR", "new_carrier": carrier}


COMPLETE = ("tax_form", "bank_letter", "register")
SURE = {"confidence": "0.95"}
QUESTIONS: tuple[Asked, ...] = (
    ("VO-02", "vendor.create", "V-2041", "Put Nordhavn Pumper A/S on file",
     _vendor("Nordhavn Pumper A/S", "DK", "low", ()), SURE),
    ("VO-02", "vendor.activate", "V-2041", "Activate Nordhavn Pumper A/S",
     _vendor("Nordhavn Pumper A/S", "DK", "low", COMPLETE), SURE),
    ("VO-02", "vendor.activate", "V-2042", "Activate Baltic Castings OU",
     _vendor("Baltic Castings OU", "EE", "high", COMPLETE), SURE),
    ("VO-02", "vendor.activate", "V-2043", "Activate Vostok Metall",
     _vendor("Vostok Metall", "RU", "medium", COMPLETE), SURE),
    ("VO-02", "vendor.activate", "V-2044", "Activate Officine Brera S.r.l.",
     _vendor("Officine Brera S.r.l.", "IT", "low", ("tax_form",)), SURE),
    ("VO-02", "vendor.change_bank", "V-2007", "Change the bank account of Kessler Maschinenbau GmbH",
     _vendor("Kessler Maschinenbau GmbH", "DE", "low", COMPLETE, requested_by="tomasz"), SURE),
    ("CS-05", "refund.pay", "R-311", "Refund order 77120", _refund("64.90", 6, 0), _paid("64.90")),
    ("CS-05", "refund.pay", "R-312", "Refund a part of order 77131", _refund("249.00", 11, 1), _paid("89.00")),
    ("CS-05", "refund.pay", "R-313", "Refund order 77090", _refund("240.00", 20, 0), _paid("240.00")),
    ("CS-05", "refund.pay", "R-314", "Refund order 77144", _refund("35.00", 3, 4), _paid("35.00")),
    ("CS-05", "refund.pay", "R-315", "Refund order 76012", _refund("120.00", 95, 0), _paid("95.00")),
    ("CS-05", "refund.pay", "R-316", "Refund the order of Lindqvist Interiors",
     _refund("900.00", 9, 0, key_account=True), _paid("280.00")),
    ("SC-07", "shipment.rebook", "S-88012", "Put S-88012 on DSV", _shipment("36h", "20000"), _booked("400", "DSV")),
    ("SC-07", "shipment.rebook", "S-88013", "Put S-88013 on DHL", _shipment("52h", "48000"), _booked("1150", "DHL")),
    ("SC-07", "shipment.rebook", "S-88014", "Put S-88014 on Fast Freight",
     _shipment("30h", "15000", hazardous=True), _booked("310", "Fast Freight")),
    ("SC-07", "shipment.rebook", "S-88015", "Put S-88015 on DHL", _shipment("5h", "9000"), _booked("90", "DHL")),
)  # fmt: skip


def ask_around(address: str, key_of: Callable[[str], str], say: Callable[[str], object]) -> None:
    """Let the agents of these units ask their questions through the API, once; say what went wrong if something did."""
    if Decision.objects.filter(agent__code__in=CREW).exists():
        return
    try:
        for code in CREW:
            with Autonomy(address, key_of(code)) as client:
                for asked in QUESTIONS:
                    if asked[0] == code:
                        client.send("actions", question(asked))
    except AutonomyError as refused:
        say(f"Not all units could ask their questions: {refused}")


def question(asked: Asked) -> dict[str, Any]:
    """The body of one question as the API takes it."""
    _, action, number, title, properties, context = asked
    context = dict(context)
    confidence = {"confidence": context.pop("confidence")} if "confidence" in context else {}
    kind = action.partition(".")[0]
    return {
        "action": action, "resource": {"type": kind, "id": number, "properties": properties}, "context": context,
        "title": title, "statement": "All of it is on file.", **confidence,
    }  # fmt: skip
