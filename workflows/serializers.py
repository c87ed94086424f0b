"""Input and output shapes of coordination."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import RegexValidator
from rest_framework import serializers

from governance.models import Decision, Escalation
from governance.rules.budgeting import RULE as BUDGET_RULE
from governance.rules.budgeting import checks_in
from observability.serializers import PageQuery, StrictSerializer, Text, Whole, YesNo
from workflows.models import Run, Step
from workflows.operations import Claimed

WAIT_AT_MOST_SECONDS = 25
TOKENS_AT_MOST = 10**12
EXPIRES_AT_MOST_SECONDS = 10 * 366 * 24 * 60 * 60


class Sha256(Text):
    """The SHA-256 of something, 64 hexadecimal digits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(RegexValidator(r"^[0-9a-f]{64}\Z", "Send 64 hexadecimal digits in small letters."))


class RunsQuery(PageQuery):
    """Which runs."""

    workflow = Text(max_length=80, default="", help_text="Only runs of the workflow with this code.")
    status = serializers.ChoiceField(Run.Status.choices, default="", help_text="Only runs in this status.")


class EscalationsQuery(PageQuery):
    """Which questions to people."""

    status = serializers.ChoiceField(Escalation.Status.choices, default=Escalation.Status.OPEN)
    agent = Text(max_length=20, default="", help_text="Only questions of the agent with this code.")


class ClaimInput(StrictSerializer):
    """Ask for work, waiting up to 25 seconds for it."""

    example: ClassVar[dict[str, Any]] = {"wait_seconds": 20}

    wait_seconds = Whole(min_value=0, max_value=WAIT_AT_MOST_SECONDS, default=0)


class LeaseInput(StrictSerializer):
    """The token of the lease."""

    example: ClassVar[dict[str, Any]] = {"lease_token": 1}

    lease_token = Whole(min_value=0)


class HeartbeatInput(LeaseInput):
    """The token of the lease, and how long it should last from now on when its usual time is not enough."""

    example: ClassVar[dict[str, Any]] = {"lease_token": 1, "seconds": 600}

    seconds = Whole(min_value=1, max_value=86_400, allow_null=True, default=None)


class EvidenceInput(StrictSerializer):
    """One piece of evidence."""

    kind = Text(max_length=40)
    name = Text(max_length=300)
    proves = Text(max_length=500, allow_blank=True, default="")
    sha256 = Sha256(required=False)


class ResultInput(LeaseInput):
    """What came of a step, what it took, how sure the agent is, and what shows it."""

    output = serializers.DictField(default=dict)
    cost = serializers.DecimalField(max_digits=14, decimal_places=6, min_value=0, default=Decimal(0))
    tokens = Whole(min_value=0, max_value=TOKENS_AT_MOST, allow_null=True, default=None)
    note = Text(max_length=2000, allow_blank=True, default="")
    confidence = serializers.DecimalField(
        max_digits=5, decimal_places=4, min_value=0, max_value=1, allow_null=True, default=None
    )
    evidence = EvidenceInput(many=True, default=list, max_length=50)  # type: ignore[call-arg]


class FinishInput(ResultInput):
    """What was done; `claim_next` asks for the next work in the same call."""

    example: ClassVar[dict[str, Any]] = {
        "lease_token": 1, "output": {"readable": True, "number": "2026-1187", "total": "9000.00"}, "cost": "0.0123",
        "note": "Read from the UBL file.", "confidence": "0.98", "claim_next": True, "wait_seconds": 20,
    }  # fmt: skip

    claim_next = YesNo(default=False)
    wait_seconds = Whole(min_value=0, max_value=WAIT_AT_MOST_SECONDS, default=0)


