"""Others judge what was found: they confirm it, or it is invalid with everything that was derived from it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from agents.models import Agent, Principal
from agents.operations import require_at_work
from observability import ledger
from workflows.memory.flights import held_flight, let_go
from workflows.memory.spaces import may_write
from workflows.models import Fact, FactQuerySet, Space
from workflows.rules import memory as rules

TOGETHER_AT_MOST = 10_000
WHY_AT_MOST = 2_000


class TooManyDerived(ledger.Refused):
    """Too much was derived from this to end it in one act. Nothing was changed: begin with what was derived last."""

    code = "too_many_derived"


def may_curate(user: Principal, space: Space) -> bool:
    """Whether this person may confirm and invalidate facts of the space."""
    return user.is_active and Space.objects.curated_by(user).filter(pk=space.pk).exists()


def may_confirm(by: Principal | Agent, fact: Fact) -> bool:
    """Whether this person or agent may confirm the fact: an agent that writes to the space, is believed itself and is
    not its author; a person that looks after the space."""
    if isinstance(by, Agent):
        return by.pk != fact.author_id and by.effective_autonomy > rules.SUGGESTS and may_write(by, fact.space)
    return may_curate(by, fact.space)


def may_invalidate(by: Principal | Agent, fact: Fact) -> bool:
    """Whether this person or agent may find the fact wrong: its author too."""
    return may_curate(by, fact.space) if isinstance(by, Principal) else by.pk == fact.author_id


def _said(why: str) -> str:
    if not why.strip() or len(why) > WHY_AT_MOST:
        raise ledger.Invalid(fields={"why": f"Say why, in at most {WHY_AT_MOST:,} characters."})
    return why.strip()


@transaction.atomic
def confirm(fact: Fact, *, by: Principal | Agent, at: datetime, why: str) -> Fact:
    """A second opinion: from now on the fact is served to all who may read its space, in the place of the one that was
    current. Raises WrongStatus for a fact that does not wait for it."""
    why = _said(why)
    if isinstance(by, Agent):
        require_at_work(by, at=at)
    if not may_confirm(by, fact):
        raise ledger.NotAllowed(f"{by.as_actor().name} may not confirm facts of {fact.author.code} in {fact.space}.")
    Space.objects.select_for_update(no_key=True).get(pk=fact.space_id)
    flight = held_flight(fact.space, fact.key)
    here = Q(space=fact.space_id, key=fact.key, superseded_at=None, invalidated_at=None)
    rows = list(_for_update().filter(here | Q(pk=fact.pk)).order_by("pk"))
    fact = next(row for row in rows if row.pk == fact.pk)
    if not fact.is_low or fact.superseded_at or fact.invalidated_at:
        raise ledger.WrongStatus(f"{fact} does not wait to be confirmed any more.")
    if fact.sources.filter(trust=Fact.Trust.LOW).exists():
        raise ledger.WrongStatus(f"{fact} was derived from a fact that nobody has confirmed; confirm that one first.")
    Fact.objects.kept().believed().filter(space=fact.space_id, key=fact.key).update(superseded_at=at)
    holder = by.principal if isinstance(by, Agent) else by
    fact.trust, fact.confirmed_at, fact.confirmed_by = Fact.Trust.CONFIRMED, at, holder
    fact.save(update_fields=["trust", "confirmed_at", "confirmed_by"])
    ledger.record("fact.confirmed", fact, by=by, at=at, why=why, before=Fact.Trust.LOW, after=fact.trust)
    if flight is not None:
        let_go(flight)
    return fact


def _for_update() -> FactQuerySet:
    return Fact.objects.select_for_update(no_key=True, of=("self",)).select_related("space", "author", "run__workflow")


@transaction.atomic
def invalidate(fact: Fact, *, by: Principal | Agent, at: datetime, why: str) -> list[Fact]:
    """The fact is wrong, and so is everything that was derived from it, however far: none of it is served any more.
    All that ended; what had ended before stays as it was."""
    why = _said(why)
    if not may_invalidate(by, fact):
        raise ledger.NotAllowed(f"{by.as_actor().name} may not invalidate facts in {fact.space}.")
    rows = locked_closure([fact.pk])
    first = next(row for row in rows if row.pk == fact.pk)
    if first.invalidated_at is not None:
        raise ledger.WrongStatus(f"{first} was found wrong before.")
    ended = [row for row in rows if row.invalidated_at is None]
    Fact.objects.filter(pk__in=[row.pk for row in ended]).update(invalidated_at=at, invalid_why=why)
    ledger.record_all([
        ledger.event_of(
            "fact.invalidated", row, by=by, at=at, why=why,
            data={"sha256": row.value_sha256} if row.pk == fact.pk else {"derived_from": str(first.uid)},
        )
        for row in ended
    ])  # fmt: skip
    for row in ended:
        row.invalidated_at, row.invalid_why = at, why
    return ended


def locked_closure(first: Sequence[int]) -> list[Fact]:
    """These facts and everything derived from them, locked with the oldest first, as everywhere; whoever derives
    something more meanwhile waits, and is refused. Raises TooManyDerived."""
    known: list[int] = []
    while True:
        found = rules.closure(first, derived_pairs, TOGETHER_AT_MOST)
        if len(found) > TOGETHER_AT_MOST:
            raise TooManyDerived
        if found == known:
            return list(_for_update().filter(pk__in=found).order_by("pk"))
        # Locked first, then looked again: something may have been derived until the lock was there.
        list(Fact.objects.select_for_update(no_key=True).filter(pk__in=found).order_by("pk").values_list("pk"))
        known = found


def derived_pairs(sources: list[int]) -> Iterable[tuple[int, int]]:
    """(source, fact) for everything that was derived directly from these."""
    links = Fact.sources.through.objects
    for start in range(0, len(sources), 500):
        rows = links.filter(to_fact__in=sources[start : start + 500])
        yield from rows.values_list("to_fact_id", "from_fact_id")
