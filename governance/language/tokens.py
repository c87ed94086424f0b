"""The policy language, its words: from text to tokens with their places."""

import re
from typing import NamedTuple, Never

from governance.language.problems import LanguageError, problem_at

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|//[^\n]*)
    |(?P<number>[0-9]+(?:\.[0-9]+)?)
    |(?P<string>r?"(?:[^"\\\n]|\\[^\n])*"|r?'(?:[^'\\\n]|\\[^\n])*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:().,\[\]{}])""",
    re.VERBOSE,
)
_MEANT = {
    "and": "&&", "AND": "&&", "or": "||", "OR": "||", "not": "!", "NOT": "!", "&": "&&", "|": "||",
    "=": "==", "True": "true", "False": "false", "is": "==", "“": '"', "”": '"',
}  # fmt: skip
NULLS = ("null", "None", "nil")


class Token(NamedTuple):
    """One word of the text with its place; kind is number, string, name, sign or end."""

    kind: str
    text: str
    start: int
    end: int


def refusal(text: str, start: int, end: int, message: str, suggestion: str | None = None) -> LanguageError:
    """Give the error that refuses a text for what stands between two places."""
    return LanguageError([problem_at(text, start, end, message, suggestion)])


def meant(word: str) -> str | None:
    """Give what somebody who wrote this word may have meant, from other languages."""
    if word in NULLS:
        return "There is no null; ask `has(field)` or `!has(field)`."
    return f"Did you mean `{_MEANT[word]}`?" if word in _MEANT else None


def tokens(text: str) -> list[Token]:
    """Cut the text into tokens, without white space and comments, with an end token last."""
    at, found = 0, []
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if start != at:
            _fail_at_character(text, at)
        at, kind = end, match.lastgroup or ""
        if kind == "space":
            continue
        word = match.group()
        if kind == "number":
            _no_letters_after_number(text, start, end)
        found.append(Token("sign" if word == "in" else kind, word, start, end))
    if at != len(text):
        _fail_at_character(text, at)
    found.append(Token("end", "", at, at))
    return found


def _fail_at_character(text: str, at: int) -> Never:
    if text[at] in "\"'":
        end = text.find("\n", at)
        raise refusal(text, at, end if end != -1 else len(text), "This text has no closing quote.")
    raise refusal(text, at, at + 1, f"The character `{text[at]}` has no meaning here.", meant(text[at]))


def _no_letters_after_number(text: str, start: int, end: int) -> None:
    if end < len(text) and (text[end].isalnum() or text[end] == "_"):
        raise refusal(text, start, end + 1, "A number is written with digits and a point only, such as 1200.50.")
