"""A length of time in a form: people write “4 hours”, a drawing holds PT4H."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from workflows.plan.elements import DURATION, duration_seconds

UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
PART = re.compile(
    r"(?P<count>\d{1,6})\s*(?P<unit>w(?:eeks?)?|d(?:ays?)?|h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)\b"
    r"[\s,]*(?:and\s+)?",
    re.ASCII | re.IGNORECASE,
)
HELP = "Such as 30 minutes, 4 hours or 2 days."


class LengthField(forms.CharField):
    """A length of time; its value is the ISO 8601 duration of the drawing, empty for none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "max_length": 60, "help_text": HELP, **options})

    def clean(self, value: Any) -> str:
        """The duration as the drawing holds it."""
        return as_duration(super().clean(value))

    def prepare_value(self, value: Any) -> Any:
        """The duration as people write it; what is none stays as it was written."""
        return in_words(value) or value


def as_duration(text: str) -> str:
    """ISO 8601 for “4 hours”, “1d 2h” or PT4H; empty for nothing. Raises ValidationError for what is no length."""
    if not text or (DURATION.fullmatch(text) and duration_seconds(text)):
        return text
    parts, rest = list(PART.finditer(text)), PART.sub("", text)
    seconds = sum(int(part["count"]) * _seconds(part["unit"]) for part in parts)
    if rest.strip() or not seconds:
        raise ValidationError(f"“{text}” is no length of time. Write one such as 30 minutes, 4 hours or 2 days.")
    return _iso(seconds)


def _seconds(unit: str) -> int:
    return next(seconds for name, seconds in UNITS if name.startswith(unit[0].lower()))


def _iso(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    time = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (left, "S")) if count)
    return "P" + (f"{days}D" if days else "") + (f"T{time}" if time else "")


def in_words(duration: object) -> str:
    """PT4H as “4 hours”; empty for what is no duration of this kind."""
    rest, parts = duration_seconds(str(duration or "")), []
    for name, length in UNITS[1:]:
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " ".join(parts)
