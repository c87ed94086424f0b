"""An act that loosens something asks again who one is after a while, and goes on with the form as it was sent."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from agents.models import Key
from governance import operations as governance
from governance.models import ControlState, EscalationPath
from observability import ledger
from observability.models import Event
from tests.conftest import PASSWORD

LATER = timedelta(seconds=settings.REAUTHENTICATE_AFTER_SECONDS + 60)


@pytest.fixture
def later() -> Any:
    """A quarter of an hour after everybody signed in."""
    with time_machine.travel(timezone.now(), tick=True) as clock:
        yield lambda: clock.shift(LATER)


@pytest.fixture(autouse=True)
def _clock_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    # The database's clock does not travel; this is the one place that compares it with the time of the sign-in.
    for module in ("agents.views.who", "agents.api.doors", "agents.views.adapters"):
        monkeypatch.setattr(f"{module}.database_now", timezone.now)


def state() -> str:
    return ControlState.objects.get().status


def test_stopping_never_asks_and_going_on_does(sign_in: Any, later: Any) -> None:
    daniel = sign_in("daniel")
    later()

    assert daniel.post("/control", {"state": "paused", "why": "Strange payments."}).headers["Location"] == "/control"
    assert state() == "paused"
    asked = daniel.post("/control", {"state": "normal", "why": "All is well; the bank confirmed it."})
    assert asked.headers["Location"] == "/confirm/password?next=%2Fcontrol"
    assert state() == "paused"
    assert "Is it you?" in daniel.get(asked.headers["Location"]).content.decode()
    wrong = daniel.post(asked.headers["Location"], {"password": "wrong", "next": "/control"})
    assert "This is not your password." in wrong.content.decode()
    done = daniel.post(asked.headers["Location"], {"password": PASSWORD, "next": "/control"})

    assert done.headers["Location"] == "/control"
    assert state() == "normal"
    assert Event.objects.filter(verb="control.changed").latest("pk").why == "All is well; the bank confirmed it."
    assert Event.objects.get(verb="person.confirmed").data["method"] == "password"
    assert Event.objects.filter(verb="person.sign_in_failed", subject_id="daniel").count() == 1


def test_a_code_confirms_as_well(sign_in: Any, later: Any, phone: Any) -> None:
    app, jonas = phone("jonas"), sign_in("jonas")
    later()
    before = Key.objects.count()

    asked = jonas.post("/agents/AP-04/keys").headers["Location"]
    assert "Use a code" in jonas.get(asked).content.decode()
    done = jonas.post("/confirm/code?next=/agents/AP-04/keys", {"code": app.code(), "next": "/agents/AP-04/keys"})

    assert "aos_live_" in done.content.decode(), "the key is shown at once"
    assert Key.objects.count() == before + 1


def test_within_a_quarter_of_an_hour_nobody_is_asked(sign_in: Any) -> None:
    jonas = sign_in("jonas")

    assert jonas.post("/agents/AP-04/keys").status_code == 200


@pytest.mark.parametrize(
    ("username", "path", "body"),
    [
        ("daniel", "policies/finance.invoice-payment/activate", {"version": 1}),
        ("jonas", "workflows/invoice-to-payment/versions/1/restore", {"reason": "A drill."}),
        ("jonas", "people/lukas/disable", {"why": "He left."}),
        ("jonas", "people", {"username": "nina", "name": "Nina", "unit": "finance", "roles": ["member"]}),
    ],
)
def test_a_program_is_told_to_let_its_person_sign_in_again(
    sign_in: Any, later: Any, username: str, path: str, body: Any
) -> None:
    person = sign_in(username)
    later()

    answer = person.call("post", path, body)

    assert (answer.status_code, answer.json()["code"]) == (403, "sign_in_again")


def test_who_is_asked_above_a_soft_limit_is_changed_after_signing_in_again(
    sign_in: Any, later: Any, halden: Any
) -> None:
    terms = governance.BudgetTerms(
        name="Payments of AP-04", scope="agent", about="AP-04", metric="money", period="day",
        hard_limit=Decimal(10_000), soft_limit=Decimal(5_000),
        path=EscalationPath.objects.get(key="finance-approver"), why="A drill.",
    )  # fmt: skip
    budget = governance.open_budget(terms, by=ledger.SYSTEM, at=timezone.now())
    other = EscalationPath.objects.exclude(key="finance-approver").order_by("key")[0]
    ingrid = sign_in("ingrid")
    later()
    read = ingrid.call("get", f"budgets/{budget.uid}")
    change = {"path": other.key, "why": "Others answer faster."}

    refused = ingrid.call("patch", f"budgets/{budget.uid}", change, match=read["ETag"])
    form = {"name": budget.name, "hard_limit": "10000", "soft_limit": "5000", "path": other.key, "edition": "1"}
    page = ingrid.post(f"/budgets/{budget.uid}/edit", {**form, "why": "Others answer faster."})

    assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_again")
    assert page.status_code == 302 and page.url.startswith("/confirm/password"), page.url
    budget.refresh_from_db()
    assert budget.path.key == "finance-approver"
    lower = {"hard_limit": "9000", "why": "Less."}
    assert ingrid.call("patch", f"budgets/{budget.uid}", lower, match=read["ETag"]).status_code == 200


def test_a_kept_form_is_nobody_elses(sign_in: Any, later: Any, halden: Any) -> None:
    daniel = sign_in("daniel")
    later()
    daniel.post("/control", {"state": "paused", "why": "Stop."})
    daniel.post("/control", {"state": "normal", "why": "Go on."})
    daniel.post("/sign-out")

    daniel.post("/sign-in", {"username": "priya", "password": PASSWORD})

    assert "account_reauthentication_state" not in daniel.session
    assert state() == "paused"
