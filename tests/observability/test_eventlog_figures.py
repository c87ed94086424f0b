"""The figures of an event log are those that others found in real logs, and those that a naive count finds in any."""

import io
import itertools
import json
import statistics
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.eventlog.discovery import discover
from observability.eventlog.figures import Figures
from observability.eventlog.log import Limits
from observability.eventlog.ranking import automation, candidates
from observability.eventlog.reading import head_of, read

pytestmark = pytest.mark.same_everywhere
LOGS = Path(__file__).parents[2].parent / "shared" / "data" / "eventlogs"
NAMES = ("bpic2012_loan_train_val.xes.gz", "bpic2020_DomesticDeclarations.xes.gz", "hospital_billing_10000cases.csv.gz",
         "loanapp_simplified_train.csv.gz", "purchasing_example.csv.gz")  # fmt: skip


def figures_of(path: Path) -> Figures:
    with path.open("rb") as file:
        head = head_of(file, Limits())
        file.seek(0)
        return discover(read(file, head.guessed, Limits()))


@pytest.mark.parametrize("name", NAMES)
def test_real_logs_have_the_figures_that_are_known(name: str) -> None:
    if not (LOGS / name).exists():
        pytest.skip("the event logs of others are not there")
    known = json.loads((LOGS / "answers.json").read_text())[name]
    found = figures_of(LOGS / name)

    counts = {
        "cases": found.cases, "events": found.events, "activities": found.activity_count,
        "resources": found.resource_count, "variants_file_order": found.variant_count,
        "top_variant_cases": found.variants[0].cases, "cases_with_repeated_activity": found.rework_cases,
        "repeated_events": found.repeated_events, "events_without_resource": found.nobody_events,
        "handovers_time_sorted": found.handovers, "weekend_events": found.weekend_events,
    }  # fmt: skip
    assert counts == {key: known[key] for key in counts}
    assert datetime.fromisoformat(found.first) == datetime.fromisoformat(known["first"])
    assert datetime.fromisoformat(found.last) == datetime.fromisoformat(known["last"])
    if known["lifecycles"] is not None:
        assert found.lifecycles == known["lifecycles"]
    tops = [each for each in found.variants if each.cases == known["top_variant_cases"]]
    ways = [" > ".join(found.activities[place].name for place in each.path) for each in tops]
    assert any(way.startswith(known["top_variant"][:290]) for way in ways)
    _same_times(found, known)


def _same_times(found: Figures, known: dict[str, Any]) -> None:
    spread = found.duration
    assert known["duration_s"] == pytest.approx(
        {"median": spread.median, "mean": spread.mean, "p90": spread.p90, "max": spread.most, "min": spread.least},
        abs=0.002,
    )
    lengths = found.events_per_case
    assert known["events_per_case"] == pytest.approx(
        {"min": lengths.least, "median": lengths.median, "mean": lengths.mean, "max": lengths.most}, abs=0.001
    )
    by_name = {each.name: each for each in found.activities}
    assert by_name.keys() == known["per_activity"].keys()
    for name, told in known["per_activity"].items():
        mine = by_name[name]
        assert mine.events == told["events"]
        assert mine.wait.total / 3600 == pytest.approx(told["wait_before_total_h"], abs=0.001)
        if told["wait_before_median_h"] is not None:
            assert mine.wait.median / 3600 == pytest.approx(told["wait_before_median_h"], abs=0.0001)
        if "processing_total_h" in told:
            assert mine.worked.total / 3600 == pytest.approx(told["processing_total_h"], abs=0.001)
    edges = {
        (found.activities[each.source].name, found.activities[each.target].name): each.count for each in found.edges
    }
    assert all(edges[each["from"], each["to"]] == each["count"] for each in known["directly_follows_top10"])


BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["NA", "b", "c", "d"]), st.sampled_from(["Check", "Pay", "Ask, again", 'Say "no"']),
        st.integers(0, 60_000), st.integers(0, 500), st.sampled_from(["", "rita", "tom"]),
    ),
    min_size=1, max_size=60,
)  # fmt: skip


