"""Input and output shapes of coordination."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from agents.api.doors import StrictSerializer, Text, Whole, YesNo
from governance.models import Decision, Escalation
from workflows.models import Fact, Run, Step

WAIT_AT_MOST_SECONDS = 25
EXPIRES_AT_MOST_SECONDS = 10 * 366 * 24 * 60 * 60


class ClaimInput(StrictSerializer):
    """Ask for work, waiting up to 25 seconds for it."""

    wait_seconds = Whole(min_value=0, max_value=WAIT_AT_MOST_SECONDS, default=0)


class LeaseInput(StrictSerializer):
    """The token of the lease."""

    lease_token = Whole(min_value=0)


class FinishInput(LeaseInput):
    """What was done; `claim_next` asks for the next work in the same call."""

    output = serializers.DictField(default=dict)
    cost = serializers.DecimalField(max_digits=14, decimal_places=6, min_value=0, default=Decimal(0))
    note = Text(max_length=2000, allow_blank=True, default="")
    claim_next = YesNo(default=False)
    wait_seconds = Whole(min_value=0, max_value=WAIT_AT_MOST_SECONDS, default=0)


class FailInput(LeaseInput):
    """Why it did not succeed, and whether another try can help."""

    reason = Text(max_length=2000)
    retryable = YesNo(default=True)


class ResourceInput(StrictSerializer):
    """What the action is about."""

    type = Text(max_length=60)
    id = Text(max_length=200)
    properties = serializers.DictField(default=dict)


class ChangeInput(StrictSerializer):
    """One value before and after."""

    field = Text(max_length=120)
    before = Text(max_length=2000, allow_blank=True, default="")
    after = Text(max_length=2000, allow_blank=True, default="")


class EvidenceInput(StrictSerializer):
    """One piece of evidence."""

    kind = Text(max_length=40)
    name = Text(max_length=300)
    proves = Text(max_length=500, allow_blank=True, default="")
    sha256 = serializers.RegexField(r"^[0-9a-f]{64}$", required=False)


class ActionInput(StrictSerializer):
    """May I do this? `statement` and `confidence` are shown to people as the agent's own words."""

    step = serializers.UUIDField(required=False, allow_null=True, default=None)
    lease_token = Whole(min_value=0, default=0)
    action = Text(max_length=80)
    resource = ResourceInput()
    context = serializers.DictField(default=dict)  # type: ignore[assignment]
    title = Text(max_length=300, allow_blank=True, default="")
    statement = Text(max_length=4000, allow_blank=True, default="")
    confidence = serializers.DecimalField(
        max_digits=5, decimal_places=4, min_value=0, max_value=1, allow_null=True, default=None
    )
    changes = ChangeInput(many=True, default=list)
    evidence = EvidenceInput(many=True, default=list)
    approval = Text(max_length=60, allow_null=True, default=None)


class RunInput(StrictSerializer):
    """Start a run: `key` is the business key, the same key gets the same run."""

    workflow = Text(max_length=80)
    key = Text(max_length=200)
    input = serializers.DictField(default=dict)


class FactInput(StrictSerializer):
    """A finding for shared memory."""

    space = Text(max_length=60)
    key = Text(max_length=300)
    value = serializers.DictField()
    evidence = EvidenceInput(many=True, default=list)
    expires_seconds = Whole(min_value=1, max_value=EXPIRES_AT_MOST_SECONDS, allow_null=True, default=None)
    run = serializers.UUIDField(allow_null=True, default=None)
    cost = serializers.DecimalField(max_digits=14, decimal_places=6, min_value=0, default=Decimal(0))
    seconds = serializers.DecimalField(max_digits=14, decimal_places=3, min_value=0, default=Decimal(0))


class FactQuery(StrictSerializer):
    """Which fact is wanted, and for which run."""

    space = serializers.CharField(max_length=60)
    key = serializers.CharField(max_length=300)
    run = serializers.UUIDField(required=False, default=None)


class AnswerInput(StrictSerializer):
    """A person's answer, bound to the SHA-256 of the request that was read."""

    request_sha256 = serializers.RegexField(r"^[0-9a-f]{64}$")
    reason = Text(max_length=4000, allow_blank=True, default="")
    reason_code = serializers.ChoiceField(Escalation.ReasonCode.choices, allow_blank=True, default="")


