"""The policy language, its types: from the syntax tree and a schema to typed terms, or to problems."""

from typing import Any

import re2

from governance.language import meanings
from governance.language.problems import MAX_PROBLEMS, LanguageError, Problem, did_you_mean, problem_at
from governance.language.schema import Field, Schema
from governance.language.terms import (
    Application,
    Conjunction,
    Constant,
    Disjunction,
    Given,
    Listing,
    Negation,
    Read,
    Selection,
    Term,
)
from governance.language.tree import Binary, Call, Chain, Choice, ListOf, Literal, Node, Path, Unary
from governance.language.values import NUMBERS, Kind, Type, WrongValue, parse_duration, parse_timestamp

_BOOL = Type(Kind.BOOL)
_MAX_PATTERN_MEMORY = 1 << 20
_compile_pattern: Any = re2.compile  # the library has no types


def check(tree: Node, schema: Schema, text: str, *, expects: Kind | None) -> Term:
    """Give the typed term of a tree; raise LanguageError with every problem and its place in `text`."""
    checker = _Checker(schema, text)
    term = checker.term(tree)
    if term is not None and expects is not None and not _accepts(expects, term.type):
        checker.problem(tree, f"The expression gives {term.type}, but {expects} is wanted.")
    if checker.problems or term is None:
        raise LanguageError(checker.problems)
    return term


def _accepts(wanted: Kind, given: Type) -> bool:
    return given.kind is wanted or (wanted is Kind.DECIMAL and given.kind is Kind.INT)


def _common(left: Type, right: Type) -> Type | None:
    """The type both values have or may be read as; None when there is none."""
    if left == right:
        return left
    if left.kind in NUMBERS and right.kind in NUMBERS:
        return Type(Kind.DECIMAL)
    if left.kind is Kind.LIST and right.kind is Kind.LIST:
        return _common_list(left.item, right.item)
    return None


def _common_list(left: Kind | None, right: Kind | None) -> Type | None:
    if left is None or right is None:
        return Type(Kind.LIST, left or right)
    item = _common(Type(left), Type(right))
    return item and Type(Kind.LIST, item.kind)


