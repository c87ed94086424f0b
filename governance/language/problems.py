"""The policy language, its errors: what can be wrong with a text, a request or a run."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

# a reading stops at this many: each suggestion costs time, and nobody reads more at once
MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a sentence, its place in the text (1-based), and what may have been meant.

    `path` names the part of a document, such as `rules[2].when`; line 0 means that the whole part is meant.
    """

    message: str
    line: int = 1
    column: int = 1
    length: int = 1
    suggestion: str | None = None
    path: str = ""

    def __str__(self) -> str:
        places = [self.path] if self.path else []
        if self.line:
            places.append(f"line {self.line}, column {self.column}")
        hint = f" {self.suggestion}" if self.suggestion else ""
        return f"{', '.join(places)}: {self.message}{hint}"

    def render(self, text: str) -> str:
        """Give the problem under the line of `text` it stands in, with carets below the place."""
        lines = text.split("\n")
        line = lines[self.line - 1] if 0 < self.line <= len(lines) else ""
        carets = " " * (self.column - 1) + "^" * max(self.length, 1)
        return f"{line}\n{carets}\n{self}"


def problem_at(text: str, start: int, end: int, message: str, suggestion: str | None = None) -> Problem:
    """Give a problem for the characters `start` to `end` of `text`."""
    before = text[:start]
    line = before.count("\n") + 1
    column = start - (before.rfind("\n") + 1) + 1
    stop = text.find("\n", start, end)
    length = (stop if stop != -1 else end) - start
    return Problem(message, line, column, max(length, 1), suggestion)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Give "Did you mean `x`?" for the known word nearest to `word`, or None when none is near."""
    near = get_close_matches(word[:200], list(known), n=1, cutoff=0.75)
    return f"Did you mean `{near[0]}`?" if near else None


class LanguageError(Exception):
    """The text is no valid expression or template; `problems` says what is wrong and where."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class Missing(Exception):
    """A field that the expression needs was not given; `path` names it."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} is not given")


class EvaluationFailed(Exception):
    """The expression cannot be worked out with these facts, such as a division by zero."""


class RequestInvalid(Exception):
    """The request has unknown or ill-typed fields; `errors` pairs each path with a sentence."""

    def __init__(self, errors: Iterable[tuple[str, str]]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{path}: {message}" for path, message in self.errors))
