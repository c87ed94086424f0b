"""Workflows, rules: what is wrong with a drawing, element by element."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ElementProblem:
    """Why one element cannot be executed; `name` is what the person who drew it sees, perhaps empty."""

    element_id: str
    name: str
    reason: str

    def __str__(self) -> str:
        shown = f"{self.element_id} “{self.name}”" if self.name else self.element_id
        return f"{shown}: {self.reason}"


class BpmnInvalid(Exception):
    """This drawing cannot be executed; `problems` names every element and the reason."""

    def __init__(self, problems: tuple[ElementProblem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))
