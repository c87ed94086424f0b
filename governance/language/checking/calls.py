"""The policy language, the checker's calls: functions, methods, patterns and time zones."""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import re2

from governance.language import meanings
from governance.language.checking.base import BOOL, Base, common_type
from governance.language.problems import did_you_mean
from governance.language.reading import MACROS
from governance.language.terms import Application, Constant, Given, Term
from governance.language.tree import Call, Literal, Node, Path
from governance.language.values import Kind, Type, WrongValue, parse_duration, parse_timestamp

MAX_PATTERN = 1_000
# the time over a text of 10,000 characters grows with the size of the compiled pattern: here up to half a second
MAX_PATTERN_STEPS = 1_500
_MAX_PATTERN_MEMORY = 1 << 20
_compile_pattern: Any = re2.compile  # the library has no types
# a group that holds nothing but one repetition and is repeated itself, such as (a+)*
_REPEATED_TWICE = re.compile(r"\((?:\?:|\?P<\w+>)?(?:\\.|\[(?:\\.|[^\]\\])+\]|[^\\()\[\]])[*+]\??\)[*+{]")
_OFFSET = re.compile(r"([+-]?)(\d\d):([0-5]\d)", re.ASCII)


class Calls(Base):
    """Functions and methods."""

    def call(self, node: Call) -> Term | None:
        if node.target is not None:
            return self.method(node, node.target, node.arguments)
        if node.name == "size" and len(node.arguments) == 1:
            return self.method(node, node.arguments[0], ())
        if node.name in ("min", "max"):
            return self.extreme(node)
        if node.name not in meanings.FUNCTIONS:
            self.no_function(node)
            return None
        if len(node.arguments) != 1:
            self.problem(node, f"`{node.name}` takes 1 argument, not {len(node.arguments)}.")
            return None
        return self.given(node) if node.name == "has" else self.moment(node)

    def extreme(self, node: Call) -> Term | None:
        """Check `min` and `max` of several values, or of the items of one list."""
        operands = self.terms(node.arguments)
        if operands is None:
            return None
        name = "least" if node.name == "min" else "greatest"
        if len(operands) == 1 and operands[0].type.kind is Kind.LIST:
            item = operands[0].type.item
            common = Type(item) if item else None
            name = f"{name}_of"
        elif len(operands) > 1:
            common = operands[0].type
            for operand in operands[1:]:
                common = common and common_type(common, operand.type)
        else:
            self.problem(node, f"`{node.name}` takes a list, or two and more values.")
            return None
        if common is None or common.kind not in meanings.ORDERED:
            kinds = ", ".join(str(operand.type) for operand in operands)
            self.problem(node, f"`{node.name}` wants values that have one order, but these are {kinds}.")
            return None
        return Application(common, node, name, operands)

    def no_function(self, node: Call) -> None:
        hint = did_you_mean(node.name, [*meanings.FUNCTIONS, *meanings.METHODS, *MACROS])
        if node.name in meanings.METHODS:
            hint = f"It is called on a value: `value.{node.name}(...)`."
        if node.name in MACROS:
            hint = f"It is called on a list: `list.{node.name}(x, ...)`."
        self.problem(node, f"There is no function `{node.name}`.", hint)

    def given(self, node: Call) -> Term | None:
        argument = node.arguments[0]
        if not isinstance(argument, Path):
            self.problem(argument, "`has` asks for a field, such as `has(resource.id)`.")
            return None
        field = self.field(argument)
        return Given(BOOL, node, field.path) if field else None

    def moment(self, node: Call) -> Term | None:
        argument = node.arguments[0]
        if not isinstance(argument, Literal) or not isinstance(argument.value, str):
            self.problem(argument, f"`{node.name}` takes text in quotes.")
            return None
        try:
            value = parse_duration(argument.value) if node.name == "duration" else parse_timestamp(argument.value)
        except WrongValue as wrong:
            self.problem(argument, f"The text {wrong}.")
            return None
        return Constant(Type(Kind(node.name)), node, value)

    def method(self, node: Call, target: Node, arguments: tuple[Node, ...]) -> Term | None:
        signatures = meanings.METHODS.get(node.name)
        if signatures is None:
            self.term(target)
            hint = did_you_mean(node.name, [*meanings.METHODS, *MACROS])
            self.problem(node, f"There is no method `{node.name}`.", hint)
            return None
        operands = self.terms((target, *arguments))
        if operands is None:
            return None
        signature = self.chosen(node, signatures, operands[0])
        if signature is None:
            return None
        if Kind.TIMESTAMP in signature.targets and len(operands) == 2:
            return self.in_zone(node, signature, *operands)
        if not self.fits(node, signature, operands[1:]):
            return None
        if node.name == "matches":
            return self.pattern(node, *operands)
        return Application(signature.result, node, signature.operation, operands)

    def chosen(self, node: Call, signatures: tuple[meanings.Signature, ...], target: Term) -> meanings.Signature | None:
        """Give what the method means on this kind of value."""
        for signature in signatures:
            if target.type.kind in signature.targets:
                return signature
        wanted = " or ".join(kind for signature in signatures for kind in signature.targets)
        message = f"`{node.name}` works on {wanted}, but this is {target.type}."
        self.problem(target.node, message, self.in_hint(node, target))
        return None

    def fits(self, node: Call, signature: meanings.Signature, arguments: tuple[Term, ...]) -> bool:
        if len(arguments) != len(signature.arguments):
            count = len(signature.arguments)
            self.problem(node, f"`{node.name}` takes {count} argument{'s' * (count != 1)}, not {len(arguments)}.")
            return False
        for argument, wanted_kind in zip(arguments, signature.arguments, strict=True):
            if argument.type.kind is not wanted_kind:
                self.problem(argument.node, f"`{node.name}` wants {wanted_kind}, but this is {argument.type}.")
                return False
        return True

    def in_hint(self, node: Call, target: Term) -> str | None:
        if node.name == "contains" and target.type.kind is Kind.LIST:
            return "Ask `value in list` instead."
        return None

    def in_zone(self, node: Call, signature: meanings.Signature, target: Term, argument: Term) -> Term | None:
        if not isinstance(argument, Constant) or not isinstance(argument.value, str):
            hint = 'Such as `context.time.getHours("Europe/Berlin")`.'
            self.problem(argument.node, "A time zone is written in quotes.", hint)
            return None
        zone = _zone(argument.value)
        if zone is None:
            hint = did_you_mean(argument.value, _zones()) or "Write a name such as `Europe/Berlin`, or `+01:00`."
            self.problem(argument.node, f"`{argument.value}` is not a known time zone.", hint)
            return None
        constant = Constant(argument.type, argument.node, zone)
        return Application(signature.result, node, signature.operation, (target, constant))

    def pattern(self, node: Call, target: Term, argument: Term) -> Term | None:
        if not isinstance(argument, Constant) or not isinstance(argument.value, str):
            self.problem(argument.node, "The pattern of `matches` must be text in quotes.")
            return None
        if len(argument.value) > MAX_PATTERN:
            self.problem(argument.node, f"The pattern is longer than {MAX_PATTERN:,} characters.")
            return None
        if twice := _REPEATED_TWICE.search(argument.value):
            hint = "Repeat once, such as `a+`: it finds the same."
            self.problem(argument.node, f"The pattern repeats a repetition: `{twice.group()}`.", hint)
            return None
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MAX_PATTERN_MEMORY
        try:
            compiled = _compile_pattern(argument.value, options)
        except (re2.error, UnicodeEncodeError) as error:
            self.problem(argument.node, f"The pattern cannot be read: {_words_of(error)}.")
            return None
        if compiled.programsize > MAX_PATTERN_STEPS:
            hint = "Use fewer and smaller repetitions, and fewer classes of letters."
            self.problem(argument.node, "The pattern is too dear: it could take a second over a long text.", hint)
            return None
        return Application(BOOL, node, "matches", (target, Constant(argument.type, argument.node, compiled)))


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(name: str) -> tzinfo | None:
    """Give the time zone of an IANA name or of an offset such as `+01:00`, or None."""
    if offset := _OFFSET.fullmatch(name):
        length = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        if length >= timedelta(hours=24):
            return None
        return timezone(-length if offset[1] == "-" else length)
    if name == "UTC":
        return UTC
    return ZoneInfo(name) if name in _zones() else None


def _words_of(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)
