"""Rules of paths: working time, who still has to approve, what may be amended and what is confirmed."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rules.amending import bounds_of, joint_amend, joint_confirm, wrong_amendments, wrong_confirmation
from governance.rules.approving import level_for, needed_for, progress
from governance.rules.calendars import Calendar, CalendarInvalid, read_calendar
from governance.rules.shapes import Amendable, Confirm
from governance.rules.similarity import Likeness, likeness, most_alike

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE: dict[str, Any] = {
    "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00", "zone": "Europe/Berlin",
    "holidays": ["2026-12-25"],
}  # fmt: skip
NIGHT = {"days": ["sat", "sun"], "from": "22:00", "to": "06:00", "zone": "Europe/Berlin"}
HOUR = 3600


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


# --- working time ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "document, at, hours, ends",
    [
        (OFFICE, "2026-12-01T09:00", 4, "2026-12-01T13:00"),
        (OFFICE, "2026-12-01T16:00", 4, "2026-12-02T10:00"),  # over night
        (OFFICE, "2026-12-04T17:00", 2, "2026-12-07T09:00"),  # over the weekend
        (OFFICE, "2026-12-05T12:00", 1, "2026-12-07T09:00"),  # asked on a Saturday
        (OFFICE, "2026-12-24T17:00", 2, "2026-12-28T09:00"),  # Christmas is a Friday
        (OFFICE, "2026-12-01T08:00", 10, "2026-12-01T18:00"),  # exactly a day ends with the day
        (OFFICE, "2026-12-01T20:00", 0, "2026-12-01T20:00"),
        (NIGHT, "2026-03-28T22:00", 7, "2026-03-29T06:00"),  # the clock skips an hour: eight on the wall are seven
        (NIGHT, "2026-10-24T22:00", 9, "2026-10-25T06:00"),  # and has one twice
        (NIGHT, "2026-03-28T22:00", 8, "2026-03-29T23:00"),
    ],
)
def test_only_working_time_counts(document: Any, at: str, hours: int, ends: str) -> None:
    assert read_calendar(document).after(local(at), hours * HOUR) == local(ends)


def test_a_calendar_without_working_time_ends_after_three_years() -> None:
    days = [(date(2026, 1, 1) + timedelta(days=number)).isoformat() for number in range(400)]
    short = read_calendar({**OFFICE, "days": ["mon"], "holidays": days})
    at = datetime(2026, 1, 1, tzinfo=UTC)

    assert short.after(at, HOUR) > at + timedelta(days=365)
    assert short.after(at, 100_000 * HOUR) == at + timedelta(days=3 * 366)


@pytest.mark.parametrize(
    "change, told",
    [
        ({"zone": "Mars/North"}, "time zone"),
        ({"days": []}, "at least one day"),
        ({"to": "08:00"}, "cannot end"),
        ({"from": "8"}, "08:00"),
        ({"holidays": ["Christmas"]}, "2026-12-25"),
        ({"holidays": "2026-12-25"}, "list"),
        ({"holidays": ["2026-12-25"] * 401}, "400"),
        ({"lunch": "12:00"}, "days, from, to and zone"),
    ],
)
def test_a_wrong_calendar_is_refused_with_a_sentence(change: Any, told: str) -> None:
    with pytest.raises(CalendarInvalid, match=told):
        read_calendar({**OFFICE, **change})


calendars = st.builds(
    lambda days, begin, length, zone, off: read_calendar({
        "days": sorted(days), "from": f"{begin:02}:00", "to": f"{(begin + length) % 24:02}:00", "zone": zone,
        "holidays": sorted({(date(2026, 3, 1) + timedelta(days=day)).isoformat() for day in off}),
    }),
    st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1),
    st.integers(0, 23), st.integers(1, 23),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]),
    st.sets(st.integers(0, 60), max_size=8),
)  # fmt: skip
SPRING = datetime(2026, 3, 1, tzinfo=UTC)
moments = st.integers(0, 270 * 24 * 60).map(lambda minutes: SPRING + timedelta(minutes=minutes))
seconds = st.integers(0, 40 * HOUR)  # one hour a week, and both are over within three years


@given(calendars, moments, seconds, seconds)
def test_working_time_adds_up(calendar: Calendar, at: datetime, one: int, two: int) -> None:
    end = calendar.after(at, one)

    assert end >= at + timedelta(seconds=one)
    assert calendar.between(at, end) == timedelta(seconds=one)
    assert calendar.after(end, two) == calendar.after(at, one + two) or two == 0 or one == 0
    assert calendar.between(at, calendar.after(end, two)) == timedelta(seconds=one + two)


# --- who still has to approve ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "mode, quorums, place, wanted, given_, settled, next_place, lacking",
    [
        ("pass_on", [1], 0, 1, {0: 1}, True, 0, 0),
        ("pass_on", [1, 1], 0, 2, {0: 1}, False, 0, 1),
        ("pass_on", [2, 1], 0, 1, {0: 1}, False, 0, 1),
        ("pass_on", [2, 1], 1, 1, {0: 1}, True, 1, 0),  # the next level needs only one
        ("pass_on", [1, 1], 1, 2, {0: 1, 1: 1}, True, 1, 0),  # what was approved before counts
        ("in_order", [1, 1], 0, 1, {0: 1}, False, 1, 1),
        ("in_order", [1, 1], 1, 1, {0: 1, 1: 1}, True, 1, 0),
        ("in_order", [2, 1], 0, 1, {0: 1}, False, 0, 2),
        ("in_order", [1, 1], 1, 3, {0: 1, 1: 1}, False, 1, 1),  # the policy wants a third
        ("parallel", [1, 1], 0, 1, {1: 1}, False, 0, 1),
        ("parallel", [1, 1], 0, 1, {0: 1}, False, 1, 1),
        ("parallel", [1, 2], 0, 1, {0: 1, 1: 2}, True, 1, 0),
        ("parallel", [1, 2], 0, 1, {0: 3}, False, 1, 2),  # three of one level are none of the other
    ],
)
def test_what_the_approvals_amount_to(
    mode: str, quorums: Any, place: int, wanted: int, given_: Any, settled: bool, next_place: int, lacking: int
) -> None:
    now = progress(mode, quorums, place, wanted, given_)

    assert (now.is_settled, now.place, now.lacking) == (settled, next_place, lacking)


@given(
    st.sampled_from(["pass_on", "in_order", "parallel"]), st.lists(st.integers(1, 3), min_size=1, max_size=4),
    st.integers(1, 8),
)  # fmt: skip
def test_one_by_one_it_settles_after_exactly_as_many_as_are_needed(mode: str, quorums: list[int], wanted: int) -> None:
    needed, place, votes = needed_for(mode, quorums, 0, wanted), 0, Counter[int]()
    for number in range(1, needed + 1):
        short = progress(mode, quorums, place, wanted, votes).short if mode == "parallel" else ()
        votes[level_for(mode, quorums, place, votes, list(short))] += 1
        now = progress(mode, quorums, place, wanted, votes)
        place = now.place
        assert now.is_settled == (number == needed), (number, needed, votes)
        assert now.lacking == needed - number
    if mode != "pass_on":
        assert all(votes[each] >= quorum for each, quorum in enumerate(quorums))


# --- amend and confirm ----------------------------------------------------------------------------------------
REQUEST = {
    "context": {"amount": "9000.00", "currency": "EUR", "items": 3},
    "resource": {"type": "invoice", "id": "1", "properties": {"total": "9000.00"}},
}


@pytest.mark.parametrize(
    "amendable, told",
    [
        (Amendable("amount", at_most=("5000",)), [{"field": "amount", "at_most": "5000"}]),
        (Amendable("amount", at_most=("5000", "context.amount")), [{"field": "amount", "at_most": "5000"}]),
        (Amendable("amount", at_most=("resource.total",)), [{"field": "amount", "at_most": "9000.00"}]),
        (Amendable("amount", ("1",), ("10",)), [{"field": "amount", "at_least": "1", "at_most": "10"}]),
        (Amendable("amount", at_most=("resource.seller",)), []),  # a bound that is not known bounds nothing
        (Amendable("due", at_most=("5",)), []),  # not in the request
        (Amendable("currency", one_of=("EUR", "USD")), [{"field": "currency", "one_of": ["EUR", "USD"]}]),
    ],
)
def test_the_bounds_of_a_request(amendable: Amendable, told: Any) -> None:
    assert bounds_of([amendable], REQUEST) == told


BOUNDS = [{"field": "amount", "at_least": "1", "at_most": "5000"}, {"field": "currency", "one_of": ["EUR"]}]


@pytest.mark.parametrize(
    "values, wrong",
    [
        ({"amount": "5000"}, {}),
        ({"amount": "5000.01"}, {"amount"}),
        ({"amount": "0.99"}, {"amount"}),
        ({"amount": "NaN"}, {"amount"}),
        ({"amount": "Infinity"}, {"amount"}),
        ({"amount": "lots"}, {"amount"}),
        ({"amount": "context.amount"}, {"amount"}),
        ({"amount": ""}, {"amount"}),
        ({"currency": "USD"}, {"currency"}),
        ({"currency": "EUR", "seller": "x"}, {"seller"}),
    ],
)
def test_values_lie_within_their_bounds(values: Any, wrong: Any) -> None:
    assert set(wrong_amendments(values, BOUNDS)) == set(wrong)


def test_several_rules_let_change_only_what_all_of_them_do() -> None:
    one = [Amendable("amount", at_most=("5000",)), Amendable("items", at_most=("3",))]
    two = [Amendable("amount", at_most=("context.amount",), at_least=("1",))]

    assert joint_amend([one]) == tuple(one)
    assert joint_amend([one, two]) == (Amendable("amount", ("1",), ("5000", "context.amount")),)
    assert joint_amend([one, []]) == ()
    assert joint_amend([[Amendable("c", one_of=("a", "b"))], [Amendable("c", one_of=("b", "d"))]])[0].one_of == ("b",)
    assert joint_confirm([Confirm(), Confirm("context.amount", ("a",)), Confirm("", ("a", "b"))]) == Confirm(
        "context.amount", ("a", "b")
    )


@pytest.mark.parametrize(
    "confirm, typed, ticked, wrong",
    [
        ({"type": "context.amount"}, "9000.00", (), set()),
        ({"type": "context.amount"}, " 9,000 ", (), set()),
        ({"type": "context.amount"}, "9 000,00", (), {"typed"}),
        ({"type": "context.amount"}, "900", (), {"typed"}),
        ({"type": "context.amount"}, "", (), {"typed"}),
        ({"type": "context.nothing"}, "", (), {"typed"}),  # what is not there cannot be confirmed
        ({"type": "resource.id"}, "1", (), set()),
        ({"checklist": ["a", "b"]}, "", ("b", "a"), set()),
        ({"checklist": ["a", "b"]}, "", ("a",), {"ticked"}),
        ({"type": "context.amount", "checklist": ["a"]}, "", (), {"typed", "ticked"}),
        ({}, "", (), set()),
    ],
)
def test_a_confirmation_is_complete_or_not(confirm: Any, typed: str, ticked: Any, wrong: set[str]) -> None:
    assert set(wrong_confirmation(confirm, REQUEST, typed, ticked)) == wrong


# --- past decisions like this ---------------------------------------------------------------------------------
PAID = {
    "action": "invoice.pay", "context": {"amount": "9000.00"},
    "resource": {"type": "invoice", "id": "1", "properties": {"seller": "Kessler"}},
}  # fmt: skip


@pytest.mark.parametrize(
    "change, same_rule, words",
    [
        ({}, True, ("asked by the same rule", "the same action", "with Kessler")),
        ({}, False, ("the same action", "with Kessler", "an amount in the same range: 1,000 to 10,000")),
        ({"context": {"amount": "10000.00"}}, False, ("the same action", "with Kessler")),  # the next band
        ({"action": "invoice.read", "context": {}}, False, ("with Kessler", "about the same kind of thing: invoice")),
        ({"action": "x", "context": {}, "resource": {"type": "order", "id": "1"}}, False, ()),
        ({"action": "x", "context": None, "resource": None}, False, ()),
        ({"resource": {"type": "invoice", "properties": {"seller": 5}}}, False, ("the same action",)),
    ],
)
def test_a_likeness_says_in_what_two_requests_are_alike(change: Any, same_rule: bool, words: Any) -> None:
    alike = likeness(PAID, {**PAID, **change}, same_rule=same_rule)

    assert alike.words[: len(words)] == words
    assert bool(alike.words) == bool(words) == bool(alike.points)


def test_the_most_alike_come_first_and_of_equals_the_first() -> None:
    alike = [Likeness(points, ("x",) * points) for points in (2, 0, 5, 2, 9)]

    assert most_alike(alike, 3) == [4, 2, 0]
    assert most_alike(alike, 9) == [4, 2, 0, 3], "what is alike in nothing is left out"


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text()))))
def test_a_request_of_any_form_has_a_likeness_to_itself_and_no_error(request: dict[str, Any]) -> None:
    odd = {**request, "context": request, "resource": request}

    assert likeness(odd, odd, same_rule=True).points >= 3
