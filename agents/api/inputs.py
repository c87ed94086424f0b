"""Input shapes of rights and of their reviews."""

from rest_framework import serializers

from agents.api.doors import StrictSerializer, Text
from agents.models import Review
from agents.operations.reasons import WHY_AT_MOST
from agents.rules.access import KINDS

KIND_CHOICES = [(kind.name, kind.title) for kind in KINDS.values()]


class GrantInput(StrictSerializer):
    """One right on one object for a person or agent (`to`, the user name) or for everybody with a role (`role`)."""

    kind = serializers.ChoiceField(choices=KIND_CHOICES)
    id = Text(max_length=80)
    permission = Text(max_length=100)
    to = Text(max_length=80, allow_blank=True, default="")
    role = Text(max_length=150, allow_blank=True, default="")
    reason = Text(max_length=WHY_AT_MOST)
    expires_at = serializers.DateTimeField(allow_null=True, default=None)


class TakeInput(StrictSerializer):
    """Why a right is taken away."""

    reason = Text(max_length=WHY_AT_MOST)


class ReasonInput(StrictSerializer):
    """Why a right is no longer needed."""

    reason = Text(max_length=WHY_AT_MOST)


class CertifyInput(StrictSerializer):
    """Nothing: the right is still needed."""


class ReviewInput(StrictSerializer):
    """What an access review covers, until when, and who answers; empty lists mean everything that one may see."""

    name = Text(max_length=200)
    due_at = serializers.DateTimeField()
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=KIND_CHOICES), default=list)
    units = serializers.ListField(child=Text(max_length=60), default=list, max_length=200)
    answered_by = serializers.ChoiceField(choices=Review.AnsweredBy.choices, default=Review.AnsweredBy.ACCOUNTABLE)
    named = Text(max_length=80, allow_blank=True, default="")