class FailInput(LeaseInput):
    """Why it did not succeed, and whether another try can help; or which error of the drawing it is."""

    example: ClassVar[dict[str, Any]] = {
        "lease_token": 1,
        "reason": "The mail server did not answer.",
        "retryable": True,
    }

    reason = Text(max_length=2000)
    retryable = YesNo(default=True)
    error_code = Text(
        max_length=200, allow_blank=True, default="", help_text="The code of an error of the drawing: no other try."
    )


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


class ActionInput(StrictSerializer):
    """May I do this? `statement` and `confidence` are shown to people as the agent's own words."""

    example: ClassVar[dict[str, Any]] = {
        "step": "01890d2c-0000-7000-8000-000000000000", "lease_token": 1, "action": "invoice.pay",
        "resource": {"type": "invoice", "id": "2026-1187", "properties": {"order_matched": True, "findings": 0}},
        "context": {"amount": "9000.00", "currency": "EUR"}, "title": "Pay EUR 9,000.00 to Kessler Maschinenbau GmbH",
        "statement": "The order matches and nothing is unusual.", "confidence": "0.98",
        "changes": [{"field": "Invoice 2026-1187", "before": "open", "after": "scheduled"}],
        "evidence": [{"kind": "invoice", "name": "1187.xml", "proves": "What the seller asks for"}],
    }  # fmt: skip

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

    example: ClassVar[dict[str, Any]] = {
        "workflow": "invoice-to-payment",
        "key": "2026-1187",
        "input": {"document": "1187.xml"},
    }

    workflow = Text(max_length=80)
    key = Text(max_length=200)
    priority = Whole(min_value=-100, max_value=100, default=0)
    input = serializers.DictField(default=dict)
    anew = YesNo(default=False, help_text="Take nothing from shared memory: find everything out again.")


class ConfirmationInput(StrictSerializer):
    """What the policy wants confirmed: the value typed, and the lines of the checklist ticked."""

    typed = Text(max_length=200, allow_blank=True, default="")
    ticked = serializers.ListField(child=Text(max_length=200), default=list, max_length=10)


class AnswerInput(StrictSerializer):
    """A person's answer, bound to the SHA-256 of the request that was read; without it If-Match has to name its tag."""

    example: ClassVar[dict[str, Any]] = {"reason": "The order agrees.", "reason_code": "", "request_sha256": "ab" * 32}

    request_sha256 = Sha256(default="")
    reason = Text(max_length=4000, allow_blank=True, default="")
    reason_code = serializers.ChoiceField(Escalation.ReasonCode.choices, allow_blank=True, default="")
    confirmation = ConfirmationInput(allow_null=True, default=None)
    undo_seconds = serializers.IntegerField(
        min_value=0, max_value=60, default=0, help_text="For how long it can be undone before it takes effect."
    )


class BpmnInput(StrictSerializer):
    """A BPMN 2.0 file as text, and why it shall take the place of what is live."""

    example: ClassVar[dict[str, Any]] = {
        "code": "invoice-to-payment", "bpmn": "<definitions xmlns=…", "reason": "The limits changed.",
    }  # fmt: skip

    code = serializers.SlugField(max_length=80)
    bpmn = Text(max_length=900_000, trim_whitespace=False)
    reason = Text(max_length=4000, allow_blank=True, default="")


class RetireInput(StrictSerializer):
    """Why an agent retires, and the code of the agent that takes its place, if one does."""

    example: ClassVar[dict[str, Any]] = {"why": "The work is done elsewhere.", "successor": "AP-09"}

    why = Text(max_length=2000)
    successor = Text(max_length=20, allow_null=True, default=None)


class CheckOutput(serializers.Serializer[Any]):
    """One thing that has to be in place; `about` names where it is mended."""

    name = serializers.CharField()
    words = serializers.CharField()
    met = serializers.BooleanField()
    about = serializers.CharField()


class ReadinessOutput(serializers.Serializer[Any]):
    """What has to be in place before an agent begins."""

    ready = serializers.BooleanField()
    checks = CheckOutput(many=True)


