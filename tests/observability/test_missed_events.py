"""A page or program that was away gets exactly what it missed, in order, once, and only what it may see."""

import re
from datetime import datetime
from typing import Any

import pytest

from observability import consumers, ledger
from observability.models import Event
from tests.invoices import ask_to_pay


def happened(halden: Any, at: datetime, count: int, unit: str = "finance") -> None:
    """That many events in one unit."""
    for number in range(count):
        Event.objects.create(
            at=at, verb="step.opened", actor_kind="system", actor_id="x", actor_name="X", subject_kind="step",
            subject_id=str(number), subject_name=f"{unit} {number}", unit=str(halden.units[unit].pk),
        )  # fmt: skip


def follow(person: Any, after: int, path: str = "/live/events") -> list[dict[str, Any]]:
    """Everything after a position, as a page would fetch it, answer by answer."""
    found: list[dict[str, Any]] = []
    while True:
        answer = person.get(f"{path}?after={after}").json()
        found += answer["events"]
        if answer["position"] == after:
            return found
        assert answer["position"] > after
        after = answer["position"]


def test_ingrid_gets_what_she_missed_in_order_and_once(halden: Any, sign_in: Any, now: datetime) -> None:
    ledger.seal()
    left_at = ledger.last_position()
    happened(halden, now, 450)
    ledger.seal()

    missed = follow(sign_in("ingrid"), left_at)

    assert [event["position"] for event in missed] == list(range(left_at + 1, left_at + 451))


def test_sofia_gets_only_events_of_finance_and_still_reaches_the_end(halden: Any, sign_in: Any, now: datetime) -> None:
    ledger.seal()
    left_at = ledger.last_position()
    happened(halden, now, 1500, "procurement")
    happened(halden, now, 3)
    ledger.seal()

    missed = follow(sign_in("sofia"), left_at)

    assert [event["subject_name"] for event in missed] == ["finance 0", "finance 1", "finance 2"]


def test_events_without_a_position_wait_for_it(halden: Any, sign_in: Any, now: datetime) -> None:
    ledger.seal()
    left_at = ledger.last_position()
    happened(halden, now, 2)
    ingrid = sign_in("ingrid")

    assert follow(ingrid, left_at) == []
    ledger.seal()
    assert len(follow(ingrid, left_at)) == 2


def test_a_message_carries_names_and_never_the_payload(halden: Any, sign_in: Any) -> None:
    ledger.seal()

    event = sign_in("ingrid").get("/live/events?after=0").json()["events"][0]

    assert {"verb", "position", "subject_id", "run", "at", "id"} <= set(event)
    assert not {"data", "why", "cost"} & set(event)


@pytest.mark.parametrize("after", ["", "x", "-1", "99999999999999999999", "1.5", "²"])
def test_a_wrong_position_means_from_now_on(halden: Any, sign_in: Any, after: str) -> None:
    ledger.seal()

    answer = sign_in("ingrid").get("/live/events", {"after": after}).json()

    assert answer == {"events": [], "position": ledger.last_position()}


def test_an_agent_reads_its_units_events_page_by_page(halden: Any, robot: Any, now: datetime) -> None:
    ledger.seal()
    left_at = ledger.last_position()
    happened(halden, now, 5, "procurement")
    happened(halden, now, 5)
    ledger.seal()
    reader, found, after = robot("AP-01"), [], left_at
    while True:
        answer = reader.call("get", "events", {"after": after, "limit": 2}).json()
        if answer["position"] == after:
            break
        found += [event["subject_name"] for event in answer["results"]]
        after = answer["position"]

    assert found == [f"finance {number}" for number in range(5)]


@pytest.mark.parametrize("query", [{"after": -1}, {"limit": 0}, {"limit": 201}, {"after": "x"}, {"after": 2**64}])
def test_the_api_names_what_is_wrong_with_a_query(halden: Any, robot: Any, query: dict[str, Any]) -> None:
    answer = robot("AP-01").call("get", "events", query)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == next(iter(query))


def test_a_page_of_missed_events_is_bounded(halden: Any, now: datetime) -> None:
    happened(halden, now, consumers.PAGE + 1)
    ledger.seal()

    events, position = consumers.missed(halden.people["ingrid"], 0)

    assert len(events) == consumers.PAGE
    assert position == events[-1]["position"]


@pytest.mark.parametrize("after", ["9" * 19, "9" * 20, "9" * 5000, "-1", "1.5", "٣", "x"])
def test_a_position_that_cannot_be_means_from_now_on(halden: Any, sign_in: Any, after: str) -> None:
    ledger.seal()

    answer = sign_in("ingrid").get(f"/live/events?after={after}")

    assert answer.json() == {"events": [], "position": ledger.last_position()}


def test_an_open_page_reads_the_numbers_beside_its_places(halden: Any, sign_in: Any, robot: Any) -> None:
    ask_to_pay(robot, "2026-1")
    ask_to_pay(robot, "2026-2")

    maria, tomasz = (sign_in(name).get("/live/counts").content.decode() for name in ("maria", "tomasz"))

    assert numbers(maria) >= {"/escalations": "2 wait for you", "/runs": "2", "/workflows": "1"}.items()
    assert "/escalations" not in numbers(tomasz)


def numbers(page: str) -> Any:
    """Address of a place -> what stands beside it; nothing for those at zero."""
    found = re.findall(r'data-count="([^"]+)">(.*?)</span>\n', page, re.DOTALL)
    return {place: re.sub(r"<[^>]+>", "", inner) for place, inner in found}.items()


def test_strangers_read_no_numbers(halden: Any, client: Any) -> None:
    assert client.get("/live/counts").status_code == 401
