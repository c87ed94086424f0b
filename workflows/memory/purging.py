"""What an author put into shared memory is purged, with all derived from it: the content goes, the hash stays."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import rfc8785
from django.db import connection, transaction

from agents.models import Agent, Principal
from agents.operations import require
from observability import ledger
from workflows.memory.judging import TOGETHER_AT_MOST, derived_pairs, locked_closure
from workflows.models import Fact, FactFile
from workflows.rules import memory as rules

RIGHT = "workflows.purge_space"


@dataclass(frozen=True)
class Purge:
    """What a purge ended: facts of the author, facts of others derived from them, and the SHA-256 of the list of ids
    and hashes, which the ledger keeps as certificate."""

    own: int
    derived: int
    certificate: str


def purge_if(author: Agent) -> tuple[int, int]:
    """How many facts of the author and how many derived ones of others a purge would end now."""
    own = list(Fact.objects.filter(author=author, purged_at=None).values_list("pk", flat=True))
    found = rules.closure(own, derived_pairs, TOGETHER_AT_MOST)
    left = Fact.objects.filter(purged_at=None)
    total = sum(left.filter(pk__in=found[start : start + 500]).count() for start in range(0, len(found), 500))
    return len(own), total - len(own)


@transaction.atomic
def purge(author: Agent, *, by: ledger.Acts, at: datetime, why: str) -> Purge:
    """Take the content of everything that the author put into shared memory, in whatever space, and of everything that
    was derived from it. Ids, keys, hashes and the ledger stay. Raises Invalid without a reason, WrongStatus when there
    is nothing."""
    require(by, RIGHT)
    if not why.strip():
        raise ledger.Invalid(fields={"why": "Say why this is purged."})
    own = list(Fact.objects.filter(author=author, purged_at=None).order_by("pk").values_list("pk", flat=True))
    if not own:
        raise ledger.WrongStatus(f"{author} has nothing in shared memory that could be purged.")
    rows = [row for row in locked_closure(own) if row.purged_at is None]
    listed = [{"fact": str(row.uid), "sha256": row.value_sha256} for row in rows]
    told = Purge(
        sum(row.author_id == author.pk for row in rows), sum(row.author_id != author.pk for row in rows),
        hashlib.sha256(rfc8785.dumps(listed)).hexdigest(),
    )  # fmt: skip
    _empty(rows, at, why)
    ledger.record_all([
        ledger.event_of("fact.purged", row, by=by, at=at, why=why, data={"sha256": row.value_sha256}) for row in rows
    ])  # fmt: skip
    ledger.record(
        "agent.memory_purged", author, by=by, at=at, why=why,
        data={"own": told.own, "derived": told.derived, "certificate": told.certificate},
    )  # fmt: skip
    return told


def _empty(rows: Sequence[Fact], at: datetime, why: str) -> None:
    keys = [row.pk for row in rows]
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        facts = Fact.objects.filter(pk__in=some)
        facts.filter(invalidated_at=None).update(invalidated_at=at, invalid_why=why[:2000])
        facts.update(value={}, text="", words="", evidence=[], marks=[], purged_at=at)
        FactFile.objects.filter(fact__in=some).delete()
        if connection.vendor != "postgresql":
            with connection.cursor() as cursor:
                cursor.executemany("DELETE FROM workflows_fact_words WHERE rowid = %s", [(key,) for key in some])


def may_purge(user: Principal) -> bool:
    """Whether this person may purge what an author put into shared memory."""
    return user.is_person and user.may(RIGHT)
