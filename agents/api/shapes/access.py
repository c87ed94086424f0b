"""Input and output shapes of rights and of their reviews."""

from typing import Any, ClassVar

from rest_framework import serializers

from agents.api.doors import StrictSerializer, Text
from agents.api.versions import etag
from agents.models import Review, ReviewItem
from agents.operations.reasons import WHY_AT_MOST
from agents.rules.access import KIND_NAMES
from observability.serializers import page_of


class GrantInput(StrictSerializer):
    """One right on one object for a person or agent (`to`, the user name) or for everybody with a role (`role`)."""

    example: ClassVar[dict[str, Any]] = {
        "kind": "agent", "id": "AP-04", "permission": "agents.view_agent", "to": "sofia", "reason": "She checks it.",
        "expires_at": "2030-12-31T00:00:00Z",
    }  # fmt: skip

    kind = serializers.ChoiceField(choices=KIND_NAMES)
    id = Text(max_length=80)
    permission = Text(max_length=100)
    to = Text(max_length=80, allow_blank=True, default="")
    role = Text(max_length=150, allow_blank=True, default="")
    reason = Text(max_length=WHY_AT_MOST)
    expires_at = serializers.DateTimeField(allow_null=True, default=None)


class TakeQuery(StrictSerializer):
    """Why a right is taken away."""

    reason = Text(max_length=WHY_AT_MOST, help_text="Why it is taken away.")


class GrantOutput(serializers.Serializer[Any]):
    """A right that was given: by whom, why, until when, and its state for If-Match."""

    id = serializers.UUIDField()
    permission = serializers.CharField()
    reason = serializers.CharField()
    granted_by = serializers.CharField(allow_null=True)
    granted_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    etag = serializers.CharField()


class HolderOutput(serializers.Serializer[Any]):
    """Who holds a right: a person, an agent, or everybody with a role."""

    kind = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()


class ThingOutput(serializers.Serializer[Any]):
    """What a right is about."""

    kind = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()


class PlacedThingOutput(ThingOutput):
    """The same with the code of its unit."""

    unit = serializers.CharField()


class HoldingOutput(serializers.Serializer[Any]):
    """One right of one holder, in words, with its origin. `object` is null for a right on all objects of a kind, and
    `grant` where nobody gave it singly."""

    holder = HolderOutput()
    may = serializers.CharField()
    origin = serializers.CharField()
    object = ThingOutput(allow_null=True)
    grant = GrantOutput(allow_null=True)


class ObjectAccessPage(page_of(HoldingOutput)):  # type: ignore[misc]
    """Who may do what with one object: by roles, and page by page each right of a person or an agent."""

    object = PlacedThingOutput()
    may_change = serializers.BooleanField()
    roles = HoldingOutput(many=True)


class PrincipalAccessPage(page_of(HoldingOutput)):  # type: ignore[misc]
    """What one person or agent may do: by roles, and page by page each right that was given."""

    principal = HolderOutput()
    roles = HoldingOutput(many=True)


# --- reviews --------------------------------------------------------------------------------------------------
class RevokeInput(StrictSerializer):
    """Why a right is no longer needed."""

    example: ClassVar[dict[str, Any]] = {"reason": "She works in another unit now."}

    reason = Text(max_length=WHY_AT_MOST)


class ReviewInput(StrictSerializer):
    """What an access review covers, until when, and who answers; empty lists mean everything that one may see."""

    example: ClassVar[dict[str, Any]] = {
        "name": "Winter review", "due_at": "2030-12-31T00:00:00Z", "kinds": ["agent", "system"], "units": ["finance"],
    }  # fmt: skip

    name = Text(max_length=200)
    due_at = serializers.DateTimeField()
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=KIND_NAMES), default=list)
    units = serializers.ListField(child=Text(max_length=60), default=list, max_length=200)
    answered_by = serializers.ChoiceField(choices=Review.AnsweredBy.choices, default=Review.AnsweredBy.ACCOUNTABLE)
    named = Text(max_length=80, allow_blank=True, default="")


class ReviewOutput(serializers.ModelSerializer[Review]):
    """An access review."""

    id = serializers.UUIDField(source="uid")
    kinds = serializers.ListField(child=serializers.CharField())
    started_by = serializers.CharField(source="started_by.name", allow_null=True, default=None)

    class Meta:
        model = Review
        fields = ["id", "name", "kinds", "status", "answered_by", "started_by", "started_at", "due_at", "closed_at",
                  "sha256"]  # fmt: skip


class TotalsOutput(serializers.Serializer[Any]):
    """How many rights have which answer, of those one may see."""

    waiting = serializers.IntegerField()
    certified = serializers.IntegerField()
    revoked = serializers.IntegerField()
    lapsed = serializers.IntegerField()
    gone = serializers.IntegerField()


class ReviewDetail(ReviewOutput):
    """An access review with how far it is."""

    totals = TotalsOutput()

    class Meta(ReviewOutput.Meta):
        fields = [*ReviewOutput.Meta.fields, "totals"]


class ReviewItemOutput(serializers.Serializer[Any]):
    """One right of a review as it was at the start, who answers for it, and the answer; `etag` for If-Match."""

    id = serializers.IntegerField()
    object_kind = serializers.CharField()
    object = serializers.CharField()
    object_name = serializers.CharField()
    unit = serializers.CharField()
    right = serializers.CharField()
    holder_kind = serializers.CharField()
    holder = serializers.CharField()
    holder_name = serializers.CharField()
    reason = serializers.CharField()
    granted_by = serializers.CharField()
    granted_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    reviewer = serializers.CharField()
    answer = serializers.ChoiceField(ReviewItem.Status.choices)
    answered_by = serializers.CharField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField()
    etag = serializers.CharField()

    def to_representation(self, row: ReviewItem) -> dict[str, Any]:
        """The item as the evidence has it, with its tag."""
        return row.as_evidence() | {"etag": item_tag(row)}


def item_tag(item: ReviewItem) -> str:
    """The entity tag of an item: it changes once, with the answer."""
    return etag(item.pk, item.status, item.answered_at)
