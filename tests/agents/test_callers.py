"""Every event tells how its actor came in: credential, address, version, trace, and for whom."""

import csv
import hashlib
import ipaddress
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from agents.api.authentication import caller_of
from agents.models import Key
from agents.rules import client_address
from governance.models import Escalation
from observability import ledger
from observability.models import Event

AT = datetime(2026, 11, 22, tzinfo=UTC)


def test_an_agents_key_and_address_stand_in_each_of_its_events(bring: Any, halden: Any) -> None:
    bring()

    prefix = {code: Key.objects.get(agent__code=code).prefix for code in ("AP-01", "AP-02", "RK-01")}
    for event in Event.objects.filter(actor_kind="agent"):
        assert event.credential == f"key:{prefix[event.actor_id]}", event.verb
        assert event.address == "127.0.0.1"
        assert event.on_behalf_of == []


def test_a_persons_session_is_told_by_a_digest(bring: Any, sign_in: Any) -> None:
    bring(findings=1)
    priya, asked = sign_in("priya"), Escalation.objects.get()

    body = {"request_sha256": asked.request_sha256}
    assert priya.call("post", f"escalations/{asked.uid}/approve", body).status_code == 200

    event = Event.objects.get(verb="escalation.approved")
    digest = hashlib.sha256(priya.session.session_key.encode()).hexdigest()
    assert (event.credential, event.address) == (f"session:{digest[:16]}", "127.0.0.1")


def test_a_page_tells_it_as_the_api_does(sign_in: Any) -> None:
    sign_in("maria").post("/agents/AP-04/pause", {"why": "Odd payments"})

    assert Event.objects.get(verb="agent.paused").credential.startswith("session:")


def test_what_the_system_does_came_in_by_no_door(halden: Any) -> None:
    told = Event.objects.filter(actor_kind="system").values_list("credential", "address", "trace").distinct()

    assert list(told) == [("", "", "")]


@pytest.mark.parametrize(
    ("remote", "forwarded", "proxies", "address"),
    [
        ("203.0.113.9", "", [], "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", [], "203.0.113.9"),  # nobody is trusted: the header is anybody's word
        ("10.0.0.1", "198.51.100.1", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, nonsense", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", "", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", ["10.0.0.0/8"], "10.0.0.3"),
        ("::1", "2001:db8::7", ["::1/128"], "2001:db8::7"),
        ("fe80::1%eth0", "", [], "fe80::1"),
        ("", "198.51.100.1", ["10.0.0.0/8"], ""),
        ("unix:", "", [], ""),
    ],
)  # fmt: skip
def test_the_address_is_the_first_that_no_trusted_proxy_has(
    remote: str, forwarded: str, proxies: list[str], address: str
) -> None:
    assert client_address(remote, forwarded, [ipaddress.ip_network(each) for each in proxies]) == address


def test_a_forwarded_address_is_believed_from_a_trusted_proxy_only(robot: Any, settings: Any) -> None:
    clerk = robot("AP-01")
    told = []
    for trusted in ([], [ipaddress.ip_network("127.0.0.1")]):
        settings.TRUSTED_PROXIES = trusted
        clerk.defaults["HTTP_X_FORWARDED_FOR"] = "198.51.100.1"
        body = {"workflow": "invoice-to-payment", "key": str(trusted), "input": {"document": "1.xml"}}
        assert clerk.call("post", "runs", body).status_code == 201
        told.append(Event.objects.filter(verb="run.started").latest("pk").address)

    assert told == ["127.0.0.1", "198.51.100.1"]


def test_the_trace_of_the_request_is_recorded(halden: Any, rf: Any, now: Any) -> None:
    request = rf.get("/")
    request.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    actor = ledger.Actor("person", "maria", "Maria", caller_of(request))

    assert ledger.record("run.started", halden.agents["AP-04"], by=actor, at=now).trace == request.trace_id


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [{"credential": "x"}, {"address": "x"}, {"on_behalf_of": [1]}, {"actor_version": "9"}, {"trace": "x"}]
)
def test_the_database_refuses_to_change_how_an_actor_came_in(change: dict[str, Any]) -> None:
    event = Event.objects.create(at=AT, verb="run.started", actor_kind="system", actor_id="x", actor_name="X",
                                 subject_kind="run", subject_id="1", subject_name="R")  # fmt: skip

    with pytest.raises(DatabaseError), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(**change)


def test_recording_stays_one_statement(halden: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]
    agent.caller = ledger.Caller("key:1", "127.0.0.1", ({"kind": "person", "id": "maria", "name": "Maria"},), "3", "t")

    with CaptureQueriesContext(connection) as asked:
        ledger.record("run.started", agent, by=agent, at=now)

    assert len(asked) == 1


def test_sockets_and_lists_say_nothing_of_it(bring: Any, sign_in: Any) -> None:
    bring()
    while ledger.seal():
        pass

    (first, *_) = sign_in("edith").call("get", "events").json()["results"]

    assert not {"credential", "address", "on_behalf_of", "actor_version", "trace"} & set(first)


@pytest.mark.parametrize(("who", "sees"), [("edith", True), ("maria", False)])
def test_the_audit_trail_shows_it_and_the_address_to_those_who_read_all_of_it(
    bring: Any, sign_in: Any, who: str, sees: bool
) -> None:
    bring()
    event, reader = Event.objects.get(verb="run.started"), sign_in(who)

    page = reader.get(f"/audit?entry={event.uid}").content.decode()
    entry = reader.call("get", f"events/{event.uid}").json()

    assert event.credential in page
    assert ("127.0.0.1" in page) is sees
    assert entry["credential"] == event.credential
    assert (entry["address"] == "127.0.0.1") is sees


def test_an_event_of_another_unit_is_not_found(bring: Any, sign_in: Any) -> None:
    bring()
    event = Event.objects.get(verb="run.started")

    assert sign_in("tomasz").call("get", f"events/{event.uid}").status_code == 404


@pytest.mark.parametrize(("who", "sees"), [("edith", True), ("maria", False)])
def test_the_export_has_it_and_the_address_for_those_who_read_all_of_it(
    bring: Any, sign_in: Any, who: str, sees: bool
) -> None:
    bring()

    answer = sign_in(who).get("/audit/export.csv")
    rows = list(csv.DictReader(StringIO(b"".join(answer).decode())))

    assert any(row["credential"].startswith("key:") for row in rows)
    assert ("address" in rows[0]) is sees
