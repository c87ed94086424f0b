"""Workflows, rules: what is wrong with a drawing, element by element."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class ProblemKind(StrEnum):
    """What a problem is about."""

    # the drawing itself does not hold together
    WRONG = "wrong"
    # it is drawn well, but this is shown only and not executed
    UNSUPPORTED = "unsupported"
    # it would run, but nobody is named who does it, or nothing says what type its data have
    UNASSIGNED = "unassigned"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class ElementProblem:
    """Why one element cannot be executed; `name` is what the person who drew it sees, perhaps empty.

    A warning keeps nobody from running the drawing.
    """

    element_id: str
    name: str
    reason: str
    kind: ProblemKind = ProblemKind.WRONG
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        shown = f"{self.element_id} “{self.name}”" if self.name else self.element_id
        return f"{shown}: {self.reason}"


class BpmnInvalid(Exception):
    """This drawing cannot be executed; `problems` names every element and the reason."""

    def __init__(self, problems: Iterable[ElementProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
