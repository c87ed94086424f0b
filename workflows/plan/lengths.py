"""Workflows, rules: lengths of time as people write them, 4 hours, and as BPMN does, PT4H."""

from __future__ import annotations

import re

from workflows.plan.times import read_seconds

UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_SHORT = {"w": "week", "d": "day", "h": "hour", "m": "minute", "min": "minute", "s": "second", "sec": "second"}
_PART = re.compile(r"(\d{1,9})\s*([a-z]+)\s*(?:,|and\b)?\s*", re.ASCII)


def seconds_of(text: str) -> int:
    """The seconds of "4 hours", "1 h 30 m", "PT4H" or of a plain number of seconds; 0 for what is no length."""
    text = " ".join(text.split())
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    return read_seconds(text.upper()) or _of_words(text.lower())


def _of_words(text: str) -> int:
    total, place, sizes = 0, 0, dict(UNITS)
    while place < len(text):
        part = _PART.match(text, place)
        unit = "" if part is None else _SHORT.get(part.group(2), part.group(2).removesuffix("s"))
        if part is None or unit not in sizes:
            return 0
        total += int(part.group(1)) * sizes[unit]
        place = part.end()
    return total


def words_of(text: str) -> str:
    """A length in BPMN as people write it; what is none stays as it is."""
    left = seconds_of(text)
    if not left:
        return text
    told = []
    for unit, size in UNITS[1:]:
        many, left = divmod(left, size)
        if many:
            told.append(f"{many} {unit}{'s' * (many != 1)}")
    return " ".join(told)


def bpmn_of(seconds: int) -> str:
    """A length as BPMN writes it."""
    days, left = divmod(seconds, 86_400)
    hours, left = divmod(left, 3_600)
    minutes, left = divmod(left, 60)
    time = "".join(f"{many}{unit}" for many, unit in ((hours, "H"), (minutes, "M"), (left, "S")) if many)
    return f"P{f'{days}D' if days else ''}{f'T{time}' if time else ''}" if seconds else ""
