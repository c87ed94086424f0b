"""Rules of governance, places: where in the text of a policy each problem stands, to the line and column."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import yaml

from governance.language import Problem

_UNKNOWN = "is not known here."


def place_problems(text: str, problems: Iterable[Problem]) -> list[Problem]:
    """The problems with line, column and length in the whole text (1-based), in the order in which they stand there."""
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    return sorted((_placed(text, root, problem) for problem in problems), key=lambda each: (each.line, each.column))


def _placed(text: str, root: Any, problem: Problem) -> Problem:
    key, node = _find(root, problem.path)
    if node is None:
        return replace(problem, line=1, column=1, length=1)
    if problem.line:
        within = _within_scalar(text, node, problem)
        if within is not None:
            return within
    mark = key if key is not None and problem.message.endswith(_UNKNOWN) else node
    start, end = mark.start_mark, mark.end_mark
    length = end.column - start.column if end.line == start.line else 1
    return replace(problem, line=start.line + 1, column=start.column + 1, length=max(length, 1))


def _find(root: Any, path: str) -> tuple[Any, Any]:
    """The name and the value that a path such as `rules[2].when` leads to, or the nearest part above it."""
    key, node = None, root
    while path and node is not None:
        step = _step(node, path)
        if step is None:
            break
        key, node, path = step
    return key, node


def _step(node: Any, path: str) -> tuple[Any, Any, str] | None:
    if path.startswith("[") and isinstance(node, yaml.SequenceNode):
        number, _, rest = path[1:].partition("]")
        if number.isdecimal() and int(number) < len(node.value):
            return None, node.value[int(number)], rest.removeprefix(".")
        return None
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in sorted(node.value, key=lambda pair: -len(pair[0].value)):
        name = key.value
        if path == name or path.startswith((f"{name}.", f"{name}[")):
            return key, value, path[len(name) :].removeprefix(".")
    return None


def _within_scalar(text: str, node: Any, problem: Problem) -> Problem | None:
    """The place inside of a value that is written as it is meant; None for one that is folded or escaped."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    lines, wanted = text.split("\n"), node.value.split("\n")
    said = wanted[problem.line - 1] if problem.line <= len(wanted) else ""
    if node.style == "|":
        line = node.start_mark.line + problem.line
        shift = len(lines[line]) - len(lines[line].lstrip()) if line < len(lines) else 0
    else:
        line = node.start_mark.line + problem.line - 1
        shift = node.start_mark.column + (node.style in ("'", '"'))
    if line >= len(lines) or not said or not lines[line][shift:].startswith(said):
        return None
    return replace(problem, line=line + 1, column=shift + problem.column)
