"""What waits for whom, and in which order: the same for the lists, the counts and the API."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group

from agents.models import Principal
from governance import operations as governance
from governance.models import Escalation, EscalationPath
from observability import ledger

HOUR = timedelta(hours=1)


@pytest.fixture
def put(halden: Any, now: Any) -> Any:
    """`put("A", risk=3, hours=2)` asks the approvers of large payments; two of them have to approve."""

    def asked(title: str, *, risk: int = 2, hours: Decimal | int = 4, path: str = "large-payments") -> Escalation:
        about = governance.Asked(
            kind=Escalation.Kind.STEP, title=title, path=EscalationPath.objects.get(key=path), risk=risk, approvals=2,
            unit=halden.units["finance"], likeness="x", request={}, request_sha256="0" * 64,
        )  # fmt: skip
        row = governance.open_escalation(about, by=ledger.SYSTEM, at=now)
        Escalation.objects.filter(pk=row.pk).update(due_at=now + float(hours) * HOUR)
        return row

    return asked


def waits_for(name: str) -> set[str]:
    """The titles of the questions that wait for this person."""
    person = Principal.objects.get(username=name)
    return set(Escalation.objects.open().for_person(person).values_list("title", flat=True))


def test_who_approved_is_not_asked_again_and_the_others_are(put: Any, sign_in: Any) -> None:
    large = put("Pay EUR 30,000.00")
    assert waits_for("priya") == waits_for("maria") == {"Pay EUR 30,000.00"}

    answer = sign_in("priya").call("post", f"escalations/{large.uid}/approve", {"request_sha256": "0" * 64})

    assert answer.json()["status"] == "open"
    assert waits_for("priya") == set()
    assert waits_for("maria") == waits_for("daniel") == {"Pay EUR 30,000.00"}
    asked = Escalation.objects.asked_of(Principal.objects.get(username="priya"))
    assert [row.title for row in asked] == ["Pay EUR 30,000.00"], "she may still say no"


def test_nothing_waits_for_a_person_who_may_not_decide(put: Any, halden: Any) -> None:
    put("Pay EUR 30,000.00")

    Group.objects.get(name="reviewer").user_set.remove(halden.people["priya"])

    assert waits_for("priya") == set()


@pytest.mark.parametrize(("questions", "order"), [
    ([("later", 2, 9), ("sooner", 2, 1)], ["sooner", "later"]),
    ([("high", 3, 5), ("low", 1, 2)], ["high", "low"]),  # three times the risk may have three times as long
    ([("high", 3, 7), ("low", 1, 2)], ["low", "high"]),
    ([("high", 3, 1), ("late and low", 1, -1)], ["late and low", "high"]),
    ([("late low", 1, -2), ("late high", 3, -1)], ["late high", "late low"]),
    ([("late low", 1, -4), ("late high", 3, -1)], ["late low", "late high"]),
    ([("due now", 1, 0), ("high", 3, Decimal("0.01"))], ["due now", "high"]),
])  # fmt: skip
def test_late_ones_come_first_then_risk_weighs_time(put: Any, now: Any, questions: Any, order: list[str]) -> None:
    for title, risk, hours in questions:
        put(title, risk=risk, hours=hours)

    rows = Escalation.objects.open().most_urgent_first(now)

    assert [row.title for row in rows] == order


def test_the_api_lists_what_is_late_first(put: Any, sign_in: Any) -> None:
    for title, risk, hours in (("high", 3, 3), ("late", 1, -1), ("low", 1, 3)):
        put(title, risk=risk, hours=hours)

    listed = sign_in("daniel").call("get", "escalations").json()["results"]

    assert [row["title"] for row in listed] == ["late", "high", "low"]
