"""The figures hold against a second reckoning of the same history, done another way."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count
from statistics import quantiles
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from observability import kpis
from observability.models import Event

SINCE, UNTIL = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)
NAMES = {"invoice-to-payment": "Invoice to payment", "onboarding": "Onboarding"}


class Council:
    """A reader of all units."""

    sees_all_units = True

    def unit_ids(self) -> list[int]:
        return []


class Finance:
    """A reader of unit 7 only."""

    sees_all_units = False

    def unit_ids(self) -> list[int]:
        return [7]


def ended(at: datetime, how: str = "run.finished", **more: Any) -> Event:
    """A run's last event, not yet stored."""
    given = {"workflow": "invoice-to-payment", "unit": "7", "seconds": Decimal(60), "cost": Decimal("0.05")} | more
    given["data"] = {"touchless": given.pop("touchless", True)}
    return Event(at=at, verb=how, actor_kind="agent", actor_id="AP-04", actor_name="AP-04 Payments clerk",
                 subject_kind="run", subject_id="1", subject_name="INV-1", run="1", **given)  # fmt: skip


moments = st.integers(-3 * 86_400, 33 * 86_400).map(lambda seconds: SINCE + timedelta(seconds=seconds))
runs = st.tuples(
    moments,
    st.sampled_from([kpis.FINISHED, kpis.FINISHED, kpis.FINISHED, kpis.FAILED, kpis.CANCELLED]),
    st.sampled_from(sorted(NAMES)),
    st.integers(0, 10**9).map(lambda thousandths: Decimal(thousandths) / 1000),
    st.none() | st.integers(0, 10**8).map(lambda millionths: Decimal(millionths) / 1_000_000),
    st.booleans(),
)
UNITS: Iterator[int] = count(1000)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(runs, max_size=40))
def test_the_figures_of_any_history_are_those_of_a_second_reckoning(history: list[Any]) -> None:
    unit = str(next(UNITS))  # nothing can be removed from the ledger: each history gets a unit of its own
    for at, how, workflow, seconds, cost, touchless in history:
        ended(at, how, workflow=workflow, unit=unit, seconds=seconds, cost=cost, touchless=touchless).save()

    found = kpis.figures(Council(), since=SINCE, until=UNTIL, unit=unit)

    inside = [run for run in history if SINCE <= run[0] < UNTIL]
    done = [run for run in inside if run[1] == kpis.FINISHED]
    assert found.runs == len(done)
    assert found.failed == sum(run[1] == kpis.FAILED for run in inside)
    assert found.runs + found.failed + found.cancelled == len(inside)
    assert found.touchless == sum(run[5] for run in done)
    assert found.cost_total == sum((run[4] or Decimal(0) for run in done), Decimal(0))
    assert found.cost_total + found.cost_lost == sum((run[4] or Decimal(0) for run in inside), Decimal(0))
    assert middle(found) == reckoned([run[3] for run in done])
    assert [point.runs for point in found.per_day] == per_day(done)


def middle(figures: kpis.Sums) -> list[Fraction] | None:
    """First quarter, median, third quarter, exactly."""
    if figures.median_seconds is None:
        return None
    return [Fraction(v) for v in (figures.q25_seconds, figures.median_seconds, figures.q75_seconds) if v is not None]


def reckoned(seconds: list[Decimal]) -> list[Fraction] | None:
    """The same from the standard library."""
    exact = [Fraction(value) for value in seconds]
    if len(exact) < 2:
        return exact * 3 or None
    return quantiles(exact, n=4, method="inclusive")


def per_day(done: list[Any]) -> list[int]:
    """How many of the runs ended on each of the 30 days."""
    return [sum(run[0].date() == date(2026, 10, day) for run in done) for day in range(1, 31)]


@pytest.mark.django_db
def test_a_day_begins_at_midnight_where_the_company_is(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    ended(datetime(2026, 10, 24, 21, 59, 59, tzinfo=UTC)).save()
    ended(datetime(2026, 10, 24, 22, 0, 0, tzinfo=UTC)).save()
    ended(datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC)).save()  # the clock went back: this day has 25 hours

    found = kpis.figures(Council(), since=kpis.midnight(date(2026, 10, 24)), until=kpis.midnight(date(2026, 10, 26)))

    assert [(point.day.day, point.runs) for point in found.per_day] == [(24, 1), (25, 2)]


@pytest.mark.django_db
def test_a_reader_counts_only_runs_of_the_own_units() -> None:
    ended(SINCE, unit="7").save()
    ended(SINCE, unit="8").save()

    assert kpis.figures(Council(), since=SINCE, until=UNTIL).runs == 2
    assert kpis.figures(Finance(), since=SINCE, until=UNTIL).runs == 1


@pytest.mark.django_db
def test_each_workflow_has_its_own_figures_and_together_they_are_the_whole() -> None:
    for day in range(10):
        ended(SINCE + timedelta(days=day), workflow=sorted(NAMES)[day % 2], seconds=Decimal(day)).save()

    apart = kpis.by_workflow(Council(), since=SINCE, until=UNTIL)

    assert list(apart) == sorted(NAMES)
    assert apart["onboarding"].median_seconds == 5
    assert sum(figures.runs for figures in apart.values()) == kpis.figures(Council(), since=SINCE, until=UNTIL).runs


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("span", "grain"),
    [
        (timedelta(minutes=10), kpis.Grain.MINUTE),
        (timedelta(hours=2), kpis.Grain.FIVE_MINUTES),
        (timedelta(hours=20), kpis.Grain.HOUR),
        (timedelta(days=20), kpis.Grain.DAY),
        (timedelta(days=80), kpis.Grain.WEEK),
    ],
)
def test_a_report_is_as_fine_as_the_runs_lie_close_and_loses_none(span: timedelta, grain: kpis.Grain) -> None:
    until = SINCE + timedelta(days=90)
    for place in range(21):
        ended(until - timedelta(hours=3) - span * place / 20).save()

    report = kpis.report(Council(), since=SINCE, until=until, names=NAMES)

    assert report.grain is grain
    assert sum(point.runs for point in report.points) == report.figures.runs == 21
    assert sum(map(sum, report.throughput.values())) == 21
    assert all(a.end == b.start for a, b in zip(report.points, report.points[1:], strict=False))


@pytest.mark.django_db
def test_a_report_holds_the_period_beside_the_one_before() -> None:
    for day in (-5, -1, 3, 4, 5):
        ended(SINCE + timedelta(days=day)).save()

    report = kpis.report(Council(), since=SINCE, until=UNTIL, names=NAMES, choice=kpis.Choice("invoice-to-payment"))

    assert (report.before.runs, report.figures.runs) == (2, 3)
    assert report.only == "invoice-to-payment"


@pytest.mark.django_db
def test_an_agent_is_judged_by_the_steps_it_finished_and_failed() -> None:
    for verb, cost in (("step.finished", "0.02"), ("step.finished", "0.03"), ("step.failed", None)):
        ended(SINCE, verb, cost=cost and Decimal(cost), seconds=Decimal(4)).save()

    clerk = kpis.by_agent(Council(), since=SINCE, until=UNTIL)["AP-04"]

    assert (clerk.finished, clerk.failed, clerk.cost) == (2, 1, Decimal("0.05"))
    assert clerk.success_share == Decimal(2) / 3
