"""Output shapes of identity."""

from typing import Any

from rest_framework import serializers

from agents.models import Agent, Blueprint, Version


class MeSerializer(serializers.ModelSerializer[Agent]):
    """An agent as it sees itself; its level is the one at which it acts."""

    autonomy_level = serializers.IntegerField(source="effective_autonomy")
    role = serializers.CharField(source="role.code")
    unit = serializers.CharField(source="unit.code")

    class Meta:
        model = Agent
        fields = ["code", "name", "role", "unit", "autonomy_level", "status"]


class AgentSerializer(serializers.ModelSerializer[Agent]):
    """An agent as its colleagues see it."""

    role = serializers.CharField(source="role.code")
    unit = serializers.CharField(source="unit.code")
    accountable = serializers.CharField(source="accountable.name")
    stand_in = serializers.CharField(source="stand_in.name", allow_null=True, default=None)

    class Meta:
        model = Agent
        fields = [
            "code", "name", "purpose", "role", "unit", "accountable", "stand_in", "autonomy_level", "risk_class",
            "runtime", "ends_on", "status", "last_seen_at",
        ]  # fmt: skip


class AgentDetail(AgentSerializer):
    """An agent as those see it who look after it."""

    hours = serializers.DictField()

    blueprint = serializers.CharField(source="blueprint.code")
    accountable_username = serializers.CharField(source="accountable.username")
    stand_in_username = serializers.CharField(source="stand_in.username", allow_null=True, default=None)

    class Meta(AgentSerializer.Meta):
        fields = [
            *AgentSerializer.Meta.fields, "blueprint", "accountable_username", "stand_in_username", "environment",
            "starts_on", "hours", "effective_autonomy", "sponsor_missing_since",
        ]  # fmt: skip


class ScopedActionOutput(serializers.Serializer[Any]):
    """One action of a system that belongs to a job; the scope is read by people."""

    system = serializers.CharField()
    action = serializers.CharField()
    scope = serializers.DictField(child=serializers.CharField())


class BlueprintOutput(serializers.ModelSerializer[Blueprint]):
    """A job description."""

    role = serializers.CharField(source="role.code")
    unit = serializers.CharField(source="unit.code")
    owner = serializers.CharField(source="owner.username")
    actions = ScopedActionOutput(many=True)
    rates = serializers.DictField(child=serializers.CharField())
    capabilities = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Blueprint
        fields = [
            "code", "name", "purpose", "role", "unit", "owner", "actions", "autonomy_ceiling", "risk_class", "model",
            "runtime", "rates", "currency", "capabilities", "work_limit", "status", "created_at",
        ]  # fmt: skip


class VersionOutput(serializers.ModelSerializer[Version]):
    """One state of an agent or a blueprint."""

    document = serializers.DictField()

    author = serializers.CharField(source="author.username", allow_null=True, default=None)

    class Meta:
        model = Version
        fields = ["number", "document", "author", "at", "why"]
