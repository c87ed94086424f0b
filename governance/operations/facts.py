"""Facts: what is known about a question before a rule looks at it; what is ours to know is never the caller's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from agents.models import Agent, Principal, System
from governance.language import RequestInvalid, Schema
from governance.models import Decision, Escalation
from governance.operations.escalations import APPROVAL_LASTS, Place
from governance.operations.history import history, rates
from governance.rules import RuleSet, derive
from observability import ledger


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


@dataclass(frozen=True)
class Asking:
    """A question being answered: who asks, the digest of the request, the rules that will decide, the time."""

    question: Question
    agent: Agent
    digest: str
    rules: RuleSet
    at: datetime


def facts_of(asking: Asking, schema: Schema) -> dict[str, Any]:
    """The typed facts of a question: what the agent said, and what we know; of the suppliers only those whose group a
    rule of the action reads. Raises Invalid that names each wrong field."""
    question, agent = asking.question, asking.agent
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
    facts["context"] = {**facts.get("context", {}), "time": asking.at, "workflow": question.place.workflow}
    facts["case"] = {"approved": question.place.approved}
    facts["subject"] = {
        "type": "agent", "id": agent.code, "role": agent.role.code, "autonomy_level": agent.effective_autonomy,
        "risk_class": agent.risk_class, "status": agent.status, "team": agent.unit.code,
    }  # fmt: skip
    groups = {path.partition(".")[0] for path in asking.rules.needs(question.action)}
    for group, supply in SUPPLIERS.items():
        if group in groups:
            facts[group] = supply(asking)
    approval = _approval(asking)
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


def _approval(asking: Asking) -> dict[str, Any]:
    """The approvals that hold for exactly this request now: their paths and the rules that asked on them; empty
    without. A step is done once under its lease; outside a step an approval allows once."""
    digest, at = asking.digest, asking.at
    held = Escalation.objects.select_for_update(of=("self",)).select_related("path", "decision")
    held = held.filter(request_sha256=digest, status=Escalation.Status.APPROVED, approved_until__gt=at).order_by("id")
    given = list(held)
    if given and not asking.question.place.step:
        lately = Decision.objects.filter(at__gt=at - APPROVAL_LASTS, agent=asking.agent, request_sha256=digest)
        last = lately.filter(effect=Decision.Effect.ALLOW).values_list("at", flat=True).first()
        given = [each for each in given if last is None or (each.settled_at is not None and each.settled_at > last)]
    if not given:
        return {}
    asked = [(each.path.key, each.decision.because) for each in given if each.decision is not None]
    named = [ref for path, because in asked for ref in because if asking.rules.path_of(ref) == path]
    return {"id": str(given[-1].uid), "paths": [path for path, _ in asked], "rules": named}


def _permissions(asking: Asking) -> dict[str, bool]:
    agent, system = asking.agent, system_of(asking.question.action)
    if system is None:
        return {}
    agent.principal.forget_grants()  # a right that ended since the request came in allows nothing any more
    return {
        verb: system.pk in agent.principal.granted(f"agents.{verb}_in_system", System) for verb in System.Verb.values
    }


def system_of(action: str) -> System | None:
    """The system that offers this action; None when there is none."""
    return next(
        (system for system in System.objects.all() if action in {item["name"] for item in system.actions}),
        None,
    )


def action_of(name: str) -> Mapping[str, Any]:
    """What the system that knows an action says about it; nothing for an action that no system has."""
    system = system_of(name)
    return next((item for item in system.actions if item["name"] == name), {}) if system else {}


SUPPLIERS: Mapping[str, Callable[[Asking], dict[str, Any]]] = {
    "perm": _permissions,
    "rate": rates,
    "history": history,
}
"""Who gives the facts of a group that not every question needs, by the first part of their path."""
