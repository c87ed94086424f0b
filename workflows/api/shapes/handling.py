"""Shapes of what people do with a question beside answering it."""

from typing import Any, ClassVar

from rest_framework import serializers

from governance.models import HandOver, Inquiry
from governance.models.inquiries import TEXT_AT_MOST
from observability.serializers import StrictSerializer, Text
from workflows.serializers import Sha256


class AmendInput(StrictSerializer):
    """New values of fields of the context, within the bounds of the policy, for the request that was read: named by
    its SHA-256, or by its entity tag in If-Match."""

    example: ClassVar[dict[str, Any]] = {
        "values": {"amount": "4500.00"}, "request_sha256": "ab" * 32, "reason": "The rest is not due yet.",
    }  # fmt: skip

    values = serializers.DictField(child=Text(max_length=200), allow_empty=False)
    request_sha256 = Sha256(default="")
    reason = Text(max_length=TEXT_AT_MOST, allow_blank=True, default="")


class AskAgentInput(StrictSerializer):
    """A question to the agent that asks."""

    example: ClassVar[dict[str, Any]] = {"text": "Which order does this belong to?"}

    text = Text(max_length=TEXT_AT_MOST)


class InquiryAnswerInput(StrictSerializer):
    """The agent's answer: plain text."""

    example: ClassVar[dict[str, Any]] = {"answer": "To PO-2026-3007, received on 12 November."}

    answer = Text(max_length=TEXT_AT_MOST)


class HandOverInput(StrictSerializer):
    """Who is asked as well: the user name of a person, or the name of a role; and a note for them."""

    example: ClassVar[dict[str, Any]] = {"to": "maria", "role": "", "note": "You know this supplier."}

    to = Text(max_length=80, allow_blank=True, default="")
    role = Text(max_length=150, allow_blank=True, default="")
    note = Text(max_length=TEXT_AT_MOST, allow_blank=True, default="")


class InquiryOutput(serializers.ModelSerializer[Inquiry]):
    """A question to the agent and its answer; the answer is the agent's own words."""

    id = serializers.UUIDField(source="uid")
    escalation = serializers.UUIDField(source="escalation.uid")
    asked_by = serializers.CharField(source="asked_by.name")
    clock_stands_still = serializers.SerializerMethodField()

    class Meta:
        model = Inquiry
        fields = ["id", "escalation", "text", "asked_by", "asked_at", "answer", "answered_at", "clock_stands_still"]

    def get_clock_stands_still(self, inquiry: Inquiry) -> bool:
        """Whether the deadline waits for the answer, as long as the path allows."""
        return inquiry.due_after is not None and inquiry.answered_at is None


class WaitingInquiriesOutput(serializers.Serializer[Any]):
    """What people ask an agent and it has not answered."""

    results = InquiryOutput(many=True)


class HandOverOutput(serializers.Serializer[HandOver]):
    """A hand-over: who is asked as well."""

    escalation = serializers.UUIDField(source="escalation.uid")
    to = serializers.CharField(source="receiver")
    by = serializers.CharField(source="by.name")
    note = serializers.CharField()
    at = serializers.DateTimeField()
