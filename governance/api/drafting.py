"""The programs' door to writing policies: what a policy may name, and a bench to try questions on. Nothing is saved."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import Door, PeopleOnly
from agents.models import Agent, Principal
from governance import operations
from governance.api.policies import PolicyDoor, exact
from governance.api.shapes.drafting import BenchInput, PolicySchemaOutput, TriedOutput
from governance.language import Field
from governance.models import Decision, Policy, PolicyVersion
from governance.operations.bench import Tried, fact_at, plain_facts
from governance.operations.drafting import OBLIGATIONS, obligation_parts
from governance.operations.telling import NOT_TOLD
from governance.rules.explaining import Outcome, RuleReading
from governance.rules.forms import OPERATORS, operators_of
from observability import ledger
from observability.ledger import database_now


class PolicySchemaView(Door):
    """What a policy may name."""

    permission_classes = [PeopleOnly]

    @extend_schema(responses=PolicySchemaOutput, summary="Show what a policy may name")
    def get(self, request: Request) -> Response:
        known = operations.vocabulary(self.principal)
        return Response({
            "groups": [
                {"name": name, "fields": [_field(field) for field in fields]} for name, fields in known.groups.items()
            ],
            "operators": [
                {"name": each.name, "label": each.label, "wants": each.wants.value, "compares": each.compares}
                for each in OPERATORS.values()
            ],
            "actions": [
                {"name": each.name, "label": each.label, "resource": each.resource, "system": each.system}
                for each in known.actions
            ],
            "paths": [{"key": key, "name": name} for key, name in known.paths.items()],
            "obligations": [
                {"type": kind, "label": label, "parts": obligation_parts(kind)} for kind, label in OBLIGATIONS.items()
            ],
        })  # fmt: skip


def _field(field: Field) -> dict[str, Any]:
    who = "The agent sends it." if field.source == "request" else "Autonomy OS knows it; an agent cannot send it."
    return {
        "path": field.path, "label": field.words, "kind": field.kind.value, "unit": field.unit,
        "item": field.item.value if field.item is not None else None, "enum": list(field.enum),
        "source": field.source, "help": who, "operators": [each.name for each in operators_of(field)],
    }  # fmt: skip


class BenchView(PolicyDoor):
    """What would the rules say?"""

    @extend_schema(request=BenchInput, responses=TriedOutput, summary="Try a question, store nothing")
    def post(self, request: Request) -> Response:
        given = self.read(BenchInput, request.data)
        tried = operations.try_out(trial_of(given, self.principal), by=self.principal, at=database_now())
        return Response(told(tried))


def trial_of(given: Mapping[str, Any], user: Principal) -> operations.Trial:
    """What is to be tried. Raises NotFound for what this person may not see, Invalid for what is missing."""
    decision = visible_decision(given["decision"], user) if given["decision"] else None
    code = given["agent"] or (decision.agent.code if decision else "")
    agent = Agent.objects.visible_to(user).filter(code=code).first()
    resource = given["resource"] or (_resource(decision) if decision else None)
    action = given["action"] or (decision.action if decision else "")
    missing = {
        **({} if agent else {"agent": "Name an agent that you may see."}),
        **({} if action else {"action": "Name the action."}),
        **({} if resource else {"resource": "Say what the question is about."}),
    }
    if missing or agent is None or resource is None:
        raise ledger.Invalid("The question has errors.", fields=missing)
    return operations.Trial(
        agent=agent, action=action, resource=exact(resource, "resource"), context=exact(given["context"], "context"),
        facts=exact(given["facts"], "facts"), decision=decision, draft=_draft(given["draft"], user),
    )  # fmt: skip


def visible_decision(uid: UUID, user: Principal) -> Decision:
    """The decision, if this person may see it; not found otherwise."""
    decision = Decision.objects.visible_to(user).select_related("agent").filter(uid=uid).first()
    if decision is None:
        raise ledger.NotFound
    return decision


def _resource(decision: Decision) -> dict[str, Any]:
    return {"type": decision.resource_kind, "id": decision.resource_id, "properties": {}}


def _draft(given: Mapping[str, Any] | None, user: Principal) -> PolicyVersion | None:
    if given is None:
        return None
    policy = Policy.objects.visible_to(user).filter(key=given["policy"]).first()
    draft = policy.versions.select_related("policy__unit").filter(number=given["version"]).first() if policy else None
    if draft is None:
        raise ledger.NotFound(f"The policy {given['policy']} has no version {given['version']}, or you may not see it.")
    return draft


def told(tried: Tried) -> dict[str, Any]:
    """What was tried as the API shows it; of policies of other units only that they have a rule."""
    ruling, terms = tried.ruling, tried.ruling.escalation
    is_told = tried.is_told
    seen = [reading for reading in tried.explanation.rules if reading.policy.key in tried.visible]
    reads = sorted({path for reading in seen for path in reading.rule.fields})
    return {
        "effect": ruling.verdict.value, "reason": ruling.reason if is_told else NOT_TOLD,
        "policy": ruling.policy if is_told else None, "version": ruling.policy_version if is_told else None,
        "rule": ruling.rule if is_told else None, "missing": [path for path in ruling.missing if path in reads],
        "obligations": plain_facts(list(ruling.obligations)) if is_told else [],
        "escalation": {
            "path": terms.path, "sla_seconds": terms.sla_seconds, "approvals": terms.approvals,
            "not_by": list(terms.not_by), "on_timeout": terms.on_timeout, "also": list(terms.also),
        } if terms is not None and is_told else None,
        "rules": [_rule(reading, is_told=reading in seen) for reading in tried.explanation.rules],
        "reads": {path: plain_facts(fact_at(tried.facts, path)) for path in reads},
        "stops": list(tried.stops), "microseconds": tried.microseconds, "rule_set": tried.rule_set,
    }  # fmt: skip


def _rule(reading: RuleReading, *, is_told: bool) -> dict[str, Any]:
    if not is_told:
        names = ("policy", "version", "rule", "effect", "outcome", "decides", "reason", "problem")
        return {**dict.fromkeys(names), "conditions": []}
    return {
        "policy": reading.policy.key, "version": reading.policy.version, "rule": reading.rule.id,
        "effect": reading.rule.effect.value, "outcome": reading.outcome.value, "decides": reading.decides,
        "reason": reading.reason, "problem": _problem(reading),
        "conditions": [
            {"text": each.text, "label": each.label, "actual": each.actual, "wanted": each.wanted,
             "outcome": each.outcome}
            for each in reading.conditions
        ],
    }  # fmt: skip


def _problem(reading: RuleReading) -> str | None:
    if reading.outcome in (Outcome.MATCHES, Outcome.DIFFERS):
        return None
    return f"{reading.missing} is not given." if reading.missing else reading.failure
