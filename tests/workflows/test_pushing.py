"""An agent that cannot ask is told at its address that work is ready: signed, with ids only, never inside."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from observability.ledger import database_now
from observability.models import Event
from tests.receivers import Receiver, http_receiver
from tests.workflows.queue import begin, one_step, wrong_in
from workflows.models import Endpoint, Push
from workflows.operations import pushing
from workflows.tasks import push_work


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """Where the agent listens: a host of the company's own network."""
    with http_receiver() as receiver:
        settings.OUTGOING_HOSTS = frozenset({receiver.host})
        yield receiver


def set_address(sign_in: Any, url: str, *, who: str) -> Any:
    return sign_in(who).call("post", "agents/AP-01/endpoint", {"url": url})


def due() -> None:
    """Let time pass for the endpoint."""
    Endpoint.objects.update(due_at=database_now() - timedelta(seconds=1))


def test_work_is_announced_once_signed_and_with_ids_only(
    sign_in: Any, owner: str, halden: Any, now: Any, receiver: Receiver
) -> None:
    secret = set_address(sign_in, receiver.url, who=owner).json()["secret"]
    assert push_work() == 0, "nothing is ready"
    begin(one_step(halden, now, "small"), "secret key of the run")
    due()

    assert push_work() == 1
    due()
    assert push_work() == 0, "it knows"

    (taken,) = receiver.taken
    body = Webhook(secret).verify(taken.body, taken.headers)
    assert (body["type"], body["data"]["agent"], len(body["data"]["steps"])) == ("work.ready", "AP-01", 1)
    assert b"secret key" not in taken.body
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(taken.body + b" ", taken.headers)
    assert Push.objects.get().code == 204


def test_what_is_not_taken_is_tried_again_later_and_later(
    sign_in: Any, owner: str, halden: Any, now: Any, receiver: Receiver
) -> None:
    set_address(sign_in, receiver.url, who=owner)
    begin(one_step(halden, now, "small"), "a")
    receiver.answer = 500

    waits = []
    for _ in range(3):
        due()
        assert push_work() == 0
        waits.append((Endpoint.objects.get().due_at - database_now()).total_seconds())

    assert waits[0] < waits[1] < waits[2]
    assert Event.objects.filter(verb="endpoint.failed").count() == 1
    receiver.answer = 204
    due()
    assert push_work() == 1
    assert Endpoint.objects.get().failures == 0


def test_an_address_that_is_gone_is_used_no_more(
    sign_in: Any, owner: str, halden: Any, now: Any, receiver: Receiver
) -> None:
    set_address(sign_in, receiver.url, who=owner)
    begin(one_step(halden, now, "small"), "a")
    receiver.answer = 410
    due()
    push_work()
    due()
    push_work()

    assert Endpoint.objects.get().status == "disabled"
    assert len(receiver.taken) == 1
    page = sign_in(owner).get("/agents/AP-01?tab=keys").content.decode()
    assert "Answered with 410." in page
    assert set_address(sign_in, receiver.url, who=owner).json()["status"] == "active"


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "https://10.0.0.1/x", "http://example.org/x", "ftp://a/x", "x"])
def test_nothing_is_sent_inside(sign_in: Any, owner: str, url: str) -> None:
    refused = set_address(sign_in, url, who=owner)

    assert (refused.status_code, list(wrong_in(refused))) == (400, ["url"])
    assert not Endpoint.objects.exists()


def test_only_who_may_give_credentials_sets_an_address(sign_in: Any, robot: Any, receiver: Receiver) -> None:
    assert set_address(sign_in, receiver.url, who="priya").status_code == 403
    assert robot("AP-01").call("post", "agents/AP-01/endpoint", {"url": receiver.url}).status_code == 403


def test_a_paused_agent_is_told_nothing(sign_in: Any, owner: str, halden: Any, now: Any, receiver: Receiver) -> None:
    set_address(sign_in, receiver.url, who=owner)
    begin(one_step(halden, now, "small"), "a")
    type(halden.agents["AP-01"]).objects.filter(code="AP-01").update(status="paused")
    due()

    assert push_work() == 0
    assert receiver.taken == []


def test_an_address_is_set_on_the_agents_page_and_its_secret_shown_once(
    sign_in: Any, owner: str, receiver: Receiver
) -> None:
    who = sign_in(owner)
    assert "Set an address" in who.get("/agents/AP-01?tab=keys").content.decode()

    shown = who.post("/agents/AP-01/endpoint", {"url": receiver.url}).content.decode()
    secret = pushing.secret_of(Endpoint.objects.get())

    assert secret in shown
    later = who.get("/agents/AP-01?tab=keys").content.decode()
    assert (secret in later, receiver.url in later) == (False, True)
    wrong = who.post("/agents/AP-01/endpoint", {"url": "http://10.0.0.1"})
    assert wrong.status_code == 400
    assert who.post("/agents/AP-01/endpoint/disable", {"why": "It moves."}).status_code == 302
    assert Endpoint.objects.get().status == "disabled"
    shown_again = who.call("get", "agents/AP-01/endpoint").json()
    assert (shown_again["secret"], shown_again["status"]) == (None, "disabled")
    assert json.loads(who.call("get", "agents/AP-01/endpoint/messages").content)["results"] == []


def test_two_sweeps_at_once_send_one_message(
    sign_in: Any, owner: str, halden: Any, now: Any, receiver: Receiver
) -> None:
    set_address(sign_in, receiver.url, who=owner)
    begin(one_step(halden, now, "small"), "a")
    due()
    at = database_now()

    seen = [list(Endpoint.objects.due(at)) for _ in range(2)]

    assert [pushing._is_taken(rows[0], at) for rows in seen] == [True, False]
