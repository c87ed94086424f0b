"""The rule book: the compiled rules that decide now, the same in every process from the next question on.

A policy in force that cannot be read any more denies the actions that its scope names (all of them, where the scope
cannot be read either), whatever other policies say: nobody knows what it would have denied. What it does not cover is
decided as ever.
"""

import logging
import threading
from typing import Any

from django.db import connection
from django.db.models import F

from governance.language import Schema
from governance.models import PolicyVersion, RuleBook
from governance.operations.policies.documents import said
from governance.operations.policies.schema import decision_schema, lists_now
from governance.rules import PolicyInvalid, PolicyRules, RuleSet, parse_policy, unreadable_policy

log = logging.getLogger(__name__)


def turn_page() -> None:
    """Let every process read the rules anew at its next question. Call it in the transaction that changes them, before
    any version is moved: of two who do so at once one waits for the other."""
    RuleBook.objects.update_or_create(pk=1, defaults={"edition": F("edition") + 1}, create_defaults={"edition": 1})


class _Shelf(threading.local):
    edition: tuple[Any, ...] = ()
    rules: RuleSet = RuleSet(())
    schema: Schema = Schema(())


_shelf = _Shelf()


def rules_now() -> tuple[RuleSet, Schema]:
    """The rules that are active at this moment and their schema, compiled once per edition in each thread."""
    edition = _edition()
    if _shelf.edition != edition:
        schema = decision_schema()
        active = PolicyVersion.objects.active().select_related("policy").order_by("policy__key")
        _shelf.rules = RuleSet([_in_force(version, schema) for version in active], lists=lists_now())
        _shelf.schema = schema
        _shelf.edition = edition
    return _shelf.rules, _shelf.schema


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


def _edition() -> tuple[Any, ...]:
    # Asked before every decision: the edition of the rules and whether there is another system, in one statement.
    with connection.cursor() as cursor:
        cursor.execute(_EDITION)
        return tuple(cursor.fetchone())