class BpmnInput(StrictSerializer):
    """A BPMN 2.0 file as text."""

    code = serializers.SlugField(max_length=80)
    bpmn = Text(max_length=900_000, trim_whitespace=False)


class RetireInput(StrictSerializer):
    """Why an agent retires, and the code of the agent that takes its place, if one does."""

    why = Text(max_length=2000)
    successor = Text(max_length=20, allow_null=True, default=None)


class RunOutput(serializers.ModelSerializer[Run]):
    """A run as the API shows it."""

    id = serializers.UUIDField(source="uid")
    workflow = serializers.CharField(source="workflow.code")
    version = serializers.IntegerField(source="version.number")

    class Meta:
        model = Run
        fields = [
            "id",
            "key",
            "workflow",
            "version",
            "status",
            "outcome",
            "variables",
            "started_at",
            "ended_at",
            "cost",
        ]


class EscalationOutput(serializers.ModelSerializer[Escalation]):
    """An escalation as the API shows it."""

    id = serializers.UUIDField(source="uid")
    path = serializers.CharField(source="path.key")
    settled_by = serializers.CharField(source="settled_by.name", default=None)

    class Meta:
        model = Escalation
        fields = [
            "id", "kind", "status", "title", "risk", "path", "workflow", "run", "run_key", "request", "request_sha256",
            "reason_asked", "conditions", "changes", "evidence", "statement", "confidence", "opened_at", "due_at",
            "settled_at", "settled_by", "reason", "reason_code",
        ]  # fmt: skip


class AnswerOutput(serializers.Serializer[Escalation]):
    """What became of a question by a person's answer; it stays open while another person has to approve as well."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(Escalation.Status.choices)
    settled_by = serializers.CharField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    reason_code = serializers.CharField()
    approved_until = serializers.DateTimeField(allow_null=True)


def answer_of(escalation: Escalation) -> dict[str, Any]:
    """An answered question in the shape of AnswerOutput; nothing of the question is read again."""
    who = escalation.settled_by.name if escalation.settled_by else None
    return {
        "id": escalation.uid, "status": escalation.status, "settled_by": who, "settled_at": escalation.settled_at,
        "reason": escalation.reason, "reason_code": escalation.reason_code, "approved_until": escalation.approved_until,
    }  # fmt: skip


def work_of(step: Step | None, at: datetime) -> dict[str, Any]:
    """The answer to a claim at `at`: the step, what it is about, and what people answered to it."""
    if step is None:
        return {"work": None}
    run = step.run
    lease = (step.leased_until - at).total_seconds() if step.leased_until else 0
    return {
        "work": {
            "step": step.uid, "lease_token": step.lease_token, "lease_seconds": round(lease), "attempt": step.attempt,
            "element": step.element, "name": step.name, "variables": run.variables, "approval": _answered(step),
            "run": {"id": run.uid, "key": run.key, "workflow": run.workflow.code},
        }
    }  # fmt: skip


def _answered(step: Step) -> dict[str, Any] | None:
    asked = step.escalation
    if asked is None or asked.kind != Escalation.Kind.ACTION or asked.is_open:
        return None
    return {
        "id": asked.uid, "escalation": asked.uid, "status": asked.status, "reason": asked.reason,
        "approved_until": asked.approved_until,
    }  # fmt: skip


def decision_of(decision: Decision) -> dict[str, Any]:
    """A decision as the agent reads it."""
    asked = Escalation.objects.filter(decision=decision).first()
    return {
        "decision": decision.uid, "effect": decision.effect, "reason": decision.reason, "rule": decision.rule,
        "policy": decision.policy, "policy_version": decision.policy_version, "missing": decision.missing,
        "obligations": decision.obligations, "escalation": asked and {"id": asked.uid, "due_at": asked.due_at},
    }  # fmt: skip


def fact_of(fact: Fact | None, at: datetime) -> dict[str, Any]:
    """The answer to a look into shared memory."""
    if fact is None:
        return {"fact": None}
    return {
        "fact": {
            "id": fact.uid, "space": fact.space.code, "key": fact.key, "value": fact.value, "sha256": fact.value_sha256,
            "author": fact.author.code, "at": fact.at, "age_seconds": round((at - fact.at).total_seconds()),
            "expires_at": fact.expires_at,
            "evidence": fact.evidence, "saved_seconds": fact.seconds, "saved_cost": fact.cost,
        }
    }  # fmt: skip
