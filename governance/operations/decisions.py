"""Decisions: an agent asks, the rules answer, and every answer leaves a record with its reasons."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import rfc8785
from django.db import IntegrityError, transaction

from agents.models import Agent, Principal
from agents.operations import require_at_work
from governance.language import Schema, format_duration
from governance.models import ControlState, Decision, Escalation, EscalationPath
from governance.operations import breakers
from governance.operations.control import control_now
from governance.operations.escalations import Asked, open_escalation
from governance.operations.facts import Asking, Question, action_of, facts_of
from governance.operations.policies import rules_now
from governance.rules import EscalationTerms, RuleSet, Ruling, Verdict
from observability import ledger

LOW_RISK = 1


class SameKeyOtherQuestion(ledger.Refused):
    """This request key was used for another question. Use a new key for a new question."""

    status = 422
    code = "idempotency_key_reused"


def decide(question: Question, *, agent: Agent, at: datetime) -> Decision:
    """The answer to the question, recorded; when a person must be asked, `decision.escalation` is the open question.
    The same agent and request key get the same decision again. Raises Invalid that names each wrong field."""
    require_at_work(agent, at=at)
    request = _request(question, agent)
    digest = request_digest(request)
    given = answer_again(agent, question.request_key, digest)
    if given is not None:
        return given
    try:
        with transaction.atomic():
            return _decide_now(question, request, digest, agent, at)
    except IntegrityError:
        given = answer_again(agent, question.request_key, digest)
        if given is None:
            raise
        return given


def answer_again(agent: Agent, request_key: str, digest: str) -> Decision | None:
    """The decision already given for this key, None when there is none; another question under it is refused."""
    given = Decision.objects.filter(agent=agent, request_key=request_key).first()
    if given is not None and given.request_sha256 != digest:
        raise SameKeyOtherQuestion
    return given


def request_digest(request: Mapping[str, Any]) -> str:
    """The SHA-256 of a canonical request (RFC 8785), hex: what an approval is bound to."""
    return hashlib.sha256(rfc8785.dumps(dict(request))).hexdigest()


def _request(question: Question, agent: Agent) -> dict[str, Any]:
    return {
        "subject": {"type": "agent", "id": agent.code},
        "action": question.action,
        "resource": _texts(question.resource),
        "context": _texts(question.context),
        "workflow": question.place.workflow,
        "run": question.place.run,
        "step": question.place.step,
    }


def _texts(value: Any) -> Any:
    # The canonical form knows no decimals: exact numbers, moments and lengths of time become text, the rest stays.
    if isinstance(value, Mapping):
        return {str(name): _texts(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_texts(inner) for inner in value]
    if isinstance(value, timedelta):
        return format_duration(value)
    return str(value) if isinstance(value, Decimal | datetime) else value


def _decide_now(question: Question, request: dict[str, Any], digest: str, agent: Agent, at: datetime) -> Decision:
    begun = time.perf_counter_ns()
    rules, schema = rules_now()
    asking = Asking(question, agent, digest, rules, at)
    facts, watch = facts_of(asking, schema), breakers.Watch(asking, breakers.matter_of(request))
    ruling = (
        _stopped(question)
        or _outside_the_job(question, agent)
        or breakers.broken(watch)
        or _refused_before(question, digest)
        or rules.decide(facts)
    )
    ruling = breakers.with_permit(ruling, watch)
    kept, spent = breakers.kept(watch, ruling), time.perf_counter_ns() - begun
    decision = _write(question, request, digest, facts, ruling, rules, agent, at, spent, kept)
    breakers.look_back(decision, watch)
    if ruling.verdict is Verdict.ESCALATE:
        _ask_people(decision, ruling, question, facts, rules, schema, at)
    return decision


def _stopped(question: Question) -> Ruling | None:
    control = control_now()
    if control.status == ControlState.Status.NORMAL:
        return None
    if control.status == ControlState.Status.RESTRICTED and action_of(question.action).get("risk", 3) <= LOW_RISK:
        return None
    return _denied(f"{control.get_status_display()}: {control.why}", "control-state")


def _outside_the_job(question: Question, agent: Agent) -> Ruling | None:
    if agent.blueprint.allows(question.action):
        return None
    return _denied(f"{question.action} is not in the job description “{agent.blueprint}”.", "outside-the-job")


def _refused_before(question: Question, digest: str) -> Ruling | None:
    no = (Escalation.Status.REJECTED, Escalation.Status.EXPIRED)
    last = Escalation.objects.filter(request_sha256=digest, status__in=no).order_by("-id").first()
    if last is None:
        return None
    who = f"{last.settled_by} rejected this" if last.settled_by else "Nobody decided this in time"
    return _denied(f"{who}: {last.reason}" if last.reason else f"{who}.", "answered-before")


def _denied(reason: str, rule: str) -> Ruling:
    return Ruling(verdict=Verdict.DENY, rule=rule, policy=None, policy_version=None, reason=reason, because=(rule,))


def _write(
    question: Question, request: dict[str, Any], digest: str, facts: dict[str, Any], ruling: Ruling, rules: RuleSet,
    agent: Agent, at: datetime, nanoseconds: int, kept: Mapping[str, Any],
) -> Decision:  # fmt: skip
    decision = Decision.objects.create(
        at=at, agent=agent, request_key=question.request_key, action=question.action,
        resource_kind=str(question.resource["type"]), resource_id=str(question.resource["id"]), request=request,
        request_sha256=digest, facts=_texts(facts), effect=ruling.verdict.value, reason=ruling.reason,
        policy=ruling.policy or "", policy_version=ruling.policy_version, rule=ruling.rule or "",
        because=list(ruling.because), missing=list(ruling.missing), obligations=_texts(list(ruling.obligations)),
        rule_set=rules.version, microseconds=nanoseconds // 1000, statement=question.statement,
        confidence=question.confidence, run=question.place.run, step=question.place.step, **kept,
    )  # fmt: skip
    told = {
        "effect": decision.effect,
        "policy": decision.policy,
        "rule": decision.rule,
        "version": decision.policy_version,
    }
    ledger.record("decision.made", decision, by=agent, at=at, why=ruling.reason, after=decision.effect, data=told)
    return decision


def _ask_people(
    decision: Decision,
    ruling: Ruling,
    question: Question,
    facts: dict[str, Any],
    rules: RuleSet,
    schema: Schema,
    at: datetime,
) -> Escalation:
    terms, agent, action = ruling.escalation, decision.agent, action_of(question.action)
    if terms is None:
        raise ValueError("an escalation without terms cannot be asked")
    path = EscalationPath.objects.get(key=terms.path)
    asked = Asked(
        kind=Escalation.Kind.ACTION, title=question.title or f"{question.action} {decision.resource_id}",
        risk=action.get("risk", 2), effect=action.get("effect", ""), path=path, unit=agent.unit, agent=agent,
        decision=decision,
        likeness=f"{question.action}:{ruling.policy}:{ruling.rule}", place=question.place, request=decision.request,
        request_sha256=decision.request_sha256, reason_asked=ruling.reason, policy=decision.policy,
        policy_version=decision.policy_version, seconds=terms.sla_seconds, approvals=terms.approvals,
        conditions=[_texts(asdict(condition)) for condition in rules.explain(facts, ruling.because[0])],
        shown=_shown(question, schema), changes=question.changes, evidence=question.evidence,
        statement=question.statement, confidence=question.confidence, not_by=(*question.not_by, *_excluded(terms)),
        if_approved=f"{agent.code} asks again with your approval and goes on.",
        if_rejected=f"{agent.code} reads your reason and does not do it.",
    )  # fmt: skip
    return open_escalation(asked, by=agent, at=at)


def _excluded(terms: EscalationTerms) -> tuple[Principal, ...]:
    # The facts name people by their user name; an agent never decides, so its code excludes nobody.
    return tuple(Principal.objects.people().filter(username__in=terms.not_by)) if terms.not_by else ()


def _shown(question: Question, schema: Schema) -> list[dict[str, str]]:
    known = {name: schema.get(f"context.{name}") for name in question.context}
    facts = [
        {"label": field.words, "value": str(question.context[name])}
        for name, field in known.items()
        if field is not None
    ]
    return facts[:4]
