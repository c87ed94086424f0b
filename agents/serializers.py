"""Output shapes of identity."""

from rest_framework import serializers

from agents.models import Agent


class MeSerializer(serializers.ModelSerializer[Agent]):
    """An agent as it sees itself."""

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
