"""Policies: check a document, keep it as a version, activate it; and the compiled rules that decide now."""

import hashlib
import threading
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import rfc8785
from django.db import transaction
from django.db.models import Count, F, Max

from agents.models import Principal, System, Unit
from agents.operations import require
from governance.language import Field, Kind, Problem, Schema, did_you_mean
from governance.models import EscalationPath, Policy, PolicyVersion, RuleBook
from governance.operations.history import HISTORY_FIELDS
from governance.rules import STANDARD_FIELDS, PolicyInvalid, PolicyRules, RuleSet, parse_policy, run_tests
from observability import ledger

OWN_FIELDS = (
    Field("subject.risk_class", Kind.INT, "Risk class of the agent", source="fact"),
    Field("case.approved", Kind.LIST, "Steps that a person approved", source="fact", item=Kind.STRING),
    Field("context.confidence", Kind.DECIMAL, "Agent's confidence"),
    *(Field(f"perm.{verb}", Kind.BOOL, f"May {verb} in the system", source="fact") for verb in System.Verb.values),
    *HISTORY_FIELDS,
)
"""What we know about every question, beside the fields that the rules themselves define."""


class PolicyRefused(ledger.Invalid):
    """The policy has errors and was not saved."""

    code = "policy_invalid"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            fields={problem.path or f"problem {n}": said(problem) for n, problem in enumerate(self.problems, 1)}
        )


class PoliciesUnreadable(ledger.Refused):
    """A policy in force cannot be read any more. Nothing is allowed until it is replaced."""

    status = 503
    code = "policies_unreadable"


class TestsFail(ledger.Invalid):
    """A test inside the policy does not give the expected answer; the policy was not activated."""

    code = "policy_tests_fail"


def said(problem: Problem) -> str:
    """A problem as one sentence with its place."""
    place = f"line {problem.line}, column {problem.column}: " if problem.line else ""
    hint = f" {problem.suggestion}" if problem.suggestion else ""
    return f"{place}{problem.message}{hint}"


def decision_schema() -> Schema:
    """The typed fields of every question: our own facts and what the registered systems declare. No system can take the
    place of one of ours, or of one that an earlier system declared and policies in force may read."""
    fields = {field.path: field for field in (*OWN_FIELDS, *STANDARD_FIELDS)}
    for declared in System.objects.order_by("pk").values_list("fields", flat=True):
        paths = {item["path"] for item in declared}
        for item in declared:
            fields.setdefault(item["path"], _field(item, paths))
    return Schema(fields.values())


def _field(item: Mapping[str, Any], beside: Collection[str]) -> Field:
    group, _, name = item["path"].rpartition(".")
    currency = f"{group}.currency"
    unit = f"{{{currency}}}" if name == "amount" and currency in beside else ""
    return Field(
        item["path"], Kind(item["kind"]), item.get("label", ""), item.get("unit") or unit, tuple(item.get("enum", ())),
    )  # fmt: skip


def check_document(document: Mapping[str, Any]) -> PolicyRules:
    """The compiled rules of a document. Raises PolicyRefused that lists every error with its place."""
    try:
        rules = parse_policy(document, decision_schema())
    except PolicyInvalid as invalid:
        raise PolicyRefused(invalid.problems) from invalid
    unknown = _unknown_paths(rules)
    if unknown:
        raise PolicyRefused(unknown)
    return rules


def _unknown_paths(rules: PolicyRules) -> list[Problem]:
    known = set(EscalationPath.objects.values_list("key", flat=True))
    return [
        Problem(
            f"No escalation path is called `{rule.escalate.path}`.", line=0,
            suggestion=did_you_mean(rule.escalate.path, known), path=f"rules[{number}].escalate.path",
        )
        for number, rule in enumerate(rules.rules)
        if rule.escalate is not None and rule.escalate.path not in known
    ]  # fmt: skip


def document_digest(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a document in canonical form (RFC 8785), hex."""
    return hashlib.sha256(rfc8785.dumps(dict(document))).hexdigest()


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
        _shelf.rules, _shelf.schema = RuleSet([_in_force(version, schema) for version in active]), schema
        _shelf.edition = edition
    return _shelf.rules, _shelf.schema


def _in_force(version: PolicyVersion, schema: Schema) -> PolicyRules:
    try:
        return parse_policy(version.document, schema)
    except PolicyInvalid as invalid:
        raise PoliciesUnreadable(f"{version} cannot be read any more. {said(invalid.problems[0])}") from invalid


def _edition() -> tuple[Any, ...]:
    book = RuleBook.objects.filter(pk=1).values_list("edition", flat=True).first()
    systems = System.objects.aggregate(count=Count("pk"), last=Max("pk"))
    return (book, systems["count"], systems["last"])
