"""What the four desks are made of, as tables: workflows, agents, systems, people to ask, yardsticks."""

from dataclasses import dataclass
from typing import Any

from agents import operations as agents
from agents.models import Agent
from autonomy_site.demo.company import HOUR

LOW, MEDIUM = Agent.Risk.LOW, Agent.Risk.MEDIUM


@dataclass(frozen=True)
class DeskPlan:
    """A workflow from a template: its unit and head, who is asked when work fails, and its agents; the first begins.

    `by_hand`: seconds, cost, share of errors and runs of a day before, with the source; `wanted`: the targets of
    seconds, cost, share of errors and touchless share.
    """

    template: str
    program: str
    unit: str
    head: str
    incidents: str
    crew: tuple[str, ...]
    by_hand: tuple[str, str, str, str, str]
    wanted: tuple[str, str, str, str]


DESKS = (
    DeskPlan(
        "customer-support", "support", "customer-service", "aisha", "support-desk",
        ("CS-01", "CS-02", "CS-05", "CS-06"),
        ("14400", "4.10", "0.034", "160", "Tickets of customer service, May 2026"), ("1800", "1.20", "0.015", "0.60"),
    ),
    DeskPlan(
        "vendor-onboarding", "vendors", "procurement", "tomasz", "procurement-desk", ("VO-01", "VO-02"),
        ("432000", "85.00", "0.05", "3", "Files of procurement, 2025"), ("86400", "20.00", "0.01", "0.50"),
    ),
    DeskPlan(
        "supply-chain-watch", "supply", "supply-chain", "lukas", "logistics-desk", ("SC-01", "SC-03", "SC-07"),
        ("10800", "48.00", "0.08", "4", "Morning meetings of logistics, June 2026"), ("900", "6.00", "0.03", "0.40"),
    ),
    DeskPlan(
        "monthly-report", "report", "finance", "maria", "controlling-desk", ("RP-01", "RP-02", "RP-03"),
        ("259200", "950.00", "0.12", "0.05", "Closings of January to June 2026"), ("28800", "120.00", "0.01", "0"),
    ),
)  # fmt: skip
WORKFLOWS = tuple(desk.template for desk in DESKS)
# The company has these already, as drafts that nobody let begin; others of the crews are at work in their departments.
DRAFTED = {
    "VO-01": agents.Assessed(
        does="Compares vendors with lists and registers, checks accounts, rates risks. It decides nothing.",
        data="Names, countries, papers and bank accounts of companies.",
        risks="It misses a listed name that is written in another way.",
        measures="Everything that is not clean goes to a person, and the policy denies what nobody has looked at.",
    ),
    "CS-02": None,
    "SC-01": None,
    "SC-03": agents.Assessed(
        does="Finds late shipments and other carriers. It books nothing.",
        data="Shipments, carriers, values of goods. No data of private persons.",
        risks="It proposes a carrier that is dear or not allowed.",
        measures="Above 2,000 EUR a person decides, and each booking is asked for by another agent.",
    ),
}


@dataclass(frozen=True)
class Newcomer:
    """An agent that the company does not have yet, with a role of its own. `system` is where it may do `action`."""

    code: str
    role: str
    name: str
    purpose: str
    unit: str
    head: str
    level: int
    icon: str
    system: str = ""
    action: str = ""
    assessed: agents.Assessed | None = None


NEWCOMERS = (
    Newcomer("CS-01", "ticket-researcher", "Ticket researcher", "Finds a customer's orders and what a ticket is about.",
             "customer-service", "aisha", 1, "eye"),
    Newcomer(
        "CS-06", "reply-sender", "Reply sender", "Sends replies that are clear or that a person has read.",
        "customer-service", "aisha", 2, "messages-square", "ticket-desk", "ticket.reply",
        agents.Assessed(
            does="Sends replies to customers and closes tickets.", data="Names of customers, orders, what they wrote.",
            risks="A customer reads something that is wrong, or is promised money that is not paid.",
            measures="An unsure reply is read by a person first; a promise without a payment is denied.",
        ),
    ),
    Newcomer("RP-01", "figures-collector", "Figures collector", "Adds up ledger, sales and deliveries of a month.",
             "finance", "maria", 1, "layers"),
    Newcomer(
        "RP-02", "report-writer", "Report writer", "Reconciles figures, writes the report in its form and sends it.",
        "finance", "maria", 2, "scan-text", "reporting", "report.send",
        agents.Assessed(
            does="Writes management reports and sends signed ones.", data="Figures of the company.",
            risks="The management decides by wrong figures.",
            measures="Another agent checks the form, a person explains differences, and a person signs.",
        ),
    ),
    Newcomer("RP-03", "report-checker", "Report checker", "Checks that a report has the form that it must have.",
             "finance", "maria", 1, "shield-check"),
)  # fmt: skip


@dataclass(frozen=True)
class SystemPlan:
    """A system with its one action, the fields of its requests, and the policy about it."""

    code: str
    name: str
    unit: str
    head: str
    resource: str
    action: dict[str, Any]
    fields: tuple[tuple[str, str, str], ...]
    policy: str


SYSTEMS = (
    SystemPlan(
        "ticket-desk", "Ticket desk", "customer-service", "aisha", "ticket",
        {"name": "ticket.reply", "label": "Answer a customer", "risk": 1, "effect": "The customer reads it"},
        (
            ("resource.topic", "string", "Topic"), ("resource.language", "string", "Language"),
            ("resource.reply_changed", "bool", "Reply was changed after a person read it"),
            ("resource.promised", "decimal", "Refund that the reply promises, EUR"),
            ("resource.refund_paid", "bool", "Refund was paid"), ("context.length", "int", "Length of the reply"),
        ),
        "ticket_reply.yaml",
    ),
    SystemPlan(
        "reporting", "Reporting", "finance", "maria", "report",
        {"name": "report.send", "label": "Send a report", "risk": 2, "effect": "The management reads it"},
        (
            ("resource.month", "string", "Month"), ("resource.difference", "decimal", "Difference, EUR"),
            ("resource.form_is_right", "bool", "Form is right"), ("context.readers", "int", "Readers"),
        ),
        "report_send.yaml",
    ),
)  # fmt: skip
# Key, name, unit, and who is asked for how long, level by level.
PATHS: tuple[tuple[str, str, str, tuple[tuple[tuple[str, ...], int], ...]], ...] = (
    ("support-desk", "Support desk", "customer-service", ((("aisha",), 8 * HOUR), (("daniel",), 8 * HOUR))),
    ("procurement-desk", "Procurement desk", "procurement", ((("tomasz",), 48 * HOUR),)),
    ("vendor-approval", "Vendor approval", "procurement", ((("tomasz", "daniel"), 48 * HOUR),)),
    ("head-of-procurement", "Head of procurement", "procurement", ((("tomasz",), 48 * HOUR),)),
    ("logistics-desk", "Logistics desk", "supply-chain", ((("lukas",), 4 * HOUR), (("daniel",), 4 * HOUR))),
    ("controlling-desk", "Controlling desk", "finance", ((("maria", "priya"), 24 * HOUR),)),
    ("controller", "Controller", "finance", ((("maria",), 24 * HOUR), (("daniel",), 24 * HOUR))),
)  # fmt: skip
SPACE = ("vendor-screenings", "Vendors screened", "Which names were compared with which list; nobody does it twice.")
