"""Lengths of months and years: by the calendar of a time zone, the last day of a month that is shorter."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings
from django.utils.timezone import get_default_timezone

from observability import ledger
from tests.workflows.small_drawings import agent, line
from workflows import operations
from workflows.models import Schedule, Timer
from workflows.plan import Answer, Trial, read_bpmn, simulate
from workflows.plan.lengths import calendar_of, seconds_of, words_of
from workflows.plan.schedules import moments_due, next_moment, read_rule
from workflows.plan.times import Length, read_cycle, read_length

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "length, begins, ends",
    [
        ("P1M", "2027-01-15T12:00", "2027-02-15T12:00"),
        ("P1M", "2027-01-31T12:00", "2027-02-28T12:00"),  # the last day of a shorter month
        ("P1M", "2028-01-31T12:00", "2028-02-29T12:00"),
        ("P1M", "2027-02-28T12:00", "2027-03-28T11:00"),  # noon in Berlin is 13 and then 14 h: the clock says the same
        ("P1M", "2026-12-31T23:30", "2027-01-31T23:30"),  # in Berlin it is the 1st of January already
        ("P12M", "2027-06-30T08:00", "2028-06-30T08:00"),
        ("P1Y", "2028-02-29T08:00", "2029-02-28T08:00"),
        ("P1Y2M3DT4H", "2027-01-15T08:00", "2028-03-18T12:00"),
        ("P1MT1H", "2027-02-28T01:30", "2027-03-28T02:30"),  # 2:30 is left out that night
        ("P1M1W", "2027-01-31T12:00", "2027-03-07T12:00"),
        ("P2D", "2027-03-27T12:00", "2027-03-29T12:00"),  # without months a day is 24 hours
        ("PT1H", "2027-01-15T12:00", "2027-01-15T13:00"),
    ],
)
def test_a_length_is_over_when_the_calendar_says_so(length: str, begins: str, ends: str) -> None:
    found = read_length(length)
    assert found is not None

    assert found.after(at(begins), BERLIN) == at(ends)


@pytest.mark.parametrize(
    "text, length",
    [
        ("P1M", Length(months=1)), ("P2Y", Length(months=24)), ("P1Y2M3DT4H", Length(14, 3, 14_400)),
        ("PT1M", Length(seconds=60)), ("P1D", Length(seconds=86_400)), ("P", None), ("P0M", None), ("P1.5M", None),
        ("-P1M", None), ("P1H", None), ("PT", None), ("1 month", None),
    ],
)  # fmt: skip
def test_lengths_are_read_as_iso_8601_has_them(text: str, length: Length | None) -> None:
    assert read_length(text) == length


@pytest.mark.parametrize(
    "said, written, words",
    [
        ("1 month", "P1M", "1 month"), ("P1M", "P1M", "1 month"), ("p1y2m", "P1Y2M", "1 year 2 months"),
        ("2 years and 3 days", "P2Y3D", "2 years 3 days"), ("1 month 4 hours", "P1MT4H", "1 month 4 hours"),
        ("30 minutes", "", "30 minutes"), ("PT1M", "", "1 minute"), ("soon", "", "soon"), ("1 month soon", "", ""),
    ],
)  # fmt: skip
def test_people_write_months_in_words(said: str, written: str, words: str) -> None:
    assert calendar_of(said) == written
    if written:
        assert (words_of(written), seconds_of(written)) == (words, 0)


@pytest.mark.parametrize(
    "rule, zone, moments",
    [
        ("R/2027-01-31T06:00/P1M", "Europe/Berlin",
         ["2027-01-31T05:00", "2027-02-28T05:00", "2027-03-31T04:00", "2027-04-30T04:00"]),
        ("R3/2027-01-31T06:00Z/P1M", "UTC", ["2027-01-31T06:00", "2027-02-28T06:00", "2027-03-31T06:00"]),
        ("R2/P1Y", "UTC", ["2028-01-10T00:00", "2029-01-10T00:00"]),
        ("R1/P1M", "UTC", ["2027-02-10T00:00"]),
    ],
)  # fmt: skip
def test_a_schedule_of_months_does_not_lose_the_last_day(rule: str, zone: str, moments: list[str]) -> None:
    since = at("2027-01-10T00:00")
    found = read_rule(rule, zone, since)
    following = found.after(since)

    assert [next(following) for _ in moments] == [at(each) for each in moments]
    if not rule.startswith("R/"):
        assert next(following, None) is None
        assert next_moment(found, at(moments[-1])) is None
    assert moments_due(found, at(moments[0]), at(moments[-1]), at_most=10) == [at(each) for each in moments]


def test_a_cycle_of_months_is_read() -> None:
    cycle = read_cycle("R3/2027-01-31T06:00/P1M")

    assert cycle is not None
    assert (cycle.times, cycle.start, cycle.calendar) == (3, "2027-01-31T06:00", "P1M")


WAITS = (
    '<startEvent id="start"/>' + agent("ask") + '<boundaryEvent id="late" attachedToRef="ask"><timerEventDefinition>'
    '<timeDuration>P1M</timeDuration></timerEventDefinition></boundaryEvent><endEvent id="end" name="Done"/>'
    '<endEvent id="over" name="Late"/>' + line("start", "ask", "end") + line("late", "over")
)  # fmt: skip


def test_a_month_in_a_run_is_that_of_the_companys_time_zone(drawn: Any) -> None:
    version = drawn("monthly", WAITS)
    with override_settings(TIME_ZONE="Europe/Berlin"):
        assert str(get_default_timezone()) == "Europe/Berlin"
        run, _ = operations.start(
            version.workflow, key="1", variables={}, by=ledger.SYSTEM, at=at("2027-02-28T12:00")
        )  # fmt: skip

    timer = Timer.objects.get(run=run)
    assert timer.due_at == at("2027-03-28T11:00")
    assert not operations.fire_timer(timer, at=at("2027-03-28T10:59"))
    assert operations.fire_timer(timer, at=at("2027-03-28T11:00"))
    run.refresh_from_db()
    assert run.outcome == "Late"


def test_a_workflow_begins_every_month_as_it_is_drawn(drawn: Any, now: datetime) -> None:
    begins = (
        '<startEvent id="monthly"><timerEventDefinition><timeCycle>R/2027-01-31T06:00/P1M</timeCycle>'
        '</timerEventDefinition></startEvent><endEvent id="end"/>' + line("monthly", "end")
    )
    drawn("monthly", begins)

    schedule = Schedule.objects.get()
    assert (schedule.rule, schedule.next_at) == ("R/2027-01-31T06:00/P1M", at("2027-01-31T06:00"))


def test_a_try_out_reckons_with_the_calendar(drawn: Any) -> None:
    graph = read_bpmn(drawn("monthly", WAITS).bpmn.encode())
    never = Trial(answers={"ask": [Answer(never=True)]}, at="2027-02-01T00:00:00Z")

    outcome = simulate(graph, never)

    assert (outcome.end, outcome.seconds) == ("over", 28 * 86_400)
