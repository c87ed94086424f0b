"""Workflows, rules: the grammar of FEEL, the language of DMN decision tables, as far as it is executed here.

Source: OMG DMN 1.5, clause 10.3.1.2. A name is one word; the names of clause 10.3.1.4, which may hold spaces, are not.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lark import Lark, Tree, UnexpectedInput, UnexpectedToken

MOST_CHARACTERS = 2_000
MOST_DEPTH = 60

GRAMMAR = r"""
    unary_tests: "-" -> anything
        | "not" "(" tests ")" -> none_of
        | tests -> any_of
    tests: test ("," test)*
    ?test: COMPARE additive -> compares
        | expression -> matches

    ?expression: "if" expression "then" expression "else" expression -> choice
        | disjunction
    ?disjunction: conjunction | disjunction "or" conjunction -> either
    ?conjunction: comparison | conjunction "and" comparison -> both
    ?comparison: additive
        | additive COMPARE additive -> comparison
        | additive "between" additive "and" additive -> between
        | additive "in" "(" tests ")" -> among
        | additive "in" simple -> among
    ?additive: product | additive SUM product -> calculation
    ?product: power | product PRODUCT power -> calculation
    ?power: negative | negative POWER power -> calculation
    ?negative: atom | "-" negative -> negated
    ?atom: simple | "(" expression ")"
    ?simple: NUMBER -> number
        | STRING -> string
        | "true" -> true
        | "false" -> false
        | "null" -> null
        | "?" -> self
        | NAME ("." NAME)* -> path
        | NAME "(" [expression ("," expression)*] ")" -> call
        | "not" "(" expression ")" -> negation
        | "[" [expression ("," expression)*] "]" -> list
        | "[" expression ".." expression "]" -> range_with_both
        | "[" expression ".." expression ")" -> range_with_low
        | "[" expression ".." expression "[" -> range_with_low
        | "(" expression ".." expression "]" -> range_with_high
        | "]" expression ".." expression "]" -> range_with_high
        | "(" expression ".." expression ")" -> range_with_none
        | "]" expression ".." expression "[" -> range_with_none

    COMPARE: "<=" | ">=" | "!=" | "<" | ">" | "="
    SUM: "+" | "-"
    PRODUCT: "*" | "/"
    POWER: "**"
    NUMBER: /\d+(\.\d+)?|\.\d+/
    STRING: /"(?:[^"\\\n]|\\.)*"/
    NAME: /[^\W\d]\w*/
    %ignore /[ \t\r\n]+/
"""


class FeelInvalid(ValueError):
    """This text is not FEEL, or more than is executed here; the message says where and why."""


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", start=["unary_tests", "expression"], maybe_placeholders=False)


@lru_cache(maxsize=4_096)
def read_expression(text: str) -> Tree[Any]:
    """The syntax tree of an expression. Raises FeelInvalid."""
    return _read(text, "expression")


@lru_cache(maxsize=4_096)
def read_tests(text: str) -> Tree[Any]:
    """The syntax tree of the tests in an input entry; an empty one and `-` hold for anything. Raises FeelInvalid."""
    return _read(text.strip() or "-", "unary_tests")


def _read(text: str, start: str) -> Tree[Any]:
    if len(text) > MOST_CHARACTERS:
        raise FeelInvalid(f"The expression is longer than {MOST_CHARACTERS:,} characters.")
    try:
        tree = _parser().parse(text, start=start)
    except UnexpectedInput as wrong:
        raise FeelInvalid(_told(text, wrong)) from wrong
    if _depth(tree) > MOST_DEPTH:
        raise FeelInvalid(f"The expression is nested deeper than {MOST_DEPTH} levels.")
    return tree


def _told(text: str, wrong: UnexpectedInput) -> str:
    if isinstance(wrong, UnexpectedToken) and wrong.token.type == "$END":
        return f"`{text.strip()}` ends too early."
    place = wrong.pos_in_stream or 0
    return f"`{text[place : place + 20].strip()}` is not expected in `{text.strip()}`."


def _depth(tree: Tree[Any]) -> int:
    level, depth = [tree], 0
    while level:
        level = [each for node in level for each in node.children if isinstance(each, Tree)]
        depth += 1
    return depth
