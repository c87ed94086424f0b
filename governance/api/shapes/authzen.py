"""Shapes of AuthZEN: the answer to a question, the task of an access request, and how both are described."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from governance.models import Decision, Escalation
from governance.operations import request_until
from governance.operations.callbacks import ENDS, STATUS
from observability.ledger import Refused

REQUESTS = "/access/v1/requests"


# --- answers --------------------------------------------------------------------------------------------------
def answered(decision: Decision, *, base: str, sees_policies: bool) -> dict[str, Any]:
    """A decision as AuthZEN says it: `decision` is true only for allow, the rest stands in the context."""
    policy = f"{decision.policy}@{decision.policy_version}" if decision.policy else ""
    context = {
        "effect": decision.effect, "evaluation_id": str(decision.uid), "reason": decision.reason,
        "reason_user": {"en": decision.reason}, "rule": decision.rule, "policy": policy, "missing": decision.missing,
        "obligations": [_obligation(each) for each in decision.obligations], **_to_people(decision, base),
    }  # fmt: skip
    if sees_policies:
        context["reason_admin"] = {"en": _for_admins(decision)}
    allowed = decision.effect == Decision.Effect.ALLOW
    return {"decision": allowed, "context": {name: value for name, value in context.items() if value != ""}}


def _obligation(given: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: value for name, value in given.items() if name not in ("id", "type")}
    return {"id": given["id"], "type": given["type"], "properties": properties}


def _to_people(decision: Decision, base: str) -> dict[str, Any]:
    terms = decision.terms
    if decision.effect != Decision.Effect.ESCALATE or not terms or decision.run:
        return {}
    title = f"{decision.action} {decision.resource_id}: {decision.reason}"
    offer = {
        "endpoint": f"{base}{REQUESTS}", "template": terms["path"], "expires_at": request_until(decision).isoformat(),
        "display": {"title": title[:300]},
    }  # fmt: skip
    return {"access_request": offer, "escalation": terms}


def _for_admins(decision: Decision) -> str:
    because, matched = ", ".join(decision.because) or "no rule", ", ".join(decision.matched) or "none"
    missing = ", ".join(decision.missing) or "nothing"
    return f"Decided by {because}; matched: {matched}; missing: {missing}; rule set {decision.rule_set}."


def denied(refused: Refused) -> dict[str, Any]:
    """No, with the reason: the question could not be asked or answered, and nothing was recorded as a decision."""
    context: dict[str, Any] = {"effect": "deny", "code": refused.code, "reason": refused.detail}
    context["reason_user"] = {"en": refused.detail}
    if refused.fields:
        context["errors"] = [{"field": name, "message": message} for name, message in refused.fields.items()]
    return {"decision": False, "context": context}


def task_of(task: Escalation, base: str) -> dict[str, Any]:
    """An access request as its task: what became of it, where to look, and the approval that it gave."""
    here = f"{base}{REQUESTS}/{task.uid}"
    cancel = {"cancel": f"{here}/cancel"} if task.is_pending else {}
    told: dict[str, Any] = {
        "id": str(task.uid), "status": STATUS[Escalation.Status(task.status)], "status_endpoint": here,
        "expires_at": task.due_at.isoformat(), "display": {"title": task.title, "asked": task.path.name},
        "links": {"review": f"{base}/escalations/{task.uid}", **cancel},
    }  # fmt: skip
    if task.reason and not task.is_pending:
        told["reason"] = task.reason
    if task.status == Escalation.Status.APPROVED and task.approved_until and task.settled_at:
        approval = {
            "id": str(task.uid), "approved_until": task.approved_until.isoformat(),
            "approved_at": task.settled_at.isoformat(), "state": "approved",
        }  # fmt: skip
        told["result"] = {"mode": "reevaluate", "approval": approval}
        if task.amended:
            told["result"]["amended"] = task.amended
    waiting = task.inquiries.filter(answered_at=None).order_by("id") if task.is_open else ()
    if questions := [{"id": str(each.uid), "text": each.text} for each in waiting]:
        told["questions"] = questions
        told["links"]["questions"] = f"{base}/api/v1/escalations/{task.uid}/questions"
    return {"task": told}


# --- how they are described -----------------------------------------------------------------------------------
ASKED: dict[str, Any] = {
    "subject": {"type": "agent", "id": "AP-04"}, "action": {"name": "invoice.pay"},
    "resource": {
        "type": "invoice", "id": "2026-1187",
        "properties": {"seller": "Kessler Maschinenbau GmbH", "order_matched": True, "findings": 0,
                       "bank_changed_days": 412},
    },
    "context": {"amount": "9000.00", "currency": "EUR"},
}  # fmt: skip


class ActionShape(serializers.Serializer[Any]):
    """What is to be done."""

    name = serializers.CharField(max_length=80)
    properties = serializers.DictField(required=False)


class EntityShape(serializers.Serializer[Any]):
    """Who or what a question is about."""

    type = serializers.CharField(max_length=60)
    id = serializers.CharField(max_length=200)
    properties = serializers.DictField(required=False)


class WantedShape(serializers.Serializer[Any]):
    """The kind of what is searched for."""

    type = serializers.CharField(max_length=60)
    properties = serializers.DictField(required=False)


class EvaluationInput(serializers.Serializer[Any]):
    """A question of AuthZEN 1.0; members that nobody knows are ignored."""

    example: ClassVar[dict[str, Any]] = ASKED

    subject = EntityShape()
    action = ActionShape()
    resource = EntityShape()
    context = serializers.DictField(required=False)  # type: ignore[assignment]


class EvaluationOutput(serializers.Serializer[Any]):
    """The answer; whatever the context says, only `decision: true` allows."""

    decision = serializers.BooleanField()
    context = serializers.DictField()  # type: ignore[assignment]


class PartialInput(serializers.Serializer[Any]):
    """One question of several; what it leaves out is what stands beside the list."""

    subject = EntityShape(required=False)
    action = ActionShape(required=False)
    resource = EntityShape(required=False)
    context = serializers.DictField(required=False)  # type: ignore[assignment]


class OptionsShape(serializers.Serializer[Any]):
    """How far the list is answered."""

    evaluations_semantic = serializers.ChoiceField(
        ["execute_all", "deny_on_first_deny", "permit_on_first_permit"], required=False
    )  # fmt: skip


class EvaluationsInput(PartialInput):
    """Several questions of AuthZEN 1.0, at most 100; without a list it is one."""

    example: ClassVar[dict[str, Any]] = {
        **{name: ASKED[name] for name in ("subject", "action", "context")}, "evaluations": [
            {"resource": ASKED["resource"]}, {"resource": {**ASKED["resource"], "id": "2026-1188"}},
        ],
    }  # fmt: skip

    evaluations = PartialInput(many=True, required=False)
    options = OptionsShape(required=False)


class EvaluationsOutput(serializers.Serializer[Any]):
    """The answers in the order of the questions; `decision` and `context` instead when there was no list."""

    evaluations = EvaluationOutput(many=True, required=False)
    decision = serializers.BooleanField(required=False)
    context = serializers.DictField(required=False)  # type: ignore[assignment]


class PageInput(serializers.Serializer[Any]):
    """Which part of the results."""

    token = serializers.CharField(required=False, allow_blank=True)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=200)


class SubjectSearchInput(serializers.Serializer[Any]):
    """Which agents may do this?"""

    example: ClassVar[dict[str, Any]] = {**ASKED, "subject": {"type": "agent"}}

    subject = WantedShape()
    action = ActionShape()
    resource = EntityShape()
    context = serializers.DictField(required=False)  # type: ignore[assignment]
    page = PageInput(required=False)


class ResourceSearchInput(serializers.Serializer[Any]):
    """On which things may the agent do this?"""

    example: ClassVar[dict[str, Any]] = {**ASKED, "resource": {"type": "invoice"}}

    subject = EntityShape()
    action = ActionShape()
    resource = WantedShape()
    context = serializers.DictField(required=False)  # type: ignore[assignment]
    page = PageInput(required=False)


class ActionSearchInput(serializers.Serializer[Any]):
    """What may the agent do with this?"""

    example: ClassVar[dict[str, Any]] = {name: ASKED[name] for name in ("subject", "resource", "context")}

    subject = EntityShape()
    resource = EntityShape()
    context = serializers.DictField(required=False)  # type: ignore[assignment]
    page = PageInput(required=False)


class FoundShape(serializers.Serializer[Any]):
    """One that was found; asked with these properties and the same context it is allowed."""

    type = serializers.CharField()
    id = serializers.CharField()
    properties = serializers.DictField(required=False)


class PageShape(serializers.Serializer[Any]):
    """Where the results go on: an empty token at their end."""

    next_token = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()


class SearchOutput(serializers.Serializer[Any]):
    """Who or what was found."""

    results = FoundShape(many=True)
    page = PageShape()
    context = serializers.DictField(required=False)  # type: ignore[assignment]


class FoundActionShape(serializers.Serializer[Any]):
    """One action that is allowed."""

    name = serializers.CharField()


class ActionSearchOutput(serializers.Serializer[Any]):
    """Which actions were found."""

    results = FoundActionShape(many=True)
    page = PageShape()
    context = serializers.DictField(required=False)  # type: ignore[assignment]


class DenialShape(serializers.Serializer[Any]):
    """The evaluation that ended in a question to people."""

    evaluation_id = serializers.UUIDField()


class RequestedShape(serializers.Serializer[Any]):
    """The agent's own words for the person who decides."""

    title = serializers.CharField(required=False, max_length=300)
    justification = serializers.CharField(required=False, max_length=4000)


