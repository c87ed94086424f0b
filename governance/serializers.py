"""Input and output shapes of governance."""

from typing import Any, ClassVar

from rest_framework import serializers

from governance.models import Policy, PolicyVersion
from governance.rules import Effect
from observability.serializers import StrictSerializer, Text, Whole


class PolicyTextInput(StrictSerializer):
    """A policy as text, YAML or JSON."""

    example: ClassVar[dict[str, Any]] = {"text": "apiVersion: autonomyos/v1\nkind: Policy\n…"}

    text = Text(max_length=400_000, trim_whitespace=False)


class PolicyInput(PolicyTextInput):
    """A policy to keep as a draft; `unit` is the code of the unit a new policy belongs to, by default one's own."""

    example: ClassVar[dict[str, Any]] = {"text": "apiVersion: autonomyos/v1\nkind: Policy\n…", "unit": "finance"}

    unit = Text(max_length=60, allow_blank=True, default="")


class ActivateInput(StrictSerializer):
    """Which version shall decide from now on."""

    example: ClassVar[dict[str, Any]] = {"version": 2}

    version = Whole(min_value=1)


class PolicyOutput(serializers.ModelSerializer[Policy]):
    """A policy as the API shows it."""

    unit = serializers.CharField(source="unit.code")
    owner = serializers.CharField(source="owner.name")
    in_force = serializers.IntegerField(allow_null=True, help_text="The number of the version that decides now.")
    newest = serializers.IntegerField(help_text="The number of the newest version, which may be a draft.")

    class Meta:
        model = Policy
        fields = ["key", "title", "unit", "owner", "in_force", "newest"]


class PolicyVersionOutput(serializers.Serializer[Any]):
    """One version of a policy."""

    key = serializers.CharField()
    title = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(PolicyVersion.Status.choices)
    sha256 = serializers.CharField()


class RuleOutput(serializers.Serializer[Any]):
    """One rule as it was understood."""

    id = serializers.CharField()
    effect = serializers.ChoiceField([effect.value for effect in Effect])
    actions = serializers.ListField(child=serializers.CharField())


class CheckedOutput(serializers.Serializer[Any]):
    """A policy that would be accepted."""

    key = serializers.CharField()
    title = serializers.CharField()
    rules = RuleOutput(many=True)
