"""What is kept by day says the same as the ledger: counted in any portions, late, twice or from the beginning."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from itertools import count
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from observability import kpis, ledger
from observability.kpis import counting
from observability.models import Event, Tally, TallyMark
from observability.rules import ACCURACY, Counts, Happened, UnknownForm, key_of, packed, quantiles, unpacked_into, walk

SINCE = datetime(2026, 10, 1, tzinfo=UTC)
UNITS: Iterator[int] = count(70_000)
RUNS: Iterator[int] = count(1)


class Council:
    """A reader of all units."""

    sees_all_units = True

    def unit_ids(self) -> list[int]:
        return []


def event(verb: str, at: datetime, run: str, unit: str, kind: str = "run", subject: str = "1", **more: Any) -> Event:
    """An event of a run, not yet stored."""
    given = {"actor_kind": "agent", "actor_id": "AP-04", "workflow": "invoice-to-payment", "data": {}} | more
    return Event(verb=verb, at=at, run=run, unit=unit, subject_kind=kind, subject_id=subject,
                 subject_name=given.pop("name", subject), actor_name="x", **given)  # fmt: skip


def story(unit: str, ended: timedelta, how: str, seconds: int, cost: int, agent: str, asks: bool) -> None:
    """A run with one step, which one agent works on, maybe with a question."""
    run, at = f"r{next(RUNS)}", SINCE + ended
    began = at - timedelta(seconds=seconds)
    step = {"kind": "step", "subject": f"s-{run}", "name": "Check"}
    told = [event("step.opened", began, run, unit, after="ready", **step)]
    told.append(event("step.claimed", began + timedelta(seconds=1), run, unit, after="working", actor_id=agent, **step))
    if asks:
        told.append(event("escalation.opened", began, run, unit, "escalation", f"e-{run}", actor_id=agent))
        told.append(event("step.waits", began + timedelta(seconds=2), run, unit, after="waiting", **step))
        told.append(event("escalation.rejected", at, run, unit, "escalation", f"e-{run}", actor_kind="person",
                          actor_id="priya", seconds=Decimal(seconds)))  # fmt: skip
    told.append(event("step.finished", at, run, unit, after="done", **step))
    told.append(event(how, at, run, unit, seconds=Decimal(seconds), cost=Decimal(cost) / 100,
                      data={"touchless": not asks, "version": 1 + cost % 2}))  # fmt: skip
    Event.objects.bulk_create(told)


stories = st.tuples(
    st.integers(0, 9 * 86_400).map(lambda seconds: timedelta(seconds=seconds)), st.sampled_from(kpis.ENDS),
    st.integers(3, 10**6), st.integers(0, 10**4), st.sampled_from(["AP-04", "RK-01"]), st.booleans(),
)  # fmt: skip


@pytest.mark.django_db
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(stories, min_size=1, max_size=12), pieces=st.integers(1, 5))
def test_the_days_of_any_history_are_those_of_its_events(history: list[Any], pieces: int) -> None:
    unit = str(next(UNITS))
    for place, each in enumerate(history):
        story(unit, *each)
        if place % pieces == 0:
            ledger.seal()
            counting.count_ended()

    for _ in range(3):  # as it is: partly counted; then counted; then counted again from nothing
        found = kpis.kept(Council(), kpis.Choice(unit=unit), first=date(2026, 9, 1), last=date(2026, 11, 1))
        alone = kpis.kept(
            Council(), kpis.Choice(unit=unit, agent="AP-04"), first=date(2026, 9, 1), last=date(2026, 11, 1)
        )
        done = sorted(each[2] for each in history if each[1] == kpis.FINISHED)
        work = found.work()
        assert found.runs == len(history)
        assert (work.runs, work.touchless) == (
            len(done),
            sum(each[1] == kpis.FINISHED and not each[5] for each in history),
        )
        assert sum(counts.cost for _, counts in found.tallies) == sum(Decimal(each[3]) / 100 for each in history)
        assert work.run_ms == sum(done) * 1000
        assert sum(counts.overruled for _, counts in found.tallies) == sum(each[5] for each in history)
        assert alone.runs == sum(each[4] == "AP-04" for each in history)
        assert work.queued_ms == 1000 * len(done)
        near_enough(found.sums(), [Decimal(value) for value in done])
        if Tally.objects.filter(unit=unit).exists() and not found.is_behind and not _waiting():
            counting.count_again()
        ledger.seal()
        while counting.count_ended():
            pass
    assert counting.differences() == []


def _waiting() -> bool:
    return Event.objects.filter(counting.uncounted()).exists()


def near_enough(sums: Any, ordered: list[Decimal]) -> None:
    """Each quantile lies within the sketch's accuracy of the exact one."""
    told = (sums.q25_seconds, 1, 4), (sums.median_seconds, 2, 4), (sums.p90_seconds, 9, 10)
    for value, part, of in told:
        exact = kpis.quantile(ordered, part, of)
        if exact is None:
            assert value is None
        else:
            assert abs(value - exact) <= exact * Decimal(str(ACCURACY)) + Decimal("0.002")


