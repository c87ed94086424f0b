"""Workflows, rules: FEEL evaluated: a syntax tree and facts in, a value out.

Logic is three-valued as in OMG DMN 1.5, clause 10.3.2.8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, DecimalException
from typing import Any

from lark import Token, Tree

from workflows.plan.dmn.functions import FUNCTIONS, contains
from workflows.plan.dmn.grammar import read_expression, read_tests
from workflows.plan.dmn.values import EXACT, FeelFailed, Range, Value, compare, fact, kind_of, same, shown

GREATEST_POWER = 999
MOST_TEXT = 10_000
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}

Facts = Mapping[str, object]


def evaluate(text: str, facts: Facts) -> Value:
    """The value of an expression. Raises FeelInvalid for a wrong text, FeelFailed when it has no value."""
    return _Reckoning(facts).value(read_expression(text))


def holds(text: str, value: Value, facts: Facts) -> bool:
    """Whether a value passes the tests of an input entry: `-`, values, comparisons, ranges, separated by commas.

    Raises FeelInvalid for a wrong text, FeelFailed when a test cannot be evaluated.
    """
    return _Reckoning(facts, value).passes(read_tests(text))


def unknown_functions(tree: Tree[Any]) -> list[str]:
    """The names of functions in a syntax tree that there are not."""
    return sorted({str(call.children[0]) for call in tree.find_data("call")} - set(FUNCTIONS))


class _Reckoning:
    """One evaluation: the facts, and for the tests of an input entry the value that is tested."""

    def __init__(self, facts: Facts, tested: Value = None) -> None:
        self.facts = facts
        self.tested = tested

    def value(self, tree: Tree[Any]) -> Value:
        try:
            return getattr(self, f"_{tree.data}")(*tree.children)
        except DecimalException as wrong:
            raise FeelFailed("The numbers are too large, or something is divided by zero.") from wrong

    def passes(self, tree: Tree[Any]) -> bool:
        """Whether the tested value passes the tests of this tree."""
        if tree.data == "anything":
            return True
        tests = tree.children[0].children
        if len(tests) == 1 and tests[0].data == "matches" and tests[0].children[0].data == "negation":
            return not self._test(Tree("matches", tests[0].children[0].children))  # not(x) alone means: anything but x
        passed = any(self._test(test) for test in tests)
        return not passed if tree.data == "none_of" else passed

    def _test(self, test: Tree[Any]) -> bool:
        if test.data == "compares":
            return compare(str(test.children[0]), self.tested, self.value(test.children[1])) is True
        tree = test.children[0]
        value = self.value(tree)
        if _asks_itself(tree):  # a condition of its own, such as `? > limit`
            return value is True
        return self._among_one(self.tested, value)

    def _among_one(self, tested: Value, wanted: Value) -> bool:
        if isinstance(wanted, Range):
            return wanted.holds(tested) is True
        if isinstance(wanted, list) and not isinstance(tested, list):
            return contains(wanted, tested)
        return same(tested, wanted)

    # literals and names

    def _number(self, token: Token) -> Decimal:
        return EXACT.create_decimal(str(token))

    def _string(self, token: Token) -> str:
        return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _unescaped, str(token)[1:-1])

    def _true(self) -> bool:
        return True

    def _false(self) -> bool:
        return False

    def _null(self) -> None:
        return None

    def _self(self) -> Value:
        return self.tested

    def _path(self, *names: Token) -> Value:
        found: Value = self.facts
        for name in names:
            found = found.get(str(name)) if isinstance(found, Mapping) else None
        return fact(found)

    def _list(self, *items: Tree[Any]) -> list[Value]:
        return [self.value(each) for each in items]

    # ranges

    def _range_with_both(self, low: Tree[Any], high: Tree[Any]) -> Range:
        return Range(self.value(low), self.value(high), True, True)

    def _range_with_low(self, low: Tree[Any], high: Tree[Any]) -> Range:
        return Range(self.value(low), self.value(high), True, False)

    def _range_with_high(self, low: Tree[Any], high: Tree[Any]) -> Range:
        return Range(self.value(low), self.value(high), False, True)

    def _range_with_none(self, low: Tree[Any], high: Tree[Any]) -> Range:
        return Range(self.value(low), self.value(high), False, False)

    # logic

    def _truth(self, tree: Tree[Any]) -> bool | None:
        value = self.value(tree)
        if value is not None and not isinstance(value, bool):
            raise FeelFailed(f"Yes or no is needed, not {shown(value)}.")
        return value

    def _either(self, left: Tree[Any], right: Tree[Any]) -> bool | None:
        first = self._truth(left)
        if first is True:
            return True
        second = self._truth(right)
        return True if second is True else None if first is None or second is None else False

    def _both(self, left: Tree[Any], right: Tree[Any]) -> bool | None:
        first = self._truth(left)
        if first is False:
            return False
        second = self._truth(right)
        return False if second is False else None if first is None or second is None else True

    def _negation(self, tree: Tree[Any]) -> bool | None:
        value = self._truth(tree)
        return None if value is None else not value

    def _choice(self, condition: Tree[Any], yes: Tree[Any], no: Tree[Any]) -> Value:
        return self.value(yes if self._truth(condition) is True else no)

    def _comparison(self, left: Tree[Any], sign: Token, right: Tree[Any]) -> bool | None:
        return compare(str(sign), self.value(left), self.value(right))

    def _between(self, tested: Tree[Any], low: Tree[Any], high: Tree[Any]) -> bool | None:
        return Range(self.value(low), self.value(high), True, True).holds(self.value(tested))

    def _among(self, tested: Tree[Any], wanted: Tree[Any]) -> bool:
        value = self.value(tested)
        if wanted.data == "tests":
            inner = _Reckoning(self.facts, value)
            return any(inner._test(test) for test in wanted.children)
        return self._among_one(value, self.value(wanted))

    # reckoning

    def _calculation(self, left: Tree[Any], sign: Token, right: Tree[Any]) -> Value:
        first, second = self.value(left), self.value(right)
        if first is None or second is None:
            return None
        if (kind_of(first), kind_of(second)) == ("number", "number"):
            return _calculated(str(sign), first, second)
        return _joined(str(sign), first, second)

    def _negated(self, tree: Tree[Any]) -> Value:
        value = self.value(tree)
        if kind_of(value) not in ("number", "duration", "nothing"):
            raise FeelFailed(f"A number is needed after the minus, not {shown(value)}.")
        return None if value is None else -value

    def _call(self, name: Token, *given: Tree[Any]) -> Value:
        if str(name) not in FUNCTIONS:
            raise FeelFailed(f"There is no function {name}; there are {', '.join(sorted(FUNCTIONS))}.")
        least, most, act = FUNCTIONS[str(name)]
        if not least <= len(given) <= most:
            raise FeelFailed(f"{name} takes {least if least == most else f'{least} to {most}'} values.")
        try:
            return act(*(self.value(each) for each in given))
        except TypeError as wrong:
            raise FeelFailed(f"{name} cannot be reckoned with these values.") from wrong


def _calculated(sign: str, left: Decimal, right: Decimal) -> Decimal:
    match sign:
        case "+":
            return EXACT.add(left, right)
        case "-":
            return EXACT.subtract(left, right)
        case "*":
            return EXACT.multiply(left, right)
        case "/":
            return EXACT.divide(left, right)
    if abs(right) > GREATEST_POWER:
        raise FeelFailed(f"A power is at most {GREATEST_POWER}.")
    powered = EXACT.power(left, right)
    if not powered.is_finite():
        raise FeelFailed(f"{left} ** {right} is no number.")
    return powered


def _joined(sign: str, left: Value, right: Value) -> Value:
    kinds = (kind_of(left), kind_of(right))
    if sign == "+" and kinds == ("string", "string"):
        if len(left) + len(right) > MOST_TEXT:
            raise FeelFailed(f"The text is longer than {MOST_TEXT:,} characters.")
        return left + right
    moments = ("date", "date and time", "duration")
    if sign in "+-" and kinds[0] in moments and kinds[1] in moments:
        try:
            return left + right if sign == "+" else left - right
        except (TypeError, OverflowError) as wrong:
            raise FeelFailed(f"{left} {sign} {right} is no moment.") from wrong
    raise FeelFailed(f"{shown(left)} {sign} {shown(right)} has no meaning.")


def _asks_itself(tree: Tree[Any]) -> bool:
    return any(True for _ in tree.find_data("self"))


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] != "u" or len(code) == 1:
        return ESCAPES.get(code, code)
    if code == "u0000" or 0xD800 <= int(code[1:], 16) < 0xE000:
        raise FeelFailed(f"\\{code} is no character that can be kept.")
    return chr(int(code[1:], 16))
