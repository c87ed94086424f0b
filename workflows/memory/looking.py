"""Shared memory is looked into: the valid fact under a key, and all that say some words."""

from contextlib import nullcontext
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, QuerySet

from agents.models import Agent, Principal
from agents.operations import require_at_work
from governance import operations as governance
from governance.models import Decision
from observability import ledger
from observability.models import Event
from observability.prepared import Prepared
from workflows.models import Fact, Run, Space
from workflows.rules import memory as rules


class MemoryRefused(ledger.NotAllowed):
    """A policy does not let the agent do this in shared memory."""

    code = "memory_refused"


def canonical_key(text: str) -> str:
    """The one spelling of a key. Raises Invalid for one that is empty or too long."""
    key = rules.canonical_key(text)
    if not key or len(key) > rules.KEY_AT_MOST:
        raise ledger.Invalid(fields={"key": f"A key has 1 to {rules.KEY_AT_MOST} characters."})
    return key


def permit(action: str, space: Space, key: str, *, agent: Agent, at: datetime, request_key: str = "") -> None:
    """Ask the policies that name `memory.read` or `memory.write`; without one, rights alone decide. The question is
    about the resource `memory` with the id `space/key`. Raises MemoryRefused; the decision is on record then."""
    in_force, _ = governance.rules_now()
    if not in_force.names(action):
        return
    question = governance.Question(
        action=action, resource={"type": "memory", "id": f"{space.code}/{canonical_key(key)}"[:200]}, context={},
        request_key=request_key, title=f"{action} {space.name}: {key}"[:300],
    )  # fmt: skip
    known = governance.Circumstances(agent, at)
    decision = governance.evaluate(question, known=known, by=agent)
    if decision.effect == Decision.Effect.ESCALATE:
        governance.request_access(governance.Requested(decision.uid, question), known=known, by=agent)
    if decision.effect != Decision.Effect.ALLOW:
        raise MemoryRefused(decision.reason)


def require_sight(space: Space, agent: Agent) -> None:
    """Raise NotFound unless the agent may look into the space."""
    if not space.is_visible_to(agent.principal):
        raise ledger.NotFound(f"There is no space {space.code} in shared memory, or you may not see it.")


def get(space: Space, key: str, *, agent: Agent, at: datetime, run: Run | None = None) -> Fact | None:
    """The valid fact under the key, None without one; its reuse, counted once for each agent and run, and what that
    saved go into the ledger. A fact that nobody has confirmed is served to its author alone."""
    permit("memory.read", space, key, agent=agent, at=at)
    require_at_work(agent, at=at)
    require_sight(space, agent)
    return served(space, key, agent=agent, at=at, run=run)


def served(space: Space, key: str, *, agent: Agent, at: datetime, run: Run | None) -> Fact | None:
    """The same for who is known to see the space."""
    named = canonical_key(key)
    fact = current(space, named, at=at) or _own(space, named, agent, at)
    if fact is None or not _may_read(fact, agent.principal):
        return None
    if fact.author_id != agent.pk or fact.run_id != (run.pk if run else None):
        # Reading alone needs no transaction, which would be two more round trips.
        with nullcontext() if connection.in_atomic_block else transaction.atomic():
            count_reuse(fact, by=agent, run=run, at=at)
    return fact


def _own(space: Space, key: str, agent: Agent, at: datetime) -> Fact | None:
    """What the agent itself found and nobody has confirmed."""
    own = space.facts.valid(at).filter(key=key, author=agent, trust=Fact.Trust.LOW).order_by("-id")
    return own.select_related("author", "space", "run__workflow").first()


def _may_read(fact: Fact, user: Principal) -> bool:
    if fact.sensitivity != Fact.Sensitivity.CONFIDENTIAL or fact.author.principal_id == user.pk:
        return True
    return Space.objects.open_to(user).filter(pk=fact.space_id).exists()


def current(space: Space, key: str, *, at: datetime) -> Fact | None:
    """The valid fact under the canonical key that everybody is served."""
    fact = _CURRENT.first(space=space.pk, key=key)
    return fact if fact is not None and fact.holds(at) else None


# Of those that are believed only one is current.
_CURRENT = Prepared(
    lambda space, key: (
        Fact.objects.kept()
        .believed()
        .select_related("author", "space", "run__workflow")
        .defer("words")
        .filter(space=space, key=key)
    ),
    space=int,
    key=str,
)


def count_reuse(fact: Fact, *, by: ledger.Acts, run: Run | None, at: datetime) -> None:
    """Count that `by` did not have to find this out for the run. Once for each actor and run: who looks again, or
    repeats a lost request, saves nothing more."""
    Fact.objects.select_for_update(no_key=True).get(pk=fact.pk)
    by_run = str(run.uid) if run else ""
    known = Event.objects.filter(subject_kind="fact", subject_id=str(fact.uid), verb="fact.reused")
    if known.filter(actor_id=by.as_actor().id, data__by_run=by_run).exists():
        return
    Fact.objects.filter(pk=fact.pk).update(reused=F("reused") + 1)
    saved = {"saved_cost": str(fact.cost), "saved_seconds": str(fact.seconds), "by_run": by_run}
    ledger.record("fact.reused", fact, by=by, at=at, data={**saved, "space": fact.space.code})


def search(user: Principal, text: str, *, at: datetime, space: str = "", author: str = "") -> QuerySet[Fact]:
    """The valid facts that say every one of these words, of which the last may be the beginning of one, and that the
    user is served: by `-id`, the newest first, on every database alike."""
    found = Fact.objects.visible_to(user).valid(at).saying(text)
    found = found.filter(space__code=space) if space else found
    return found.filter(author__code=author) if author else found


def permit_search(agent: Agent) -> None:
    """Raise MemoryRefused where policies decide about each fact that agents read: those are looked up by their key."""
    in_force, _ = governance.rules_now()
    if in_force.names("memory.read"):
        raise MemoryRefused("Policies decide about each fact that agents read; look up each one by its key.")
