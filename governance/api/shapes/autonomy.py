"""Shapes of the evidence for autonomy levels and of promotions."""

from typing import Any, ClassVar

from rest_framework import serializers

from agents.models import Agent
from governance.models import (
    PromotionRequest,
)
from governance.operations import DAYS, LONGEST_DAYS, Span
from governance.rules.evidence import Evidence
from observability.serializers import Digits, StrictSerializer, Text


class EvidenceQuery(StrictSerializer):
    """How many days the evidence is about."""

    days = Digits(min_value=1, max_value=LONGEST_DAYS, default=DAYS, help_text="How many days, up to now.")


class PromotionInput(StrictSerializer):
    """Why the agent should act one level higher."""

    example: ClassVar[dict[str, Any]] = {"reason": "Forty questions in a row were approved as asked."}

    reason = Text(max_length=4000)


class PromotionAnswerInput(StrictSerializer):
    """The reason for an answer to a request."""

    example: ClassVar[dict[str, Any]] = {"reason": "The sample is large enough."}

    reason = Text(max_length=4000, allow_blank=True, default="")


class ShareOutput(serializers.Serializer[Any]):
    """A share of a whole as text with four places, with its 95 % interval; null of nothing."""

    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    share = serializers.CharField(allow_null=True)
    small_sample = serializers.BooleanField()
    low = serializers.CharField(allow_null=True)
    high = serializers.CharField(allow_null=True)


class RecordOutput(serializers.Serializer[Any]):
    """What an agent did with one action, or with all (`action` is empty)."""

    action = serializers.CharField()
    approved = serializers.IntegerField()
    rejected = serializers.IntegerField()
    undone = serializers.IntegerField()
    alone = serializers.IntegerField()
    acted = serializers.IntegerField()
    failed = serializers.IntegerField()
    decided = serializers.IntegerField()
    overruled = serializers.IntegerField()
    median_seconds = serializers.CharField(allow_null=True)
    agreement = ShareOutput()
    overruling = ShareOutput()
    errors = ShareOutput()  # type: ignore[assignment]


class TriesOutput(serializers.Serializer[Any]):
    """How the steps went that the agent took."""

    finished = serializers.IntegerField()
    failed = serializers.IntegerField()
    median_seconds = serializers.CharField(allow_null=True)
    errors = ShareOutput()  # type: ignore[assignment]


class EvidenceOutput(serializers.Serializer[Any]):
    """The evidence for an agent's autonomy over a period."""

    agent = serializers.CharField()
    level = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    demoted_at = serializers.DateTimeField(allow_null=True)
    total = RecordOutput()
    actions = RecordOutput(many=True)
    tries = TriesOutput()


class PromotionOutput(serializers.Serializer[Any]):
    """A request for promotion; `evidence` stays as it was kept when asked."""

    id = serializers.UUIDField()
    agent = serializers.CharField()
    from_level = serializers.IntegerField()
    to_level = serializers.IntegerField()
    status = serializers.ChoiceField(PromotionRequest.Status.choices)
    reason = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField()
    evidence_since = serializers.DateTimeField()
    evidence = serializers.DictField()

    def to_representation(self, row: PromotionRequest) -> dict[str, Any]:
        """The request as the API shows it."""
        return promotion_of(row)


def promotion_of(asked: PromotionRequest) -> dict[str, Any]:
    """A request for promotion as the API shows it, with the evidence as it was when asked."""
    return {
        "id": asked.uid, "agent": asked.agent.code, "from_level": asked.from_level, "to_level": asked.to_level,
        "status": asked.status, "reason": asked.reason, "asked_by": asked.asked_by.name, "asked_at": asked.asked_at,
        "decided_by": asked.decided_by.name if asked.decided_by else None, "decided_at": asked.decided_at,
        "answer": asked.answer, "evidence_since": asked.evidence_since, "evidence": asked.evidence,
    }  # fmt: skip


def evidence_data(agent: Agent, span: Span, evidence: Evidence) -> dict[str, Any]:
    """The evidence for an agent's autonomy; shares are text with four places, with their 95 % interval."""
    return {
        "agent": agent.code, "level": agent.autonomy_level, "since": span.since, "until": span.until,
        "demoted_at": span.demoted_at, **evidence.as_data(),
    }  # fmt: skip
