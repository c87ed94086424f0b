"""Shapes of the queue: who looks at a question, one answer to several, saved views."""

from datetime import datetime
from typing import Any, ClassVar

from rest_framework import serializers

from agents.models import Principal
from governance import operations as governance
from governance.models import Escalation, SavedView, claim_lasts
from observability.serializers import StrictSerializer, Text, YesNo
from workflows.operations import TOGETHER_AT_MOST, Outcome
from workflows.serializers import Sha256

ANSWERS = [(status.value, status.label) for status in (Escalation.Status.APPROVED, Escalation.Status.REJECTED)]


class AssignInput(StrictSerializer):
    """Who is to look at it: the user name of somebody who is asked."""

    example: ClassVar[dict[str, Any]] = {"person": "maria"}

    person = Text(max_length=150)


class SnoozeInput(StrictSerializer):
    """Until when it is put aside for oneself."""

    example: ClassVar[dict[str, Any]] = {"until": "2026-12-01T08:00:00Z"}

    until = serializers.DateTimeField()


class AttentionOutput(serializers.Serializer[Any]):
    """Who gives attention to a question: who looks at it until when, whether one watches it, until when one put it
    aside."""

    id = serializers.UUIDField()
    claimed_by = serializers.CharField(allow_null=True)
    claimed_until = serializers.DateTimeField(allow_null=True)
    watched = serializers.BooleanField()
    snoozed_until = serializers.DateTimeField(allow_null=True)


def attention_of(escalation: Escalation, person: Principal, at: datetime) -> dict[str, Any]:
    """A question in the shape of AttentionOutput, as this person sees it."""
    looker, since = escalation.looker(at), escalation.claimed_at
    return {
        "id": escalation.uid, "claimed_by": looker.username if looker else None,
        "claimed_until": since + claim_lasts() if looker and since else None,
        "watched": escalation.watches.filter(person=person).exists(),
        "snoozed_until": governance.snoozed_until(escalation, person, at),
    }  # fmt: skip


class ItemInput(StrictSerializer):
    """A question, and the SHA-256 of the request that was read."""

    id = serializers.UUIDField()
    request_sha256 = Sha256()


class TogetherInput(StrictSerializer):
    """One answer to several questions, each bound to the request that was read; a rejection says why."""

    example: ClassVar[dict[str, Any]] = {
        "items": [{"id": "01976f3c-0000-7000-8000-000000000001", "request_sha256": "ab" * 32}], "answer": "approved",
        "reason": "", "reason_code": "",
    }  # fmt: skip

    items = serializers.ListField(child=ItemInput(), min_length=1, max_length=TOGETHER_AT_MOST)
    answer = serializers.ChoiceField(ANSWERS)
    reason = Text(max_length=4000, allow_blank=True, default="")
    reason_code = serializers.ChoiceField(Escalation.ReasonCode.choices, allow_blank=True, default="")


class ItemOutput(serializers.Serializer[Any]):
    """What became of one of the questions: its status now, or the code of the problem and what it means."""

    id = serializers.UUIDField()
    decided = serializers.BooleanField()
    status = serializers.ChoiceField(Escalation.Status.choices, allow_null=True)
    http_status = serializers.IntegerField()
    code = serializers.CharField(allow_null=True)
    detail = serializers.CharField(allow_null=True)


class TogetherOutput(serializers.Serializer[Any]):
    """What became of each question; `partial` says that some answers were taken and others refused."""

    partial = serializers.BooleanField()  # type: ignore[assignment]
    items = ItemOutput(many=True)


def together_of(outcomes: list[Outcome]) -> dict[str, Any]:
    """The outcomes in the shape of TogetherOutput."""
    return {"partial": len({each.is_done for each in outcomes}) > 1, "items": [_item_of(each) for each in outcomes]}


def _item_of(each: Outcome) -> dict[str, Any]:
    refused, asked = each.refused, each.escalation
    return {
        "id": each.uid, "decided": each.is_done, "status": asked.status if asked else None,
        "http_status": refused.status if refused else 200, "code": refused.code if refused else None,
        "detail": " ".join((refused.detail, *refused.fields.values())) if refused else None,
    }  # fmt: skip


class ViewInput(StrictSerializer):
    """A view to be kept: what narrows the queue, as the address of the list says it. `unit` is the code of the unit
    whose people find it too, "" for oneself alone."""

    example: ClassVar[dict[str, Any]] = {
        "name": "Late in finance", "query": {"tab": "teams", "age": "late"}, "unit": "finance",
        "is_team_default": False,
    }  # fmt: skip

    name = Text(max_length=80)
    query = serializers.DictField(child=Text(max_length=200, allow_blank=True))
    unit = Text(max_length=60, allow_blank=True, default="")
    is_team_default = YesNo(default=False)


class ViewOutput(serializers.ModelSerializer[SavedView]):
    """A saved view; one without an owner comes with the system and cannot be changed."""

    id = serializers.UUIDField(source="uid")
    owner = serializers.CharField(source="owner.username", allow_null=True, default=None)
    unit = serializers.CharField(source="unit.code", allow_null=True, default=None)
    query = serializers.DictField(child=serializers.CharField())
    is_system = serializers.BooleanField()

    class Meta:
        model = SavedView
        fields = ["id", "name", "query", "owner", "is_shared", "unit", "is_team_default", "is_system", "edition"]


class RunViewInput(StrictSerializer):
    """A view of runs to be kept: what narrows and sorts the list, as the address of the list says it. `unit` is the
    code of the unit whose people find it too, "" for oneself alone."""

    example: ClassVar[dict[str, Any]] = {
        "name": "Stuck invoices", "query": {"state": "stuck", "workflow": "invoice-to-payment"}, "unit": "finance",
    }  # fmt: skip

    name = Text(max_length=80)
    query = serializers.DictField(child=Text(max_length=500, allow_blank=True))
    unit = Text(max_length=60, allow_blank=True, default="")


class RunViewOutput(ViewOutput):
    """A saved view of runs; one without an owner comes with the system and cannot be changed."""

    class Meta:
        model = SavedView
        fields = ["id", "name", "query", "owner", "is_shared", "unit", "is_system", "edition"]
