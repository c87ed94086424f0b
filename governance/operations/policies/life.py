"""The life of a version: draft, in review, approved, then in force or in shadow, in the end retired."""

from datetime import datetime

from django.db import transaction

from agents.models import Principal
from agents.operations import require
from governance.models import PolicyComment, PolicyVersion
from governance.operations.policies.comments import note
from governance.operations.policies.documents import check_document, tests_of
from governance.operations.policies.drafts import ChangedMeanwhile, lock_policy, require_writer
from governance.operations.policies.gate import require_gate
from governance.operations.policies.rulebook import turn_page
from observability import ledger

Status, Kind = PolicyVersion.Status, PolicyComment.Kind


class OwnVersion(ledger.NotAllowed):
    """You wrote this version: somebody else approves it."""

    code = "own_version"


class TestsFail(ledger.Invalid):
    """A test inside the policy does not give the expected answer; the policy was not activated."""

    code = "policy_tests_fail"


@transaction.atomic
def ask_review(version: PolicyVersion, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Put a draft before a second person; from now on its document does not change any more."""
    require_writer(by, version.policy)
    version = _locked(version)
    check_document(version.document)
    asked_by = by if isinstance(by, Principal) else None
    ledger.move(
        version, Status.IN_REVIEW, by=by, verb="policy.asked", at=at, why=why.strip(), asked_by=asked_by, asked_at=at,
        data={"sha256": version.sha256},
    )  # fmt: skip
    note(version, Kind.ASKED, why, by=by, at=at)


@transaction.atomic
def withdraw_review(version: PolicyVersion, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Take a version back from review: it is a draft again. Its author or who asked for the review may."""
    require_writer(by, version.policy)
    version = _locked(version)
    concerned = {version.author_id, version.asked_by_id} - {None}
    if isinstance(by, Principal) and concerned and by.pk not in concerned:
        raise ledger.NotAllowed("Its author or who asked for the review takes it back. Others can send it back.")
    ledger.move(version, Status.DRAFT, by=by, verb="policy.withdrawn", at=at, why=why.strip())
    note(version, Kind.WITHDRAWN, why, by=by, at=at)


def may_approve(by: Principal, version: PolicyVersion) -> bool:
    """Whether this person may approve the version or send it back: with the right, and not its author."""
    return by.is_person and by.may("governance.approve_policy", version.policy) and by.pk != version.author_id


@transaction.atomic
def approve(version: PolicyVersion, *, by: ledger.Acts, at: datetime, why: str = "", seen: str = "") -> None:
    """Say that the version may decide. Never its author; what is approved is the document that was `seen`, when its
    digest is given."""
    _require_second(version, by)
    version = _locked(version)
    if seen and seen != version.sha256:
        raise ChangedMeanwhile
    approved_by = by if isinstance(by, Principal) else None
    ledger.move(
        version, Status.APPROVED, by=by, verb="policy.approved", at=at, why=why.strip(), approved_by=approved_by,
        approved_at=at, data={"sha256": version.sha256},
    )  # fmt: skip
    note(version, Kind.APPROVED, why, by=by, at=at)


@transaction.atomic
def send_back(version: PolicyVersion, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Return a version from review to its author, with the reason."""
    _require_second(version, by)
    version = _locked(version)
    note(version, Kind.SENT_BACK, why, by=by, at=at, needed="Say what has to change; its author reads it.")
    ledger.move(version, Status.DRAFT, by=by, verb="policy.sent_back", at=at, why=why.strip())


def _require_second(version: PolicyVersion, by: ledger.Acts) -> None:
    require(by, "governance.approve_policy", version.policy)
    if isinstance(by, Principal) and by.pk == version.author_id:
        raise OwnVersion(about=version)


@transaction.atomic
def activate(version: PolicyVersion, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Let this version decide from now on, in place of the one that did. Raises GateClosed that names what is missing.
    The system itself, which sets up a company, goes through the life of a draft alone."""
    require_writer(by, version.policy)
    version = _locked(version)
    if by is ledger.SYSTEM:
        _require_tests(version)
        _go_through(version, at)
    elif version.status in (Status.DRAFT, Status.IN_REVIEW, Status.APPROVED, Status.SHADOW):
        require_gate(version, at=at)
    turn_page()
    for old in version.policy.versions.active():
        ledger.move(old, Status.RETIRED, by=by, verb="policy.retired", at=at, retired_at=at)
    ledger.move(
        version, Status.ACTIVE, by=by, verb="policy.activated", at=at, why=why.strip(), activated_at=at,
        data={"sha256": version.sha256},
    )  # fmt: skip
    note(version, Kind.ACTIVATED, why, by=by, at=at)
    version.policy.title = version.document["title"]
    version.policy.save(update_fields=["title"])


def _require_tests(version: PolicyVersion) -> None:
    check_document(version.document)
    failed = [result for result in tests_of(version.document) if not result.passed]
    if failed:
        raise TestsFail(fields={result.name: f"expected {result.expected}, got {result.actual}" for result in failed})


def _go_through(version: PolicyVersion, at: datetime) -> None:
    if version.status == Status.DRAFT:
        ask_review(version, by=ledger.SYSTEM, at=at)
    version.refresh_from_db()
    if version.status == Status.IN_REVIEW:
        approve(version, by=ledger.SYSTEM, at=at)
    version.refresh_from_db()


@transaction.atomic
def shadow(version: PolicyVersion, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Let this version be evaluated beside those that decide, in place of the policy's earlier shadow."""
    require_writer(by, version.policy)
    version = _locked(version)
    if by is not ledger.SYSTEM and version.status in (Status.DRAFT, Status.IN_REVIEW, Status.APPROVED):
        require_gate(version, at=at, shadow=True)
    turn_page()
    for old in version.policy.versions.shadow().exclude(pk=version.pk):
        ledger.move(old, Status.RETIRED, by=by, verb="policy.retired", at=at, retired_at=at)
    ledger.move(version, Status.SHADOW, by=by, verb="policy.shadowed", at=at, why=why.strip(), shadowed_at=at)
    note(version, Kind.SHADOWED, why, by=by, at=at)


@transaction.atomic
def retire(version: PolicyVersion, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Let this version decide no more, or never: a draft is thrown away, one in force leaves no rule in its place."""
    require_writer(by, version.policy)
    version = _locked(version)
    turn_page()
    note(version, Kind.RETIRED, why, by=by, at=at, needed="Say why it is retired; the audit trail keeps it.")
    ledger.move(version, Status.RETIRED, by=by, verb="policy.retired", at=at, why=why.strip(), retired_at=at)


def _locked(version: PolicyVersion) -> PolicyVersion:
    """The version as it is now, its policy held: who reviews, activates and rewrites at once follow one another."""
    lock_policy(version.policy)
    policy = version.policy
    version.refresh_from_db()
    version.policy = policy
    return version
