"""Rules of governance, searching: what is left to ask of the rules that can allow when a part is open."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from governance.language import Facts
from governance.language.tree import Binary, Call, Chain, ListOf, Literal, Node, Path
from governance.rules.boundaries import left_of
from governance.rules.deciding import RuleSet
from governance.rules.shapes import Effect, Rule

Value = bool | int | Decimal | str | tuple[bool | int | Decimal | str, ...]


@dataclass(frozen=True, slots=True)
class Atom:
    """One condition on a field that is still open; `operator` as lookups of columns name it: exact, in, lt, lte, ..."""

    path: str
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Join:
    """All of the parts hold (`&&`), or one of them does (`||`)."""

    operator: str
    parts: tuple["Atom | Join", ...]


Where = Atom | Join | None
"""What has to hold at least; None where nothing is known to have to hold."""

_COMPARED = {"==": "exact", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_TURNED = {"exact": "exact", "lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}


def openings(rules: RuleSet, action: str, known: Facts) -> list[Where]:
    """For each rule that can allow the action beside the known facts what has to hold of the others; none when no rule
    can allow it, whatever they are."""
    found = []
    for rule in rules.about(action):
        if _gives_authority(rule):
            left = _left(rule, known)
            if left is not False:
                found.append(None if left is True else where(left))
    return found


def _gives_authority(rule: Rule) -> bool:
    return rule.effect is Effect.ALLOW or bool(rule.escalate and rule.escalate.grants)


def _left(rule: Rule, known: Facts) -> bool | Node:
    return True if rule.condition is None else left_of(rule.condition.tree, rule.condition.schema, known)


def where(node: Node) -> Where:
    """What has to hold of single fields where this condition holds: never more than the condition asks."""
    match node:
        case Chain(operator="&&", items=items):
            return _both(where(item) for item in items)
        case Chain(operator="||", items=items):
            return _either([where(item) for item in items])
        case Binary(operator="in", left=Path() as path, right=ListOf(items=items)):
            values = tuple(item.value for item in items if isinstance(item, Literal))
            return Atom(path.dotted, "in", values) if len(values) == len(items) else None
        case Binary(operator=operator, left=Path() as path, right=Literal(value=value)) if operator in _COMPARED:
            return Atom(path.dotted, _COMPARED[operator], value)
        case Binary(operator=operator, left=Literal(value=value), right=Path() as path) if operator in _COMPARED:
            return Atom(path.dotted, _TURNED[_COMPARED[operator]], value)
        case Call(name="startsWith", target=Path() as path, arguments=(Literal(value=value),)):
            return Atom(path.dotted, "startswith", value)
    return None


def _both(parts: Iterable[Where]) -> Where:
    known = tuple(part for part in parts if part is not None)
    if len(known) < 2:
        return known[0] if known else None
    return Join("&&", known)


def _either(parts: list[Where]) -> Where:
    known = tuple(part for part in parts if part is not None)
    return Join("||", known) if len(known) == len(parts) else None
