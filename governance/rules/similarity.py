"""Past decisions like this: how two questions resemble each other, and in what, said in words. No weights but these."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.rules.replaying import BAND_WORDS, band_of

PARTIES = (
    "seller", "seller_id", "buyer", "customer", "customer_id", "supplier", "vendor", "vendor_id", "payee", "iban",
    "account", "recipient",
)  # fmt: skip
"""Fields of a request that name with whom something is done."""
POINTS = {"rule": 3, "action": 2, "party": 2, "amount": 1, "kind": 1}


@dataclass(frozen=True)
class Likeness:
    """In what a past question resembles this one: `points` for the order, `words` for the reader."""

    points: int
    words: tuple[str, ...]


def likeness(request: Mapping[str, Any], other: Mapping[str, Any], *, same_rule: bool) -> Likeness:
    """How a past request resembles this one: asked by the same rule, the same action, with the same party, an amount in
    the same band, the same kind of resource."""
    found = dict(_likeness(request, other, same_rule))
    return Likeness(sum(POINTS[name] for name in found), tuple(found.values()))


def _likeness(request: Mapping[str, Any], other: Mapping[str, Any], same_rule: bool) -> Iterable[tuple[str, str]]:
    if same_rule:
        yield "rule", "asked by the same rule"
    if request.get("action") and request.get("action") == other.get("action"):
        yield "action", "the same action"
    party = _party(request, other)
    if party:
        yield "party", f"with {party}"
    band = band_of(request)
    if band != "none" and band == band_of(other):
        yield "amount", f"an amount in the same range: {_low(BAND_WORDS[band])}"
    kind = _resource(request).get("type")
    if kind and kind == _resource(other).get("type"):
        yield "kind", f"about the same kind of thing: {kind}"


def most_alike(alike: Sequence[Likeness], at_most: int) -> list[int]:
    """The places of those that resemble most, the first of equal ones first; what resembles in nothing is left out."""
    places = [place for place, each in enumerate(alike) if each.points]
    return sorted(places, key=lambda place: (-alike[place].points, place))[:at_most]


def _party(request: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    ours, theirs = _named(request), _named(other)
    return next((str(value) for name, value in ours.items() if value and theirs.get(name) == value), "")


def _named(request: Mapping[str, Any]) -> dict[str, Any]:
    known = {**_context(request), **_resource(request).get("properties", {})}
    return {name: known[name] for name in PARTIES if isinstance(known.get(name), str)}


def _context(request: Mapping[str, Any]) -> Mapping[str, Any]:
    context = request.get("context", {})
    return context if isinstance(context, Mapping) else {}


def _resource(request: Mapping[str, Any]) -> Mapping[str, Any]:
    resource = request.get("resource", {})
    return resource if isinstance(resource, Mapping) else {}


def _low(words: str) -> str:
    return f"{words[:1].lower()}{words[1:]}"
