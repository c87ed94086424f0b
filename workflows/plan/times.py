"""Workflows, rules: moments, lengths and cycles of time as BPMN writes them (ISO 8601)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.ASCII,
)
SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
CYCLE = re.compile(r"R(?P<times>\d{0,6})/(?:(?P<start>[^/P]+)/)?(?P<length>P[^/]+)", re.ASCII)
LONGEST_WAIT = 3_660 * 86_400


def read_seconds(text: str) -> int:
    """The seconds of an ISO 8601 duration of weeks, days, hours, minutes, seconds; 0 when it is none."""
    match = DURATION.fullmatch(text)
    if not match:
        return 0
    return sum(int(count) * SECONDS[unit] for unit, count in match.groupdict(default="0").items())


def read_moment(text: str) -> str:
    """The text itself when it is a moment of ISO 8601 (UTC without an offset), else empty. In the first and in the last
    year there is none: it may have no place in another time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return text if ("T" in text or " " in text) and 1 < moment.year < 9999 else ""


@dataclass(frozen=True)
class Cycle:
    """How often (-1: without an end), how long apart, and when first if that is said."""

    times: int
    seconds: int
    start: str = ""


def read_cycle(text: str) -> Cycle | None:
    """The cycle of an ISO 8601 repetition such as R3/PT1H; none when it is no such text."""
    match = CYCLE.fullmatch(text)
    if not match:
        return None
    seconds, start = read_seconds(match["length"]), match["start"] or ""
    times = int(match["times"]) if match["times"] else -1
    if not seconds or times == 0 or (start and not read_moment(start)):
        return None
    return Cycle(times, seconds, start)
