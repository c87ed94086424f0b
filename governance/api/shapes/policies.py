"""Shapes of policies, their versions, and what an analysis finds in them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from governance.models import (
    Policy,
    PolicyVersion,
)
from governance.operations.decisions import texts
from governance.operations.telling import Telling
from governance.rules import Effect
from governance.rules.analysis import Finding, Sort
from governance.rules.documents import effective_of
from observability.serializers import StrictSerializer, Text, Whole


class PolicyTextInput(StrictSerializer):
    """A policy as text, YAML or JSON."""

    example: ClassVar[dict[str, Any]] = {"text": "apiVersion: autonomyos/v1\nkind: Policy\n…"}

    text = Text(max_length=400_000, trim_whitespace=False)


class PolicyCheckInput(StrictSerializer):
    """A policy to check: its text, YAML or JSON, or its form, in which `when` of each rule is a condition of rows."""

    example: ClassVar[dict[str, Any]] = {"text": "apiVersion: autonomyos/v1\nkind: Policy\n…"}

    text = Text(max_length=400_000, trim_whitespace=False, required=False)
    form = serializers.DictField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of both."""
        if ("text" in attrs) == ("form" in attrs):
            raise serializers.ValidationError({"text": "Send either the text or the form."})
        return attrs


class PolicyInput(PolicyTextInput):
    """A policy to keep as a draft; `unit` is the code of the unit a new policy belongs to, by default one's own."""

    example: ClassVar[dict[str, Any]] = {"text": "apiVersion: autonomyos/v1\nkind: Policy\n…", "unit": "finance"}

    unit = Text(max_length=60, allow_blank=True, default="")


class ActivateInput(StrictSerializer):
    """Which version shall decide from now on, and why."""

    example: ClassVar[dict[str, Any]] = {"version": 2, "reason": "Agreed in the council."}

    version = Whole(min_value=1)
    reason = Text(max_length=4000, allow_blank=True, default="")


class PolicyOutput(serializers.ModelSerializer[Policy]):
    """A policy as the API shows it."""

    unit = serializers.CharField(source="unit.code")
    owner = serializers.CharField(source="owner.name")
    in_force = serializers.IntegerField(allow_null=True, help_text="The number of the version that decides now.")
    in_shadow = serializers.IntegerField(allow_null=True, help_text="The number of the version that is in shadow.")
    in_review = serializers.IntegerField(allow_null=True, help_text="The number of the newest version in review.")
    newest = serializers.IntegerField(help_text="The number of the newest version, which may be a draft.")

    class Meta:
        model = Policy
        fields = ["key", "title", "unit", "owner", "in_force", "in_shadow", "in_review", "newest"]


class PolicyVersionOutput(serializers.Serializer[Any]):
    """One version of a policy."""

    key = serializers.CharField()
    title = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(PolicyVersion.Status.choices)
    sha256 = serializers.CharField()
    author = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    asked_by = serializers.CharField(allow_null=True)
    asked_at = serializers.DateTimeField(allow_null=True)
    approved_by = serializers.CharField(allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    activated_at = serializers.DateTimeField(allow_null=True)
    shadowed_at = serializers.DateTimeField(allow_null=True)
    retired_at = serializers.DateTimeField(allow_null=True)
    effective_from = serializers.DateTimeField(allow_null=True, help_text="Its rules apply to nothing before.")
    effective_until = serializers.DateTimeField(allow_null=True, help_text="Its rules apply to nothing from then on.")

    def to_representation(self, version: PolicyVersion | Mapping[str, Any]) -> dict[str, Any]:
        """The version as the API shows it."""
        return version_of(version) if isinstance(version, PolicyVersion) else dict(version)


def version_of(version: PolicyVersion) -> dict[str, Any]:
    """A policy version as the API shows it."""
    since, until = effective_of(version.document)
    people = {name: getattr(version, name) for name in ("author", "asked_by", "approved_by")}
    moments = ("created_at", "asked_at", "approved_at", "activated_at", "shadowed_at", "retired_at")
    return {
        "key": version.policy.key, "title": version.document["title"], "version": version.number,
        "status": version.status, "sha256": version.sha256,
        **{name: person.name if person else None for name, person in people.items()},
        **{name: getattr(version, name) for name in moments}, "effective_from": since, "effective_until": until,
    }  # fmt: skip


class RuleOutput(serializers.Serializer[Any]):
    """One rule as it was understood: in words, with the fields it reads and the tree of its own condition."""

    id = serializers.CharField()
    effect = serializers.ChoiceField([effect.value for effect in Effect])
    actions = serializers.ListField(child=serializers.CharField())
    sentence = serializers.CharField()
    reads = serializers.ListField(child=serializers.CharField(), help_text="The fields that the rule looks at.")
    tree = serializers.DictField(allow_null=True, help_text="The condition as a tree; null of a rule without one.")


class CheckedOutput(serializers.Serializer[Any]):
    """A policy that would be accepted, as text and as a form: each gives the other again."""

    key = serializers.CharField()
    title = serializers.CharField()
    rules = RuleOutput(many=True)
    text = serializers.CharField()
    form = serializers.DictField()


class FindingOutput(serializers.Serializer[Any]):
    """One thing that was found in rules; `level` is wrong, look or note, `example` a request that shows it."""

    sort = serializers.ChoiceField([sort.value for sort in Sort])
    level = serializers.CharField()
    policy = serializers.CharField()
    rule = serializers.CharField()
    path = serializers.CharField()
    message = serializers.CharField()
    others = serializers.ListField(child=serializers.CharField())
    example = serializers.JSONField()
    is_new = serializers.BooleanField(help_text="Whether the version in force does not have it.")


class AnalysisOutput(serializers.Serializer[Any]):
    """What the analysis found."""

    findings = FindingOutput(many=True)


def finding_of(finding: Finding, telling: Telling, *, is_new: bool = False) -> dict[str, Any]:
    """A finding as the API shows it; exact numbers and moments of the example as text, and rules of policies that the
    reader may not see without their names."""
    return {
        "sort": finding.sort.value, "level": finding.level, "policy": finding.policy, "rule": finding.rule,
        "path": finding.path, "message": finding.message,
        "others": list(dict.fromkeys(map(telling.name, finding.others))), "example": texts(finding.example),
        "is_new": is_new,
    }  # fmt: skip
