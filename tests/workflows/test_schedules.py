"""Schedules: runs begin by the calendar, each moment once; what was missed is made up for as the schedule says."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.models import BusinessCalendar
from tests.workflows.small_drawings import agent, line
from workflows import operations, tasks
from workflows.models import Run, Schedule, Workflow
from workflows.plan.schedules import ScheduleInvalid, made_up, moments_due, next_moment, read_rule

DAILY = (
    '<startEvent id="start"><extensionElements><aos:input name="month" type="string"/></extensionElements>'
    "</startEvent>" + agent("report") + '<endEvent id="end" name="Reported"/>' + line("start", "report", "end")
)
MORNINGS = {
    "workflow": "reporting", "name": "Every morning", "rule": "0 7 * * *", "zone": "Europe/Berlin",
    "input": {"month": "11"},
}  # fmt: skip


@pytest.fixture
def maria(drawn: Any, may_start: Any, sign_in: Any) -> Any:
    """Maria, who says how runs of the report begin."""
    may_start("maria", drawn("reporting", DAILY).workflow)
    return sign_in("maria")


def added(client: Any, **more: Any) -> Schedule:
    """A new schedule."""
    answer = client.call("post", "schedules", {**MORNINGS, **more})
    assert answer.status_code == 201, answer.content
    return Schedule.objects.get(uid=answer.json()["id"])


def overdue(schedule: Schedule, *, days: int, now: Any) -> datetime:
    """Let the next moment of a schedule lie some days back; the moment."""
    begin = now - timedelta(days=days)
    first = next_moment(read_rule(schedule.rule, schedule.zone, schedule.since), begin)
    Schedule.objects.filter(pk=schedule.pk).update(next_at=first)
    assert first is not None
    return first


def test_a_schedule_begins_one_run_at_its_moment(maria: Any) -> None:
    schedule = added(maria)
    assert schedule.next_at is not None
    assert schedule.next_at.astimezone(ZoneInfo("Europe/Berlin")).hour == 7

    assert operations.start_scheduled(schedule, at=schedule.next_at - timedelta(seconds=1)) == []
    moment = schedule.next_at
    (run,) = operations.start_scheduled(schedule, at=moment)
    assert operations.start_scheduled(schedule, at=moment) == [], "each moment once"

    assert run.variables["input"] == {"month": "11"}
    assert run.started_by is not None and run.started_by.username == "maria"
    schedule.refresh_from_db()
    assert schedule.next_at == moment + timedelta(days=1) or schedule.next_at > moment


@pytest.mark.parametrize(("missed", "runs"), [("skip", 0), ("once", 1), ("all", 3)])
def test_what_was_missed_is_made_up_for_as_the_schedule_says(missed: str, runs: int, maria: Any, now: Any) -> None:
    schedule = added(maria, missed=missed)
    first = overdue(schedule, days=3, now=now)
    at = first + timedelta(days=2, hours=1)

    begun = operations.start_scheduled(schedule, at=at)

    assert len(begun) == runs
    schedule.refresh_from_db()
    assert schedule.next_at is not None and schedule.next_at > at


def test_a_start_that_work_was_paused_for_is_made_up_for_even_if_missed_ones_are_skipped(
    maria: Any, halden: Any, now: Any, council: Any
) -> None:
    schedule = added(maria, missed="skip")
    first = overdue(schedule, days=2, now=now)
    council("paused", "reporting")
    assert operations.start_scheduled(schedule, at=first) == []

    council("normal", "reporting")
    assert len(operations.start_scheduled(schedule, at=first + timedelta(hours=5))) == 1


def test_a_paused_schedule_begins_nothing_until_it_is_resumed(maria: Any, now: Any) -> None:
    schedule = added(maria)
    overdue(schedule, days=1, now=now)

    assert maria.call("post", f"schedules/{schedule.uid}/pause", {"why": ""}).status_code == 400
    assert maria.call("post", f"schedules/{schedule.uid}/pause", {"why": "Holidays."}).status_code == 200
    assert tasks.start_scheduled() == 0
    assert maria.call("post", f"schedules/{schedule.uid}/resume", {}).json()["status"] == "active"
    assert tasks.start_scheduled() == 0, "what lies between was not wanted"
    assert maria.call("post", f"schedules/{schedule.uid}/end", {}).json()["status"] == "over"
    assert maria.call("post", f"schedules/{schedule.uid}/end", {}).status_code == 409
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"rule": "every morning"}, "rule"), ({"rule": "99 7 * * *"}, "rule"), ({"zone": "Mars/Olympus"}, "zone"),
        ({"rule": "R/PT1S"}, "rule"), ({"input": {"year": 1}}, "year"), ({"calendar": "nowhere"}, "calendar"),
        ({"rule": "R2/2020-01-01T00:00/P1D"}, "rule"), ({"rule": "R/0001-01-01T00:00/P1D"}, "rule"),
        ({"rule": "R/9999-12-31T23:00/PT1H", "zone": "America/New_York"}, "rule"), ({"rule": "R/P999999W"}, "rule"),
    ],
)  # fmt: skip
def test_a_schedule_that_cannot_be_is_refused_by_its_field(wrong: Any, field: str, maria: Any) -> None:
    answer = maria.call("post", "schedules", {**MORNINGS, **wrong})

    assert answer.status_code == 400
    assert field in str(answer.json())
    assert not Schedule.objects.exists()


def test_a_schedule_that_can_begin_no_run_any_more_stops_and_says_why(maria: Any, drawn: Any) -> None:
    schedule = added(maria)
    other = DAILY.replace('name="month" type="string"', 'name="quarter" type="string"')
    drawn("reporting", other)
    assert schedule.next_at is not None

    assert operations.start_scheduled(schedule, at=schedule.next_at) == []

    schedule.refresh_from_db()
    assert schedule.status == "paused"
    assert "month" in schedule.why


def test_a_schedule_stops_once_who_made_it_may_start_no_runs_and_goes_on_with_who_resumes_it(
    maria: Any, may_start: Any, may_no_longer: Any, sign_in: Any
) -> None:
    may_start("priya", Workflow.objects.get(code="reporting"))
    schedule = added(sign_in("priya"))
    may_no_longer("priya")
    assert schedule.next_at is not None

    assert operations.start_scheduled(schedule, at=schedule.next_at) == []

    schedule.refresh_from_db()
    assert (schedule.status, schedule.next_at) == ("paused", None)
    assert "Priya" in schedule.why and "may no longer start runs" in schedule.why
    refused = sign_in("priya").call("post", f"schedules/{schedule.uid}/resume")
    assert refused.status_code == 403, "nor does she resume it"
    assert maria.call("post", f"schedules/{schedule.uid}/resume").status_code == 200
    schedule.refresh_from_db()
    assert (schedule.status, schedule.why, schedule.author.username) == ("active", "", "maria")
    assert len(operations.start_scheduled(schedule, at=schedule.next_at)) == 1


def test_only_moments_within_working_time_count_where_a_calendar_is_named(maria: Any, halden: Any, now: Any) -> None:
    week = {"days": ["mon", "tue"], "from": "08:00", "to": "10:00", "zone": "Europe/Berlin"}
    calendar = BusinessCalendar.objects.create(
        key="short", name="Short weeks", unit=halden.units["finance"], document=week
    )  # fmt: skip
    schedule = added(maria, rule="0 * * * *", calendar=calendar.key)

    for _ in range(6):
        assert schedule.next_at is not None
        at_home = schedule.next_at.astimezone(ZoneInfo("Europe/Berlin"))
        assert at_home.weekday() in (0, 1) and at_home.hour in (8, 9)
        assert len(operations.start_scheduled(schedule, at=schedule.next_at)) == 1
        schedule.refresh_from_db()


def test_a_schedule_of_many_moments_comes_over_the_night_and_the_weekend(maria: Any, halden: Any) -> None:
    """Every five minutes of working time: from Friday evening to Monday morning lie 756 moments that do not count."""
    week = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "17:00", "zone": "UTC"}
    calendar = BusinessCalendar.objects.create(
        key="office", name="Office", unit=halden.units["finance"], document=week
    )  # fmt: skip
    schedule = added(maria, rule="*/5 * * * *", zone="UTC", calendar=calendar.key)
    last = datetime(2027, 1, 8, 16, 55, tzinfo=UTC)
    Schedule.objects.filter(pk=schedule.pk).update(next_at=last)

    operations.start_scheduled(schedule, at=last)

    schedule.refresh_from_db()
    assert (schedule.status, schedule.next_at) == ("active", datetime(2027, 1, 11, 8, 0, tzinfo=UTC))


def test_a_schedule_whose_moments_all_lie_outside_of_working_time_is_refused(maria: Any, halden: Any) -> None:
    week = {"days": ["mon"], "from": "08:00", "to": "10:00", "zone": "UTC"}
    BusinessCalendar.objects.create(key="short", name="Short", unit=halden.units["finance"], document=week)

    answer = maria.call("post", "schedules", {**MORNINGS, "rule": "0 11 * * *", "zone": "UTC", "calendar": "short"})

    assert answer.status_code == 400
    assert "never begins a run" in str(answer.json())


def test_once_is_once_also_after_thousands_of_missed_moments(maria: Any, now: Any) -> None:
    schedule = added(maria, rule="* * * * *")
    first = overdue(schedule, days=2, now=now)

    begun = operations.start_scheduled(schedule, at=first + timedelta(minutes=2500, seconds=30))

    assert len(begun) == 5, "those of the last five minutes were not missed"

    schedule.refresh_from_db()
    assert schedule.next_at == first + timedelta(minutes=2501)


def test_a_timer_start_of_the_drawing_begins_runs(drawn: Any) -> None:
    hourly = (
        '<startEvent id="hourly"><timerEventDefinition><timeCycle>R/PT1H</timeCycle></timerEventDefinition>'
        "</startEvent>" + agent("look") + '<endEvent id="end" name="Looked"/>' + line("hourly", "look", "end")
    )
    drawn("watching", hourly)
    schedule = Schedule.objects.get()
    assert (schedule.rule, schedule.element, schedule.status) == ("R/PT1H", "hourly", "active")
    assert schedule.next_at is not None

    (run,) = operations.start_scheduled(schedule, at=schedule.next_at)
    assert run.steps.get().element == "look"

    drawn("watching", hourly.replace("PT1H", "P1D"))
    assert sorted(Schedule.objects.values_list("rule", "status")) == [("R/P1D", "active"), ("R/PT1H", "over")]


@pytest.mark.parametrize(
    ("text", "after", "moments"),
    [
        # the clock goes forward at 02:00: 02:30 does not exist, the line still counts once that night
        ("30 2 * * *", "2026-03-28T12:00Z", ["2026-03-29T01:00Z", "2026-03-30T00:30Z"]),
        # and back at 03:00: 02:30 comes twice, and counts once
        ("30 2 * * *", "2026-10-24T12:00Z", ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]),
        ("0 7 * * mon-fri", "2026-11-27T12:00Z", ["2026-11-30T06:00Z", "2026-12-01T06:00Z"]),
    ],
)
def test_a_cron_line_follows_the_clock_of_its_zone(text: str, after: str, moments: list[str]) -> None:
    at = datetime.fromisoformat(after)
    found = read_rule(text, "Europe/Berlin", at).after(at)

    assert [next(found) for _ in moments] == [datetime.fromisoformat(each) for each in moments]


def test_a_cycle_counts_its_turns() -> None:
    since = datetime(2026, 11, 30, tzinfo=UTC)
    rule = read_rule("R2/2026-12-01T06:00/P1D", "UTC", since)

    assert list(rule.after(since)) == [datetime(2026, 12, day, 6, tzinfo=UTC) for day in (1, 2)]
    assert next_moment(rule, datetime(2026, 12, 2, 6, tzinfo=UTC)) is None
    with pytest.raises(ScheduleInvalid):
        read_rule("R0/P1D", "UTC", since)


SINCE = datetime(2026, 1, 1, tzinfo=UTC)
CRON = st.sampled_from(["*/7 * * * *", "0 7 * * mon-fri", "30 2 1 * *", "R/PT13M", "R/P1D"])


@given(CRON, st.integers(0, 400_000), st.integers(0, 20_000))
def test_no_moment_is_left_out_and_none_comes_twice(text: str, minutes: int, later: int) -> None:
    rule = read_rule(text, "Europe/Berlin", SINCE)
    at = SINCE + timedelta(minutes=minutes)
    first = next_moment(rule, at)
    assert first is not None and first > at
    until = first + timedelta(minutes=later)

    due = moments_due(rule, first, until, at_most=100)

    assert due == sorted(set(due)) and due[0] == first
    assert all(each <= until for each in due)
    if len(due) < 100:
        following = next_moment(rule, due[-1])
        assert following is None or following > until


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30, unique=True), st.booleans())
def test_what_is_made_up_for_is_a_part_of_what_was_due(ages: list[int], is_held: bool) -> None:
    at = SINCE + timedelta(days=30)
    due = sorted(at - timedelta(minutes=age) for age in ages)
    grace = timedelta(minutes=5)

    skip, once, each = (made_up(how, due, at, grace=grace, is_held=is_held) for how in ("skip", "once", "all"))

    assert each == due
    assert once and set(once) <= set(due) and once[-1] == due[-1]
    assert set(skip) <= set(once)
    assert bool(skip) or not is_held
