"""The policy language, its door: text and schema in, an Expression to evaluate and explain out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from governance.language.checking import check
from governance.language.compiling import compile_term
from governance.language.interpreting import Condition, Facts, evaluate, explain
from governance.language.printing import print_tree
from governance.language.problems import EvaluationFailed, Missing
from governance.language.reading import read
from governance.language.schema import Schema
from governance.language.terms import Term, fields_of
from governance.language.tree import Node
from governance.language.values import Kind


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


def _build(tree: Node, schema: Schema, text: str, expects: Kind | None) -> Expression:
    term = check(tree, schema, text, expects=expects)
    return Expression(text, term.type.kind, fields_of(term), tree, term, schema)
