"""Workflows, rules: lengths of time as people write them, 4 hours, and as BPMN does, PT4H."""

from __future__ import annotations

import re

from workflows.plan.times import calendar_text, read_length, read_seconds

UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
DATE, TIME = ("year", "month", "week", "day"), ("hour", "minute", "second")
LETTERS = {"year": "Y", "month": "M", "week": "W", "day": "D", "hour": "H", "minute": "M", "second": "S"}
_SHORT = {
    "y": "year",
    "mo": "month",
    "w": "week",
    "d": "day",
    "h": "hour",
    "m": "minute",
    "min": "minute",
    "s": "second",
    "sec": "second",
}
_PART = re.compile(r"(\d{1,9})\s*([a-z]+)\s*(?:,|and\b)?\s*", re.ASCII)


def seconds_of(text: str) -> int:
    """The seconds of "4 hours", "1 h 30 m", "PT4H" or of a plain number of seconds; 0 for what is no length."""
    text = " ".join(text.split())
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    return read_seconds(text.upper()) or _of_words(text.lower())


def _of_words(text: str) -> int:
    sizes, parts = dict(UNITS), _parts(text)
    return sum(many * sizes[unit] for unit, many in parts) if all(unit in sizes for unit, _ in parts) else 0


def _parts(text: str) -> list[tuple[str, int]]:
    """How many of each unit a text names; nothing for what is no length."""
    found, place = [], 0
    while place < len(text):
        part = _PART.match(text, place)
        if part is None:
            return []
        found.append((_SHORT.get(part.group(2), part.group(2).removesuffix("s")), int(part.group(1))))
        place = part.end()
    return found


def calendar_of(text: str) -> str:
    """A length of months or years, "1 month" or P1M, as BPMN writes it; empty for any other."""
    text = " ".join(text.split())
    parts = dict(_parts(text.lower()))
    if not {"year", "month"} & parts.keys() or not parts.keys() <= LETTERS.keys():
        return calendar_text(text.upper())
    date, time = ("".join(f"{parts[unit]}{LETTERS[unit]}" for unit in units if unit in parts) for units in (DATE, TIME))
    return calendar_text(f"P{date}{f'T{time}' if time else ''}")


def words_of(text: str) -> str:
    """A length in BPMN as people write it; what is none stays as it is."""
    length = read_length(text.upper())
    if length is not None and length.is_calendar:
        years, months = divmod(length.months, 12)
        return " ".join(filter(None, (_many(years, "year"), _many(months, "month"), _words(
            length.days * 86_400 + length.seconds))))  # fmt: skip
    left = seconds_of(text)
    return _words(left) if left else text


def _words(left: int) -> str:
    told = []
    for unit, size in UNITS[1:]:
        many, left = divmod(left, size)
        told.append(_many(many, unit))
    return " ".join(filter(None, told))


def _many(many: int, unit: str) -> str:
    return f"{many} {unit}{'s' * (many != 1)}" if many else ""


def bpmn_of(seconds: int) -> str:
    """A length as BPMN writes it."""
    days, left = divmod(seconds, 86_400)
    hours, left = divmod(left, 3_600)
    minutes, left = divmod(left, 60)
    time = "".join(f"{many}{unit}" for many, unit in ((hours, "H"), (minutes, "M"), (left, "S")) if many)
    return f"P{f'{days}D' if days else ''}{f'T{time}' if time else ''}" if seconds else ""
