"""What the demo's people answered in the weeks before: the page "How we decide" has something to say from the start."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from agents import operations as agents
from agents.models import Agent, Principal
from governance import operations as governance
from governance.models import Escalation
from observability import ledger
from workflows import operations

CARRIERS = ("DSV", "DHL", "Kuehne + Nagel")
MANY, DAYS = 32, 21
REFUSED = {27: "2450", 29: "2900", 30: "3100"}
"""Rebookings that the people on duty turned down, by their number: what they cost is above all that was approved."""


def answer_before(at: datetime) -> None:
    """Let the freight desk have asked and been answered in the last weeks, once."""
    agent = Agent.objects.select_related("unit", "role", "blueprint", "principal").filter(code="SC-07").first()
    if agent is None or Escalation.objects.decided().filter(agent=agent).exists():
        return
    people = list(Principal.objects.people().filter(username__in=("lukas", "tomasz")).order_by("username"))
    for person in people:
        # Tomasz shares the duty from another unit: who decides has to see what it is about.
        if not person.sees_all_units and agent.unit_id not in person.unit_ids():
            agents.grant("agents.view_unit", person, agent.unit, by=ledger.SYSTEM, at=at, reason="Shares the duty.")
    for number in range(MANY):
        asked_at = at - timedelta(days=DAYS) + timedelta(hours=number * 24 * DAYS / (MANY + 1))
        _ask_and_answer(agent, people[number % len(people)], number, asked_at)


@transaction.atomic
def _ask_and_answer(agent: Agent, person: Principal, number: int, at: datetime) -> None:
    decision = governance.decide(_question(number), agent=agent, at=at)
    asked = Escalation.objects.filter(decision=decision).first()
    if asked is None:
        return
    answer, reason, code = "approved", "", ""
    if number in REFUSED:
        answer, reason, code = "rejected", "Too much for goods of this value.", "too_risky"
    operations.settle(
        asked.uid, answer, reviewer=person, at=at + timedelta(minutes=2 + number % 7 * 3),
        request_sha256=asked.request_sha256, reason=reason, reason_code=code,
    )  # fmt: skip


def _question(number: int) -> governance.Question:
    cost, carrier = REFUSED.get(number, str(760 + number * 35)), CARRIERS[number % len(CARRIERS)]
    goods: dict[str, Any] = {"value": "90000", "hazardous": False}
    return governance.Question(
        action="shipment.rebook",
        resource={"type": "shipment", "id": f"S-8{7000 + number}", "properties": {"delay": "40h", "goods": goods}},
        context={"extra_cost": cost, "currency": "EUR", "new_carrier": carrier}, request_key=f"before-{number}",
        title=f"Put S-8{7000 + number} on {carrier}", statement="The first carrier missed its slot.",
    )  # fmt: skip
