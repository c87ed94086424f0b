"""A hundred real runs of an airline's service agent (tau-bench), led through: what it reads is free, what it books,
changes, cancels or pays waits for a person, and so does each hand-over. People clear all of it on the page.

The runs are no part of the repository: they lie beside it."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from agents import operations as agents
from agents.models import Role
from governance import operations as governance
from governance.models import Escalation
from observability import ledger
from tests.conftest import Robot

FILE = "tau_airline_gpt4o_runs.json.gz"
BESIDE = [above / "shared" / "data" / "traces" / FILE for above in Path(__file__).parents[2].parents]
RUNS = next((file for file in BESIDE if file.is_file()), BESIDE[0])
needs_runs = pytest.mark.skipif(not RUNS.is_file(), reason="the runs of the airline are not beside the repository")

READS = (
    "get_user_details", "get_reservation_details", "search_direct_flight", "search_onestop_flight",
    "list_all_airports", "calculate", "think",
)  # fmt: skip
CHANGES = (
    "book_reservation", "cancel_reservation", "update_reservation_flights", "update_reservation_baggages",
    "send_certificate",
)  # fmt: skip
FIELDS = [{"path": f"context.{name}", "kind": "string", "label": name.capitalize()} for name in ("call", "given")]
HAND_OVER = "transfer_to_human_agents"
POLICY = {
    "apiVersion": "autonomyos/v1", "kind": "Policy", "key": "airline.service", "version": 1,
    "title": "Service of the airline", "owner": "customer-service", "priority": 100,
    "scope": {"actions": ["airline.*"]},
    "rules": [
        {
            "id": "change", "effect": "escalate", "actions": [f"airline.{name}" for name in CHANGES],
            "reason": "Bookings are changed with a person's yes.",
            "escalate": {"path": "airline-desk", "sla": "24h", "grants": True},
        },
        {
            "id": "hand-over", "effect": "escalate", "actions": [f"airline.{HAND_OVER}"],
            "reason": "The agent hands the customer over to a person.",
            "escalate": {"path": "airline-desk", "sla": "1h", "grants": True},
        },
        {"id": "read", "effect": "allow", "actions": [f"airline.{name}" for name in READS], "reason": "It only reads."},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One tool call of a run: what was called with what, and what the agent had said last."""

    run: str
    number: int
    tool: str
    given: dict[str, Any]
    said: str


def calls() -> Iterator[Call]:
    """Every tool call of the hundred runs, in their order."""
    for run in json.loads(gzip.decompress(RUNS.read_bytes())):
        said = ""
        for number, message in enumerate(run["traj"]):
            said = message["content"] if message["role"] == "user" and message["content"] else said
            for call in message.get("tool_calls") or ():
                given = json.loads(call["function"]["arguments"])
                yield Call(f"T{run['task_id']}-{run['trial']}", number, call["function"]["name"], given, said)


@pytest.fixture
def clerk(halden: Any, now: datetime) -> Robot:
    """The airline's service agent: one system, one policy, and Aisha on its desk."""
    unit, aisha = halden.units["customer-service"], halden.people["aisha"]
    risks = {**dict.fromkeys(READS, 1), **dict.fromkeys(CHANGES, 2), HAND_OVER: 2}
    agents.add_system(
        "airline", "Airline", unit=unit, resource="reservation", by=ledger.SYSTEM, at=now, fields=FIELDS,
        actions=[
            {"name": f"airline.{name}", "label": name.replace("_", " ").capitalize(), "risk": risk, "effect": ""}
            for name, risk in risks.items()
        ],
    )  # fmt: skip
    level = governance.Level(86400, (aisha,))
    governance.add_path("airline-desk", "Airline desk", unit=unit, levels=[level], by=ledger.SYSTEM, at=now)
    version = governance.add_policy(POLICY, unit=unit, owner=aisha, by=ledger.SYSTEM, at=now)
    governance.activate(version, by=ledger.SYSTEM, at=now)
    role = Role.objects.create(code="airline-clerk", name="Airline clerk")
    actions = [{"system": "airline", "action": f"airline.{name}", "scope": {}} for name in risks]
    job = agents.JobDescription(
        name="Airline clerk", purpose="Serves passengers.", role=role, unit=unit, owner=aisha, autonomy_ceiling=3,
        runtime="A program", actions=actions,
    )  # fmt: skip
    blueprint = agents.draft_blueprint("airline-clerk", job, by=ledger.SYSTEM, at=now)
    agents.activate_blueprint(blueprint, by=ledger.SYSTEM, at=now)
    hired = agents.Hired(
        code="AIR-1", name="Airline clerk", purpose="Serves passengers.", unit=unit, blueprint=blueprint,
        accountable=aisha, autonomy_level=3, ends_on=now.date() + timedelta(days=90),
    )  # fmt: skip
    agent = agents.hire(hired, by=ledger.SYSTEM, at=now)
    agents.activate(agent, by=ledger.SYSTEM, at=now)
    robot = Robot()
    robot.key = agents.issue_key(agent, by=ledger.SYSTEM, at=now)
    return robot


def ask(clerk: Robot, call: Call, again: str = "") -> dict[str, Any]:
    """May the agent make this call? The customer's words are its own word for why."""
    body = {
        "action": f"airline.{call.tool}", "resource": {"type": "reservation", "id": call.run, "properties": {}},
        "context": {"call": f"{call.number}", "given": json.dumps(call.given, sort_keys=True)[:900]},
        "title": f"{call.tool.replace('_', ' ').capitalize()} for {call.run}"[:300], "statement": call.said[:1900],
    }  # fmt: skip
    answer = clerk.call("post", "actions", body, key=f"{call.run}-{call.number}{again}")
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


@needs_runs
def test_aisha_clears_what_a_hundred_real_runs_ask(clerk: Robot, sign_in: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 0
    made = list(calls())
    told = [ask(clerk, call) for call in made]

    effects = Counter((call.tool in READS, each["effect"]) for call, each in zip(made, told, strict=True))
    assert effects == {(True, "allow"): 425, (False, "escalate"): 152}
    assert sum(call.tool == HAND_OVER for call in made) == 29
    waiting = Escalation.objects.open().filter(agent__code="AIR-1")
    assert waiting.count() == 152

    aisha = sign_in("aisha")
    first = next(each for call, each in zip(made, told, strict=True) if call.tool == HAND_OVER)
    card = aisha.get(reverse("escalation", args=[first["escalation"]["id"]])).content.decode()
    assert "The agent hands the customer over to a person." in card
    assert "Stated by the agent" in card

    for each in waiting.order_by("pk"):
        said = {"answer": "approved"}
        if each.title.startswith("Cancel"):
            said = {"answer": "rejected", "reason_code": "missing_evidence", "reason": "Which insurance?"}
        answer = aisha.post(
            reverse("escalation-answer", args=[each.uid]), {"request_sha256": each.request_sha256, **said}
        )
        assert answer.status_code == 303
    assert waiting.count() == 0

    approved = [call for call in made if call.tool not in (*READS, "cancel_reservation")]
    again = [ask(clerk, call, "-again") for call in approved]
    assert Counter(each["effect"] for each in again) == {"allow": 116}
    no = ask(clerk, next(call for call in made if call.tool == "cancel_reservation"), "-again")
    assert (no["effect"], "Which insurance?" in no["reason"]) == ("deny", True)
