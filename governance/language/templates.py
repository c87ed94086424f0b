"""The policy language, its sentences: reasons such as "{context.amount} EUR is too much."."""

import re
from dataclasses import dataclass

from governance.language.interpreting import Facts
from governance.language.problems import MAX_PROBLEMS, LanguageError, Problem, problem_at
from governance.language.schema import Schema, find_at
from governance.language.values import show

MAX_CHARACTERS = 1_000
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class _Placeholder:
    path: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence with placeholders; `fields` are the dotted paths it shows."""

    text: str
    fields: frozenset[str]
    _pieces: tuple[str | _Placeholder, ...]

    def render(self, facts: Facts) -> str:
        """Give the sentence with the values in place, numbers with every digit and separators, "not given" for none."""
        return "".join([
            piece if isinstance(piece, str) else show(find_at(facts, piece.parts)) for piece in self._pieces
        ])  # fmt: skip


def compile_template(text: str, schema: Schema) -> Template:
    """Read a sentence with `{field}` placeholders (`{{` and `}}` are braces) or raise LanguageError."""
    if len(text) > MAX_CHARACTERS:
        message = f"The sentence is longer than {MAX_CHARACTERS:,} characters."
        raise LanguageError([problem_at(text, MAX_CHARACTERS, len(text), message)])
    pieces: list[str | _Placeholder] = []
    problems: list[Problem] = []
    for found in _PIECE.finditer(text):
        piece = _piece(found, schema)
        if isinstance(piece, tuple):
            problems.append(problem_at(text, found.start(), found.end(), *piece))
            if len(problems) == MAX_PROBLEMS:
                break
        else:
            pieces.append(piece)
    if problems:
        raise LanguageError(problems)
    paths = frozenset(piece.path for piece in pieces if isinstance(piece, _Placeholder))
    return Template(text, paths, tuple(pieces))


def _piece(found: re.Match[str], schema: Schema) -> str | _Placeholder | tuple[str, str | None]:
    """Give the piece, or message and suggestion of what is wrong with it."""
    text, inner = found.group(), found.group(1)
    if text in ("{{", "}}"):
        return text[0]
    if text in ("{", "}"):
        return f"The brace `{text}` has no partner.", f"Write `{text}{text}` for a brace in the sentence."
    if inner is None:
        return text
    path = inner.strip()
    if not _PATH.fullmatch(path):
        return "A placeholder holds one field, such as `{context.amount}`.", None
    if schema.get(path) is None:
        return f"`{path}` is not a known field.", schema.suggest(path)
    return _Placeholder(path, tuple(path.split(".")))
