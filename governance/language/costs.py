"""The policy language, its costs: how many steps a term can take at most, known before any facts are."""

from governance.language.schema import Schema
from governance.language.terms import Application, Constant, Listing, Loop, Mapping, Read, Selection, Term, parts
from governance.language.values import MAX_ITEMS, Kind

MAX_COST = 100_000
_AT_ONCE = 20  # so many items one step of Python's own search goes over
_DEAR = {"matches": 20, "contains": 5, "join": 5}


def cost_of(term: Term, schema: Schema) -> int:
    """Give the most steps a term can take: one per operation, and a loop takes its body once per possible item."""
    if isinstance(term, Loop):
        body = sum(cost_of(part, schema) for part in (term.test, term.value) if part is not None)
        return cost_of(term.range, schema) + _most(term.range, schema) * (1 + body)
    own = 1
    if isinstance(term, Application):
        own = _DEAR.get(term.operation, 1)
        own += sum(getattr(part.value, "programsize", 0) // 10 for part in term.operands if isinstance(part, Constant))
        lists = sum(_most(part, schema) for part in term.operands if part.type.kind is Kind.LIST)
        own += lists if term.operation == "items" else lists // _AT_ONCE
    return own + sum(cost_of(part, schema) for part in parts(term))


def _most(term: Term, schema: Schema) -> int:
    """How many items a list can have."""
    match term:
        case Listing(items=items):
            return len(items)
        case Mapping(keys=keys):
            return len(keys)
        case Loop(range=inner) | Application(operation="items", operands=(inner, _)):
            return _most(inner, schema)
        case Application(operation="join_lists", operands=(left, right)):
            return _most(left, schema) + _most(right, schema)
        case Selection(yes=yes, no=no):
            return max(_most(yes, schema), _most(no, schema))
        case Read(path=path):
            field = schema.get(path)
            return field.most if field is not None else MAX_ITEMS
    return MAX_ITEMS
