"""Hooks: another system's signed call begins a run or becomes a message, once; everything else is turned away."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client, override_settings
from standardwebhooks.webhooks import Webhook

from observability.models import Event
from tests.workflows.small_drawings import RECEIVES, agent, line
from workflows import operations
from workflows.models import Hook, HookCall, Message, Run

BEGINS = (
    '<startEvent id="start"><extensionElements><aos:input name="order" type="string"/></extensionElements>'
    "</startEvent>" + agent("read") + '<endEvent id="end" name="Read"/>' + line("start", "read", "end")
)


class Sender:
    """Another system with the secret of its hook."""

    def __init__(self, path: str, secret: str) -> None:
        self.path, self.secret, self.client = path, secret, Client()

    def headers(self, body: bytes, number: str, at: datetime | None = None) -> dict[str, str]:
        at = at or datetime.now(UTC)
        signature = Webhook(self.secret).sign(number, at, body.decode())
        stamp = str(int(at.timestamp()))
        return {"webhook-id": number, "webhook-timestamp": stamp, "webhook-signature": signature}

    def call(self, body: Any, number: str = "msg-1", *, headers: Any = None) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = self.headers(raw, number) if headers is None else headers
        return self.client.post(self.path, raw, content_type="application/json", headers=given)


@pytest.fixture
def opened(drawn: Any, may_start: Any, sign_in: Any) -> Any:
    """`opened(elements, message=..., key_path=...)` publishes a workflow and opens an address, by Maria or `by`."""

    def sender(elements: str, *, by: str = "maria", **way: str) -> Sender:
        may_start(by, drawn("outside", elements).workflow)
        body = {"workflow": "outside", "name": "Warehouse", **way}
        answer = sign_in(by).call("post", "hooks", body, key="open it")
        assert answer.status_code == 201, answer.content
        again = sign_in(by).call("post", "hooks", body, key="open it")
        assert again.json()["secret"] is None, "it is shown only once"
        return Sender(answer.json()["path"], answer.json()["secret"])

    return sender


def test_a_signed_call_begins_a_run_and_the_same_call_again_does_nothing(opened: Any) -> None:
    sender = opened(BEGINS, key_path="purchase.number")
    body = {"order": "PO-1", "purchase": {"number": 4711}, "noise": [1, 2]}

    first, again = sender.call(body), sender.call(body)

    run = Run.objects.get()
    assert (first.status_code, first.json()["run"]) == (202, str(run.uid))
    assert (again.status_code, again.json()) == (202, first.json())
    assert (run.key, run.variables["input"]) == ("4711", {"order": "PO-1"})
    assert HookCall.objects.count() == 1


def test_a_signed_call_becomes_a_message(opened: Any, sign_in: Any) -> None:
    sender = opened(RECEIVES, message="Goods received", key_path="order")
    body = {"workflow": "outside", "key": "1", "input": {"order": "PO-1"}}
    run = sign_in("maria").call("post", "runs", body).json()["id"]

    assert sender.call({"order": "PO-1", "pallets": 2}).json()["run"] == run
    assert Run.objects.get().variables["goods"] == {"pallets": 2}


@pytest.mark.parametrize("attack", ["unsigned", "forged", "altered", "old", "from the future", "renumbered"])
def test_what_is_not_signed_by_the_secret_now_is_turned_away_and_recorded(attack: str, opened: Any) -> None:
    sender = opened(BEGINS)
    body, now = json.dumps({"order": "PO-1"}).encode(), datetime.now(UTC)
    good = sender.headers(body, "msg-1")
    headers, sent = {
        "unsigned": ({}, body),
        "forged": ({**good, "webhook-signature": "v1,AAAA"}, body),
        "altered": (good, body.replace(b"PO-1", b"PO-2")),
        "old": (sender.headers(body, "msg-1", now - timedelta(minutes=6)), body),
        "from the future": (sender.headers(body, "msg-1", now + timedelta(minutes=6)), body),
        "renumbered": ({**good, "webhook-id": "msg-2"}, body),
    }[attack]

    answer = sender.call(sent, headers=headers)

    assert answer.status_code == 401
    assert not Run.objects.exists() and not Message.objects.exists()
    assert Event.objects.filter(verb="hook.refused").count() == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"1", b"[" * 100_000])
def test_a_signed_call_without_an_object_is_refused(body: bytes, opened: Any) -> None:
    assert opened(BEGINS).call(body).status_code == 400
    assert not HookCall.objects.exists()


@pytest.mark.parametrize(
    "odd", ["NaN", "1e999", "-Infinity", r'"a\u0000b"', r'"\ud800"', r'{"a\u0000b": [1]}', "9" * 5000]
)
def test_what_no_database_keeps_is_refused_by_name_and_may_come_again_without_it(odd: str, opened: Any) -> None:
    sender = opened(BEGINS, key_path="order")

    answer = sender.call(f'{{"order": "PO-1", "more": [{odd}]}}'.encode())

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["body"])
    assert not HookCall.objects.exists() and not Message.objects.exists()
    assert sender.call({"order": "PO-1"}).status_code == 202


def test_a_key_that_no_database_keeps_is_refused(opened: Any) -> None:
    answer = opened(BEGINS, key_path="order").call(rb'{"order": "\udfff"}')

    assert answer.status_code == 400
    assert not Run.objects.exists()


def test_a_call_without_its_key_is_refused_and_may_come_again_with_it(opened: Any) -> None:
    sender = opened(BEGINS, key_path="purchase.number")

    assert "purchase.number" in sender.call({"order": "PO-1"}).json()["fields"]["body"]
    assert sender.call({"order": "PO-1", "purchase": {"number": "7"}}).status_code == 202


@override_settings(HOOK_BODY_BYTES=100)
def test_a_body_that_is_too_large_is_refused_before_it_is_read(opened: Any) -> None:
    assert opened(BEGINS).call({"order": "x" * 100}).status_code == 413


def test_a_revoked_address_is_not_found(opened: Any, sign_in: Any) -> None:
    sender = opened(BEGINS)
    hook = Hook.objects.get()

    answer = sign_in("maria").call("post", f"hooks/{hook.uid}/revoke", {"why": "The secret leaked."})

    assert (answer.status_code, answer.json()["status"]) == (200, "revoked")
    assert sender.call({"order": "PO-1"}).status_code == 404


def test_a_start_that_comes_while_work_is_paused_is_kept(opened: Any, council: Any) -> None:
    sender = opened(BEGINS)
    council("paused", "outside")

    answer = sender.call({"order": "PO-1"})
    assert (answer.status_code, answer.json()["run"]) == (202, None)

    council("normal", "outside")
    message = Message.objects.get()
    assert operations.deliver(message, at=message.due_at)
    assert Run.objects.get().variables["input"] == {"order": "PO-1"}


def test_only_who_may_publish_opens_an_address(drawn: Any, may_start: Any, sign_in: Any) -> None:
    may_start("maria", drawn("outside", BEGINS).workflow, "view_workflow", "start_workflow")

    answer = sign_in("maria").call("post", "hooks", {"workflow": "outside", "name": "Warehouse"})

    assert answer.status_code == 403
    assert not Hook.objects.exists()


def test_calls_are_turned_away_once_who_opened_the_address_may_start_no_runs(
    opened: Any, may_no_longer: Any, may_start: Any, sign_in: Any
) -> None:
    sender = opened(BEGINS, by="priya")
    may_no_longer("priya")

    answer = sender.call({"order": "PO-1"})

    assert (answer.status_code, answer.json()["code"]) == (403, "nobody_answers")
    assert not Run.objects.exists() and not HookCall.objects.exists()
    assert Event.objects.filter(verb="hook.refused", why__startswith="Who opened this address").exists()
    page = sign_in("maria").get("/workflows/outside/beginnings").content.decode()
    assert "Calls are turned away: Priya" in page
    may_start("priya", Hook.objects.get().workflow, "start_workflow")
    assert sender.call({"order": "PO-1"}).status_code == 202, "the same call may come again"
