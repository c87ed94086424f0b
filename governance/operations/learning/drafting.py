"""Learnt rules: drafted from answers into the life of every policy, with a replay, and revoked at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from agents.models import Principal
from governance.models import Escalation, LearntRule, PolicyVersion
from governance.operations.learning.suggesting import Offer, amount_in, in_force, offer_of, stands
from governance.operations.policies import (
    PolicyRefused,
    activate,
    add_comment,
    add_policy,
    decision_schema,
    lists_now,
    may_write,
    require_writer,
    retire,
    withdraw_review,
)
from governance.operations.replays import ask_replay
from governance.rules import PolicyInvalid
from governance.rules.learnt import CannotLearn, Learnt, with_learnt, with_tests, without_learnt
from observability import ledger

REPLAYED = timedelta(days=30)
WHY_AT_MOST = 2_000
Status = PolicyVersion.Status


class NotLearnt(ledger.Refused):
    """No rule can be made of these answers."""

    code = "not_learnt"


class LearntAlready(ledger.Refused):
    """Somebody made a rule of these answers already."""

    code = "learnt_already"


@transaction.atomic
def make_rule(group: str, *, by: Principal, at: datetime) -> LearntRule:
    """Draft the next version of the policy with a rule that allows exactly what people approved, and have it replayed
    over the last 30 days. It decides nothing before somebody else approved it and it was put in force."""
    offer = offer_of(by, group, at=at)
    require_writer(by, offer.policy)
    active = offer.policy.versions.active().first()
    if active is None:
        raise NotLearnt(f"{offer.policy} has no version in force.")
    learnt = _learnt(offer, active)
    version = add_policy(learnt.document, unit=offer.policy.unit, owner=offer.policy.owner, by=by, at=at)
    add_comment(version, _told(offer, learnt), by=by, at=at)
    replay = ask_replay(version, since=at - REPLAYED, until=at, by=by, at=at)
    _make_room(group, by, at)
    made = _kept(offer, learnt, version=version, replay=replay, by=by, at=at)
    ledger.record("learnt.drafted", made, by=by, at=at, data={"answers": offer.suggestion.asked})
    return made


def _learnt(offer: Offer, active: PolicyVersion) -> Learnt:
    suggestion, schema, lists = offer.suggestion, decision_schema(), lists_now()
    try:
        learnt = with_learnt(active.document, suggestion, amount=offer.amount, reason=_reason(offer))
        return with_tests(
            learnt, _examples(offer), amount=offer.amount, highest=suggestion.highest, schema=schema, lists=lists
        )
    except CannotLearn as no:
        raise NotLearnt(str(no)) from no
    except PolicyInvalid as invalid:
        raise PolicyRefused(invalid.problems) from invalid


def _reason(offer: Offer) -> str:
    suggestion = offer.suggestion
    upto = f" up to {suggestion.highest:,} {suggestion.kind.currency}".rstrip() if suggestion.highest else ""
    return f"People approved {suggestion.asked} of {suggestion.asked} questions like this{upto}."


def _examples(offer: Offer) -> list[dict[str, Any]]:
    """The approved question with the highest amount, in few words and with everything that was known."""
    questions = Escalation.objects.filter(pk__in=offer.suggestion.keys).select_related("decision")
    last = max(questions, key=lambda each: (amount_in(each.request, offer.amount) or Decimal(0), each.pk))
    request = last.request
    kind, resource = offer.suggestion.kind, request.get("resource", {})
    properties = dict(resource.get("properties") or {})
    brief = {path.partition(".")[2]: names for path, names in offer.suggestion.parties.items() if "resource." in path}
    named = {name: properties[name] for name in brief if name in properties}
    short = {
        "action": {"name": kind.action}, "subject": {"properties": {"role": kind.role}},
        "resource": {"properties": named}, "context": dict(request.get("context") or {}),
    }  # fmt: skip
    return [short, {**short, "resource": {**resource, "properties": properties}}, _with_facts(short, last)]


def _with_facts(short: Mapping[str, Any], question: Escalation) -> dict[str, Any]:
    facts = question.decision.facts if question.decision is not None else {}
    own = ("subject", "action", "resource", "context", "approval", "lists")
    known = {name: part for name, part in facts.items() if name not in own and isinstance(part, dict)}
    subject = {name: value for name, value in facts.get("subject", {}).items() if name not in ("id", "type")}
    resource = question.request.get("resource", {})
    return {**short, "subject": {"properties": subject}, "resource": resource, "facts": known}


def _told(offer: Offer, learnt: Learnt) -> str:
    suggestion = offer.suggestion
    words = [f"Drafted from {suggestion.asked} answers, all yes, by {', '.join(offer.reviewers)}."]
    if suggestion.has_one_reviewer:
        words.append("One person gave all of them.")
    if suggestion.refused_from is not None:
        words.append(f"The lowest amount that was not approved is {suggestion.refused_from:,}.")
    if learnt.changed_tests:
        words.append(f"Tests that expected a question and now expect yes: {'; '.join(learnt.changed_tests)}.")
    if not learnt.undo["added"]:
        words.append("No test could be made of the answers: write one for the new rule.")
    return " ".join(words)


def _make_room(group: str, by: Principal, at: datetime) -> None:
    """A draft that was thrown away does not keep a new one out."""
    for old in LearntRule.objects.standing().filter(group=group).select_related("version"):
        if stands(old):
            raise LearntAlready
        _end(old, by=by, at=at, why="Its version was retired.")


def _kept(offer: Offer, learnt: Learnt, *, by: Principal, at: datetime, **links: Any) -> LearntRule:
    suggestion = offer.suggestion
    highest, refused = suggestion.highest, suggestion.refused_from
    criteria = {
        "action": suggestion.kind.action, "role": suggestion.kind.role, "currency": suggestion.kind.currency,
        "amount_at_most": None if highest is None else str(highest), "parties": dict(suggestion.parties),
    }  # fmt: skip
    figures = {
        "answers": suggestion.asked, "quick": suggestion.quick, "reviewers": list(offer.reviewers),
        "refused_from": None if refused is None else str(refused), "changed_tests": list(learnt.changed_tests),
    }  # fmt: skip
    try:
        with transaction.atomic():
            made = LearntRule.objects.create(
                group=offer.group, policy=offer.policy, rule=learnt.rule, asked_by_rule=suggestion.kind.rule,
                action=suggestion.kind.action, role=suggestion.kind.role, criteria=criteria, figures=figures,
                undo=learnt.undo, created_by=by, created_at=at, **links,
            )  # fmt: skip
    except IntegrityError as twice:
        raise LearntAlready from twice
    made.questions.set(suggestion.keys)
    made.reviewers.set(suggestion.reviewers)
    return made


# --- revoked --------------------------------------------------------------------------------------------------
def may_revoke(by: ledger.Acts, learnt: LearntRule) -> bool:
    """Whether this person may have people asked again: who may write or approve the policy, or lower an agent's
    autonomy. It only tightens, so that one person is enough."""
    if not isinstance(by, Principal) or not (by.is_person and by.is_active):
        return False
    rights = ("governance.approve_policy", "governance.demote_agent")
    return may_write(by, learnt.policy) or any(by.may(right, learnt.policy) for right in rights)


@transaction.atomic
def revoke(learnt: LearntRule, *, by: Principal, at: datetime, why: str = "") -> LearntRule:
    """Take the learnt rule out at once, so that people are asked again from the next question on. In force, the policy
    goes on without it in a version of its own; before that, its draft is retired."""
    if not may_revoke(by, learnt):
        raise ledger.NotAllowed("Who may write or approve the policy revokes its learnt rules.")
    if len(why) > WHY_AT_MOST:
        raise ledger.Invalid(fields={"why": f"At most {WHY_AT_MOST:,} characters."})
    learnt = LearntRule.objects.select_for_update(of=("self",)).with_names().get(pk=learnt.pk)
    if learnt.revoked_at is not None:
        raise ledger.TooLate(f"{learnt.revoked_by} revoked this first.")
    reason = why.strip() or "People are asked again."
    active = in_force(learnt)
    if active is not None:
        _put_without(learnt, active, by, at, reason)
    if learnt.version.status in (Status.DRAFT, Status.IN_REVIEW, Status.APPROVED, Status.SHADOW):
        _throw_away(learnt.version, by, at, reason)
    _end(learnt, by=by, at=at, why=reason)
    was = "in force" if active is not None else learnt.version.get_status_display().lower()
    ledger.record("learnt.revoked", learnt, by=by, at=at, why=reason, before=was, after="revoked")
    return learnt


def _put_without(learnt: LearntRule, active: PolicyVersion, by: Principal, at: datetime, why: str) -> None:
    try:
        document, dropped = without_learnt(
            active.document, learnt.rule, learnt.undo, schema=decision_schema(), lists=lists_now()
        )
    except CannotLearn as no:
        raise NotLearnt(str(no)) from no
    told = f"{by}: {why}" + (f" Tests that went with it: {'; '.join(dropped)}." if dropped else "")
    policy = learnt.policy
    # The system's own act, as in setting up a company: nothing is allowed that was not before the rule was learnt.
    version = add_policy(document, unit=policy.unit, owner=policy.owner, by=ledger.SYSTEM, at=at)
    activate(version, by=ledger.SYSTEM, at=at, why=told)


def _throw_away(version: PolicyVersion, by: Principal, at: datetime, why: str) -> None:
    if version.status == Status.IN_REVIEW:
        withdraw_review(version, by=ledger.SYSTEM, at=at, why=f"{by}: {why}")
        version.refresh_from_db()
    retire(version, by=ledger.SYSTEM, at=at, why=f"{by}: {why}")


def _end(learnt: LearntRule, *, by: Principal, at: datetime, why: str) -> None:
    learnt.revoked_at, learnt.revoked_by, learnt.revoked_why = at, by, why
    learnt.save(update_fields=["revoked_at", "revoked_by", "revoked_why"])
