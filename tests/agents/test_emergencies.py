"""The emergency account: opened at the console for a while, loud, closed by itself, reviewed by council or risk."""

import logging
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from agents import operations
from agents.models import BreakGlass, Principal
from observability import ledger
from observability.models import Event
from tests.agents.conftest import Phone

REVIEW = "The provider of our sign-in was down; only the pause was lifted, which was right."


def open_it(**more: Any) -> tuple[str, Phone, str]:
    """(password, phone, everything printed) of a new use."""
    out = StringIO()
    call_command("break_glass", "open", reason="The sign-in service is down.", stdout=out, **more)
    said = out.getvalue()
    password, key = re.search(r"password  (\S+)", said), re.search(r"key       (\S+)", said)
    assert password and key
    return password[1], Phone(key[1]), said


def come_in(password: str, phone: Phone) -> Client:
    client = Client()
    client.post("/sign-in", {"username": "break-glass", "password": password})
    client.post("/sign-in/code", {"code": phone.code()})
    return client


def test_it_opens_with_password_and_code_and_everybody_concerned_sees_it(
    halden: Any, sign_in: Any, caplog: Any, settings: Any
) -> None:
    settings.BREAK_GLASS_EMAILS = ["risk@halden.example"]
    with caplog.at_level(logging.CRITICAL):
        password, phone, said = open_it()
    account = come_in(password, phone)

    assert account.get("/control").status_code == 200
    assert account.post("/control", {"state": "paused", "why": "Emergency."}).status_code == 302
    assert "people/lukas" in account.get("/people").content.decode()
    for name, hears in (("ingrid", True), ("daniel", True), ("jonas", True), ("maria", False), ("edith", False)):
        page = sign_in(name).get("/runs").content.decode()
        assert ("The emergency account is open until" in page) is hears, name
    assert "The sign-in service is down." in caplog.text
    assert mail.outbox[0].to == ["risk@halden.example"]
    opened = Event.objects.get(verb="break_glass.opened")
    assert opened.why == "The sign-in service is down."
    assert Event.objects.filter(actor_id="break-glass").values_list("verb", flat=True)[:2] is not None
    assert set(Event.objects.filter(actor_id="break-glass").values_list("verb", flat=True)) == {
        "person.signed_in", "control.changed",
    }  # fmt: skip
    told = caplog.text + str(list(Event.objects.values())) + str(mail.outbox[0].message())
    assert password not in told
    assert phone.secret not in told
    assert said.count(password) == 1


def test_it_closes_by_itself_and_its_sessions_with_it(halden: Any, now: Any) -> None:
    password, phone, _ = open_it(minutes=30)
    account = come_in(password, phone)
    assert 0 < account.session.get_expiry_age() <= 1800

    assert operations.end_overdue(at=now + timedelta(minutes=29)) == 0
    assert operations.end_overdue(at=now + timedelta(minutes=31)) == 1

    assert account.get("/control").status_code == 302
    assert come_in(password, phone).get("/control").status_code == 302
    assert Event.objects.get(verb="break_glass.closed").after == "expired"


def test_it_is_closed_at_its_time_also_while_the_worker_stands_still(halden: Any) -> None:
    password, phone, _ = open_it()
    BreakGlass.objects.update(expires_at=BreakGlass.objects.get().armed_at)

    assert come_in(password, phone).get("/control").status_code == 302
    assert Event.objects.filter(verb="person.sign_in_failed", data__reason="the emergency account is closed").exists()


def test_its_use_waits_for_a_review_by_council_or_risk(halden: Any, sign_in: Any, now: Any) -> None:
    password, phone, _ = open_it()
    ingrid, daniel, jonas = (sign_in(name) for name in ("ingrid", "daniel", "jonas"))
    account = come_in(password, phone)
    use = BreakGlass.objects.get()
    form = {"use": str(use.uid), "review": REVIEW}

    assert account.post("/people/emergencies", {"use": str(use.uid), "close": "1"}).status_code == 302
    assert account.get("/control").status_code == 302, "it may end itself"
    assert "waits for its review" in ingrid.get("/runs").content.decode()
    assert jonas.post("/people/emergencies", form).status_code == 403
    assert daniel.post("/people/emergencies", {**form, "review": "ok"}).status_code == 400
    assert daniel.post("/people/emergencies", form).status_code == 302

    assert "waits for its review" not in ingrid.get("/runs").content.decode()
    assert daniel.post("/people/emergencies", form).status_code == 409
    use.refresh_from_db()
    assert (use.status, use.reviewed_by, use.review) == ("reviewed", halden.people["daniel"], REVIEW)
    assert Event.objects.get(verb="break_glass.reviewed").actor_id == "daniel"
    assert sign_in("maria").get("/people/emergencies").status_code == 404
    for wrong in ("", "x", "0197a3a0-0000-7000-8000-000000000000"):
        assert daniel.post("/people/emergencies", {**form, "use": wrong}).status_code == 404


def test_a_second_opening_has_a_review_of_its_own(halden: Any, now: Any) -> None:
    first, _, _ = open_it()
    with pytest.raises(CommandError, match="open already"):
        open_it()
    operations.end_overdue(at=now + timedelta(hours=2))

    second, phone, _ = open_it()

    assert come_in(second, phone).get("/control").status_code == 200
    assert come_in(first, phone).get("/control").status_code == 302
    assert BreakGlass.objects.unreviewed().count() == 2


@pytest.mark.parametrize(
    "given", [{"reason": " "}, {"reason": "Why not?", "minutes": 0}, {"reason": "x", "minutes": 241}]
)
def test_it_does_not_open_without_a_reason_or_for_a_day(halden: Any, given: Any) -> None:
    with pytest.raises(CommandError, match="was not opened"):
        call_command("break_glass", "open", **{"minutes": 60, **given})
    assert not Principal.objects.filter(username="break-glass").exists()


def test_the_emergency_account_does_not_count_as_somebody_who_remains(halden: Any, sign_in: Any, now: Any) -> None:
    open_it()
    refused = sign_in("ingrid").post("/people/jonas/disable", {"why": "He left."})
    assert refused.status_code == 409

    with pytest.raises(ledger.NotAllowed):
        operations.close_break_glass(BreakGlass.objects.get(), by=halden.people["maria"], at=now, why="")
