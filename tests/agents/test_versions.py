"""Every change is a version: what changed in words, who and why, and the way back, checked like any other change."""

from typing import Any

import pytest

from agents import operations
from agents.models import Agent, Blueprint, Version
from agents.rules import differences
from observability import ledger
from observability.models import Event

SCOPE = {"Amount": "up to 100 EUR"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"name": "A"}, {"name": "A"}, []),
        ({"name": "A"}, {"name": "B"}, [("Name", "A", "B")]),
        ({"stand_in": None}, {"stand_in": "priya"}, [("Stand-in", "", "priya")]),
        ({"risk_class": 1}, {"risk_class": 3}, [("Risk class", "Low risk", "High risk")]),
        (
            {"autonomy_level": 1}, {"autonomy_level": 2},
            [("Autonomy level", "1: Suggests, a person acts", "2: Acts within limits")],
        ),
        (
            {"actions": []}, {"actions": [{"system": "erp", "action": "pay", "scope": SCOPE}]},
            [("Allowed actions: pay in erp", "", "Amount: up to 100 EUR")],
        ),
        ({"rates": {"run": "1"}}, {"rates": {}}, [("Cost rate: per run", "1", "")]),
        (
            {"hours": {}}, {"hours": {"days": ["mon"], "from": "08:00", "to": "18:00", "zone": "UTC"}},
            [("Working hours", "", "mon, 08:00 to 18:00, UTC")],
        ),
    ],
)  # fmt: skip
def test_differences_are_told_in_words(old: Any, new: Any, told: Any) -> None:
    assert [(each.field, each.before, each.after) for each in differences(old, new)] == told


def change(person: Any, code: str, **changes: Any) -> Any:
    match = person.call("get", f"agents/{code}").headers["ETag"]
    return person.call("patch", f"agents/{code}", {"why": "Because.", **changes}, match=match)


def test_a_change_needs_a_reason_and_is_kept_with_it(sign_in: Any, halden: Any) -> None:
    jonas = sign_in("jonas")

    assert change(jonas, "AP-04", name="Clerk", why="").status_code == 400
    answer = change(jonas, "AP-04", name="Clerk", stand_in="sofia", ends_on=None, why="Priya is away.")
    assert answer.status_code == 200, answer.content

    versions = jonas.call("get", "agents/AP-04/versions").json()["results"]
    assert [(each["number"], each["author"], each["why"]) for each in versions] == [
        (2, "jonas", "Priya is away."), (1, None, "Hired."),
    ]  # fmt: skip
    event = Event.objects.get(verb="agent.changed")
    assert event.why == "Priya is away."
    assert {each["field"] for each in event.data["changes"]} == {"Name", "Stand-in", "Last day"}
    assert halden.agents["AP-04"].principal.__class__.objects.get(username="agent:AP-04").name == "AP-04 Clerk"
    assert sign_in("maria").call("patch", "agents/AP-04", {"why": "x", "name": "y"}, match="*").status_code == 403


def test_a_level_is_earned_and_never_written_or_rolled_back_up(sign_in: Any, halden: Any, now: Any) -> None:
    jonas = sign_in("jonas")
    agent = Agent.objects.get(code="AP-04")

    assert change(jonas, "AP-04", autonomy_level=3).json()["errors"][0]["field"] == "autonomy_level"
    assert change(jonas, "AP-04", autonomy_level=1, name="Clerk").status_code == 200
    operations.roll_back_agent(agent, 1, by=halden.people["jonas"], at=now, why="The name was better.")

    agent.refresh_from_db()
    assert (agent.name, agent.autonomy_level) == ("Payments clerk", 1)
    assert Version.objects.of(agent).count() == 3


def test_an_old_version_is_checked_like_a_new_change(sign_in: Any, halden: Any, now: Any) -> None:
    jonas, agent = halden.people["jonas"], Agent.objects.get(code="AP-04")
    change(sign_in("jonas"), "AP-04", accountable="daniel", stand_in=None)
    halden.people["maria"].is_active = False
    halden.people["maria"].save(update_fields=["is_active"])

    with pytest.raises(ledger.Invalid) as wrong:
        operations.roll_back_agent(agent, 1, by=jonas, at=now, why="Back.")
    assert set(wrong.value.fields) == {"accountable"}
    with pytest.raises(ledger.NotFound):
        operations.roll_back_agent(agent, 9, by=jonas, at=now, why="Back.")
    with pytest.raises(operations.NothingChanged):
        operations.roll_back_agent(agent, 2, by=jonas, at=now, why="Back.")


def test_a_row_without_versions_keeps_how_it_stood_before_its_first_change(halden: Any, now: Any) -> None:
    blueprint = Blueprint.objects.get(code="payments-clerk")
    Version.objects.all().delete()

    operations.change_blueprint(blueprint, {"name": "Payer"}, by=halden.people["jonas"], at=now, why="Shorter.")
    operations.roll_back_blueprint(blueprint, 1, by=halden.people["jonas"], at=now, why="Longer.")

    assert [version.number for version in Version.objects.of(blueprint)] == [3, 2, 1]
    assert Blueprint.objects.get(code="payments-clerk").name == "Payments clerk"


def test_an_agent_in_review_or_retired_is_not_changed(sign_in: Any, halden: Any, now: Any) -> None:
    jonas = sign_in("jonas")
    operations.submit(halden.agents["VO-01"], by=halden.people["jonas"], at=now)
    operations.retire(halden.agents["CS-02"], by=halden.people["jonas"], at=now, why="Closed.")

    for code in ("VO-01", "CS-02"):
        assert change(jonas, code, name="Other").json()["code"] == "wrong_status"
    assert change(jonas, "AP-04", secret="x").status_code == 400


def test_moving_to_another_unit_moves_the_account_and_what_it_sees(halden: Any, now: Any) -> None:
    Blueprint.objects.filter(code="reply-drafter").update(unit=halden.units["halden"])
    agent = Agent.objects.get(code="CS-02")

    operations.change_agent(agent, {"unit": "finance"}, by=halden.people["jonas"], at=now, why="Moves.")

    account = Agent.objects.get(code="CS-02").principal
    assert account.unit == halden.units["finance"]
    assert account.unit_ids() == [halden.units["finance"].pk]
