"""Input shapes of governance."""

from rest_framework import serializers

from agents.api.doors import StrictSerializer, Text, Whole


class PolicyTextInput(StrictSerializer):
    """A policy as text, YAML or JSON."""

    text = Text(max_length=400_000, trim_whitespace=False)


class PolicyInput(PolicyTextInput):
    """A policy to keep as a draft; `unit` is the code of the unit a new policy belongs to, by default one's own."""

    unit = Text(max_length=60, allow_blank=True, default="")


class ActivateInput(StrictSerializer):
    """Which version shall decide from now on."""

    version = Whole(min_value=1)


class DelegationInput(StrictSerializer):
    """Who (`to`) decides for whom (`person`, by default oneself), until when, within which limits, and why."""

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

    reason = Text(max_length=2000, allow_blank=True, default="")