class CallbackShape(serializers.Serializer[Any]):
    """Where to tell what became of the request, as soon as it is settled; `events` narrows down which ends."""

    endpoint = serializers.URLField(max_length=2000)
    state = serializers.CharField(required=False, max_length=1000)
    events = serializers.ListField(child=serializers.ChoiceField(ENDS), required=False)


class AccessRequestInput(EvaluationInput):
    """Have a person asked about what was evaluated."""

    example: ClassVar[dict[str, Any]] = {
        **ASKED, "denial": {"evaluation_id": "01890d2c-0000-7000-8000-000000000000"},
        "requested_access": {"justification": "The order matches and nothing is unusual."},
    }  # fmt: skip

    denial = DenialShape()
    requested_access = RequestedShape(required=False)
    callback = CallbackShape(required=False)


class ApprovalShape(serializers.Serializer[Any]):
    """What goes unchanged into `context.approval` of the next evaluation."""

    id = serializers.UUIDField()
    approved_until = serializers.DateTimeField()
    approved_at = serializers.DateTimeField()
    state = serializers.CharField()


class ResultShape(serializers.Serializer[Any]):
    """What an approval is good for: evaluate again."""

    mode = serializers.CharField()
    approval = ApprovalShape()
    amended = serializers.DictField(required=False, help_text="Values of the context that a person changed.")


class DisplayShape(serializers.Serializer[Any]):
    """Words for people."""

    title = serializers.CharField()
    asked = serializers.CharField()


class LinksShape(serializers.Serializer[Any]):
    """Where it goes on."""

    review = serializers.URLField()
    cancel = serializers.URLField(required=False)
    questions = serializers.URLField(required=False)


class WaitingQuestionShape(serializers.Serializer[Any]):
    """A question of a person that waits for the agent's answer."""

    id = serializers.UUIDField()
    text = serializers.CharField()


class TaskShape(serializers.Serializer[Any]):
    """One access request and what became of it."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(["pending", "approved", "denied", "expired", "cancelled"])
    status_endpoint = serializers.URLField()
    expires_at = serializers.DateTimeField()
    display = DisplayShape()
    links = LinksShape()
    reason = serializers.CharField(required=False)
    result = ResultShape(required=False)
    questions = WaitingQuestionShape(many=True, required=False)


class TaskOutput(serializers.Serializer[Any]):
    """The task of an access request."""

    task = TaskShape()
