"""Council, IT and risk set up a second factor before anything else; whoever has one shows it at each sign-in."""

import json
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client

from agents.models import Principal
from observability.models import Event
from tests.agents.conftest import Phone
from tests.conftest import PASSWORD, let_in

ELSEWHERE = ("/", "/runs", "/control", "/people", "/settings", "/audit", "/live/events?after=0", "/search?q=a")


def type_password(username: str) -> Client:
    """A browser in which somebody has typed name and password."""
    client = Client()
    client.post("/sign-in", {"username": username, "password": PASSWORD})
    return client


def secret_on(page: Any) -> str:
    """The key that the page shows for the authenticator app."""
    found = re.search(r'id="totp-secret"[^>]*value="([A-Z2-7]+)"', page.content.decode())
    assert found
    return found[1]


@pytest.mark.parametrize("username", ["ingrid", "jonas", "daniel"])
def test_council_it_and_risk_can_do_nothing_before_they_have_a_second_factor(halden: Any, username: str) -> None:
    client = type_password(username)

    for path in ELSEWHERE:
        assert client.get(path).headers["Location"] == "/second-factor", path
    assert client.post("/control", {"state": "paused", "why": "x"}).headers["Location"] == "/second-factor"
    refused = client.get("/api/v1/runs")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")


@pytest.mark.parametrize("username", ["maria", "priya", "sofia", "edith"])
def test_others_come_in_with_their_password(halden: Any, username: str) -> None:
    client = type_password(username)

    assert client.get("/runs").status_code == 200
    assert client.get("/api/v1/runs").status_code == 200


def test_setting_up_an_app_opens_everything_and_is_in_the_ledger(halden: Any) -> None:
    ingrid = type_password("ingrid")
    page = ingrid.get("/second-factor/app")
    phone = Phone(secret_on(page))

    wrong = ingrid.post("/second-factor/app", {"code": "000000"})
    kept = ingrid.post("/second-factor/app", {"code": phone.code()})

    assert "This code is not right" in wrong.content.decode()
    assert phone.secret in wrong.content.decode(), "the picture that was scanned still holds"
    assert kept.headers["Location"] == "/second-factor/codes"
    codes = re.findall(r"<li>(\d{8})</li>", ingrid.get("/second-factor/codes").content.decode())
    assert len(codes) == 10
    assert ingrid.get("/runs").status_code == 200
    event = Event.objects.get(verb="person.second_factor_added")
    assert (event.actor_id, event.subject_id, event.data) == ("ingrid", "ingrid", {"kind": "code"})


def test_at_the_next_sign_in_the_code_is_asked_for(halden: Any, phone: Any) -> None:
    app = phone("daniel")
    daniel = Client()

    typed = daniel.post("/sign-in", {"username": "daniel", "password": PASSWORD, "next": "/control"})
    assert typed.headers["Location"] == "/sign-in/code"
    assert daniel.get("/runs").headers["Location"].startswith("/sign-in")
    assert daniel.post("/sign-in/code", {"code": "123"}).status_code == 200
    shown = daniel.post("/sign-in/code", {"code": app.code()})

    assert shown.headers["Location"] == "/control"
    assert daniel.get("/control").status_code == 200
    event = Event.objects.get(verb="person.signed_in")
    assert event.data == {"method": "password, code", "address": "127.0.0.1"}
    failed = Event.objects.get(verb="person.sign_in_failed")
    assert (failed.subject_id, failed.data["method"]) == ("daniel", "code")


def test_a_code_works_once_and_a_recovery_code_too(halden: Any, phone: Any) -> None:
    app = phone("priya")
    code = app.code()
    first, second = type_password("priya"), type_password("priya")

    assert first.post("/sign-in/code", {"code": code}).status_code == 302
    assert second.post("/sign-in/code", {"code": code}).status_code == 200, "somebody looked over her shoulder"
    first.post("/second-factor/codes/new")
    (recovery,) = re.findall(r"<li>(\d{8})</li>", first.get("/second-factor/codes").content.decode())[:1]
    assert second.post("/sign-in/code", {"code": recovery}).status_code == 302
    assert type_password("priya").post("/sign-in/code", {"code": recovery}).status_code == 200


def test_guessing_codes_is_stopped_for_the_person_and_for_nobody_else(halden: Any, phone: Any) -> None:
    app, other = phone("daniel"), phone("ingrid")
    daniel = type_password("daniel")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        page = daniel.post("/sign-in/code", {"code": "000000"})
        assert "not right" in page.content.decode()

    page = daniel.post("/sign-in/code", {"code": app.code()})

    assert "too many wrong codes" in page.content.decode()
    assert type_password("daniel").post("/sign-in/code", {"code": app.code()}).status_code == 200
    assert type_password("ingrid").post("/sign-in/code", {"code": other.code()}).status_code == 302


def test_the_last_factor_of_who_needs_one_stays(halden: Any, phone: Any, sign_in: Any) -> None:
    phone("ingrid"), phone("priya")
    ingrid, priya = sign_in("ingrid"), sign_in("priya")

    assert "Your role needs a second factor" in ingrid.post("/second-factor/app/remove").content.decode()
    assert priya.post("/second-factor/app/remove").status_code == 302
    assert list(Authenticator.objects.values_list("user__username", flat=True)) == ["ingrid"]
    assert Event.objects.get(verb="person.second_factor_removed").actor_id == "priya"


def test_the_secret_is_stored_encrypted_and_stands_in_no_event(halden: Any, phone: Any) -> None:
    app = phone("ingrid")
    client = type_password("ingrid")
    client.post("/sign-in/code", {"code": app.code()})

    told = json.dumps([list(Authenticator.objects.values_list("data", flat=True)), list(Event.objects.values("data"))])
    assert app.secret not in told
    assert app.code() not in told


def test_a_person_disabled_between_password_and_code_does_not_come_in(halden: Any, phone: Any) -> None:
    app = phone("lukas")
    lukas = type_password("lukas")
    Principal.objects.filter(username="lukas").update(is_active=False)

    assert lukas.post("/sign-in/code", {"code": app.code()}).status_code == 403
    assert lukas.get("/runs").status_code == 302


def test_a_session_from_before_second_factors_sets_one_up_too(halden: Any) -> None:
    old = Client()
    old.force_login(Principal.objects.get(username="jonas"), backend="agents.views.PeopleBackend")

    assert old.get("/runs").headers["Location"] == "/second-factor"


def test_the_state_of_the_factor_costs_no_statement(halden: Any, django_assert_num_queries: Any) -> None:
    ingrid, maria = Client(), Client()
    let_in(ingrid, "ingrid"), let_in(maria, "maria", "password")
    maria.get("/password")

    with django_assert_num_queries(2):  # session, person
        ingrid.post("/settings-nothing")
    with django_assert_num_queries(2):
        maria.post("/settings-nothing")


def test_an_agents_account_has_no_way_in(halden: Any) -> None:
    account = halden.agents["AP-04"].principal
    account.set_password(PASSWORD)
    account.save(update_fields=["password"])
    client = Client()

    assert client.post("/sign-in", {"username": account.username, "password": PASSWORD}).status_code == 200
    client.force_login(account, backend="agents.views.PeopleBackend")
    for path in ("/", "/second-factor", "/second-factor/app", "/second-factor/passkeys/add", "/sessions", "/people"):
        assert client.get(path).status_code == 302, path
        assert client.get(path).headers["Location"].startswith("/sign-in"), path
    assert not Authenticator.objects.exists()
