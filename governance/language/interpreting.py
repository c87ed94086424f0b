"""The policy language, interpreted: the exact meaning of every term, and the explanation of a result."""

from collections.abc import Mapping
from dataclasses import dataclass

from governance.language.meanings import OPERATIONS
from governance.language.printing import print_tree
from governance.language.problems import EvaluationFailed, Missing
from governance.language.schema import Field, Schema, find
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
from governance.language.tree import Unary
from governance.language.values import Kind, fits, show

Facts = Mapping[str, object]


def evaluate(term: Term, facts: Facts) -> object:
    """Give the value of a term; raise Missing or EvaluationFailed when it has none."""
    match term:
        case Constant(value=value):
            return value
        case Read():
            return _read(term, facts)
        case Given(path=path):
            return find(facts, path) is not None
        case Negation(operand=operand):
            return not evaluate(operand, facts)
        case Conjunction(items=items):
            return not _any_is(False, items, facts)
        case Disjunction(items=items):
            return _any_is(True, items, facts)
        case Selection(test=test, yes=yes, no=no):
            return evaluate(yes if evaluate(test, facts) else no, facts)
        case Listing(items=items):
            return tuple(evaluate(item, facts) for item in items)
        case Application():
            return _apply(term, facts)
    raise TypeError(f"{type(term).__name__} is no term of the language.")


def _read(term: Read, facts: Facts) -> object:
    value = find(facts, term.path)
    if value is None:
        raise Missing(term.path)
    if not fits(value, term.type.kind):
        raise EvaluationFailed(f"{term.path} is not of the type {term.type}")
    return value


def _any_is(wanted: bool, items: tuple[Term, ...], facts: Facts) -> bool:
    """Say whether one item has the wanted truth; an error counts only when no item has it."""
    error: Missing | EvaluationFailed | None = None
    for item in items:
        try:
            if evaluate(item, facts) is wanted:
                return True
        except (Missing, EvaluationFailed) as failed:
            error = error or failed
    if error is not None:
        raise error
    return False


def _apply(term: Application, facts: Facts) -> object:
    operands = [evaluate(operand, facts) for operand in term.operands]
    try:
        return OPERATIONS[term.operation].function(*operands)
    except (ArithmeticError, TypeError, ValueError, AttributeError) as error:
        raise EvaluationFailed(f"{print_tree(term.node)}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, ArithmeticError) and error.args and isinstance(error.args[0], str):
        return error.args[0]
    return "the result cannot be worked out exactly"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of an expression beside the facts: what is asked, what was found, whether it holds.

    `outcome` is "true", "false" or "missing" (the latter also when it cannot be worked out).
    """

    text: str
    label: str
    actual: str
    wanted: str
    outcome: str


_WORDS = {
    "equal": ("is", "is not"),
    "different": ("is not", "is"),
    "same_list": ("is", "is not"),
    "other_list": ("is not", "is"),
    "less": ("less than", "at least"),
    "at_most": ("at most", "more than"),
    "more": ("more than", "at most"),
    "at_least": ("at least", "less than"),
    "is_in": ("one of", "none of"),
    "starts_with": ("starts with", "does not start with"),
    "ends_with": ("ends with", "does not end with"),
    "contains": ("contains", "does not contain"),
    "matches": ("matches", "does not match"),
}


def explain(term: Term, schema: Schema, facts: Facts) -> tuple[Condition, ...]:
    """Give one Condition for every condition of a yes/no term, in the order of the text."""
    return tuple(_condition(atom, positive, schema, facts) for atom, positive in _conditions(term, positive=True))


def _conditions(term: Term, *, positive: bool) -> list[tuple[Term, bool]]:
    match term:
        case Negation(operand=operand):
            return _conditions(operand, positive=not positive)
        case Conjunction(items=items) | Disjunction(items=items):
            return [found for item in items for found in _conditions(item, positive=positive)]
    return [(term, positive)]


def _condition(term: Term, positive: bool, schema: Schema, facts: Facts) -> Condition:
    text = print_tree(term.node if positive else Unary("!", term.node))
    subject, words, other = _split(term, positive, facts)
    field = schema.get(subject.path) if isinstance(subject, Read | Given) else None
    unit = _unit(field, facts)
    wanted = _wanted(other, unit, schema, facts) if other is not None else ""
    return Condition(
        text=text,
        label=field.words if field is not None else print_tree(subject.node),
        actual=_actual(subject, unit, facts),
        wanted=f"{words} {wanted}".strip(),
        outcome=_outcome(term, positive, facts),
    )


def _split(term: Term, positive: bool, facts: Facts) -> tuple[Term, str, Term | None]:
    """Give what a condition is about, the words of what is wanted, and what it is compared with."""
    match term:
        case Given():
            return term, "given" if positive else "not given", None
        case Application(operation=name, operands=(left, right)) if name in _WORDS:
            if name == "is_in" and not isinstance(left, Read) and isinstance(right, Read):
                return right, "contains" if positive else "does not contain", left
            return left, _WORDS[name][0 if positive else 1], right
    return term, "yes" if positive else "no", None


def _unit(field: Field | None, facts: Facts) -> str:
    unit = field.unit_for(facts) if field is not None else ""
    return f" {unit}" if unit else ""


def _actual(subject: Term, unit: str, facts: Facts) -> str:
    if isinstance(subject, Given):
        value = find(facts, subject.path)
        return show(value) + (unit if value is not None else "")
    return _shown(subject, unit, facts)


def _wanted(term: Term, unit: str, schema: Schema, facts: Facts) -> str:
    field = schema.get(term.path) if isinstance(term, Read) else None
    if field is not None and find(facts, field.path) is None:
        return f"{field.words} ({show(None)})"
    return _shown(term, unit, facts)


def _shown(term: Term, unit: str, facts: Facts) -> str:
    if isinstance(term, Constant) and term.type.kind is Kind.STRING:
        return getattr(term.value, "pattern", None) or show(term.value)
    try:
        return show(evaluate(term, facts)) + unit
    except Missing as missing:
        return show(None) if isinstance(term, Read) else f"{show(None)}: {missing.path}"
    except EvaluationFailed:
        return "cannot be worked out"


def _outcome(term: Term, positive: bool, facts: Facts) -> str:
    try:
        return "true" if evaluate(term, facts) is positive else "false"
    except (Missing, EvaluationFailed):
        return "missing"
