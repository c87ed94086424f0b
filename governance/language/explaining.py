"""The policy language, explained: every condition beside its value, and of a macro the item that decided."""

from collections.abc import Mapping
from dataclasses import dataclass

from governance.language.interpreting import Facts, evaluate, looked_at
from governance.language.printing import print_tree
from governance.language.problems import EvaluationFailed, Missing
from governance.language.schema import Field, Schema, find
from governance.language.terms import (
    Application,
    Conjunction,
    Constant,
    Disjunction,
    Given,
    Item,
    Loop,
    Negation,
    Read,
    Term,
    origin,
)
from governance.language.tree import Unary
from governance.language.values import Kind, show


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of an expression beside the facts: what is asked, what was found, whether it holds.

    `outcome` is "true", "false" or "missing" (the latter also when it cannot be worked out). Of a macro, `inside` are
    the conditions of the item that decided.
    """

    text: str
    label: str
    actual: str
    wanted: str
    outcome: str
    inside: "tuple[Condition, ...]" = ()


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


_LOOPED = {"all": "each", "exists": "at least one", "exists_one": "exactly one"}


def explain(term: Term, schema: Schema, facts: Facts) -> tuple[Condition, ...]:
    """Give one Condition for every condition of a yes/no term, in the order of the text."""
    return _Explaining(schema, facts, {}).all_of(term)


def _conditions(term: Term, *, positive: bool) -> list[tuple[Term, bool]]:
    match term:
        case Negation(operand=operand):
            return _conditions(operand, positive=not positive)
        case Conjunction(items=items) | Disjunction(items=items):
            return [found for item in items for found in _conditions(item, positive=positive)]
    return [(term, positive)]


@dataclass(frozen=True, slots=True)
class _Explaining:
    """What a condition is looked at with: the schema, the facts, and the items of the loops around it."""

    schema: Schema
    facts: Facts
    items: Mapping[str, object]

    def all_of(self, term: Term) -> tuple[Condition, ...]:
        return tuple([self.condition(atom, positive) for atom, positive in _conditions(term, positive=True)])

    def condition(self, term: Term, positive: bool) -> Condition:
        if isinstance(term, Loop) and term.macro in _LOOPED:
            return self.loop(term, positive)
        subject, words, other = self.split(term, positive)
        field = self.schema.get(subject.path) if isinstance(subject, Read | Given) else None
        unit = self.unit(field)
        wanted = self.wanted(other, unit) if other is not None else ""
        return Condition(
            text=_text(term, positive),
            label=field.words if field is not None else print_tree(subject.node),
            actual=self.actual(subject, unit),
            wanted=f"{words} {wanted}".strip(),
            outcome=self.outcome(term, positive),
        )

    def split(self, term: Term, positive: bool) -> tuple[Term, str, Term | None]:
        """Give what a condition is about, the words of what is wanted, and what it is compared with."""
        match term:
            case Given():
                return term, "given" if positive else "not given", None
            case Application(operation=name, operands=(left, right)) if name in _WORDS:
                if name == "is_in" and not isinstance(left, Read | Item) and isinstance(right, Read):
                    return right, "contains" if positive else "does not contain", left
                return left, _WORDS[name][0 if positive else 1], right
        return term, "yes" if positive else "no", None

    def loop(self, term: Loop, positive: bool) -> Condition:
        """Explain a macro by the item that decided it, or by how many items there are when none did."""
        field = self.schema.get(origin(term.range))
        unit, test = self.unit(field), print_tree(term.test.node) if term.test is not None else ""
        actual, inside = self.decided(term, unit)
        return Condition(
            text=_text(term, positive),
            label=field.words if field is not None else print_tree(term.range.node),
            actual=actual,
            wanted=f"{'' if positive else 'not '}{_LOOPED[term.macro]} {term.item.name} with {test}",
            outcome=self.outcome(term, positive),
            inside=inside,
        )

    def decided(self, term: Loop, unit: str) -> tuple[str, tuple[Condition, ...]]:
        try:
            found = looked_at(term, self.facts, self.items)
        except Missing as missing:
            return f"{show(None)}: {missing.path}", ()
        except EvaluationFailed:
            return "cannot be worked out", ()
        scopes = [_Explaining(self.schema, self.facts, {**self.items, term.item.name: item}) for item in found]
        outcomes = [scope.outcome(term.test, True) if term.test is not None else "true" for scope in scopes]
        at = _deciding(term.macro, outcomes)
        if at is None:
            held = outcomes.count("true")
            return f"{held} of {len(found)} hold: {show(tuple(found))}" if found else show(()), ()
        inside = scopes[at].all_of(term.test) if term.test is not None else ()
        return f"{show(found[at])}{unit} (item {at + 1} of {len(found)})", inside

    def unit(self, field: Field | None) -> str:
        unit = field.unit_for(self.facts) if field is not None else ""
        return f" {unit}" if unit else ""

    def actual(self, subject: Term, unit: str) -> str:
        if isinstance(subject, Given):
            value = find(self.facts, subject.path)
            return show(value) + (unit if value is not None else "")
        return self.shown(subject, unit)

    def wanted(self, term: Term, unit: str) -> str:
        field = self.schema.get(term.path) if isinstance(term, Read) else None
        if field is not None and find(self.facts, field.path) is None:
            return f"{field.words} ({show(None)})"
        return self.shown(term, unit)

    def shown(self, term: Term, unit: str) -> str:
        if isinstance(term, Constant) and term.type.kind is Kind.STRING:
            return getattr(term.value, "pattern", None) or show(term.value)
        try:
            return show(evaluate(term, self.facts, self.items)) + unit
        except Missing as missing:
            return show(None) if isinstance(term, Read) else f"{show(None)}: {missing.path}"
        except EvaluationFailed:
            return "cannot be worked out"

    def outcome(self, term: Term, positive: bool) -> str:
        try:
            return "true" if evaluate(term, self.facts, self.items) is positive else "false"
        except (Missing, EvaluationFailed):
            return "missing"


def _text(term: Term, positive: bool) -> str:
    return print_tree(term.node if positive else Unary("!", term.node))


def _deciding(macro: str, outcomes: list[str]) -> int | None:
    """Give which item decided: the first that is enough by itself, else the first that could not be worked out."""
    if macro == "exists_one":
        enough = "missing" if "missing" in outcomes else "true"
        return outcomes.index(enough) if outcomes.count(enough) == 1 or enough == "missing" else None
    for outcome in ("true" if macro == "exists" else "false", "missing"):
        if outcome in outcomes:
            return outcomes.index(outcome)
    return None