@given(EVENTS)
def test_any_log_has_the_figures_of_a_naive_count(events: list[tuple[str, str, int, int, str]]) -> None:
    lines = ["case,activity,start,time,resource"]
    rows = []
    for case, activity, begin, lasts, who in events:
        start = BEGIN + timedelta(minutes=begin)
        end = start + timedelta(minutes=lasts)
        quoted = activity.replace('"', '""')
        lines.append(f'{case},"{quoted}",{start.isoformat()},{end.isoformat()},{who}')
        rows.append((case, start, end, activity, who))
    file = io.BytesIO("\n".join(lines).encode())
    head = head_of(file, Limits())
    file.seek(0)

    found = discover(read(file, head.guessed, Limits()))

    cases: dict[str, list[Any]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row[1], row[2])):
        cases[row[0]].append(row)
    pairs = [pair for each in cases.values() for pair in itertools.pairwise(each)]
    ways = Counter(tuple(row[3] for row in each) for each in cases.values())
    took = [(max(row[2] for row in each) - min(row[1] for row in each)).total_seconds() for each in cases.values()]
    waits = [(after[1] - before[2]).total_seconds() for before, after in pairs]

    assert (found.cases, found.events, found.variant_count) == (len(cases), len(rows), len(ways))
    assert Counter({tuple(found.activities[at].name for at in v.path): v.cases for v in found.variants}) == ways
    assert found.duration.median == pytest.approx(statistics.median(took))
    assert found.duration.mean == pytest.approx(statistics.fmean(took), abs=0.001)
    assert sum(each.count for each in found.edges) == len(pairs)
    assert sum(each.wait.total for each in found.edges) == pytest.approx(sum(waits), abs=0.01)
    assert found.handovers == sum(before[4] != after[4] and "" not in (before[4], after[4]) for before, after in pairs)
    assert found.repeated_events == len(rows) - sum(len({row[3] for row in each}) for each in cases.values())
    assert found.weekend_events == sum(row[2].weekday() > 4 for row in rows)
    assert found.worked_total == pytest.approx(sum((row[2] - row[1]).total_seconds() for row in rows))
    assert sum(count for _, count in found.durations) == sum(found.months.values()) == found.cases
    _holds_together(found)


def _holds_together(found: Figures) -> None:
    assert Figures.of(json.loads(json.dumps(found.as_json()))).activities == found.activities
    ranked = candidates(found)
    assert len(ranked) == found.activity_count
    assert all(0 <= each.foretold <= 1 and 0 <= each.steady <= 1 and 0 <= each.score <= 100 for each in ranked)
    assert [each.score for each in ranked] == sorted((each.score for each in ranked), reverse=True)
    assert automation(found).hours >= automation(found).score >= 0


def test_weekends_are_those_of_the_zone() -> None:
    log = b"case,activity,time\nA,Check,2026-03-06T23:30:00Z\n"
    head = head_of(io.BytesIO(log), Limits())
    events = read(io.BytesIO(log), replace(head.guessed), Limits())

    assert discover(events).weekend_events == 0
    assert discover(events, zone=ZoneInfo("Europe/Vienna")).weekend_events == 1


def test_the_step_with_much_steady_work_and_one_way_on_comes_first() -> None:
    lines = ["case,activity,start,time"]
    for number in range(20):
        day = BEGIN + timedelta(days=number)
        key, think = day + timedelta(hours=1), day + timedelta(hours=1 + number % 5)
        lines += [
            f"{number},Key in,{day.isoformat()},{key.isoformat()}",
            f"{number},Judge,{key.isoformat()},{think.isoformat()}",
            f"{number},{'Pay' if number % 2 else 'Refuse'},{think.isoformat()},{think.isoformat()}",
        ]
    data = "\n".join(lines).encode()
    head = head_of(io.BytesIO(data), Limits())

    ranked = candidates(discover(read(io.BytesIO(data), head.guessed, Limits())))

    assert ranked[0].name == "Key in"
    assert ranked[0].reasons[1] == "nearly always “Judge” follows (100%)"
