"""Rules of governance, the index: of many conditions only those are evaluated that can be true.

A condition such as `subject.role == "buyer" && context.amount > 5` can only be true where the role is buyer, or where
it is missing and nobody knows. So conditions lie in branches: by a field that they compare with constants, by its
value, and in one branch more for where it is missing. Branches are compiled when they are first needed.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from operator import invert
from typing import Any

from governance.language import Facts, Kind
from governance.language.compiling import Source
from governance.language.terms import Application, Conjunction, Constant, Disjunction, Listing, Read, Term

# kinds whose values are equal exactly when they are the same key of a dict
_KEYS = frozenset({Kind.STRING, Kind.INT, Kind.BOOL})
_FEW = 4  # so many conditions are evaluated faster than a branch is found
_COMPARISON = 0.3  # what comparing with a constant costs beside a whole condition: a branch saves it as well
_MANY_VALUES = 200

Find = Callable[[Facts], list[int]]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A condition by its position: what still has to be true, and whether it compares a field that is missing."""

    position: int
    items: tuple[Term, ...]
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class _Key:
    """An item of a condition that compares a field with constants."""

    item: Term
    path: str
    values: frozenset[Hashable]


class _Branch:
    """A branch nobody has needed yet: compiles its conditions at the first call and takes its own place."""

    __slots__ = ("_branches", "_candidates", "_fields", "_value")

    def __init__(
        self, branches: dict[Hashable, Any], value: Hashable, candidates: list[_Candidate], fields: Source
    ) -> None:
        self._branches, self._value, self._candidates, self._fields = branches, value, candidates, fields

    def __call__(self, found: list[int], *values: object) -> None:
        run = self._branches[self._value] = _compiled(self._candidates, self._fields)
        run(found, *values)


def index_matching(terms: Sequence[Term | None]) -> Find:
    """Give one function that lists the positions of the terms that are true (None is always true), like
    `compile_matching`: in their order, `~position` for what the interpreter has to decide; with a fact of a wrong kind
    it raises, and the interpreter decides all of them."""
    fields = Source()
    for term in terms:
        if term is not None:
            fields.load(term)
    candidates = [_Candidate(place, _items(term)) for place, term in enumerate(terms)]
    run = fields.constant(_compiled(candidates, fields))
    body = ["found = []", f"{run}(found, {fields.names})", "return ordered(found) if found else found"]
    fields.constants["ordered"] = _ordered
    return fields.function(body)


def _ordered(found: list[int]) -> list[int]:
    found.sort()
    if found[0] < 0:
        found.sort(key=lambda place: place if place >= 0 else ~place)
    return found


def _items(term: Term | None) -> tuple[Term, ...]:
    """Everything that has to be true, so that the whole is."""
    if term is None:
        return ()
    if isinstance(term, Conjunction):
        return tuple(item for part in term.items for item in _items(part))
    return (term,)


def _compiled(candidates: list[_Candidate], fields: Source) -> Callable[..., None]:
    source = fields.inside()
    keyed, rest = _divided(candidates)
    body = ["pass"]
    for candidate in rest:
        body += _evaluated(candidate, source)
    for path, group in keyed:
        branches = _branches(group, fields)
        found = f"{source.constant(branches.get)}({source.field(path)})"
        body += [f"branch = {found}", f"if branch is not None: branch(found, {fields.names})"]
    return source.function(body, f"found, {fields.names}")


def _evaluated(candidate: _Candidate, source: Source) -> list[str]:
    """A condition that compares a missing field is false where another item is false, else nobody knows."""
    place = invert(candidate.position) if candidate.is_unknown else candidate.position
    if not candidate.items:
        return [f"found.append({place})"]
    return [
        "try:",
        f"    if {' and '.join(map(source.expression, candidate.items))}: found.append({place})",
        "except error:",
        f"    found.append(~{candidate.position})",
    ]


def _branches(group: list[tuple[_Candidate, _Key]], fields: Source) -> dict[Hashable, _Branch]:
    """By value what is left of the conditions where the field has it; under None what is left where it is missing."""
    by_value: defaultdict[Hashable, list[_Candidate]] = defaultdict(list)
    for candidate, key in group:
        left = replace(candidate, items=tuple(item for item in candidate.items if item is not key.item))
        for value in key.values:
            by_value[value].append(left)
        by_value[None].append(replace(left, is_unknown=True))
    branches: dict[Hashable, _Branch] = {}
    branches |= {value: _Branch(branches, value, found, fields) for value, found in by_value.items()}
    return branches


def _divided(
    candidates: list[_Candidate],
) -> tuple[list[tuple[str, list[tuple[_Candidate, _Key]]]], list[_Candidate]]:
    """Each condition goes to the field that leaves the fewest to evaluate, or to none when no field is worth it."""
    keys = {each.position: _keys(each) for each in candidates}
    rest, divided = candidates, []
    while len(rest) > _FEW:
        groups: defaultdict[str, list[tuple[_Candidate, _Key]]] = defaultdict(list)
        for each in rest:
            for path, key in keys[each.position].items():
                groups[path].append((each, key))
        path = max(groups, key=lambda path: (_saved(groups[path]), path), default="")
        if not path or _saved(groups[path]) < _FEW / 2:
            break
        divided.append((path, groups[path]))
        taken = {each.position for each, _ in groups[path]}
        rest = [each for each in rest if each.position not in taken]
    return divided, rest


def _saved(group: list[tuple[_Candidate, _Key]]) -> float:
    """How many conditions less there are to evaluate, when each value is as likely as another."""
    values = {value for _, key in group for value in key.values}
    evaluated = sum(len(key.values) for _, key in group) / len(values)
    return len(group) - evaluated * (1 - _COMPARISON)


def _keys(candidate: _Candidate) -> dict[str, _Key]:
    found: dict[str, _Key] = {}
    for item in candidate.items:
        key = _key(item)
        if key is not None and len(key.values) <= _MANY_VALUES and key.values:
            found.setdefault(key.path, key)
    return found


def _key(item: Term) -> _Key | None:
    match item:
        case Application(operation="equal", operands=(Read() as read, Constant(value=value))):
            return _key_of(item, read, [value])
        case Application(operation="equal", operands=(Constant(value=value), Read() as read)):
            return _key_of(item, read, [value])
        case Application(operation="is_in", operands=(Read() as read, Listing(items=listed))):
            values = [each.value for each in listed if isinstance(each, Constant)]
            return _key_of(item, read, values) if len(values) == len(listed) else None
        case Disjunction(items=parts):
            return _joined(item, [_key(part) for part in parts])
    return None


def _key_of(item: Term, read: Read, values: list[Any]) -> _Key | None:
    return _Key(item, read.path, frozenset(values)) if read.type.kind in _KEYS else None


def _joined(item: Term, keys: list[_Key | None]) -> _Key | None:
    """`a == 1 || a == 2` says the same as `a in [1, 2]`."""
    first = keys[0]
    if first is None or any(key is None or key.path != first.path for key in keys):
        return None
    return _Key(item, first.path, frozenset().union(*(key.values for key in keys if key is not None)))