class RunNamedOutput(serializers.Serializer[Any]):
    """The run that a step belongs to."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    workflow = serializers.CharField()


class ApprovalOutput(serializers.Serializer[Any]):
    """What people answered to the agent's last question about this step."""

    id = serializers.UUIDField(help_text="What to send as `approval` with the next question.")
    escalation = serializers.UUIDField()
    status = serializers.ChoiceField(Escalation.Status.choices)
    reason = serializers.CharField(allow_blank=True)
    approved_until = serializers.DateTimeField(allow_null=True)
    amended = serializers.DictField(help_text="Values of the context that a person changed: ask again with these.")


class CameWithOutput(serializers.Serializer[Any]):
    """What the agent that handed the step off gave with it: its own words and values, not checked facts."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    sender = serializers.CharField()
    from_role = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    context = serializers.DictField()  # type: ignore[assignment]
    references = serializers.ListField(child=serializers.DictField())
    sha256 = serializers.CharField()


class StepOutput(serializers.Serializer[Any]):
    """A step in an agent's hand."""

    step = serializers.UUIDField()
    lease_token = serializers.IntegerField()
    lease_seconds = serializers.IntegerField()
    attempt = serializers.IntegerField()
    element = serializers.CharField()
    name = serializers.CharField()
    variables = serializers.DictField()
    index = serializers.IntegerField(allow_null=True, help_text="Its place among many of the same, from 0 on.")
    item = serializers.JSONField(help_text="What of the list it is about, null for none.")
    approval = ApprovalOutput(allow_null=True)
    run = RunNamedOutput()
    priority = serializers.IntegerField()
    due_at = serializers.DateTimeField(allow_null=True)
    hand_off = CameWithOutput(allow_null=True)


class WorkOutput(serializers.Serializer[Any]):
    """The next step for the agent, null when there is none; `why` says why, though some may stand ready."""

    work = StepOutput(allow_null=True)
    why = serializers.CharField(allow_blank=True)


class LeaseOutput(serializers.Serializer[Any]):
    """How long the lease holds from now on."""

    lease_seconds = serializers.IntegerField()


class FailedOutput(serializers.Serializer[Any]):
    """What became of the step, and when it is offered again."""

    status = serializers.ChoiceField(Step.Status.choices)
    available_at = serializers.DateTimeField()


class AskedOutput(serializers.Serializer[Any]):
    """The question to a person, and until when the person has time."""

    id = serializers.UUIDField()
    due_at = serializers.DateTimeField()


