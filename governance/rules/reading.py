"""Rules of governance, strict reading: takes a document apart value by value and notes everything that is wrong."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, TypeVar

from governance.language import (
    LanguageError,
    Problem,
    Schema,
    WrongValue,
    did_you_mean,
    parse_duration,
    parse_timestamp,
)

_Read = TypeVar("_Read")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", re.ASCII)
MAX_TEXT = 2_000
_MAX_PROBLEMS = 50


class PolicyInvalid(LanguageError):
    """The document is no valid policy; each problem names its part, such as `rules[2].when`, and the place in it."""


class Reading:
    """One reading of a document: every method gives a usable value or notes a problem and gives a harmless one."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.problems: list[Problem] = []

    def wrong(self, path: str, message: str, suggestion: str | None = None) -> None:
        """Note one problem of a part of the document."""
        self._note(Problem(message, 0, 0, 0, suggestion, path))

    def _note(self, problem: Problem) -> None:
        self.problems.append(problem)
        if len(self.problems) >= _MAX_PROBLEMS:
            self.finish()

    def mapping(
        self, path: str, value: object, required: Collection[str], optional: Collection[str] = ()
    ) -> Mapping[str, Any]:
        """Give an object whose keys are all known and whose required keys are there."""
        if not isinstance(value, Mapping):
            self.wrong(path, "Must be an object with named parts.")
            return {}
        known = [*required, *optional]
        for key in value:
            if key not in known:
                name = str(key)[:100]
                self.wrong(_under(path, name), f"`{name}` is not known here.", did_you_mean(name, known))
        for key in required:
            if key not in value:
                self.wrong(path or key, f"`{key}` is missing.")
        return value

    def sequence(self, path: str, value: object) -> list[tuple[str, Any]]:
        """Give the items of a list, each with its path."""
        if not isinstance(value, list | tuple):
            self.wrong(path, "Must be a list.")
            return []
        return [(f"{path}[{number}]", item) for number, item in enumerate(value)]

    def text(self, path: str, value: object, default: str = "", *, at_most: int = MAX_TEXT) -> str:
        """Give a text that is not empty."""
        if not isinstance(value, str) or not value.strip() or len(value) > at_most:
            self.wrong(path, f"Must be a text of 1 to {at_most:,} characters.")
            return default
        return value

    def name(self, path: str, value: object) -> str:
        """Give a name without spaces, as keys, ids and paths have."""
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            self.wrong(path, "Must be a name of letters, digits, dots, dashes and underscores, at most 80 of them.")
            return ""
        return value

    def names(self, path: str, value: object) -> tuple[str, ...]:
        """Give a list of names."""
        return tuple(self.name(place, item) for place, item in self.sequence(path, value))

    def texts(self, path: str, value: object) -> list[str]:
        """Give a list of texts that is not empty."""
        items = [self.text(place, item) for place, item in self.sequence(path, value)]
        if isinstance(value, list | tuple) and not items:
            self.wrong(path, "Must name at least one.")
        return items

    def whole(self, path: str, value: object, low: int, high: int) -> int:
        """Give a whole number between two bounds."""
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.wrong(path, f"Must be a whole number from {low:,} to {high:,}.")
            return low
        return value

    def truth(self, path: str, value: object) -> bool:
        """Give true or false."""
        if not isinstance(value, bool):
            self.wrong(path, "Must be true or false.")
        return value is True

    def choice(self, path: str, value: object, words: Collection[str]) -> str:
        """Give one of the known words."""
        if not isinstance(value, str) or value not in words:
            hint = did_you_mean(value, words) if isinstance(value, str) else None
            self.wrong(path, f"Must be one of {', '.join(words)}.", hint)
            return next(iter(words))
        return value

    def seconds(self, path: str, value: object) -> int:
        """Give a length of time, written such as `4h`, in whole seconds from 1 second to 366 days."""
        try:
            length = parse_duration(value) if isinstance(value, str) else None
        except WrongValue:
            length = None
        if length is None or not 1 <= length.total_seconds() <= 366 * 86_400 or length.microseconds:
            self.wrong(path, "Must be a length of time such as `30m` or `4h`, from 1s to 366d.")
            return 1
        return int(length.total_seconds())

    def number(self, path: str, value: object) -> str:
        """Give an exact number as text."""
        text = str(value) if isinstance(value, int | Decimal | str) and not isinstance(value, bool) else ""
        if not re.fullmatch(r"-?\d{1,34}(\.\d{1,34})?", text, re.ASCII):
            self.wrong(path, "Must be an exact number such as 5000 or `12.50`.")
            return "0"
        return text

    def moment(self, path: str, value: object) -> datetime | None:
        """Give a moment; a date means its first moment in UTC; None stays None."""
        if isinstance(value, datetime):
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        if value is None:
            return None
        try:
            return _moment(value)
        except ValueError:
            self.wrong(path, "Must be a date such as 2026-12-01 or a moment such as 2026-12-01T08:00:00Z.")
            return None

    def compiled(self, path: str, compiler: Callable[[str, Schema], _Read], text: str) -> _Read | None:
        """Give what a compiler of the language makes of a text; its problems get this path."""
        try:
            return compiler(text, self.schema)
        except LanguageError as error:
            for problem in error.problems:
                self._note(replace(problem, path=path))
            return None

    def finish(self) -> None:
        """Raise PolicyInvalid when anything was wrong."""
        if self.problems:
            raise PolicyInvalid(self.problems)


def _under(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _moment(value: object) -> datetime:
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if not isinstance(value, str):
        raise WrongValue("is no moment")
    if len(value) == len("2026-12-01"):
        return datetime.combine(date.fromisoformat(value), time(), UTC)
    return parse_timestamp(value)
