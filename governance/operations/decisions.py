"""Decisions: an agent asks, the rules answer, and every answer leaves a record with its reasons."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import rfc8785
from django.db import IntegrityError, transaction

from agents.models import Agent, Principal, System
from agents.operations import require_active
from governance.language import RequestInvalid, Schema, format_duration
from governance.models import ControlState, Decision, Escalation, EscalationPath
from governance.operations.control import control_now
from governance.operations.escalations import APPROVAL_LASTS, Asked, Place, open_escalation
from governance.operations.policies import rules_now
from governance.rules import EscalationTerms, RuleSet, Ruling, Verdict, derive
from observability import ledger

LOW_RISK = 1


@dataclass(frozen=True)
class Question:
    """May I do this? `resource` has type, id and properties, `context` the circumstances; exact numbers as Decimal or
    text. `statement`, `confidence`, `changes` and `evidence` are the agent's own words for the person who decides;
    `not_by` may not decide."""

    action: str
    resource: Mapping[str, Any]
    context: Mapping[str, Any]
    request_key: str
    title: str = ""
    statement: str = ""
    confidence: Decimal | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    place: Place = field(default_factory=Place)
    not_by: tuple[Principal, ...] = ()


class SameKeyOtherQuestion(ledger.Refused):
    """This request key was used for another question. Use a new key for a new question."""

    status = 422
    code = "idempotency_key_reused"


def decide(question: Question, *, agent: Agent, at: datetime) -> Decision:
    """The answer to the question, recorded; when a person must be asked, `decision.escalation` is the open question.
    The same agent and request key get the same decision again. Raises Invalid that names each wrong field."""
    require_active(agent)
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
    facts = _facts(question, agent, digest, rules, schema, at)
    ruling = _stopped(question) or _refused_before(question, digest) or rules.decide(facts)
    decision = _write(question, request, digest, facts, ruling, rules, agent, at, time.perf_counter_ns() - begun)
    if ruling.verdict is Verdict.ESCALATE:
        _ask_people(decision, ruling, question, facts, rules, schema, at)
    return decision


def _facts(
    question: Question, agent: Agent, digest: str, rules: RuleSet, schema: Schema, at: datetime
) -> dict[str, Any]:
    _refuse_given_twice(question)
    asked = {
        "action": {"name": question.action},
        "resource": {
            **question.resource.get("properties", {}),
            "type": question.resource["type"],
            "id": question.resource["id"],
        },
        "context": {**question.context} | ({} if question.confidence is None else {"confidence": question.confidence}),
    }
    try:
        facts: dict[str, Any] = schema.coerce(asked, only="request")
    except RequestInvalid as invalid:
        raise ledger.Invalid("The question has errors; nothing was decided.", fields=dict(invalid.errors)) from invalid
    facts["context"] = {**facts.get("context", {}), "time": at, "workflow": question.place.workflow}
    facts["case"] = {"approved": question.place.approved}
    facts["subject"] = {
        "type": "agent", "id": agent.code, "role": agent.role.code, "autonomy_level": agent.autonomy_level,
        "risk_class": agent.risk_class, "status": agent.status, "team": agent.unit.code,
    }  # fmt: skip
    if any(path.startswith("perm.") for path in rules.needs(question.action)):
        facts["perm"] = _permissions(agent, question.action)
    approval = _approval(question, digest, agent, rules, at)
    if approval:
        facts["approval"] = approval
    return derive(facts)


def _refuse_given_twice(question: Question) -> None:
    twice = [f"resource.{name}" for name in ("type", "id") if name in question.resource.get("properties", {})]
    if question.confidence is not None and "confidence" in question.context:
        twice.append("context.confidence")
    if twice:
        said = dict.fromkeys(twice, "is given twice in the question.")
        raise ledger.Invalid("The question has errors; nothing was decided.", fields=said)


def _approval(question: Question, digest: str, agent: Agent, rules: RuleSet, at: datetime) -> dict[str, Any]:
    """The approvals that hold for exactly this request now: their paths and the rules that asked on them; empty
    without. A step is done once under its lease; outside a step an approval allows once."""
    held = Escalation.objects.select_for_update(of=("self",)).select_related("path", "decision")
    held = held.filter(request_sha256=digest, status=Escalation.Status.APPROVED, approved_until__gt=at).order_by("id")
    given = list(held)
    if given and not question.place.step:
        lately = Decision.objects.filter(at__gt=at - APPROVAL_LASTS, agent=agent, request_sha256=digest)
        last = lately.filter(effect=Decision.Effect.ALLOW).values_list("at", flat=True).first()
        given = [each for each in given if last is None or (each.settled_at is not None and each.settled_at > last)]
    if not given:
        return {}
    asked = [(each.path.key, each.decision.because) for each in given if each.decision is not None]
    named = [ref for path, because in asked for ref in because if rules.path_of(ref) == path]
    return {"id": str(given[-1].uid), "paths": [path for path, _ in asked], "rules": named}


def _permissions(agent: Agent, action: str) -> dict[str, bool]:
    system = _system_of(action)
    if system is None:
        return {}
    held = agent.principal.granted
    return {verb: system.pk in held(f"agents.{verb}_in_system", System) for verb in System.Verb.values}


def _system_of(action: str) -> System | None:
    return next(
        (system for system in System.objects.all() if action in {item["name"] for item in system.actions}),
        None,
    )


def _action(name: str) -> Mapping[str, Any]:
    system = _system_of(name)
    return next((item for item in system.actions if item["name"] == name), {}) if system else {}


def _stopped(question: Question) -> Ruling | None:
    control = control_now()
    if control.status == ControlState.Status.NORMAL:
        return None
    if control.status == ControlState.Status.RESTRICTED and _action(question.action).get("risk", 3) <= LOW_RISK:
        return None
    return _denied(f"{control.get_status_display()}: {control.why}", "control-state")


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
    agent: Agent, at: datetime, nanoseconds: int,
) -> Decision:  # fmt: skip
    decision = Decision.objects.create(
        at=at, agent=agent, request_key=question.request_key, action=question.action,
        resource_kind=str(question.resource["type"]), resource_id=str(question.resource["id"]), request=request,
        request_sha256=digest, facts=_texts(facts), effect=ruling.verdict.value, reason=ruling.reason,
        policy=ruling.policy or "", policy_version=ruling.policy_version, rule=ruling.rule or "",
        because=list(ruling.because), missing=list(ruling.missing), obligations=_texts(list(ruling.obligations)),
        rule_set=rules.version, microseconds=nanoseconds // 1000, statement=question.statement,
        confidence=question.confidence, run=question.place.run, step=question.place.step,
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
    terms, agent, action = ruling.escalation, decision.agent, _action(question.action)
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
