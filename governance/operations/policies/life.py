"""The life of a policy: kept as a draft, put in force."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Max

from agents.models import Principal, Unit
from agents.operations import require
from governance.models import Policy, PolicyVersion, RuleBook
from governance.operations.policies.documents import check_document, document_digest
from governance.operations.policies.schema import decision_schema
from governance.rules import run_tests
from observability import ledger


@transaction.atomic
def add_policy(
    document: Mapping[str, Any], *, unit: Unit, owner: Principal, by: ledger.Acts, at: datetime
) -> PolicyVersion:
    """Save a document as the next version of its policy, in draft. Nothing is saved when it has an error."""
    before = Policy.objects.filter(key=str(document.get("key", ""))).first()
    if before is None or not _may_write(by, before):
        require(by, "governance.add_policy", unit)
    rules = check_document(document)
    policy, _ = Policy.objects.get_or_create(
        key=rules.key, defaults={"title": document["title"], "unit": unit, "owner": owner}
    )  # fmt: skip
    Policy.objects.select_for_update().get(pk=policy.pk)  # two drafts at once get two numbers
    last = policy.versions.aggregate(last=Max("number"))["last"] or 0
    version = PolicyVersion.objects.create(
        policy=policy, number=last + 1, document={**document, "version": last + 1}, created_at=at,
        sha256=document_digest({**document, "version": last + 1}), author=by if isinstance(by, Principal) else None,
    )  # fmt: skip
    ledger.record("policy.drafted", version, by=by, at=at, after=version.status)
    return version


def _may_write(by: ledger.Acts, policy: Policy) -> bool:
    # A right on one policy is enough for its next version; a first version needs the right to write policies.
    return isinstance(by, Principal) and by.is_active and by.may("governance.change_policy", policy)


class TestsFail(ledger.Invalid):
    """A test inside the policy does not give the expected answer; the policy was not activated."""

    code = "policy_tests_fail"


@transaction.atomic
def activate(version: PolicyVersion, *, by: ledger.Acts, at: datetime) -> None:
    """Let this version decide from now on, in place of the one that did, if all its own tests pass."""
    require(by, "governance.change_policy", version.policy)
    _require_tests(version)
    RuleBook.objects.update_or_create(pk=1, defaults={"edition": F("edition") + 1}, create_defaults={"edition": 1})
    for old in version.policy.versions.active():
        ledger.move(old, PolicyVersion.Status.RETIRED, by=by, verb="policy.retired", at=at)
    ledger.move(version, PolicyVersion.Status.ACTIVE, by=by, verb="policy.activated", at=at, activated_at=at)
    version.policy.title = version.document["title"]
    version.policy.save(update_fields=["title"])


def _require_tests(version: PolicyVersion) -> None:
    check_document(version.document)
    failed = [result for result in run_tests(version.document, decision_schema()) if not result.passed]
    if failed:
        raise TestsFail(fields={result.name: f"expected {result.expected}, got {result.actual}" for result in failed})
