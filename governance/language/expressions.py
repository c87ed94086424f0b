"""The policy language, its door: text and schema in, an Expression to evaluate and explain out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from governance.language.checking import check
from governance.language.compiling import compile_term
from governance.language.costs import cost_of
from governance.language.explaining import Condition, explain
from governance.language.interpreting import Facts, evaluate
from governance.language.printing import print_tree
from governance.language.problems import EvaluationFailed, Missing
from governance.language.reading import read
from governance.language.schema import Schema
from governance.language.terms import Conjunction, Term, fields_of
from governance.language.tree import Chain, Node
from governance.language.values import Kind, Type


@dataclass(frozen=True, eq=False)
class Expression:
    """A checked expression: its text, the kind of its value and the dotted paths of the fields it reads."""

    text: str
    kind: Kind
    fields: frozenset[str]
    tree: Node
    term: Term
    schema: Schema = field(repr=False)

    @cached_property
    def _run(self) -> Callable[[Facts], Any]:
        return compile_term(self.term)

    @cached_property
    def cost(self) -> int:
        """How many steps it can take at most, whatever the facts are."""
        return cost_of(self.term, self.schema)

    def evaluate(self, facts: Facts) -> Any:
        """Give the value for these facts; raise Missing or EvaluationFailed when there is none."""
        try:
            return self._run(facts)
        except Exception:
            return self._evaluate_exactly(facts)

    def _evaluate_exactly(self, facts: Facts) -> Any:
        try:
            return evaluate(self.term, facts)
        except (Missing, EvaluationFailed):
            raise
        except Exception as error:
            raise EvaluationFailed(f"{self.text}: {type(error).__name__}") from error

    def explain(self, facts: Facts) -> tuple[Condition, ...]:
        """Give one line per condition: what is asked, the actual value, and true, false or missing."""
        return explain(self.term, self.schema, facts)


def compile_expression(text: str, schema: Schema, *, expects: Kind | None = Kind.BOOL) -> Expression:
    """Read, check and compile an expression; raise LanguageError with every problem and its place.

    `expects` is the kind the value must have; None takes any kind.
    """
    return _build(read(text), schema, text, expects)


def compile_tree(tree: Node, schema: Schema) -> Expression:
    """Check and compile a yes/no condition that was put together as a tree."""
    text = print_tree(tree)
    return _build(tree, schema, text, Kind.BOOL)


def all_of(conditions: Sequence[Expression]) -> Expression:
    """Join conditions of one schema, which are checked already, into one that holds when all of them hold."""
    if len(conditions) == 1:
        return conditions[0]
    tree = Chain("&&", tuple(condition.tree for condition in conditions))
    term = Conjunction(Type(Kind.BOOL), tree, tuple(condition.term for condition in conditions))
    text = " && ".join(f"({condition.text})" for condition in conditions)
    fields = frozenset().union(*(condition.fields for condition in conditions))
    return Expression(text, Kind.BOOL, fields, tree, term, conditions[0].schema)


def _build(tree: Node, schema: Schema, text: str, expects: Kind | None) -> Expression:
    term = check(tree, schema, text, expects=expects)
    return Expression(text, term.type.kind, fields_of(term), tree, term, schema)
