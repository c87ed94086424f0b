"""Callbacks: what became of an access request is told where the agent wants it, signed, once, and never inside."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from governance import operations, tasks
from governance.models import Callback, CallbackAttempt, Escalation
from governance.operations.callbacks import deliver_callback, read_callback, take_callbacks
from governance.rules.retrying import next_try
from observability import ledger
from observability.models import Event
from tests.governance.authzen import asked, get, post, said
from tests.receivers import Receiver, http_receiver
from workflows import operations as workflows


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """Where the agent listens: a host of the company's own network."""
    with http_receiver() as receiver:
        settings.OUTGOING_HOSTS = frozenset({receiver.host})
        yield receiver


@pytest.fixture
def clerk(robot: Any) -> Any:
    return robot("AP-04")


def request_of(clerk: Any, **callback: Any) -> Any:
    """The answer to an access request that wants to be told."""
    body = {**asked(), "denial": {"evaluation_id": said(clerk, asked())["context"]["evaluation_id"]}}
    return post(clerk, "requests", {**body, "callback": callback}, Idempotency_Key=str(uuid.uuid4()))


def task(clerk: Any, **callback: Any) -> dict[str, Any]:
    answer = request_of(clerk, **callback)
    assert answer.status_code == 201, answer.content
    told: dict[str, Any] = answer.json()["task"]
    return told


def settle(sign_in: Any, about: Any, how: str) -> None:
    sha = Escalation.objects.get(uid=about["id"]).request_sha256
    body = {"request_sha256": sha, "reason": "Looked at it."}
    assert sign_in("priya").call("post", f"escalations/{about['id']}/{how}", body).status_code == 200


def later(**time: float) -> None:
    """Let time pass for the callbacks."""
    Callback.objects.update(due_at=ledger.database_now() - timedelta(seconds=1))
    if time:
        Escalation.objects.update(settled_at=ledger.database_now() - timedelta(**time))


def test_an_agent_is_told_what_became_of_its_request_and_can_check_who_says_so(
    clerk: Any, sign_in: Any, receiver: Receiver, client: Any
) -> None:
    about = task(clerk, endpoint=receiver.url, state="invoice 2026-1187")
    assert tasks.deliver_callbacks() == 0, "nobody has decided"
    settle(sign_in, about, "approve")

    assert (tasks.deliver_callbacks(), tasks.deliver_callbacks()) == (1, 0)

    (taken,) = receiver.taken
    told = json.loads(taken.body)
    assert told == {**get(clerk, f"requests/{about['id']}").json(), "state": "invoice 2026-1187"}
    assert told["task"]["status"] == "approved"
    protected, signature = taken.headers["JWS-Signature"].split("..")
    keys = KeySet.import_key_set(client.get("/oauth/jwks").json())
    jws.deserialize_compact(f"{protected}..{signature}", keys, algorithms=["ES256"], payload=taken.body)
    assert Event.objects.get(verb="callback.delivered").unit == str(Escalation.objects.get().unit_id)
    assert taken.headers["Callback-Id"] == str(Callback.objects.get().uid)


@pytest.mark.parametrize("events", [[], ["denied"]])
def test_an_answer_that_can_be_undone_is_not_told_before_it_takes_effect(
    events: list[str], clerk: Any, sign_in: Any, receiver: Receiver
) -> None:
    about = task(clerk, endpoint=receiver.url, events=events)
    sha = Escalation.objects.get().request_sha256
    body = {"request_sha256": sha, "reason": "No.", "undo_seconds": 10}
    assert sign_in("priya").call("post", f"escalations/{about['id']}/reject", body).status_code == 200
    assert (tasks.deliver_callbacks(), Callback.objects.get().status, receiver.taken) == (0, "waiting", [])

    workflows.take_effect(Escalation.objects.get(), at=ledger.database_now() + timedelta(seconds=11))

    assert tasks.deliver_callbacks() == 1
    assert json.loads(receiver.taken[0].body)["task"]["status"] == "denied"


@pytest.mark.parametrize(("end", "status"), [("reject", "denied"), ("cancel", "cancelled"), ("expire", "expired")])
def test_every_end_is_told(clerk: Any, sign_in: Any, receiver: Receiver, now: Any, end: str, status: str) -> None:
    about = task(clerk, endpoint=receiver.url)
    if end == "reject":
        settle(sign_in, about, end)
    elif end == "cancel":
        post(clerk, f"requests/{about['id']}/cancel", {}, Idempotency_Key="c")
    else:
        while not operations.expire(Escalation.objects.get(), at=now):
            pass

    tasks.deliver_callbacks()

    told = json.loads(receiver.taken[0].body)
    assert (told["task"]["status"], "state" in told) == (status, False)


