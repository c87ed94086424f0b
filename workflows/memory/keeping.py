"""What was found is guarded first, then kept as the current fact under its key; an older one is superseded."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import rfc8785
from django.db import connection, transaction
from django.db.models import Q

from agents.models import Agent
from agents.operations import require_at_work
from governance.models import Decision
from governance.rules.breaking import taints
from observability import ledger
from workflows.memory.flights import held_flight, let_go
from workflows.memory.looking import canonical_key, permit
from workflows.memory.spaces import require_write, why_not_in_schema
from workflows.models import Fact, FactFile, Run, Space, Step
from workflows.rules import memory as rules

VALUE_AT_MOST_BYTES = 64 * 1024
FILE_AT_MOST_BYTES = 512 * 1024
SOURCES_AT_MOST = 100
TAINTED_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class FileGiven:
    """A file that somebody wants to keep."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Finding:
    """What an agent found: values, a text or a file; evidence and the facts it was derived from; what it cost to find
    (currency, seconds); from when and for how long it holds; how close it is kept. `read_from` holds the labels of the
    sources that the agent read, as a question to the policies names them."""

    key: str
    value: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    file: FileGiven | None = None
    evidence: list[dict[str, Any]] = field(default_factory=list)
    sources: Sequence[UUID] = ()
    confidence: Decimal | None = None
    sensitivity: str = Fact.Sensitivity.INTERNAL
    read_from: Sequence[str] = ()
    cost: Decimal = Decimal(0)
    seconds: Decimal = Decimal(0)
    valid_from: datetime | None = None
    expires_seconds: int | None = None
    run: Run | None = None
    step: Step | None = None


@dataclass(frozen=True)
class _Content:
    """What of a finding is kept, after the guard has let it pass."""

    kind: str
    value: dict[str, Any]
    text: str
    sha256: str
    words: str
    marks: list[str]


def put(space: Space, finding: Finding, *, agent: Agent, at: datetime, request_key: str = "") -> Fact:
    """Keep the finding as the current fact under its key; an older one is superseded, never lost. What nobody can
    believe yet waits beside the current fact until somebody else confirms it."""
    permit("memory.write", space, finding.key, agent=agent, at=at, request_key=request_key)
    with transaction.atomic():
        require_at_work(agent, at=at)
        require_write(agent, space)
        return keep(space, finding, agent=agent, at=at)


def keep(space: Space, finding: Finding, *, agent: Agent, at: datetime) -> Fact:
    """The same without asking for rights: for what a workflow keeps, in the caller's transaction."""
    key, content = canonical_key(finding.key), _guarded(space, finding)
    # The space first, then who is at it, then facts with the oldest first: everywhere the same order.
    Space.objects.select_for_update(no_key=True).get(pk=space.pk)
    flight = held_flight(space, key)
    before, sources = _locked(space, key, finding, agent, at)
    trusts, levels = [each.trust for each in sources], [each.sensitivity for each in sources]
    marks = rules.why_low(
        autonomy=agent.effective_autonomy, tainted=_is_tainted(finding, agent, at), marks=content.marks, sources=trusts
    )
    # What nobody believes yet takes the place of nothing but its author's own earlier attempt.
    replaced = Q(author=agent, trust=Fact.Trust.LOW) if marks else ~Q(trust=Fact.Trust.LOW) | Q(author=agent)
    space.facts.kept().filter(replaced, key=key).update(superseded_at=at)
    expires = None if finding.expires_seconds is None else at + timedelta(seconds=finding.expires_seconds)
    fact = Fact.objects.create(
        space=space, key=key, kind=content.kind, value=content.value, text=content.text, words=content.words,
        value_sha256=content.sha256, author=agent, at=at, run=finding.run, step=finding.step, cost=finding.cost,
        evidence=finding.evidence, seconds=finding.seconds, valid_from=finding.valid_from, expires_at=expires,
        confidence=finding.confidence, trust=Fact.Trust.LOW if marks else Fact.Trust.USUAL, marks=marks,
        sensitivity=rules.most_sensitive(finding.sensitivity, *levels),
    )  # fmt: skip
    _keep_beside(fact, finding, sources)
    said = {"sha256": fact.value_sha256, "trust": fact.trust, "marks": marks, "supersedes": before}
    ledger.record("fact.stored", fact, by=agent, at=at, data={name: each for name, each in said.items() if each})
    if not fact.is_low and flight is not None:
        let_go(flight)
    return fact


def _keep_beside(fact: Fact, finding: Finding, sources: Sequence[Fact]) -> None:
    fact.sources.add(*sources)
    if finding.file is not None:
        file = finding.file
        FactFile.objects.create(
            fact=fact, name=file.name, content_type=file.content_type, size=len(file.content), content=file.content
        )
    write_words(fact)


