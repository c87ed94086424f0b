"""Keys of agents: what opens the API, what does not, and that a secret is known to its agent alone."""

from datetime import timedelta
from typing import Any

import pytest

from agents import operations
from agents.models import Agent, Key, Principal
from observability import ledger
from observability.models import Event
from workflows import operations as workflows

SYSTEM = ledger.SYSTEM


def me(robot: Any, key: str) -> Any:
    """The answer to "who am I?" with this key."""
    client = robot("AP-04")
    client.key = key
    return client.call("get", "me")


def test_a_key_that_nobody_issued_opens_nothing(robot: Any) -> None:
    start = "aos_live_0123456789ab_"
    odd = ("aos_live_" + "ä" * 60, "aos_live_01234567\0abc_" + "s" * 43, start + "s" * 42 + "\n", "a" * 9000)
    for key in ("", "x", "aos_live_", start, start + "s" * 43, *odd):
        answer = me(robot, key)

        assert answer.status_code == 401, key
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_right_prefix_with_another_secret_opens_nothing(robot: Any, halden: Any) -> None:
    key = halden.keys["AP-04"]

    assert me(robot, key).json()["code"] == "AP-04"
    assert me(robot, key[:-1] + ("a" if key[-1] != "a" else "b")).status_code == 401


def test_a_revoked_key_opens_nothing_from_the_next_request_on(robot: Any, halden: Any, now: Any) -> None:
    clerk = robot("AP-04")
    assert clerk.call("get", "me").status_code == 200

    operations.revoke_key(halden.agents["AP-04"].keys.get(), by=halden.people["jonas"], at=now, why="Laptop lost")

    answer = clerk.call("get", "me")
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key")
    with pytest.raises(ledger.WrongStatus):
        operations.revoke_key(Key.objects.get(agent__code="AP-04"), by=SYSTEM, at=now)


def test_an_expired_key_opens_nothing_and_a_new_one_does(robot: Any, halden: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]
    old = operations.issue_key(agent, by=SYSTEM, at=now - timedelta(days=91))

    assert me(robot, old).status_code == 401
    assert me(robot, operations.issue_key(agent, by=SYSTEM, at=now, days=1)).status_code == 200


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_key_is_valid_for_a_day_at_least_and_a_year_at_most(halden: Any, now: Any, days: int) -> None:
    with pytest.raises(ledger.Invalid) as wrong:
        operations.issue_key(halden.agents["AP-04"], by=SYSTEM, at=now, days=days)
    assert set(wrong.value.fields) == {"days"}


def test_the_key_of_a_closed_account_opens_nothing(robot: Any) -> None:
    Principal.objects.filter(username="agent:AP-04").update(is_active=False)

    answer = robot("AP-04").call("get", "me")

    assert (answer.status_code, answer.json()["code"]) == (403, "agent_not_active")


@pytest.mark.parametrize("stop", ["pause", "retire"])
def test_a_stopped_agent_is_refused_at_the_next_request(robot: Any, halden: Any, now: Any, stop: str) -> None:
    clerk, agent = robot("AP-04"), halden.agents["AP-04"]
    assert clerk.call("get", "me").status_code == 200

    getattr(operations, stop)(agent, by=halden.people["ingrid"], at=now, why="Odd payments")

    for method, path in (("post", "work/claim"), ("post", "actions"), ("get", "runs"), ("get", "me")):
        assert clerk.call(method, path).status_code == (403 if stop == "pause" else 401), path


def test_a_resumed_agent_works_again(robot: Any, halden: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]
    operations.pause(agent, by=SYSTEM, at=now, why="Looked at")
    operations.resume(agent, by=halden.people["maria"], at=now)

    assert robot("AP-04").call("post", "work/claim").status_code == 200


def test_an_agent_past_its_last_day_is_refused(robot: Any, halden: Any, now: Any) -> None:
    Agent.objects.filter(code="AP-04").update(ends_on=now.date() - timedelta(days=1))
    answer = robot("AP-04").call("get", "me")
    assert (answer.status_code, answer.json()["code"]) == (403, "agent_not_active")

    Agent.objects.filter(code="AP-04").update(ends_on=now.date())
    assert robot("AP-04").call("get", "me").status_code == 200, "the last day is a day of work"


def test_a_paused_agent_cannot_start_a_run_by_any_way(halden: Any, now: Any) -> None:
    reader = halden.agents["AP-01"]
    operations.pause(reader, by=SYSTEM, at=now, why="Looked at")

    with pytest.raises(operations.AgentNotActive):
        workflows.start(halden.workflow, key="1", variables={"document": "1.xml"}, by=reader, at=now)


def test_the_secret_of_a_key_stands_nowhere_in_the_database(halden: Any, everything: Any) -> None:
    secrets = [key[len("aos_live_0123456789ab_") :] for key in halden.keys.values()]

    dump = everything()

    assert "invoice-to-payment" in dump, "the tables were read"
    assert not [secret for secret in secrets if secret in dump]


def test_a_key_is_shown_once_and_named_by_its_prefix_afterwards(halden: Any) -> None:
    key = halden.keys["AP-04"]
    row = Key.objects.get(agent__code="AP-04")

    assert key.startswith(f"aos_live_{row.prefix}_")
    assert str(row) == f"aos_live_{row.prefix}…"
    issued = Event.objects.get(verb="key.issued", subject_id=row.prefix)
    assert key.partition(f"{row.prefix}_")[2] not in f"{issued.subject_name}{issued.data}{issued.why}"


def test_an_agents_account_cannot_sign_in_even_with_a_password(halden: Any, client: Any) -> None:
    account = halden.agents["AP-04"].principal
    account.set_password("a long enough password")
    account.save(update_fields=["password"])

    answer = client.post("/sign-in", {"username": account.username, "password": "a long enough password"})

    assert answer.status_code == 200, "the form is shown again"
    assert "_auth_user_id" not in client.session


def test_a_session_forged_for_an_agent_opens_neither_pages_nor_api(halden: Any, client: Any) -> None:
    client.force_login(halden.agents["AP-04"].principal, backend="agents.views.PeopleBackend")
    assert client.get("/settings").status_code == 302

    client.force_login(halden.agents["AP-04"].principal, backend="agents.views.PeopleBackend")
    assert client.get("/api/v1/runs").status_code == 401


def test_a_disabled_person_loses_the_session(sign_in: Any) -> None:
    priya = sign_in("priya")
    assert priya.call("get", "runs").status_code == 200

    Principal.objects.filter(username="priya").update(is_active=False)

    assert priya.call("get", "runs").status_code == 401


@pytest.mark.parametrize("answer", ["approve", "reject"])
def test_an_agents_key_cannot_answer_a_question(bring: Any, robot: Any, question: Any, answer: str) -> None:
    bring()
    clerk = robot("AP-04")
    asked = clerk.call("post", "actions", question(clerk.claim())).json()["escalation"]

    body = {"request_sha256": "0" * 64, "reason": "I am sure"}
    assert clerk.call("post", f"escalations/{asked['id']}/{answer}", body).status_code == 403


def test_a_session_needs_the_csrf_token_for_acting(sign_in: Any) -> None:
    priya = sign_in("priya")
    priya.handler.enforce_csrf_checks = True

    answer = priya.call("post", "policies/check", {"text": "a: 1"})

    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_last_use_of_a_key_is_noted(robot: Any, halden: Any) -> None:
    robot("AP-04").call("get", "me")

    assert Key.objects.get(agent__code="AP-04").last_used_at is not None
    assert Agent.objects.get(code="AP-04").last_seen_at is not None