class BudgetNamedOutput(serializers.Serializer[Any]):
    """The budget because of which a question was not allowed; what is left of it, and when it renews."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    metric = serializers.CharField()
    currency = serializers.CharField(allow_blank=True)
    limit = serializers.CharField()
    left = serializers.CharField()
    renews_at = serializers.DateTimeField(allow_null=True)


class DecisionOutput(serializers.Serializer[Any]):
    """The answer to "may I do this?", and what made it."""

    decision = serializers.UUIDField()
    effect = serializers.ChoiceField(Decision.Effect.choices)
    reason = serializers.CharField()
    rule = serializers.CharField(allow_blank=True)
    policy = serializers.CharField(allow_blank=True)
    policy_version = serializers.IntegerField(allow_null=True)
    missing = serializers.ListField(child=serializers.CharField())
    obligations = serializers.ListField(child=serializers.DictField())
    escalation = AskedOutput(allow_null=True)
    budget = BudgetNamedOutput(allow_null=True)


class ProposedOutput(serializers.Serializer[Any]):
    """What became of a file: the draft that a second person publishes now (`in_review`, its `revision`), or the newest
    version that says the same already (`published`, its `version`)."""

    workflow = serializers.CharField()
    status = serializers.ChoiceField([("in_review", "In review"), ("published", "Published")])
    revision = serializers.IntegerField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField()


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
    settled_by = serializers.CharField(source="settled_by.name", allow_null=True, default=None)
    amended = serializers.DictField(help_text="Values of the context that a person changed; the answer is about these.")

    class Meta:
        model = Escalation
        fields = [
            "id", "kind", "status", "title", "risk", "path", "workflow", "run", "run_key", "request", "request_sha256",
            "reason_asked", "conditions", "changes", "evidence", "statement", "confidence", "opened_at", "due_at",
            "settled_at", "settled_by", "reason", "reason_code", "effect_at", "approvals_needed",
            "amendable", "confirm", "amended",
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
    effect_at = serializers.DateTimeField(allow_null=True, help_text="When an answer that can be undone takes effect.")


def answer_of(escalation: Escalation) -> dict[str, Any]:
    """An answered question in the shape of AnswerOutput; nothing of the question is read again."""
    who = escalation.settled_by.name if escalation.settled_by else None
    return {
        "id": escalation.uid, "status": escalation.status, "settled_by": who, "settled_at": escalation.settled_at,
        "reason": escalation.reason, "reason_code": escalation.reason_code, "approved_until": escalation.approved_until,
        "effect_at": escalation.effect_at,
    }  # fmt: skip


def work_of(claimed: Claimed, at: datetime) -> dict[str, Any]:
    """The answer to a claim of one step at `at`: the step, what it is about, and what people answered to it."""
    first = next((step_of(step, at) for step in claimed.steps), None)
    return {"work": first, "why": claimed.why}


def step_of(step: Step, at: datetime) -> dict[str, Any]:
    """A step that was claimed at `at`, as its agent gets it."""
    run = step.run
    lease = (step.leased_until - at).total_seconds() if step.leased_until else 0
    return {
        "step": step.uid, "lease_token": step.lease_token, "lease_seconds": round(lease), "attempt": step.attempt,
        "element": step.element, "name": step.name, "variables": run.variables, "approval": _answered(step),
        "run": {"id": run.uid, "key": run.key, "workflow": run.workflow.code}, "index": step.index, "item": step.item,
        "priority": step.priority, "due_at": step.due_at, "hand_off": _given(step),
    }  # fmt: skip


def _given(step: Step) -> dict[str, Any] | None:
    given = step.handed
    if given is None:
        return None
    return {
        "id": given.uid, "number": given.number, "sender": given.sender.code, "from_role": given.from_role,
        "note": given.note, "context": given.context, "references": given.references, "sha256": given.sha256,
    }  # fmt: skip


def _answered(step: Step) -> dict[str, Any] | None:
    asked = step.escalation
    if asked is None or asked.kind != Escalation.Kind.ACTION or asked.is_pending:
        return None
    return {
        "id": asked.uid, "escalation": asked.uid, "status": asked.status, "reason": asked.reason,
        "approved_until": asked.approved_until, "amended": asked.amended,
    }  # fmt: skip


def decision_of(decision: Decision) -> dict[str, Any]:
    """A decision as the agent reads it."""
    asked = Escalation.objects.filter(decision=decision).first()
    return {
        "decision": decision.uid, "effect": decision.effect, "reason": decision.reason, "rule": decision.rule,
        "policy": decision.policy, "policy_version": decision.policy_version, "missing": decision.missing,
        "obligations": decision.obligations, "escalation": asked and {"id": asked.uid, "due_at": asked.due_at},
        "budget": _budget_of(decision),
    }  # fmt: skip


def _budget_of(decision: Decision) -> dict[str, Any] | None:
    # The budget that decided, if one did: the tightest of those that the ruling names.
    checks = checks_in(decision.facts) if decision.rule == BUDGET_RULE else ()
    check = next((each for each in checks if each.ref in decision.because), None)
    if check is None:
        return None
    return {
        "id": check.budget, "name": check.name, "metric": check.metric, "currency": check.currency,
        "limit": f"{check.limit:.6f}", "left": f"{check.left:.6f}", "renews_at": check.ends_at or None,
    }  # fmt: skip
