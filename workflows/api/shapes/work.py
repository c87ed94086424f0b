"""Shapes of the work queue: many reports at once, steps given back or handed off, addresses where work is announced."""

from typing import Any, ClassVar

from rest_framework import serializers

from observability.ledger import Refused
from observability.serializers import StrictSerializer, Text, Whole
from workflows.models import Endpoint, HandOff, Push, Step
from workflows.operations import CLAIMS_AT_MOST, ITEMS_AT_MOST
from workflows.serializers import WAIT_AT_MOST_SECONDS, FailInput, LeaseInput, ResultInput, Sha256, StepOutput


class FinishedItem(ResultInput):
    """One step that is done."""

    step = serializers.UUIDField()


class FailedItem(FailInput):
    """One step that did not succeed."""

    step = serializers.UUIDField()


class BatchInput(StrictSerializer):
    """What became of the steps in hand, and how many to claim next; at most 50 of each."""

    example: ClassVar[dict[str, Any]] = {
        "finish": [{
            "step": "01890d2c-0000-7000-8000-000000000000", "lease_token": 1, "output": {"readable": True},
            "cost": "0.0123",
        }],
        "fail": [], "claim": 10, "wait_seconds": 20,
    }  # fmt: skip

    finish = FinishedItem(many=True, default=list, max_length=ITEMS_AT_MOST)  # type: ignore[call-arg]
    fail = FailedItem(many=True, default=list, max_length=ITEMS_AT_MOST)  # type: ignore[assignment,call-arg]
    claim = Whole(min_value=0, max_value=CLAIMS_AT_MOST, default=0)
    wait_seconds = Whole(min_value=0, max_value=WAIT_AT_MOST_SECONDS, default=0)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Refuse more reports than one batch takes."""
        if len(given["finish"]) + len(given["fail"]) > ITEMS_AT_MOST:
            raise serializers.ValidationError({"finish": f"Report on at most {ITEMS_AT_MOST} steps at once."})
        return given


class WrongFieldOutput(serializers.Serializer[Any]):
    """One field, and what is wrong with it."""

    field = serializers.CharField()
    message = serializers.CharField()


class RefusalOutput(serializers.Serializer[Any]):
    """Why nothing was changed, as a problem says it."""

    code = serializers.CharField()
    detail = serializers.CharField()
    errors = WrongFieldOutput(many=True)  # type: ignore[assignment]


def refusal_of(refused: Refused) -> dict[str, Any]:
    """A refusal as one answer of many tells it."""
    errors = [{"field": name, "message": message} for name, message in refused.fields.items()]
    return {"code": refused.code, "detail": refused.detail, "errors": errors}


class ReportOutput(serializers.Serializer[Any]):
    """What became of one report."""

    step = serializers.UUIDField()
    status = serializers.ChoiceField(Step.Status.choices, allow_null=True)
    problem = RefusalOutput(allow_null=True)


class BatchOutput(serializers.Serializer[Any]):
    """What became of each report, those of finished steps first, and the steps that were claimed; `why` says why there
    are none though some may stand ready."""

    reports = ReportOutput(many=True)
    work = StepOutput(many=True)
    why = serializers.CharField(allow_blank=True)


class ReleaseInput(LeaseInput):
    """Why the step is given back."""

    example: ClassVar[dict[str, Any]] = {"lease_token": 1, "why": "The server is restarted."}

    why = Text(max_length=2000)


class ReleasedOutput(serializers.Serializer[Any]):
    """The step is in the queue again."""

    status = serializers.ChoiceField(Step.Status.choices)


class EscalateInput(LeaseInput):
    """Which escalation of the drawing it is, and what there is to say."""

    example: ClassVar[dict[str, Any]] = {"lease_token": 1, "code": "price-too-high", "why": "Twice the usual price."}

    code = Text(max_length=200)
    why = Text(max_length=2000, allow_blank=True, default="")


class HeardOutput(serializers.Serializer[Any]):
    """What became of an escalation: `heard_by` is the event of the drawing, empty when none hears it and it goes on
    record; the step stays yours, or was taken away (`cancelled`) by an event that interrupts."""

    status = serializers.ChoiceField(Step.Status.choices)
    heard_by = serializers.CharField(allow_blank=True)


class ChooseTaskInput(LeaseInput):
    """Which task of the ad-hoc sub-process is to be done, and why."""

    example: ClassVar[dict[str, Any]] = {"lease_token": 1, "task": "ask_seller", "why": "The order number is missing."}

    task = Text(max_length=120)
    why = Text(max_length=2000, allow_blank=True, default="")


class ChoosableTaskOutput(serializers.Serializer[Any]):
    """A task of an ad-hoc sub-process, how often it is open now, and whether it still comes (`waits`) where one is done
    after the other: what was chosen comes next."""

    task = serializers.CharField(source="node_id")
    name = serializers.CharField()
    open = serializers.IntegerField()
    waits = serializers.BooleanField()


class TasksOutput(serializers.Serializer[Any]):
    """The ad-hoc sub-process around a step, and what can be chosen in it."""

    sub_process = serializers.CharField()
    tasks = ChoosableTaskOutput(many=True)


class ReferenceInput(StrictSerializer):
    """Something that the receiver looks up by its own rights."""

    kind = serializers.ChoiceField(["fact", "decision"])
    id = serializers.UUIDField()


class HandOffInput(LeaseInput):
    """To which role the step goes, and what goes with it. `sha256` is that of the canonical context (RFC 8785), if you
    want it refused when it arrives changed. Who sends it is known by the credential."""

    example: ClassVar[dict[str, Any]] = {
        "lease_token": 1, "to_role": "payments-clerk", "note": "The order is not in our system.",
        "context": {"order": "PO-2026-3007"}, "references": [],
    }  # fmt: skip

    to_role = Text(max_length=60)
    note = Text(max_length=2000, allow_blank=True, default="")
    context = serializers.DictField(default=dict)  # type: ignore[assignment]
    references = ReferenceInput(many=True, default=list, max_length=50)  # type: ignore[call-arg]
    sha256 = Sha256(default="", allow_blank=True)


class HandOffOutput(serializers.ModelSerializer[HandOff]):
    """What came with a step: a snapshot by its sender, and whose it is."""

    id = serializers.UUIDField(source="uid")
    sender = serializers.CharField(source="sender.code")
    receiver = serializers.CharField(source="receiver.code", allow_null=True, default=None)
    context = serializers.DictField()  # type: ignore[assignment]
    references = serializers.ListField(child=serializers.DictField())

    class Meta:
        model = HandOff
        fields = [
            "id", "number", "sender", "from_role", "to_role", "note", "context", "references", "sha256",
            "previous_sha256", "at", "receiver", "received_at",
        ]  # fmt: skip


class HandOffsOutput(serializers.Serializer[Any]):
    """Everything that was handed off with a step, the first one first."""

    hand_offs = HandOffOutput(many=True)


class HandedOutput(serializers.Serializer[Any]):
    """What became of the step: ready for the other role, or failed when it went to and fro too often."""

    status = serializers.ChoiceField(Step.Status.choices)


class EndpointInput(StrictSerializer):
    """The address at which the agent is told that work is ready."""

    example: ClassVar[dict[str, Any]] = {"url": "https://agents.example/work"}

    url = Text(max_length=2000)


class EndpointOutput(serializers.ModelSerializer[Endpoint]):
    """Where an agent is told that work is ready; `secret` checks the signature and is shown once."""

    agent = serializers.CharField(source="agent.code")
    secret = serializers.CharField(allow_null=True, default=None)
    set_by = serializers.CharField(source="set_by.username", allow_null=True, default=None)

    class Meta:
        model = Endpoint
        fields = ["agent", "url", "status", "failures", "told_at", "set_at", "set_by", "secret"]


class PushOutput(serializers.ModelSerializer[Push]):
    """One message to an endpoint, and what came of it."""

    id = serializers.UUIDField(source="uid")

    class Meta:
        model = Push
        fields = ["id", "at", "ready", "code", "outcome"]
