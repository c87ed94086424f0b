"""The policy language, its grammar: from text to tokens to the syntax tree."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Never

from governance.language.problems import LanguageError, problem_at
from governance.language.tree import (
    Binary,
    Call,
    Chain,
    Choice,
    ListOf,
    Literal,
    Node,
    Path,
    Unary,
    with_depth,
)
from governance.language.values import INT_HIGH, INT_LOW, Kind, WrongValue, exact

MAX_CHARACTERS = 4_000
MAX_DEPTH = 60

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|//[^\n]*)
    |(?P<number>[0-9]+(?:\.[0-9]+)?)
    |(?P<string>r?"(?:[^"\\\n]|\\[^\n])*"|r?'(?:[^'\\\n]|\\[^\n])*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:().,\[\]])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "r": "\r", "t": "\t"}
_MEANT = {
    "and": "&&", "AND": "&&", "or": "||", "OR": "||", "not": "!", "NOT": "!", "&": "&&", "|": "||",
    "=": "==", "True": "true", "False": "false", "is": "==", "“": '"', "”": '"',
}  # fmt: skip
_NULLS = ("null", "None", "nil")
_RELATIONS = ("<", "<=", ">", ">=", "==", "!=", "in")
_LEVELS = (_RELATIONS, ("+", "-"), ("*", "/", "%"))


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the text with its place; kind is number, string, name, sign or end."""

    kind: str
    text: str
    start: int
    end: int


def read(text: str) -> Node:
    """Read the text of an expression into its tree; raise LanguageError with the first mistake."""
    if len(text) > MAX_CHARACTERS:
        _fail(text, MAX_CHARACTERS, len(text), f"The expression is longer than {MAX_CHARACTERS:,} characters.")
    tree = _Parser(text).whole()
    for node, depth in with_depth(tree):
        if depth > MAX_DEPTH:
            _fail(text, node.start, node.end, f"The expression is nested deeper than {MAX_DEPTH} levels.")
    return tree


def _fail(text: str, start: int, end: int, message: str, suggestion: str | None = None) -> Never:
    raise LanguageError([problem_at(text, start, end, message, suggestion)])


def _meant(word: str) -> str | None:
    if word in _NULLS:
        return "There is no null; ask `has(field)` or `!has(field)`."
    return f"Did you mean `{_MEANT[word]}`?" if word in _MEANT else None