def write_words(fact: Fact) -> None:
    """Let the index of words know the fact as it is; PostgreSQL has one of its own."""
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM workflows_fact_words WHERE rowid = %s", [fact.pk])
            sql = "INSERT INTO workflows_fact_words (rowid, words) VALUES (%s, %s)"
            cursor.execute(sql, [fact.pk, fact.words])


# --- the guard ------------------------------------------------------------------------------------------------
def _guarded(space: Space, finding: Finding) -> _Content:
    given = [name for name in ("value", "text", "file") if getattr(finding, name)]
    if len(given) > 1:
        raise ledger.Invalid(fields={given[1]: "A fact is either values, or a text, or a file."})
    value = _plain(finding.value)
    kind, raw, text = _read(finding, value)
    secret = rules.secrets_in(value, text)
    if secret:
        said = f"This holds {secret}. Secrets are not kept in shared memory; leave it out."
        raise ledger.Invalid(fields={given[0] if given else "value": said})
    wrong = why_not_in_schema(space, value) if kind == Fact.Kind.JSON else _not_values(space)
    if wrong:
        raise ledger.Invalid(fields={given[0] if given else "value": wrong})
    shown = text if kind == Fact.Kind.TEXT else ""
    texts = [finding.key, *rules.texts_in(value), text, *(str(each.get("proves", "")) for each in finding.evidence)]
    named = finding.file.name if finding.file else ""
    return _Content(
        kind, value, shown, hashlib.sha256(raw).hexdigest(),
        rules.words_of(finding.key, value, f"{named}\n{text}"), rules.marks_in(texts),
    )  # fmt: skip


def _not_values(space: Space) -> str:
    return f"The space {space.code} takes values that follow its schema, no texts or files." if space.schema else ""


def _read(finding: Finding, value: dict[str, Any]) -> tuple[str, bytes, str]:
    if finding.file is not None:
        return Fact.Kind.FILE, _checked_file(finding.file), rules.text_of_file(
            finding.file.content_type, finding.file.content
        )  # fmt: skip
    if finding.text:
        return Fact.Kind.TEXT, _small_enough("text", finding.text.encode(errors="replace")), finding.text
    return Fact.Kind.JSON, _small_enough("value", rfc8785.dumps(value)), ""


def _small_enough(name: str, raw: bytes) -> bytes:
    if len(raw) > VALUE_AT_MOST_BYTES:
        what = "A value" if name == "value" else "A text"
        raise ledger.Invalid(fields={name: f"{what} has at most {VALUE_AT_MOST_BYTES // 1024} kB."})
    return raw


def _checked_file(file: FileGiven) -> bytes:
    wrong = rules.why_not_file(file.content_type, file.content)
    if len(file.content) > FILE_AT_MOST_BYTES:
        wrong = f"A file has at most {FILE_AT_MOST_BYTES // 1024} kB."
    if not file.content:
        wrong = "The file is empty."
    if wrong:
        raise ledger.Invalid(fields={"file": wrong})
    return file.content


def _plain(value: Any) -> Any:
    # Kept as text, as everywhere: the canonical form knows no exact numbers.
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Decimal) else value


def _locked(
    space: Space, key: str, finding: Finding, agent: Agent, at: datetime
) -> tuple[str, list[Fact]]:  # fmt: skip
    """The fact that is current under the key, by its id, and those it was derived from; all locked, the oldest first as
    everywhere, so that none becomes invalid meanwhile. Raises Invalid for a source that does not hold."""
    wanted = list(dict.fromkeys(finding.sources))
    if len(wanted) > SOURCES_AT_MOST:
        raise ledger.Invalid(fields={"sources": f"A fact is derived from at most {SOURCES_AT_MOST} others."})
    here = Q(space=space, key=key, superseded_at=None, invalidated_at=None)
    locked = Fact.objects.select_for_update(no_key=True, of=("self",)).filter(here | Q(uid__in=wanted))
    rows = {row.uid: row for row in locked.order_by("pk").defer("words")}
    before = next(
        (str(row.uid) for row in rows.values() if (row.space_id, row.key) == (space.pk, key) and not row.is_low), ""
    )
    if not wanted:
        return before, []
    held = Fact.objects.visible_to(agent.principal).valid(at).filter(uid__in=wanted)
    known = set(held.values_list("uid", flat=True))
    missing = [str(uid) for uid in wanted if uid not in known]
    if missing:
        said = f"There is no valid fact {', '.join(missing[:3])}, or you may not see it. Look it up again."
        raise ledger.Invalid(fields={"sources": said})
    return before, [rows[uid] for uid in wanted]


def _is_tainted(finding: Finding, agent: Agent, at: datetime) -> bool:
    if taints(finding.read_from):
        return True
    tainted = Decision.objects.filter(agent=agent, tainted=True, at__gt=at - TAINTED_FOR)
    tainted = tainted.filter(run=str(finding.run.uid)) if finding.run else tainted
    return tainted.exists()
