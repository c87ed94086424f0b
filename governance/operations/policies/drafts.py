"""Drafts of policies: a document becomes the next version; while it is a draft its author may rewrite it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from agents.models import Principal, Unit
from agents.operations import require
from governance.models import Policy, PolicyVersion
from governance.operations.policies.documents import check_document, document_digest, same_content
from observability import ledger

RESERVED = (
    "new", "check", "bench", "import", "export", "templates", "analysis", "diff", "replays", "lists", "schema", "paths",
    "calendars",
)  # fmt: skip
"""Keys that no policy has, because pages and routes have them."""


class ChangedMeanwhile(ledger.Refused):
    """The draft was changed since you opened it. Nothing was saved; open it again and add your change."""

    status = 412
    code = "draft_changed"


class NotYourDraft(ledger.NotAllowed):
    """Only its author rewrites a draft. Save your text as a version of its own."""

    code = "not_your_draft"


@transaction.atomic
def add_policy(
    document: Mapping[str, Any], *, unit: Unit, owner: Principal, by: ledger.Acts, at: datetime
) -> PolicyVersion:
    """Save a document as the next version of its policy, in draft. Nothing is saved when it has an error."""
    before = Policy.objects.filter(key=str(document.get("key", ""))).first()
    if before is None:
        require(by, "governance.add_policy", unit)
    else:
        require_writer(by, before)
    rules = check_document(document)
    if rules.key in RESERVED:
        said = f"`{rules.key}` is an address here. Choose another key."
        raise ledger.Invalid("The policy was not saved.", fields={"key": said})
    policy, _ = Policy.objects.get_or_create(
        key=rules.key, defaults={"title": document["title"], "unit": unit, "owner": owner}
    )  # fmt: skip
    return _next_version(policy, document, by, at)


def _next_version(policy: Policy, document: Mapping[str, Any], by: ledger.Acts, at: datetime) -> PolicyVersion:
    lock_policy(policy)  # two drafts at once get two numbers
    last = policy.versions.aggregate(last=Max("number"))["last"] or 0
    numbered = _numbered(document, last + 1)
    version = PolicyVersion.objects.create(
        policy=policy, number=last + 1, document=numbered, sha256=document_digest(numbered), created_at=at,
        author=by if isinstance(by, Principal) else None,
    )  # fmt: skip
    ledger.record("policy.drafted", version, by=by, at=at, after=version.status)
    return version


def lock_policy(policy: Policy) -> None:
    """Hold the policy until the end of the transaction: whatever changes its versions does so first."""
    Policy.objects.select_for_update(of=("self",), no_key=True).only("pk").get(pk=policy.pk)


def _numbered(document: Mapping[str, Any], number: int) -> dict[str, Any]:
    # What a document says about its own status counts for nothing: the version has one.
    return {name: value for name, value in {**document, "version": number}.items() if name != "status"}


def may_write(by: ledger.Acts, policy: Policy) -> bool:
    """Whether this one may write versions of the policy: with a right on it, or as one who writes policies of its
    unit."""
    if not isinstance(by, Principal) or not by.is_active:
        return False
    return by.may("governance.change_policy", policy) or by.may("governance.add_policy", policy.unit)


def require_writer(by: ledger.Acts, policy: Policy) -> None:
    """Raise NotAllowed unless this one may write versions of the policy."""
    if not may_write(by, policy):
        require(by, "governance.change_policy", policy)


def may_rewrite(by: ledger.Acts, version: PolicyVersion) -> bool:
    """Whether this one may rewrite the version in place: its author, while it is a draft."""
    if version.status != PolicyVersion.Status.DRAFT or not may_write(by, version.policy):
        return False
    return isinstance(by, Principal) and version.author_id == by.pk


@transaction.atomic
def rewrite_draft(
    version: PolicyVersion, document: Mapping[str, Any], *, seen: str, by: ledger.Acts, at: datetime
) -> PolicyVersion:
    """Put another document in the place of a draft's, if it is still the one with the digest `seen`. The same content
    changes nothing."""
    require_writer(by, version.policy)
    lock_policy(version.policy)
    version = PolicyVersion.objects.with_people().get(pk=version.pk)
    if version.status != PolicyVersion.Status.DRAFT:
        raise ledger.WrongStatus(f"{version} is {version.get_status_display().lower()}; only a draft is rewritten.")
    if not may_rewrite(by, version):
        raise NotYourDraft
    if version.sha256 != seen:
        raise ChangedMeanwhile
    rules = check_document(document)
    if rules.key != version.policy.key:
        raise ledger.Invalid("The draft was not saved.", fields={"key": "The key of a policy never changes."})
    if same_content(version.document, document):
        return version
    return _rewritten(version, _numbered(document, version.number), by, at)


def _rewritten(version: PolicyVersion, document: dict[str, Any], by: ledger.Acts, at: datetime) -> PolicyVersion:
    before = version.sha256
    version.document, version.sha256 = document, document_digest(document)
    version.save(update_fields=["document", "sha256"])
    version.replays.update(looked_at=None, looked_by=None)  # they were about another text
    ledger.record("policy.rewritten", version, by=by, at=at, data={"before": before, "after": version.sha256})
    return version


@transaction.atomic
def go_back(version: PolicyVersion, *, by: ledger.Acts, at: datetime) -> PolicyVersion:
    """A new draft that says what this older version said; it goes the same way as every other change."""
    require_writer(by, version.policy)
    check_document(version.document)
    return _next_version(version.policy, version.document, by, at)