@given(st.lists(st.integers(0, 10**12), max_size=60), st.lists(st.integers(0, 10**12), max_size=60))
def test_sketches_add_up_in_any_order_and_survive_the_database(some: list[int], others: list[int]) -> None:
    def of(values: list[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for value in values:
            found[key_of(value)] = found.get(key_of(value), 0) + 1
        return found

    read: dict[int, int] = {}
    unpacked_into(read, packed(of(others)))
    unpacked_into(read, memoryview(packed(of(some))))

    assert read == of([*some, *others])
    assert quantiles(read, [Fraction(1, 2)]) == quantiles(of([*others, *some]), [Fraction(1, 2)])


def test_bytes_that_are_no_sketch_are_refused() -> None:
    for wrong in (b"\x02" + bytes(10), b"\x01\x00"):
        with pytest.raises(UnknownForm):
            unpacked_into({}, wrong)


def test_a_step_waits_works_and_is_tried_again() -> None:
    def at(second: int, verb: str, after: str = "", **more: Any) -> Happened:
        given = {"actor_kind": "agent", "actor_id": "AP-04", "data": {}, "seconds": None} | more
        return Happened(at=SINCE + timedelta(seconds=second), verb=verb, subject_kind="step", subject_id="1",
                        subject_name="Pay", after=after, **given)  # fmt: skip

    found = walk([
        at(0, "step.opened", "ready", data={"due_at": "2026-10-01T00:00:09+00:00"}), at(10, "step.claimed", "working"),
        at(15, "step.failed", "ready"), at(16, "step.overdue"), at(25, "step.claimed", "working", actor_id="AP-05"),
        at(30, "step.waits", "waiting"), at(90, "step.answered", "ready"), at(91, "step.claimed", "working"),
        at(95, "step.finished", "done"),
    ])  # fmt: skip

    whole = found["", ""]
    assert (whole.queued_ms, whole.working_ms, whole.asked_ms) == (21_000, 14_000, 60_000)
    assert (whole.tries, whole.failures, whole.reworked, whole.dues, whole.late) == (3, 1, 1, 1, 1)
    assert found["agent", "AP-04"].works == 1, "who took it last did it"
    assert found["step", "Pay"].queued_ms == 21_000


@pytest.mark.django_db
def test_the_command_finds_what_was_changed_behind_its_back_and_counts_again() -> None:
    story(str(next(UNITS)), timedelta(hours=3), "run.finished", 60, 4, "AP-04", True)
    ledger.seal()
    call_command("tallies", "--check", stdout=StringIO())
    Tally.objects.filter(facet="agent").update(queued_ms=7)

    with pytest.raises(CommandError, match="1 tallies differ"):
        call_command("tallies", "--check", stdout=StringIO())
    told = StringIO()
    call_command("tallies", "--again", "--check", stdout=told)

    assert "Every tally says what the ledger says." in told.getvalue()


@pytest.mark.django_db
def test_days_are_counted_again_where_the_company_moves_to_another_time_zone(settings: Any) -> None:
    story(str(next(UNITS)), timedelta(hours=23), "run.finished", 60, 4, "AP-04", False)
    ledger.seal()
    while counting.count_ended():
        pass
    assert {row.day for row in Tally.objects.all()} == {date(2026, 10, 1)}

    settings.TIME_ZONE = "Europe/Berlin"
    while counting.count_ended():
        pass

    assert {row.day for row in Tally.objects.all()} == {date(2026, 10, 2)}
    assert TallyMark.objects.get().zone == "Europe/Berlin"


def test_counts_know_all_that_they_add_up() -> None:
    one = Counts(runs=1, cost=Decimal("0.5"), times={3: 1})
    one.add(Counts(runs=2, cost=Decimal("0.25"), times={3: 1, 4: 2}))

    assert (one.runs, one.cost, one.times) == (3, Decimal("0.75"), {3: 2, 4: 2})
