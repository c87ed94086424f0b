"""The policy language, its grammar: from tokens to the syntax tree."""

import re
from decimal import Decimal
from typing import Never

from governance.language.tokens import NULLS, Token, meant, refusal, tokens
from governance.language.tree import (
    Binary,
    Call,
    Chain,
    Choice,
    Index,
    ListOf,
    Literal,
    Macro,
    MapOf,
    Node,
    Path,
    Unary,
    Variable,
    children,
)
from governance.language.values import INT_HIGH, INT_LOW, Kind, WrongValue, exact

MAX_CHARACTERS = 4_000
MAX_DEPTH = 60
MAX_NESTING = 2
MACROS = ("all", "exists", "exists_one", "filter", "map")

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "r": "\r", "t": "\t"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STRENGTH = {
    "<": 1, "<=": 1, ">": 1, ">=": 1, "==": 1, "!=": 1, "in": 1, "+": 2, "-": 2, "*": 3, "/": 3, "%": 3,
}  # fmt: skip


def read(text: str) -> Node:
    """Read the text of an expression into its tree; raise LanguageError with the first mistake."""
    if len(text) > MAX_CHARACTERS:
        raise refusal(text, MAX_CHARACTERS, len(text), f"The expression is longer than {MAX_CHARACTERS:,} characters.")
    tree = _Parser(text).whole()
    level, depth = [tree], 1
    while level := [child for node in level for child in children(node)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise refusal(
                text, level[0].start, level[0].end, f"The expression is nested deeper than {MAX_DEPTH} levels."
            )
    return tree


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0
        self.loops: list[str] = []
        self.token = self.tokens[0]

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
        first = self.conditions()
        items = [first]
        while self.take("||"):
            items.append(self.conditions())
        return first if len(items) == 1 else Chain("||", tuple(items), start=first.start, end=items[-1].end)

    def conditions(self) -> Node:
        first = self.binary(1)
        items = [first]
        while self.take("&&"):
            items.append(self.binary(1))
        return first if len(items) == 1 else Chain("&&", tuple(items), start=first.start, end=items[-1].end)

    def binary(self, least: int) -> Node:
        """Read operands joined by operators that bind at least so strongly; each operator takes its left side first."""
        node = self.unary()
        while (token := self.token).kind == "sign":
            strength = _STRENGTH.get(token.text, 0)
            if strength < least:
                break
            self.next()
            right = self.binary(strength + 1)
            node = Binary(token.text, node, right, start=node.start, end=right.end)
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
        while self.token.kind == "sign":
            if self.take("."):
                node = self.dotted(node)
            elif self.take("["):
                node = self.indexed(node)
            else:
                break
        return node

    def dotted(self, target: Node) -> Node:
        name = self.next() if self.token.kind == "name" else self.fail(f"Expected a name, found {self.found()}.")
        if self.take("("):
            if name.text in MACROS:
                return self.macro(name, target)
            arguments = self.items(")")
            return Call(name.text, target, arguments, start=target.start, end=self.last_end())
        if isinstance(target, Path):
            return Path((*target.parts, name.text), start=target.start, end=name.end)
        if isinstance(target, Variable):
            raise refusal(self.text, name.start, name.end, f"`{target.name}` is a single value and has no parts.")
        raise refusal(self.text, name.start, name.end, f"Only a field has parts; `{name.text}` is not called.")

    def indexed(self, target: Node) -> Node:
        """Read `[...]` behind a value; `group["field"]` is another way to write `group.field`."""
        index = self.expression()
        self.expect("]")
        if isinstance(target, Path) and isinstance(index, Literal) and index.kind is Kind.STRING:
            name = str(index.value)
            if _NAME.fullmatch(name):
                return Path((*target.parts, name), start=target.start, end=self.last_end())
        return Index(target, index, start=target.start, end=self.last_end())

    def macro(self, name: Token, target: Node) -> Node:
        if len(self.loops) == MAX_NESTING:
            raise refusal(self.text, name.start, name.end, f"Macros are nested deeper than {MAX_NESTING} levels.")
        variable = self.variable(name)
        self.expect(",", f"Expected `,`, found {self.found()}.", _example(name.text))
        self.loops.append(variable.name)
        items = self.items(")")
        self.loops.pop()
        if not 1 <= len(items) <= 1 + (name.text == "map"):
            message = f"`{name.text}` takes a name and {'1 or 2 expressions' if name.text == 'map' else '1 condition'}."
            raise refusal(self.text, name.start, self.last_end(), message, _example(name.text))
        return Macro(name.text, target, variable, items, start=target.start, end=self.last_end())

    def variable(self, macro: Token) -> Variable:
        token = self.token
        if token.kind != "name" or token.text in ("true", "false", *NULLS):
            self.fail(f"`{macro.text}` first gives each item a name.", _example(macro.text))
        if token.text in self.loops:
            self.fail(f"`{token.text}` is the name of an item already.", "Give this item another name.")
        self.next()
        return Variable(token.text, start=token.start, end=token.end)

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
        if self.take("{"):
            return MapOf(self.entries(), start=token.start, end=self.last_end())
        return self.fail(f"Expected a value, found {self.found()}.")

    def named(self) -> Node:
        token = self.next()
        if token.text in ("true", "false"):
            return Literal(token.text == "true", Kind.BOOL, start=token.start, end=token.end)
        if token.text in NULLS:
            raise refusal(self.text, token.start, token.end, f"`{token.text}` has no meaning here.", meant(token.text))
        if self.take("("):
            arguments = self.items(")")
            return Call(token.text, None, arguments, start=token.start, end=self.last_end())
        if token.text in self.loops:
            return Variable(token.text, start=token.start, end=token.end)
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
            raise refusal(self.text, start, token.end, f"The number {wrong}.") from wrong
        hint = "Write it with a point, such as 10.0, to make it a decimal."
        raise refusal(self.text, start, token.end, "The whole number does not fit 64 bits.", hint)

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
            raise refusal(self.text, start, start + len(found.group()), f"`{found.group()}` is no escape.", hint)
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

    def entries(self) -> tuple[tuple[Node, Node], ...]:
        entries: list[tuple[Node, Node]] = []
        if self.take("}"):
            return ()
        while True:
            key = self.expression()
            self.expect(":")
            entries.append((key, self.expression()))
            if self.take("}"):
                return tuple(entries)
            self.expect(",", f"Expected `,` or `}}`, found {self.found()}.")

    def next(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.at += 1
            self.token = self.tokens[self.at]
        return token

    def take(self, sign: str) -> bool:
        token = self.token
        if token.text == sign and token.kind == "sign":
            self.at += 1
            self.token = self.tokens[self.at]
            return True
        return False

    def expect(self, sign: str, message: str = "", suggestion: str | None = None) -> None:
        if not self.take(sign):
            self.fail(message or f"Expected `{sign}`, found {self.found()}.", suggestion)

    def found(self) -> str:
        return f"`{self.token.text}`" if self.token.text else "the end"

    def last_end(self) -> int:
        return self.tokens[self.at - 1].end

    def fail(self, message: str, suggestion: str | None = None) -> Never:
        token = self.token
        start = min(token.start, max(len(self.text.rstrip()) - 1, 0)) if token.kind == "end" else token.start
        raise refusal(self.text, start, max(token.end, start + 1), message, suggestion or meant(token.text))


def _example(macro: str) -> str:
    inner = "x + 1" if macro == "map" else "x > 5"
    return f"Write it such as `list.{macro}(x, {inner})`."
