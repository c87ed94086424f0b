"""People sign in, change their password and sign out; who guesses learns nothing and is locked out."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from agents.models import Principal
from tests.conftest import PASSWORD

LIMIT = settings.AXES_FAILURE_LIMIT
CHANGED = "a quite different sentence"


def knock(client: Any, username: str, password: str, **more: Any) -> Any:
    """The answer to one attempt."""
    return client.post("/sign-in", {"username": username, "password": password}, **more)


def signed_in(client: Any) -> bool:
    return "_auth_user_id" in client.session


def test_who_guesses_learns_nothing_about_who_exists(halden: Any, client: Any) -> None:
    Principal.objects.filter(username="lukas").update(is_active=False)

    tried = (
        ("priya", "wrong"),
        ("nobody", "wrong"),
        ("lukas", PASSWORD),
        ("agent:AP-04", "wrong"),
        ("PRIYA", PASSWORD),
    )
    pages = [knock(client, *each) for each in tried]

    said = {page.context["form"].non_field_errors()[0] for page in pages}
    assert {page.status_code for page in pages} == {200}
    assert len(said) == 1
    assert not signed_in(client)


@pytest.mark.parametrize("username", ["priya", "nobody"])
def test_after_too_many_wrong_passwords_the_name_is_locked_for_a_quarter_of_an_hour(
    halden: Any, client: Any, username: str
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        answers = [knock(client, username, "wrong").status_code for _ in range(LIMIT)]
        assert answers == [200] * (LIMIT - 1) + [429]

        for headers in ({}, {"X-Requested-With": "XMLHttpRequest"}):
            locked = knock(client, username, PASSWORD, headers=headers)
            assert locked.status_code == 429
            assert locked.headers["Retry-After"] == "900"
            assert "Sign-in is locked for a while" in locked.content.decode()
            assert username not in locked.content.decode()
        assert not signed_in(client)

        clock.shift(timedelta(minutes=15, seconds=1))
        assert knock(client, username, PASSWORD).status_code == (302 if username == "priya" else 200)


def test_a_lock_holds_for_one_name_at_one_address(halden: Any, client: Any) -> None:
    for _ in range(LIMIT):
        knock(client, "priya", "wrong")

    assert knock(Client(), "sofia", PASSWORD).status_code == 302
    assert knock(Client(REMOTE_ADDR="10.1.2.3"), "priya", PASSWORD).status_code == 302
    assert knock(Client(headers={"X-Forwarded-For": "10.1.2.3"}), "priya", PASSWORD).status_code == 429
    assert knock(Client(), "ｐriya ", PASSWORD).status_code == 429, "another spelling of the same name"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:///evil.example"],
)
def test_signing_in_leads_to_no_other_site(halden: Any, client: Any, target: str) -> None:
    page = client.post("/sign-in", {"username": "priya", "password": PASSWORD, "next": target})

    assert page.headers["Location"] == "/"
    assert client.get("/sign-in", {"next": target}).headers["Location"] == "/", "nor does the page for who is signed in"
    assert client.post("/sign-out", {"next": target}).headers["Location"] == "/signed-out"


def test_signing_in_leads_back_to_where_one_wanted_to_go(halden: Any, client: Any) -> None:
    wanted = client.get("/runs?status=done").headers["Location"]
    given = {"username": "priya", "password": PASSWORD, "next": "/runs?status=done"}

    assert wanted == "/sign-in?next=/runs%3Fstatus%3Ddone"
    assert client.post("/sign-in", given).headers["Location"] == "/runs?status=done"


def test_a_session_from_before_signing_in_is_worth_nothing(halden: Any, client: Any) -> None:
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key

    knock(client, "priya", PASSWORD)

    assert client.session.session_key != planted
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = planted
    assert thief.get("/runs").status_code == 302


def test_a_changed_password_ends_the_sessions_elsewhere(halden: Any) -> None:
    here, elsewhere = Client(), Client()
    for browser in (here, elsewhere):
        knock(browser, "priya", PASSWORD)

    answer = here.post("/password", {"old_password": PASSWORD, "new_password1": CHANGED, "new_password2": CHANGED})

    assert answer.headers["Location"] == "/password/changed"
    assert here.get(answer.headers["Location"]).status_code == 200
    assert elsewhere.get("/runs").status_code == 302
    assert knock(Client(), "priya", PASSWORD).status_code == 200
    assert knock(Client(), "priya", CHANGED).status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again", "field"),
    [
        ("wrong", CHANGED, CHANGED, "old_password"),
        (PASSWORD, "short", "short", "new_password1"),
        (PASSWORD, "password1234", "password1234", "new_password1"),
        (PASSWORD, "priya.nair.1", "priya.nair.1", "new_password1"),
        (PASSWORD, CHANGED, CHANGED + "x", "new_password2"),
        (PASSWORD, "", CHANGED, "new_password1"),
    ],
)
def test_a_weak_or_mistyped_password_is_refused_beside_its_field(
    sign_in: Any, old: str, new: str, again: str, field: str
) -> None:
    priya = sign_in("priya")
    before = Principal.objects.get(username="priya").password

    page = priya.post("/password", {"old_password": old, "new_password1": new, "new_password2": again})

    assert list(page.context["form"].errors) == [field]
    assert f'id="id_{field}"' in page.content.decode()
    assert "aria-invalid" in page.content.decode()
    assert f'value="{new}"' not in page.content.decode(), "a password is never sent back"
    assert Principal.objects.get(username="priya").password == before


def test_signing_out_is_an_act_and_ends_the_session(sign_in: Any) -> None:
    priya = sign_in("priya")
    key = priya.session.session_key

    assert priya.get("/sign-out").status_code == 405
    assert priya.post("/sign-out").headers["Location"] == "/signed-out"

    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key
    assert thief.get("/runs").status_code == 302


def test_pages_are_for_who_is_signed_in(halden: Any, client: Any) -> None:
    for path in ("/", "/settings", "/password", "/password/changed", "/search?q=AP"):
        assert client.get(path).status_code == 302, path
        assert client.get(path).headers["Location"].startswith("/sign-in?next=/")
    assert client.post("/settings", {"single_key_shortcuts": "on"}).status_code == 302
