"""Rules of governance, boundaries: what the rules say about one subject before any question is asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from governance.language import EvaluationFailed, Facts, Missing, Schema, compile_tree, find
from governance.language.tree import Binary, Chain, Literal, Node, Path, Unary, with_depth
from governance.rules.deciding import RuleSet
from governance.rules.documents import covers
from governance.rules.shapes import Effect, PolicyRules, Rule
from governance.rules.words import conjuncts, in_words

Left = bool | Node
_ORDER = (Effect.ALLOW, Effect.ESCALATE, Effect.DENY, Effect.OBLIGE)


@dataclass(frozen=True, slots=True)
class Limit:
    """The number up to which a rule does not ask or deny: a field, its words and its unit."""

    path: str
    label: str
    unit: str
    most: Decimal


@dataclass(frozen=True, slots=True)
class Boundary:
    """One rule that can concern the subject; `conditions` still depend on the question, none means always. `limits` are
    the numbers above which it holds. Of one that `is_told` not, the reader may know only that it is there."""

    policy: PolicyRules
    rule: Rule
    conditions: tuple[str, ...]
    limits: tuple[Limit, ...] = ()
    is_told: bool = True


def boundaries(rules: RuleSet, action: str, known: Facts) -> tuple[Boundary, ...]:
    """Give the rules about an action that can match for these facts: allow before escalate before deny.

    Facts that are not in `known` depend on the question; a rule that cannot match for this subject is left out.
    """
    found = []
    for policy in rules.policies:
        for rule in policy.rules:
            if any(covers(pattern, action) for pattern in rule.actions):
                found += _boundary(policy, rule, known)
    return tuple(sorted(found, key=lambda each: (_ORDER.index(each.rule.effect), -each.rule.priority)))


def _boundary(policy: PolicyRules, rule: Rule, known: Facts) -> list[Boundary]:
    if rule.condition is None:
        return [Boundary(policy, rule, ())]
    left = left_of(rule.condition.tree, rule.condition.schema, known)
    if left is False:
        return []
    open_nodes = () if left is True else conjuncts(left)
    schema = rule.condition.schema
    limits = tuple(limit for node in open_nodes for limit in _limits(node, schema))
    return [Boundary(policy, rule, tuple(_words(node, schema) for node in open_nodes), limits)]


def _limits(node: Node, schema: Schema) -> list[Limit]:
    match node:
        case Chain(items=items):
            return [limit for item in items for limit in _limits(item, schema)]
        case Binary(operator=">" | ">=", left=Path() as path, right=Literal() as literal):
            return _limit(path, literal, schema)
        case Binary(operator="<" | "<=", left=Literal() as literal, right=Path() as path):
            return _limit(path, literal, schema)
    return []


def _limit(path: Path, literal: Literal, schema: Schema) -> list[Limit]:
    field, value = schema.get(path.dotted), literal.value
    if field is None or isinstance(value, bool | str):
        return []
    return [Limit(path.dotted, field.words, field.unit_for({}), Decimal(value))]


def _words(node: Node, schema: Schema) -> str:
    text = in_words(node, schema)
    return f"({text})" if isinstance(node, Chain) else text


def left_of(node: Node, schema: Schema, known: Facts) -> Left:
    """Say true or false where the known facts settle it, else give what is left to ask."""
    match node:
        case Chain(operator="&&", items=items):
            return _joined("&&", False, (left_of(item, schema, known) for item in items))
        case Chain(operator="||", items=items):
            return _joined("||", True, (left_of(item, schema, known) for item in items))
        case Unary(operator="!", operand=operand):
            inner = left_of(operand, schema, known)
            return (not inner) if isinstance(inner, bool) else node
    return _settled(node, schema, known)


def _joined(operator: str, deciding: bool, parts: Iterable[Left]) -> Left:
    left: list[Node] = []
    for part in parts:
        if part is deciding:
            return deciding
        if not isinstance(part, bool):
            left += part.items if isinstance(part, Chain) and part.operator == operator else (part,)
    if not left:
        return not deciding
    return left[0] if len(left) == 1 else Chain(operator, tuple(left))


def _settled(node: Node, schema: Schema, known: Facts) -> Left:
    paths = [each.dotted for each, _ in with_depth(node) if isinstance(each, Path)]
    if any(find(known, path) is None for path in paths):
        return node
    try:
        return bool(compile_tree(node, schema).evaluate(known))
    except (Missing, EvaluationFailed):
        return node
