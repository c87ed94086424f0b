"""Working hours: the rule by its table, and what an agent is told outside of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.models import Agent
from agents.rules import HoursInvalid, read_hours

OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00", "zone": "Europe/Berlin"}
NIGHT = {"days": ["fri"], "from": "22:00", "to": "06:00", "zone": "UTC"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "moment", "works", "next_begin"),
    [
        (OFFICE, "2026-11-30 06:59", False, "2026-11-30T08:00:00+01:00"),
        (OFFICE, "2026-11-30 07:00", True, "2026-12-01T08:00:00+01:00"),
        (OFFICE, "2026-11-30 16:59", True, "2026-12-01T08:00:00+01:00"),
        (OFFICE, "2026-11-30 17:00", False, "2026-12-01T08:00:00+01:00"),
        (OFFICE, "2026-11-28 12:00", False, "2026-11-30T08:00:00+01:00"),  # Saturday
        (OFFICE, "2026-07-01 06:30", True, "2026-07-02T08:00:00+02:00"),  # summer time
        (NIGHT, "2026-11-28 05:59", True, "2026-12-04T22:00:00+00:00"),  # the night from Friday
        (NIGHT, "2026-11-28 06:00", False, "2026-12-04T22:00:00+00:00"),
        (NIGHT, "2026-11-27 21:59", False, "2026-11-27T22:00:00+00:00"),
    ],
)
def test_hours_cover_their_days_in_their_zone(hours: Any, moment: str, works: bool, next_begin: str) -> None:
    read = read_hours(hours)

    assert read.covers(at(moment)) == works
    assert read.next_begin(at(moment)).isoformat() == next_begin


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"days": []}, {"days": ["someday"]}, {"days": "mon"}, {"from": "8"}, {"from": 8}, {"to": "08:00"},
        {"to": "25:00"}, {"zone": "Moon/Base"}, {"zone": ""}, {"more": 1},
    ],
    ids=str,
)  # fmt: skip
def test_hours_that_make_no_sense_are_refused(wrong: Any) -> None:
    with pytest.raises(HoursInvalid):
        read_hours({**OFFICE, **wrong} if wrong else {})


def test_hours_are_told_in_words() -> None:
    assert str(read_hours(OFFICE)) == "Monday to Friday, 08:00 to 18:00, Europe/Berlin"
    assert str(read_hours(NIGHT)) == "Friday, 22:00 to 06:00, UTC"


def test_outside_its_hours_an_agent_is_told_when_to_come_back_and_may_report_what_it_has(
    bring: Any, robot: Any, question: Any, now: datetime
) -> None:
    bring()
    clerk = robot("AP-04")
    work = clerk.claim()
    tomorrow = now + timedelta(days=1)
    hours = {"days": [tomorrow.strftime("%a").lower()], "from": "08:00", "to": "18:00", "zone": "UTC"}
    Agent.objects.filter(code="AP-04").update(hours=hours)

    for path, body in (("work/claim", {}), ("actions", question(work, amount="1.00")), ("actions", question())):
        refused = clerk.call("post", path, body)
        assert (refused.status_code, refused.json()["code"]) == (403, "outside_working_hours"), path
        (told,) = refused.json()["errors"]
        assert told == {"field": "come_back_at", "message": f"{tomorrow:%Y-%m-%d}T08:00:00+00:00"}
    body = {"lease_token": work["lease_token"], "output": {"paid": False}, "claim_next": True}
    finished = clerk.call("post", f"steps/{work['step']}/finish", body)
    assert (finished.status_code, finished.json()["work"]) == (200, None)
    assert f"Come back at {tomorrow:%Y-%m-%d}T08:00:00+00:00." in finished.json()["why"]


def test_before_its_first_day_an_agent_does_not_come_in(robot: Any, now: datetime) -> None:
    Agent.objects.filter(code="AP-04").update(starts_on=(now + timedelta(days=2)).date())

    assert robot("AP-04").call("get", "me").status_code == 403
