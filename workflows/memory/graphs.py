"""How facts hang together: what one came from, what came from it, its editions, and keys that look alike."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from agents.models import Principal
from workflows.models import Fact

DEEP_AT_MOST, BRANCHES_AT_MOST, EDITIONS_AT_MOST = 6, 30, 50
COMPARED_AT_MOST, ALIKE_AT_MOST = 2_000, 5
Behind = Callable[[Fact], QuerySet[Fact]]


@dataclass
class Branch:
    """One fact and those behind it; `fact` is None for one that the reader may not see. `more` counts what is left out,
    and `again` says that it stands elsewhere already."""

    fact: Fact | None
    branches: list["Branch"] = field(default_factory=list)
    more: int = 0
    again: bool = False


def origins_of(fact: Fact, user: Principal) -> Branch:
    """What the fact was derived from, and what that was."""
    return _grow(fact, user, lambda row: row.sources.all())


def derived_from(fact: Fact, user: Principal) -> Branch:
    """What was derived from the fact, and what from that."""
    return _grow(fact, user, lambda row: row.derived.all())


def _grow(fact: Fact, user: Principal, behind: Behind) -> Branch:
    root, seen = Branch(fact), {fact.pk}
    level = [root]
    for _ in range(DEEP_AT_MOST):
        level = [grown for branch in level for grown in _behind(branch, user, behind, seen)]
    return root


def _behind(branch: Branch, user: Principal, behind: Behind, seen: set[int]) -> list[Branch]:
    if branch.fact is None:
        return []
    rows = behind(branch.fact).order_by("pk")
    keys = list(rows.values_list("pk", flat=True)[: BRANCHES_AT_MOST + 1])
    shown = keys[:BRANCHES_AT_MOST]
    branch.more = rows.count() - len(shown) if len(keys) > BRANCHES_AT_MOST else 0
    visible = Fact.objects.visible_to(user).select_related("space", "author").defer("value", "words", "text")
    facts = visible.in_bulk(shown)
    grown = []
    for key in shown:
        twig = Branch(facts.get(key), again=key in seen)
        branch.branches.append(twig)
        if twig.fact is not None and not twig.again:
            seen.add(key)
            grown.append(twig)
    return grown


def editions_of(fact: Fact, user: Principal) -> list[Fact]:
    """Every edition under the same key that the user may see, the newest first."""
    rows = Fact.objects.visible_to(user).filter(space=fact.space_id, key=fact.key)
    return list(rows.select_related("author", "space").order_by("-id")[:EDITIONS_AT_MOST])


def near_keys(fact: Fact, user: Principal) -> list[Fact]:
    """Current facts of the same space whose keys look like this one: a hint to people, nothing else."""
    rows = Fact.objects.visible_to(user).kept().filter(space=fact.space_id).exclude(key=fact.key)
    keys = dict(rows.order_by("-id").values_list("key", "pk")[:COMPARED_AT_MOST])
    alike = difflib.get_close_matches(fact.key, keys, n=ALIKE_AT_MOST, cutoff=0.85)
    found = Fact.objects.select_related("author", "space").in_bulk([keys[key] for key in alike])
    return [found[keys[key]] for key in alike]