def tokens(text: str) -> Iterator[Token]:
    """Cut the text into tokens, without white space and comments, with an end token last."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            _fail_at_character(text, at)
        if found.lastgroup != "space":
            _no_letters_after_number(text, found)
            yield Token(_kind(found), found.group(), found.start(), found.end())
        at = found.end()
    yield Token("end", "", len(text), len(text))


def _kind(found: re.Match[str]) -> str:
    if found.group() == "in":
        return "sign"
    return found.lastgroup or ""


def _fail_at_character(text: str, at: int) -> Never:
    if text[at] in "\"'":
        end = text.find("\n", at)
        _fail(text, at, end if end != -1 else len(text), "This text has no closing quote.")
    _fail(text, at, at + 1, f"The character `{text[at]}` has no meaning here.", _meant(text[at]))


def _no_letters_after_number(text: str, found: re.Match[str]) -> None:
    end = found.end()
    if found.lastgroup == "number" and end < len(text) and (text[end].isalnum() or text[end] == "_"):
        _fail(text, found.start(), end + 1, "A number is written with digits and a point only, such as 1200.50.")


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(tokens(text))
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def whole(self) -> Node:
        if self.token.kind == "end":
            self.fail("The expression is empty.")
        tree = self.expression()
        if self.token.kind != "end":
            self.fail(f"Expected an operator or the end, found `{self.token.text}`.")
        return tree

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"The expression is nested deeper than {MAX_DEPTH} levels.")
        node = self.alternatives()
        if self.take("?"):
            yes = self.alternatives()
            self.expect(":")
            no = self.expression()
            node = Choice(node, yes, no, start=node.start, end=no.end)
        self.depth -= 1
        return node

    def alternatives(self) -> Node:
        return self.chain("||", lambda: self.chain("&&", lambda: self.binary(0)))

    def chain(self, operator: str, operand: Callable[[], Node]) -> Node:
        items = [operand()]
        while self.take(operator):
            items.append(operand())
        if len(items) == 1:
            return items[0]
        return Chain(operator, tuple(items), start=items[0].start, end=items[-1].end)

    def binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        node = self.binary(level + 1)
        while self.token.kind == "sign" and self.token.text in _LEVELS[level]:
            operator = self.next().text
            right = self.binary(level + 1)
            node = Binary(operator, node, right, start=node.start, end=right.end)
        return node

    def unary(self) -> Node:
        signs = []
        while self.token.kind == "sign" and self.token.text in ("!", "-"):
            if self.token.text == "-" and self.tokens[self.at + 1].kind == "number":
                break
            signs.append(self.next())
        node = self.member()
        for sign in reversed(signs):
            node = Unary(sign.text, node, start=sign.start, end=node.end)
        return node

    def member(self) -> Node:
        node = self.primary()
        while True:
            if self.take("."):
                node = self.dotted(node)
            elif self.token.text == "[" and self.token.kind == "sign":
                self.fail("Items of a list cannot be picked by index.", "Ask `value in list` instead.")
            else:
                return node

    def dotted(self, target: Node) -> Node:
        name = self.next() if self.token.kind == "name" else self.fail(f"Expected a name, found {self.found()}.")
        if self.take("("):
            arguments = self.items(")")
            return Call(name.text, target, arguments, start=target.start, end=self.last_end())
        if isinstance(target, Path):
            return replace(target, parts=(*target.parts, name.text), end=name.end)
        _fail(self.text, name.start, name.end, f"Only a field has parts; `{name.text}` is not called.")

    def primary(self) -> Node:
        token = self.token
        if token.kind == "number" or (token.kind == "sign" and token.text == "-"):
            return self.number()
        if token.kind == "string":
            self.next()
            return Literal(self.unquoted(token), Kind.STRING, start=token.start, end=token.end)
        if token.kind == "name":
            return self.named()
        if self.take("("):
            node = self.expression()
            self.expect(")")
            return node
        if self.take("["):
            return ListOf(self.items("]"), start=token.start, end=self.last_end())
        return self.fail(f"Expected a value, found {self.found()}.", _meant(token.text))

    def named(self) -> Node:
        token = self.next()
        if token.text in ("true", "false"):
            return Literal(token.text == "true", Kind.BOOL, start=token.start, end=token.end)
        if token.text in _NULLS:
            _fail(self.text, token.start, token.end, f"`{token.text}` has no meaning here.", _meant(token.text))
        if self.take("("):
            arguments = self.items(")")
            return Call(token.text, None, arguments, start=token.start, end=self.last_end())
        return Path((token.text,), start=token.start, end=token.end)

    def number(self) -> Node:
        start = self.token.start
        sign = "-" if self.take("-") else ""
        token = self.next()
        place = {"start": start, "end": token.end}
        try:
            if "." in token.text:
                return Literal(exact(Decimal(sign + token.text)), Kind.DECIMAL, **place)
            if len(token.text) < 20 and INT_LOW <= int(sign + token.text) <= INT_HIGH:
                return Literal(int(sign + token.text), Kind.INT, **place)
        except WrongValue as wrong:
            _fail(self.text, start, token.end, f"The number {wrong}.")
        hint = "Write it with a point, such as 10.0, to make it a decimal."
        _fail(self.text, start, token.end, "The whole number does not fit 64 bits.", hint)

    def unquoted(self, token: Token) -> str:
        if token.text[0] == "r":
            return token.text[2:-1]
        return _ESCAPE.sub(lambda found: self.unescaped(found, token), token.text[1:-1])

    def unescaped(self, found: re.Match[str], token: Token) -> str:
        code = found.group(1)
        if code in _ESCAPES:
            return _ESCAPES[code]
        number = int(code[1:], 16) if len(code) > 1 else 0
        if not 0 < number <= 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            start = token.start + 1 + found.start()
            hint = 'Use \\\\, \\", \\n, \\r, \\t or \\u00e9, or write r"..." for text without escapes.'
            _fail(self.text, start, start + len(found.group()), f"`{found.group()}` is no escape.", hint)
        return chr(number)

    def items(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        if self.take(closing):
            return ()
        while True:
            items.append(self.expression())
            if self.take(closing):
                return tuple(items)
            self.expect(",", f"Expected `,` or `{closing}`, found {self.found()}.")

    def next(self) -> Token:
        token = self.token
        self.at += 1
        return token

    def take(self, sign: str) -> bool:
        if self.token.kind == "sign" and self.token.text == sign:
            self.at += 1
            return True
        return False

    def expect(self, sign: str, message: str = "") -> None:
        if not self.take(sign):
            self.fail(message or f"Expected `{sign}`, found {self.found()}.", _meant(self.token.text))

    def found(self) -> str:
        return f"`{self.token.text}`" if self.token.text else "the end"

    def last_end(self) -> int:
        return self.tokens[self.at - 1].end

    def fail(self, message: str, suggestion: str | None = None) -> Never:
        token = self.token
        start = min(token.start, max(len(self.text.rstrip()) - 1, 0)) if token.kind == "end" else token.start
        _fail(self.text, start, max(token.end, start + 1), message, suggestion or _meant(token.text))
