"""When work goes in circles, when a circuit opens, when an agent is stopped: the rules by their tables."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rules.breaking import (
    DEFAULTS,
    Conduct,
    Course,
    Fuse,
    Limits,
    blows,
    taints,
    why_break,
    why_quarantine,
)

NONE = Limits(
    repeats=None, no_progress=None, steps=None, at_once=None, attempts=None, run_minutes=None, denials=None,
    hijack_signs=None,
)  # fmt: skip
LIMITED = {
    "repeats": "repeats", "without_progress": "no_progress", "steps": "steps", "at_once": "at_once",
    "attempts": "attempts", "minutes": "run_minutes",
}  # fmt: skip


@pytest.mark.parametrize(("count", "limit"), LIMITED.items())
def test_the_limit_itself_is_still_allowed(count: str, limit: str) -> None:
    most = getattr(DEFAULTS, limit)

    assert why_break(Course(**{count: most}), DEFAULTS) == ""
    assert f"the limit is {most:,}." in why_break(Course(**{count: most + 1}), DEFAULTS)
    assert why_break(Course(**{count: most + 1}), NONE) == ""


@pytest.mark.parametrize(
    ("failed", "reported", "opens"),
    [(0, 100, False), (4, 4, False), (5, 5, True), (2, 5, False), (3, 5, True), (50, 100, True), (49, 100, False)],
)
def test_a_circuit_opens_at_its_share_of_enough_reports(failed: int, reported: int, opens: bool) -> None:
    assert blows(failed, reported, Fuse(percent=50, at_least=5)) is opens


@pytest.mark.parametrize(
    ("sources", "tainted"),
    [
        ([], False),
        (["system", "person", "policy", "registry"], False),
        (["web"], True),
        (["system", "memory"], True),
        (["System"], True),  # only the label itself is trusted
        (["ѕystem"], True),  # a Cyrillic letter
        ([""], True),
    ],
)
def test_every_label_that_is_not_known_as_trusted_taints(sources: list[str], tainted: bool) -> None:
    assert taints(sources) is tainted


@pytest.mark.parametrize(
    ("conduct", "said"),
    [
        ({"denials": 29}, ""),
        ({"denials": 30}, "Denied 30 times within 10 minutes"),
        ({"signs": 4}, ""),
        ({"signs": 5}, "sources that are not trusted"),
        ({"denials": 99, "signs": 5}, "sources that are not trusted"),
        ({"last_hour": 500, "usual": [10] * 24}, ""),  # no factor is set
    ],
)
def test_when_an_agent_is_stopped(conduct: dict[str, Any], said: str) -> None:
    why = why_quarantine(Conduct(**conduct), DEFAULTS)

    assert (said in why) if said else why == ""


@pytest.mark.parametrize(
    ("last_hour", "usual", "stopped"),
    [
        (100, [10] * 24, False),  # ten times the usual hour is the limit
        (101, [10] * 24, True),
        (101, [10] * 11, False),  # nobody knows yet what is usual
        (19, [1] * 24, False),  # so few harm nobody
        (150, [1, 100] * 12, False),  # it has always had such ups and downs
    ],
)
def test_what_is_far_above_the_agents_own_past(last_hour: int, usual: list[int], stopped: bool) -> None:
    conduct = Conduct(last_hour=last_hour, usual=usual)

    assert bool(why_quarantine(conduct, Limits(rate_factor=10))) is stopped


@given(st.builds(Course, *[st.integers(0, 10**6)] * 6), st.integers(0, 5))
def test_going_further_never_lets_go(course: Course, more: int) -> None:
    if why_break(course, DEFAULTS):
        further = Course(**{name: getattr(course, name) + more for name in LIMITED})
        assert why_break(further, DEFAULTS)
