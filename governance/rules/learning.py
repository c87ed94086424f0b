"""Rules of governance, learning: which answers of people are alike, and when they are enough to suggest a rule."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

AT_LEAST = 25
REVIEWERS_WANTED = 2
PARTIES_AT_MOST = 50
QUICK_SECONDS = 3
PARTIES = frozenset({
    "seller", "buyer", "vendor", "supplier", "customer", "carrier", "payee", "payer", "counterparty", "recipient",
    "beneficiary",
})  # fmt: skip
"""What fields call the other side of a deal."""
_NAMING = frozenset({"id", "name", "number"})


def is_party(path: str) -> bool:
    """Say whether a field names the other side of a deal: `resource.seller`, `resource.vendor.name`,
    `context.new_carrier`, `resource.seller_id`."""
    *groups, last = path.split(".")
    words = last.split("_")
    if words[-1] in _NAMING:
        words = words[:-1] or (groups[-1].split("_") if groups else [])
    return bool(words) and words[-1] in PARTIES


def leaves(request: Mapping[str, Any]) -> dict[str, str]:
    """Give what a request says in text, by the path under which rules read it."""
    resource = request.get("resource")
    properties = resource.get("properties") if isinstance(resource, Mapping) else None
    found: dict[str, str] = {}
    _gather(found, "resource", properties)
    _gather(found, "context", request.get("context"))
    return found


def _gather(found: dict[str, str], path: str, value: object) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _gather(found, f"{path}.{name}", inner)
    elif isinstance(value, str):
        found[path] = value


def exact(value: object) -> Decimal | None:
    """Give the number that a request says, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


@dataclass(frozen=True, slots=True)
class Kind:
    """What answers have in common that are compared: the rule that asked, the action, the role, the currency."""

    policy: str
    rule: str
    action: str
    role: str
    currency: str = ""
    has_amount: bool = False

    @property
    def group(self) -> str:
        """The name of this kind, the same for ever."""
        parts = [self.policy, self.rule, self.action, self.role, self.currency, self.has_amount]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered question: `approved` as asked and not undone later; `parties` by field; the conditions of the rule
    that `held` and those that did not."""

    key: int
    kind: Kind
    approved: bool
    reviewer: int
    seconds: Decimal
    amount: Decimal | None = None
    parties: tuple[tuple[str, str], ...] = ()
    needed: int = 1
    allowed_by: tuple[str, ...] = ()
    held: frozenset[str] = frozenset()
    held_not: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Answers that are all yes: `asked` of them up to the amount `highest`, with these parties; `refused_from` is the
    lowest amount above it that somebody did not approve. `never` are the conditions of the rule that held in none of
    them: nobody was asked for these reasons."""

    kind: Kind
    asked: int
    keys: tuple[int, ...]
    reviewers: tuple[int, ...]
    quick: int
    highest: Decimal | None
    refused_from: Decimal | None
    parties: Mapping[str, tuple[str, ...]]
    allowed_by: tuple[str, ...]
    never: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The name of the kind."""
        return self.kind.group

    @property
    def has_one_reviewer(self) -> bool:
        """Whether fewer people answered than are wanted for a rule to rest on."""
        return len(self.reviewers) < REVIEWERS_WANTED

    def covers(
        self, kind: Kind, amount: Decimal | None, parties: Mapping[str, str], held: frozenset[str] = frozenset()
    ) -> bool:
        """Say whether a new question is one of those that the rule would answer."""
        if not held.isdisjoint(self.never):
            return False
        if kind != self.kind or (self.highest is not None and (amount is None or not 0 < amount <= self.highest)):
            return False
        return all(parties.get(path) in names for path, names in self.parties.items())


def suggestions(answers: Iterable[Answer], *, at_least: int = AT_LEAST) -> list[Suggestion]:
    """Give a suggestion for every kind of question of which at least so many were answered, all of them with yes; the
    most answered first. Where amounts are known, only those below the lowest that was not approved are counted."""
    kinds: defaultdict[Kind, list[Answer]] = defaultdict(list)
    for each in answers:
        kinds[each.kind].append(each)
    found = (_suggestion(kind, group, at_least) for kind, group in kinds.items())
    return sorted((each for each in found if each is not None), key=lambda each: (-each.asked, each.group))


def _suggestion(kind: Kind, answers: list[Answer], at_least: int) -> Suggestion | None:
    refused = [each for each in answers if not each.approved]
    if refused and not kind.has_amount:
        return None
    lowest = min((each.amount for each in refused if each.amount is not None), default=None)
    fit = [each for each in answers if each.amount is None or lowest is None or each.amount < lowest]
    parties = _parties(fit)
    if len(fit) < at_least or any(each.needed > 1 for each in answers) or parties is None:
        return None
    return Suggestion(
        kind=kind, asked=len(fit), keys=tuple(each.key for each in fit),
        reviewers=tuple(dict.fromkeys(each.reviewer for each in fit)),
        quick=sum(each.seconds < QUICK_SECONDS for each in fit),
        highest=max((each.amount for each in fit if each.amount is not None), default=None), refused_from=lowest,
        parties=parties, allowed_by=tuple(dict.fromkeys(ref for each in fit for ref in each.allowed_by)),
        never=_never(fit),
    )  # fmt: skip


def _never(answers: list[Answer]) -> tuple[str, ...]:
    known = frozenset[str]().union(*(each.held_not for each in answers))
    return tuple(sorted(known.difference(*(each.held for each in answers))))


def _parties(answers: list[Answer]) -> dict[str, tuple[str, ...]] | None:
    """Give the names seen in each field that all answers have; None when they are too many for a rule to list."""
    named = [dict(each.parties) for each in answers]
    shared = set.intersection(*(set(each) for each in named)) if named else set()
    seen = {path: tuple(sorted({each[path] for each in named})) for path in sorted(shared)}
    return seen if all(len(names) <= PARTIES_AT_MOST for names in seen.values()) else None


# --- a case like another ----------------------------------------------------------------------------------------
def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """Give the texts that one request has where another has others, by what stood there before; amounts as people read
    them, too."""
    old, new = leaves(before), leaves(after)
    names = [
        (str(each.get("id", "")) if isinstance(each := request.get("resource"), Mapping) else "")
        for request in (before, after)
    ]
    pairs = [(old[path], new[path]) for path in old if path in new] + [(names[0], names[1])]
    pairs += [(f"{exact(one):,}", f"{exact(other):,}") for one, other in pairs if exact(one) and exact(other)]
    return {one: other for one, other in pairs if one != other and len(one) > 1}


def retold(value: Any, changed: Mapping[str, str]) -> Any:
    """Give a text, or all texts in a list or an object, with what changed in the place of what stood there."""
    if isinstance(value, Mapping):
        return {name: retold(inner, changed) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [retold(inner, changed) for inner in value]
    if not isinstance(value, str):
        return value
    for one in sorted(changed, key=len, reverse=True):
        value = value.replace(one, changed[one])
    return value