class _Checker:
    """A method gives None when it has noted a problem, so that one mistake is told once."""

    def __init__(self, schema: Schema, text: str) -> None:
        self.schema = schema
        self.text = text
        self.problems: list[Problem] = []

    def problem(self, node: Node, message: str, suggestion: str | None = None) -> None:
        self.problems.append(problem_at(self.text, node.start, node.end, message, suggestion))
        if len(self.problems) == MAX_PROBLEMS:
            raise LanguageError(self.problems)

    def term(self, node: Node) -> Term | None:
        match node:
            case Literal():
                return Constant(Type(node.kind), node, node.value)
            case Path():
                return self.path(node)
            case ListOf():
                return self.listing(node)
            case Unary():
                return self.unary(node)
            case Chain():
                return self.chain(node)
            case Choice():
                return self.choice(node)
            case Binary():
                return self.binary(node)
            case Call():
                return self.call(node)
        raise TypeError(f"{type(node).__name__} is no node of the language.")

    def terms(self, nodes: tuple[Node, ...]) -> tuple[Term, ...] | None:
        found = [self.term(node) for node in nodes]
        known = tuple(term for term in found if term is not None)
        return known if len(known) == len(found) else None

    def boolean(self, node: Node, where: str) -> Term | None:
        term = self.term(node)
        if term is not None and term.type != _BOOL:
            self.problem(node, f"{where} wants bool, but this is {term.type}.")
            return None
        return term

    def field(self, node: Path) -> Field | None:
        field = self.schema.get(node.dotted)
        if field is None:
            self.problem(node, f"`{node.dotted}` is not a known field.", self.schema.suggest(node.dotted))
        return field

    def path(self, node: Path) -> Term | None:
        field = self.field(node)
        return Read(field.type, node, field.path) if field else None

    def listing(self, node: ListOf) -> Term | None:
        items = self.terms(node.items)
        if items is None:
            return None
        common: Type | None = items[0].type if items else None
        for item in items:
            common = common and _common(common, item.type)
            if common is None or common.kind is Kind.LIST:
                self.problem(item.node, "The items of a list must all have the same simple type.")
                return None
        return Listing(Type(Kind.LIST, common.kind if common else None), node, items)

    def unary(self, node: Unary) -> Term | None:
        if node.operator == "!":
            operand = self.boolean(node.operand, "`!`")
            return operand and Negation(_BOOL, node, operand)
        operand = self.term(node.operand)
        if operand is None:
            return None
        if operand.type.kind not in NUMBERS:
            self.problem(node, f"`-` wants a number, but this is {operand.type}.")
            return None
        return Application(operand.type, node, f"negate_{operand.type.kind}", (operand,))

    def chain(self, node: Chain) -> Term | None:
        found = [self.boolean(item, f"`{node.operator}`") for item in node.items]
        items = tuple(item for item in found if item is not None)
        if len(items) < len(found):
            return None
        return (Conjunction if node.operator == "&&" else Disjunction)(_BOOL, node, items)

    def choice(self, node: Choice) -> Term | None:
        test = self.boolean(node.test, "`?`")
        yes, no = self.term(node.yes), self.term(node.no)
        if test is None or yes is None or no is None:
            return None
        common = _common(yes.type, no.type)
        if common is None:
            self.problem(node, f"Both sides of `:` must have one type, but they are {yes.type} and {no.type}.")
            return None
        return Selection(common, node, test, yes, no)

    def binary(self, node: Binary) -> Term | None:
        left, right = self.term(node.left), self.term(node.right)
        if left is None or right is None:
            return None
        if node.operator == "in":
            return self.membership(node, left, right)
        if node.operator in meanings.COMPARISONS:
            return self.comparison(node, left, right)
        return self.arithmetic(node, left, right)

    def membership(self, node: Binary, left: Term, right: Term) -> Term | None:
        if right.type.kind is not Kind.LIST:
            hint = "For a part of a text ask `text.contains(part)`." if right.type.kind is Kind.STRING else None
            self.problem(node.right, f"`in` wants a list on its right, but this is {right.type}.", hint)
            return None
        if right.type.item is not None and _common(left.type, Type(right.type.item)) is None:
            self.problem(node, f"{left.type} can never be in a {right.type}.")
            return None
        if isinstance(right, Listing):
            self.known_words(left, right.items)
        return Application(_BOOL, node, "is_in", (left, right))

    def comparison(self, node: Binary, left: Term, right: Term) -> Term | None:
        common = _common(left.type, right.type)
        if common is None:
            message = f"{left.type} and {right.type} cannot be compared with `{node.operator}`."
            self.problem(node, message, self.quotes_hint(left, right))
            return None
        if node.operator not in ("==", "!="):
            return self.ordering(node, left, right, common)
        self.known_words(left, (right,))
        self.known_words(right, (left,))
        table = meanings.LIST_COMPARISONS if common.kind is Kind.LIST else meanings.COMPARISONS
        return Application(_BOOL, node, table[node.operator], (left, right))

    def ordering(self, node: Binary, left: Term, right: Term, common: Type) -> Term | None:
        if common.kind not in meanings.ORDERED:
            self.problem(node, f"`{node.operator}` cannot order {common} values.")
            return None
        return Application(_BOOL, node, meanings.COMPARISONS[node.operator], (left, right))

    def quotes_hint(self, left: Term, right: Term) -> str | None:
        for term, other in ((left, right), (right, left)):
            if isinstance(term, Constant) and isinstance(term.value, str) and other.type.kind in NUMBERS:
                return "Write the number without quotes."
            if term.type.kind is Kind.BOOL and other.type.kind in NUMBERS:
                return "Join two comparisons with `&&`, such as `1 < x && x < 5`."
        return None

    def known_words(self, left: Term, others: tuple[Term, ...]) -> None:
        """Refuse a word that the field's list of words does not have: such a comparison is never true."""
        field = self.schema.get(left.path) if isinstance(left, Read) else None
        if field is None or not field.enum:
            return
        for other in others:
            if isinstance(other, Constant) and isinstance(other.value, str) and other.value not in field.enum:
                hint = did_you_mean(other.value, field.enum)
                words = ", ".join(field.enum)
                self.problem(other.node, f"`{field.path}` is never `{other.value}`; it is one of {words}.", hint)

    def arithmetic(self, node: Binary, left: Term, right: Term) -> Term | None:
        common = _common(left.type, right.type)
        if common is not None and common.kind in NUMBERS:
            name = f"{meanings.NUMERIC[node.operator]}_{common.kind}"
            return Application(common, node, name, (left, right))
        meaning = meanings.OTHER_ARITHMETIC.get((node.operator, left.type.kind, right.type.kind))
        if meaning is None:
            self.problem(node, f"`{node.operator}` has no meaning between {left.type} and {right.type}.")
            return None
        return Application(Type(meaning[1]), node, meaning[0], (left, right))

    def call(self, node: Call) -> Term | None:
        if node.target is not None:
            return self.method(node, node.target, node.arguments)
        if node.name == "size" and len(node.arguments) == 1:
            return self.method(node, node.arguments[0], ())
        if node.name not in meanings.FUNCTIONS:
            self.no_function(node)
            return None
        if len(node.arguments) != 1:
            self.problem(node, f"`{node.name}` takes 1 argument, not {len(node.arguments)}.")
            return None
        return self.given(node) if node.name == "has" else self.moment(node)

    def no_function(self, node: Call) -> None:
        hint = did_you_mean(node.name, [*meanings.FUNCTIONS, *meanings.METHODS])
        if node.name in meanings.METHODS:
            hint = f"It is called on a value: `value.{node.name}(...)`."
        self.problem(node, f"There is no function `{node.name}`.", hint)

    def given(self, node: Call) -> Term | None:
        argument = node.arguments[0]
        if not isinstance(argument, Path):
            self.problem(argument, "`has` asks for a field, such as `has(resource.id)`.")
            return None
        field = self.field(argument)
        return Given(_BOOL, node, field.path) if field else None

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
        signature = meanings.METHODS.get(node.name)
        operands = self.terms((target, *arguments))
        if signature is None:
            hint = did_you_mean(node.name, meanings.METHODS)
            self.problem(node, f"There is no method `{node.name}`.", hint)
            return None
        if operands is None or not self.fits(node, signature, operands):
            return None
        if node.name == "matches":
            return self.pattern(node, operands[0], operands[1])
        return Application(signature.result, node, signature.operation, operands)

    def fits(self, node: Call, signature: meanings.Signature, operands: tuple[Term, ...]) -> bool:
        target, *arguments = operands
        if target.type.kind not in signature.targets:
            wanted = " or ".join(signature.targets)
            message = f"`{node.name}` works on {wanted}, but this is {target.type}."
            self.problem(target.node, message, self.in_hint(node, target))
            return False
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

    def pattern(self, node: Call, target: Term, argument: Term) -> Term | None:
        if not isinstance(argument, Constant):
            self.problem(argument.node, "The pattern of `matches` must be text in quotes.")
            return None
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MAX_PATTERN_MEMORY
        try:
            compiled = _compile_pattern(argument.value, options)
        except (re2.error, UnicodeEncodeError) as error:
            self.problem(argument.node, f"The pattern cannot be read: {_words_of(error)}.")
            return None
        return Application(_BOOL, node, "matches", (target, Constant(argument.type, argument.node, compiled)))


def _words_of(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)
