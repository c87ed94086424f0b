"""Who comes, goes or fails is in the ledger, with the way and the address, and never with what was typed."""

import logging
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from observability.models import Event
from tests.conftest import PASSWORD

CANARY = "canary-7f3a-secret"


def told() -> list[tuple[str, str, str]]:
    """(verb, who did it, to whom) of what people did at the door, in order."""
    rows = Event.objects.filter(verb__startswith="person.").exclude(verb="person.admitted").order_by("pk")
    return list(rows.values_list("verb", "actor_id", "subject_id"))


def test_coming_going_and_failing_are_told(halden: Any) -> None:
    client = Client(REMOTE_ADDR="10.1.2.3")
    for username, password in (("priya", "wrong"), ("nobody", "wrong"), ("agent:AP-04", "x"), ("priya", PASSWORD)):
        client.post("/sign-in", {"username": username, "password": password})
    client.post("/sign-out")

    assert told() == [
        ("person.sign_in_failed", "autonomy-os", "priya"),
        ("person.sign_in_failed", "autonomy-os", "unknown"),
        ("person.sign_in_failed", "autonomy-os", "unknown"),
        ("person.signed_in", "priya", "priya"),
        ("person.signed_out", "priya", "priya"),
    ]
    assert {event.data["address"] for event in Event.objects.filter(data__has_key="address")} == {"10.1.2.3"}
    assert Event.objects.get(verb="person.signed_in").unit == str(halden.units["finance"].pk)


@pytest.mark.parametrize("username", ["priya", "nobody"])
def test_a_lock_is_told_once(halden: Any, username: str) -> None:
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT + 3):
        client.post("/sign-in", {"username": username, "password": "wrong"})

    locked = Event.objects.filter(verb="person.locked_out")
    assert [event.subject_id for event in locked] == [{"nobody": "unknown"}.get(username, username)]


def test_a_changed_password_and_ended_sessions_are_told(halden: Any) -> None:
    here, there = Client(), Client(headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"})
    for browser in (here, there):
        browser.post("/sign-in", {"username": "priya", "password": PASSWORD})
    page = here.get("/sessions").content.decode()
    assert "Firefox on Windows" in page
    assert page.count("This one") == 1

    here.post("/sessions")
    assert there.get("/runs").status_code == 302
    assert here.get("/sessions").content.decode().count("This one") == 1
    new = "a quite different sentence"
    here.post("/password", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})

    assert here.get("/sessions").content.decode().count("This one") == 1
    data = dict(Event.objects.filter(actor_id="priya").values_list("verb", "data"))
    assert data["session.ended"] == {"sessions": 1}
    assert data["person.password_changed"] == {"sessions": 0}


def test_one_session_is_ended_and_nobody_elses(halden: Any) -> None:
    here, there, other = Client(), Client(), Client()
    for browser, username in ((here, "priya"), (there, "priya"), (other, "maria")):
        browser.post("/sign-in", {"username": username, "password": PASSWORD})
    mine = {row["pk"] for row in here.get("/sessions").context["rows"] if not row["is_current"]}
    (theirs,) = (row["pk"] for row in other.get("/sessions").context["rows"])

    for wrong in (theirs, "x", 999999, "9" * 30):
        assert here.post("/sessions", {"session": wrong}).status_code == 404
    assert here.post("/sessions", {"session": mine.pop()}).status_code == 302

    assert there.get("/runs").status_code == 302
    assert here.get("/runs").status_code == 200
    assert other.get("/runs").status_code == 200


def test_no_secret_reaches_the_ledger_or_the_log(halden: Any, caplog: Any) -> None:
    client = Client()
    with caplog.at_level(logging.DEBUG):
        client.post("/sign-in", {"username": CANARY, "password": CANARY})
        client.post("/sign-in", {"username": "priya", "password": CANARY})
        client.post("/sign-in", {"username": "priya", "password": PASSWORD})
        client.post("/password", {"old_password": CANARY, "new_password1": CANARY, "new_password2": CANARY})
        client.post("/second-factor/app", {"code": CANARY})
        client.get(f"/invitation/x/{CANARY}")
        client.post(f"/invitation/x/{CANARY}", {"password": CANARY, "again": CANARY})

    events = str(list(Event.objects.values()))
    own = [record.getMessage() for record in caplog.records if not record.name.startswith(("django.db", "axes"))]
    assert CANARY not in events
    assert PASSWORD not in events
    assert [line for line in own if CANARY in line and "/invitation/" not in line] == []
    assert not [line for line in own if PASSWORD in line]