def test_an_end_that_is_not_asked_for_is_not_told(clerk: Any, sign_in: Any, receiver: Receiver) -> None:
    about = task(clerk, endpoint=receiver.url, events=["denied", "expired"])
    settle(sign_in, about, "approve")

    assert tasks.deliver_callbacks() == 0
    assert (receiver.taken, Callback.objects.get().status) == ([], "not_wanted")
    assert Event.objects.filter(verb="callback.not_wanted").count() == 1


def test_what_nobody_took_is_tried_again_and_given_up_after_a_day(clerk: Any, sign_in: Any, receiver: Receiver) -> None:
    about = task(clerk, endpoint=receiver.url)
    settle(sign_in, about, "approve")
    receiver.answer = 503

    assert tasks.deliver_callbacks() == 0
    assert tasks.deliver_callbacks() == 0, "not yet again"
    assert len(receiver.taken) == 1
    later(hours=23)
    tasks.deliver_callbacks()
    assert Callback.objects.get().status == "waiting"
    later(hours=25)
    tasks.deliver_callbacks()
    later()
    tasks.deliver_callbacks()

    assert (Callback.objects.get().status, len(receiver.taken)) == ("given_up", 3)
    assert list(CallbackAttempt.objects.values_list("code", flat=True)) == [503, 503, 503]
    assert Event.objects.get(verb="callback.given_up").why == "Answered with 503."
    assert len({taken.headers["Callback-Id"] for taken in receiver.taken}) == 1


def test_a_redirect_is_not_followed_and_counts_as_not_taken(clerk: Any, sign_in: Any, receiver: Receiver) -> None:
    about = task(clerk, endpoint=receiver.url)
    settle(sign_in, about, "approve")
    receiver.answer = 302

    assert (tasks.deliver_callbacks(), len(receiver.taken)) == (0, 1)


@pytest.mark.parametrize(
    "endpoint",
    ["http://10.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::1]/", "https://0x7f.1/",
     "x", "http://agent.example/", "https://user@agent.example/", "file:///etc/passwd", 5, None, ""],
)  # fmt: skip
def test_an_address_inside_is_refused_and_nothing_is_asked(clerk: Any, endpoint: Any) -> None:
    answer = request_of(clerk, endpoint=endpoint)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "callback.endpoint")
    assert not Escalation.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("state", 5), ("state", "x" * 1001), ("events", "approved"), ("events", ["pending"]), ("events", [[]])],
)
def test_a_callback_that_makes_no_sense_is_refused(clerk: Any, receiver: Receiver, field: str, value: Any) -> None:
    answer = request_of(clerk, endpoint=receiver.url, **{field: value})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, f"callback.{field}")


def test_a_host_that_leads_inside_when_it_is_delivered_is_never_called(
    clerk: Any, sign_in: Any, receiver: Receiver, now: Any
) -> None:
    wish = read_callback({"endpoint": f"https://agent.example:{receiver.port}/"}, resolve=lambda *_: ["93.184.215.14"])
    about = task(clerk, endpoint=receiver.url)
    settle(sign_in, about, "approve")
    Callback.objects.update(endpoint=wish.endpoint)
    (callback,) = take_callbacks(at=ledger.database_now())

    outcome = deliver_callback(callback, b"{}", resolve=lambda *_: ["127.0.0.1"])

    assert (outcome.code, outcome.is_taken, receiver.taken) == (None, False, [])
    assert "open internet" in outcome.outcome


def test_a_host_that_was_taken_off_the_list_is_not_called_any_more(
    clerk: Any, sign_in: Any, receiver: Receiver, settings: Any
) -> None:
    about = task(clerk, endpoint=receiver.url)
    settle(sign_in, about, "approve")
    settings.OUTGOING_HOSTS = frozenset()

    assert (tasks.deliver_callbacks(), receiver.taken) == (0, [])


def test_the_same_wish_is_kept_once_and_one_task_has_few(clerk: Any, receiver: Receiver) -> None:
    for number in range(5):
        task(clerk, endpoint=f"{receiver.url}/{number}")
        task(clerk, endpoint=f"{receiver.url}/{number}")

    assert (Escalation.objects.count(), Callback.objects.count()) == (1, 5)
    assert request_of(clerk, endpoint=f"{receiver.url}/5").json()["errors"][0]["field"] == "callback"


def test_two_sweeps_at_once_take_each_callback_once(clerk: Any, sign_in: Any, receiver: Receiver) -> None:
    about = task(clerk, endpoint=receiver.url)
    settle(sign_in, about, "approve")
    at = ledger.database_now()

    taken = [*take_callbacks(at=at), *take_callbacks(at=at)]

    assert len(taken) == 1


def test_the_waits_grow_and_have_an_end() -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    waits = [(next_try(number, now) - now).total_seconds() for number in range(1, 40)]

    assert waits[:4] == [10, 30, 90, 270]
    assert waits == sorted(waits)
    assert waits[-1] == 7200
