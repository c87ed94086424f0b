"""Shared memory: a result found once is kept under a canonical key and found by all who may read its space."""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import rfc8785
from django.db import transaction
from django.db.models import F

from agents.models import Agent
from agents.operations import require, require_at_work
from governance import operations as governance
from governance.models import Decision
from observability import ledger
from observability.models import Event
from workflows.models import Fact, Run, Space

VALUE_AT_MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Finding:
    """What an agent found: JSON value, evidence, what it cost to find (currency, seconds), how long it holds."""

    key: str
    value: Mapping[str, Any]
    evidence: list[dict[str, Any]] = field(default_factory=list)
    cost: Decimal = Decimal(0)
    seconds: Decimal = Decimal(0)
    expires_seconds: int | None = None
    run: Run | None = None


def canonical_key(text: str) -> str:
    """The one spelling of a key: composed Unicode, lower case, single spaces."""
    key = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if not key or len(key) > 300:
        raise ledger.Invalid(fields={"key": "A key has 1 to 300 characters."})
    return key


def _plain(value: Any) -> Any:
    # Kept as text, as everywhere: the canonical form knows no exact numbers.
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Decimal) else value


class MemoryRefused(ledger.NotAllowed):
    """A policy does not let the agent do this in shared memory."""

    code = "memory_refused"


def permit(action: str, space: Space, key: str, *, agent: Agent, at: datetime, request_key: str = "") -> None:
    """Ask the policies that name `memory.read` or `memory.write`; without one, rights alone decide. The question is
    about the resource `memory` with the id `space/key`. Raises MemoryRefused; the decision is on record then."""
    rules, _ = governance.rules_now()
    if not rules.names(action):
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


def put(space: Space, finding: Finding, *, agent: Agent, at: datetime, request_key: str = "") -> Fact:
    """Keep the finding as the current fact under its key; an older one is superseded, never lost."""
    permit("memory.write", space, finding.key, agent=agent, at=at, request_key=request_key)
    return _put(space, finding, agent, at)


@transaction.atomic
def _put(space: Space, finding: Finding, agent: Agent, at: datetime) -> Fact:
    require_at_work(agent, at=at)
    require(agent, "workflows.write_space", space)
    key, value = canonical_key(finding.key), _plain(finding.value)
    canonical = rfc8785.dumps(value)
    if len(canonical) > VALUE_AT_MOST_BYTES:
        raise ledger.Invalid(fields={"value": f"A value has at most {VALUE_AT_MOST_BYTES // 1024} kB."})
    Space.objects.select_for_update().get(pk=space.pk)
    space.facts.filter(key=key, superseded_at__isnull=True).update(superseded_at=at)
    expires = None if finding.expires_seconds is None else at + timedelta(seconds=finding.expires_seconds)
    fact = Fact.objects.create(
        space=space, key=key, value=value, value_sha256=hashlib.sha256(canonical).hexdigest(), author=agent, at=at,
        run=finding.run, evidence=finding.evidence, cost=finding.cost, seconds=finding.seconds, expires_at=expires,
    )  # fmt: skip
    ledger.record("fact.stored", fact, by=agent, at=at, data={"sha256": fact.value_sha256})
    return fact


def get(space: Space, key: str, *, agent: Agent, at: datetime, run: Run | None = None) -> Fact | None:
    """The valid fact under the key, None without one; its reuse, counted once for each agent and run, and what that
    saved go into the ledger."""
    permit("memory.read", space, key, agent=agent, at=at)
    return _get(space, key, agent, at, run)


@transaction.atomic
def _get(space: Space, key: str, agent: Agent, at: datetime, run: Run | None) -> Fact | None:
    require_at_work(agent, at=at)
    if not Space.objects.visible_to(agent.principal).filter(pk=space.pk).exists():
        raise ledger.NotFound(f"There is no space {space.code} in shared memory, or you may not see it.")
    fact = (
        space.facts.valid(at).select_related("author", "space", "run__workflow").filter(key=canonical_key(key)).first()
    )
    if fact is None:
        return None
    if fact.author_id != agent.pk or fact.run_id != (run.pk if run else None):
        _count_reuse(fact, agent, run, at)
    return fact


def _count_reuse(fact: Fact, agent: Agent, run: Run | None, at: datetime) -> None:
    # Once for each agent and run: who looks again, or repeats a lost request, saves nothing more.
    Fact.objects.select_for_update().get(pk=fact.pk)
    by_run = str(run.uid) if run else ""
    known = Event.objects.filter(subject_kind="fact", subject_id=str(fact.uid), verb="fact.reused")
    if known.filter(actor_id=agent.code, data__by_run=by_run).exists():
        return
    Fact.objects.filter(pk=fact.pk).update(reused=F("reused") + 1)
    saved = {"saved_cost": str(fact.cost), "saved_seconds": str(fact.seconds), "by_run": by_run}
    ledger.record("fact.reused", fact, by=agent, at=at, data=saved)
