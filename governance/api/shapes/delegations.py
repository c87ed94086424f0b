"""Shapes of delegations."""

from typing import Any, ClassVar

from rest_framework import serializers

from governance.models import (
    Delegation,
)
from observability.serializers import StrictSerializer, Text, Whole


class DelegationInput(StrictSerializer):
    """Who (`to`) decides for whom (`person`, by default oneself), until when, within which limits, and why."""

    example: ClassVar[dict[str, Any]] = {
        "to": "priya", "ends_at": "2030-12-31T00:00:00Z", "paths": ["accounts-payable"], "risk_at_most": 2,
        "reason": "On leave.",
    }  # fmt: skip

    person = Text(max_length=80, allow_blank=True, default="")
    to = Text(max_length=80)
    starts_at = serializers.DateTimeField(allow_null=True, default=None)
    ends_at = serializers.DateTimeField()
    paths = serializers.ListField(child=Text(max_length=60), default=list, max_length=200)
    risk_at_most = Whole(min_value=1, max_value=3, default=3)
    unit = Text(max_length=60, allow_blank=True, default="")
    reason = Text(max_length=2000)


class EndInput(StrictSerializer):
    """Why a delegation ends early."""

    example: ClassVar[dict[str, Any]] = {"reason": "Back a day early."}

    reason = Text(max_length=2000, allow_blank=True, default="")


class PersonNameOutput(serializers.Serializer[Any]):
    """A person: the name to sign in with, and the name that people read."""

    id = serializers.CharField()
    name = serializers.CharField()


class DelegationOutput(serializers.Serializer[Any]):
    """A delegation, with those of its paths and the unit that the reader may see; `etag` for If-Match."""

    id = serializers.UUIDField()
    person = PersonNameOutput()
    to = PersonNameOutput()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    status = serializers.ChoiceField(Delegation.Status.choices)
    paths = serializers.ListField(child=serializers.CharField())
    risk_at_most = serializers.IntegerField()
    unit = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    ended_at = serializers.DateTimeField(allow_null=True)
    etag = serializers.CharField()


# --- named lists, and what the analysis finds -----------------------------------------------------------------
