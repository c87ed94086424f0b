"""The policy language, interpreted: the exact meaning of every term."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from governance.language.meanings import OPERATIONS
from governance.language.printing import print_tree
from governance.language.problems import EvaluationFailed, Missing
from governance.language.schema import find
from governance.language.terms import (
    Application,
    Conjunction,
    Constant,
    Disjunction,
    Given,
    Item,
    Listing,
    Loop,
    Negation,
    Read,
    Selection,
    Term,
)
from governance.language.terms import Mapping as MapTerm
from governance.language.values import fits

Facts = Mapping[str, object]
Items = Mapping[str, object]
"""The items that the loops around a term look at, by their names."""

_NO_ITEMS: Items = {}


def evaluate(term: Term, facts: Facts, items: Items = _NO_ITEMS) -> object:
    """Give the value of a term; raise Missing or EvaluationFailed when it has none."""
    match term:
        case Constant(value=value):
            return value
        case Read():
            return _read(term, facts)
        case Item(name=name):
            return items[name]
        case Given(path=path):
            return find(facts, path) is not None
        case Negation(operand=operand):
            return not evaluate(operand, facts, items)
        case Conjunction(items=parts):
            return not _any_is(False, (partial(evaluate, part, facts, items) for part in parts))
        case Disjunction(items=parts):
            return _any_is(True, (partial(evaluate, part, facts, items) for part in parts))
        case Selection(test=test, yes=yes, no=no):
            return evaluate(yes if evaluate(test, facts, items) else no, facts, items)
        case Loop():
            return _loop(term, facts, items)
    return _made(term, facts, items)


def _made(term: Term, facts: Facts, items: Items) -> object:
    match term:
        case Listing(items=parts):
            return tuple([evaluate(part, facts, items) for part in parts])
        case MapTerm(keys=keys, values=values):
            return dict(zip(keys, [evaluate(value, facts, items) for value in values], strict=True))
        case Application():
            return _apply(term, facts, items)
    raise TypeError(f"{type(term).__name__} is no term of the language.")


def _read(term: Read, facts: Facts) -> object:
    value = find(facts, term.path)
    if value is None:
        raise Missing(term.path)
    if not fits(value, term.type.kind):
        raise EvaluationFailed(f"{term.path} is not of the type {term.type}")
    return value


def _any_is(wanted: bool, parts: Iterable[Callable[[], object]]) -> bool:
    """Say whether one part has the wanted truth; an error counts only when no part has it."""
    error: Missing | EvaluationFailed | None = None
    for part in parts:
        try:
            if part() is wanted:
                return True
        except (Missing, EvaluationFailed) as failed:
            error = error or failed
    if error is not None:
        raise error
    return False


def _loop(term: Loop, facts: Facts, items: Items) -> object:
    """`all` and `exists` do without an error when another item decides; the others need every item."""
    scopes = [{**items, term.item.name: item} for item in looked_at(term, facts, items)]
    match term.macro:
        case "all":
            return not _any_is(False, (partial(_tested, term, facts, scope) for scope in scopes))
        case "exists":
            return _any_is(True, (partial(_tested, term, facts, scope) for scope in scopes))
    kept = [scope for scope in scopes if _tested(term, facts, scope)] if term.macro != "map" else scopes
    match term.macro:
        case "exists_one":
            return len(kept) == 1
        case "filter":
            return tuple([scope[term.item.name] for scope in kept])
    return tuple([_value(term, facts, scope) for scope in kept if _tested(term, facts, scope)])


def looked_at(term: Loop, facts: Facts, items: Items) -> list[object]:
    """Give the items that a loop looks at, in their order."""
    found = evaluate(term.range, facts, items)
    return list(found) if isinstance(found, Iterable) else []


def _tested(term: Loop, facts: Facts, items: Items) -> object:
    return term.test is None or evaluate(term.test, facts, items)


def _value(term: Loop, facts: Facts, items: Items) -> object:
    return items[term.item.name] if term.value is None else evaluate(term.value, facts, items)


def _apply(term: Application, facts: Facts, items: Items) -> object:
    operands = [evaluate(operand, facts, items) for operand in term.operands]
    try:
        return OPERATIONS[term.operation].function(*operands)
    except (ArithmeticError, TypeError, ValueError, AttributeError) as error:
        raise EvaluationFailed(f"{print_tree(term.node)}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, ArithmeticError) and error.args and isinstance(error.args[0], str):
        return error.args[0]
    return "the result cannot be worked out exactly"
