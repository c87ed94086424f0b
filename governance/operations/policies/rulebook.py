"""The rule book: the compiled rules that decide now, the same in every process from the next question on.

What did not change from one edition to the next is taken over: its policies are neither read nor compiled again.

A policy in force that cannot be read any more denies the actions that its scope names (all of them, where the scope
cannot be read either), whatever other policies say: nobody knows what it would have denied. What it does not cover is
decided as ever.
"""

import logging
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F

from agents.models import System
from governance.language import Schema
from governance.models import PolicyVersion, RuleBook
from governance.operations.policies.documents import said
from governance.operations.policies.schema import decision_schema, lists_now
from governance.rules import PolicyInvalid, PolicyRules, RuleSet, parse_policy, unreadable_policy

log = logging.getLogger(__name__)

STRIDE = 1_000
Edition = tuple[Any, ...]
"""The number of the edition, how many systems there are, and the newest: together they name what decides."""


def turn_page() -> None:
    """Let every process read the rules anew at its next question. Call it in the transaction that changes them, before
    any version is moved: of two who do so at once one waits for the other."""
    # By chance, because a process may have read this edition in a transaction that is then undone: the next one to be
    # written must not have the same number.
    step = 1 + secrets.randbelow(STRIDE)
    RuleBook.objects.update_or_create(
        pk=1, defaults={"edition": F("edition") + step}, create_defaults={"edition": step}
    )


@dataclass(frozen=True)
class _Page:
    """One edition of the rules, with the systems that declare actions and fields. `read` are its policies, by the
    version and digest of the document of each."""

    edition: Edition
    rules: RuleSet
    schema: Schema
    systems: tuple[System, ...]
    read: Mapping[tuple[int, str], PolicyRules]


class _Shelf:
    """The page that was read last, for all threads: it is replaced as a whole, and one thread at a time writes one."""

    def __init__(self) -> None:
        self.page: _Page | None = None
        self.writing = threading.Lock()


_shelf = _Shelf()


def rules_now(edition: Edition | None = None) -> tuple[RuleSet, Schema]:
    """The rules that are active at this moment and their schema, compiled once per edition in each process; `edition`
    is that of this moment, where the caller has just read it."""
    page = _page(edition or _edition())
    return page.rules, page.schema


def systems_now(edition: Edition | None = None) -> tuple[System, ...]:
    """The systems of the same edition, the oldest first."""
    return _page(edition or _edition()).systems


def _page(edition: Edition) -> _Page:
    page, shelf = _shelf.page, _shelf
    if page is None or page.edition != edition:
        with shelf.writing:
            page = shelf.page
            if page is None or page.edition != edition:
                page = shelf.page = _written(edition, page)
    return page


def _written(edition: Edition, last: _Page | None) -> _Page:
    schema = decision_schema()
    if last is not None and last.schema.fields == schema.fields:
        schema, known = last.schema, last.read
    else:
        known = {}
    active = list(PolicyVersion.objects.active().order_by("policy__key").values_list("pk", "sha256"))
    unread = [pk for pk, digest in active if (pk, digest) not in known]
    new = PolicyVersion.objects.select_related("policy").in_bulk(unread)
    read = {each: known.get(each) or _in_force(new[each[0]], schema) for each in active}
    rules = RuleSet(read.values(), lists=lists_now(), like=last.rules if last is not None else None)
    return _Page(edition, rules, schema, tuple(System.objects.order_by("pk")), read)


def _in_force(version: PolicyVersion, schema: Schema) -> PolicyRules:
    try:
        return parse_policy(version.document, schema)
    except Exception as broken:
        why = said(broken.problems[0]) if isinstance(broken, PolicyInvalid) else f"({type(broken).__name__})"
        log.error("%s is in force and cannot be read; what it covers is denied: %s", version, why)
        return unreadable_policy(version.policy.key, version.number, version.document, why)


_EDITION = """
SELECT (SELECT edition FROM governance_rulebook WHERE id = 1), count(*), max(id) FROM agents_system
"""


def _edition() -> Edition:
    # Asked before every decision: the edition of the rules and whether there is another system, in one statement.
    with connection.cursor() as cursor:
        cursor.execute(_EDITION)
        return tuple(cursor.fetchone())
