"""Input and output shapes of the doors to versions of policies."""

from typing import Any, ClassVar

from rest_framework import serializers

from governance.api.shapes.policies import PolicyTextInput, PolicyVersionOutput
from governance.models import PolicyComment, PolicyVersion
from governance.operations.policies import GateCheck, PolicyTemplate
from governance.rules.changes import Comparison
from governance.rules.texts import write_text
from observability.serializers import Digits, StrictSerializer, Text


class NoteInput(StrictSerializer):
    """What to say with it, if anything."""

    example: ClassVar[dict[str, Any]] = {"reason": "The limit follows the new budget."}

    reason = Text(max_length=4000, allow_blank=True, default="")


class SaidInput(StrictSerializer):
    """Why; a reason is needed."""

    example: ClassVar[dict[str, Any]] = {"reason": "The limit is too high for the first month."}

    reason = Text(max_length=4000)


class EmptyInput(StrictSerializer):
    """Nothing is said with it."""

    example: ClassVar[dict[str, Any]] = {}


class CommentInput(StrictSerializer):
    """A remark on a version."""

    example: ClassVar[dict[str, Any]] = {"text": "Why 5,000 and not 4,000?"}

    text = Text(max_length=4000)


class DiffQuery(StrictSerializer):
    """Which two versions stand side by side."""

    example: ClassVar[dict[str, Any]] = {"before": 1, "after": 2}

    before = Digits(min_value=1)
    after = Digits(min_value=1)


class RewriteInput(PolicyTextInput):
    """The text that takes the place of a draft's."""


class PolicyDocumentOutput(PolicyVersionOutput):
    """One version with its document: as JSON, and as YAML text."""

    document = serializers.DictField()
    text = serializers.CharField()

    def to_representation(self, version: Any) -> dict[str, Any]:
        """The version as the API shows it."""
        shown = super().to_representation(version)
        return {**shown, "document": version.document, "text": write_text(version.document)}


class PolicyCommentOutput(serializers.Serializer[Any]):
    """What somebody said about a version; `kind` is the step of its life that it came with, or comment."""

    author = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(PolicyComment.Kind.choices)
    text = serializers.CharField()

    def to_representation(self, row: PolicyComment) -> dict[str, Any]:
        """The comment as the API shows it."""
        return {"author": row.author.name if row.author else None, "at": row.at, "kind": row.kind, "text": row.text}


class GateCheckOutput(serializers.Serializer[Any]):
    """One thing that has to be true before a version decides."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    words = serializers.CharField()
    is_met = serializers.BooleanField()


class GateOutput(serializers.Serializer[Any]):
    """The activation gate of a version: every check, met or not."""

    is_open = serializers.BooleanField()
    checks = GateCheckOutput(many=True)


class PolicyChangeOutput(serializers.Serializer[Any]):
    """One part that differs; null where it is not there."""

    field = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)


class PolicyRuleChangeOutput(serializers.Serializer[Any]):
    """One rule that differs: added, removed, changed or only moved."""

    id = serializers.CharField()
    kind = serializers.CharField()
    changes = PolicyChangeOutput(many=True)


class PolicyDiffOutput(serializers.Serializer[Any]):
    """Two versions side by side: in words, and as a unified diff of their YAML (empty when they say the same)."""

    before = serializers.IntegerField()
    after = serializers.IntegerField()
    about = PolicyChangeOutput(many=True)
    rules = PolicyRuleChangeOutput(many=True)
    tests = PolicyChangeOutput(many=True)
    text = serializers.CharField()


class PolicyTemplateOutput(serializers.Serializer[Any]):
    """A policy to start from; `lacking` names the fields that the company's questions do not have."""

    name = serializers.CharField()
    title = serializers.CharField()
    about = serializers.CharField()
    text = serializers.CharField()
    lacking = serializers.ListField(child=serializers.CharField())


class PolicyTemplatesOutput(serializers.Serializer[Any]):
    """All templates."""

    templates = PolicyTemplateOutput(many=True)


def gate_data(checks: list[GateCheck]) -> dict[str, Any]:
    """The gate as the API shows it."""
    told = [
        {"name": each.name, "label": each.label, "words": each.words, "is_met": each.is_met} for each in checks
    ]  # fmt: skip
    return {"is_open": all(each.is_met for each in checks), "checks": told}


def diff_data(before: PolicyVersion, after: PolicyVersion, found: Comparison) -> dict[str, Any]:
    """Two versions side by side as the API shows them."""
    rules = [{"id": rule.id, "kind": rule.kind, "changes": _changes(rule.changes)} for rule in found.rules]
    text = "\n".join(line.text if line.sign == "@" else f"{line.sign}{line.text}" for line in found.text)
    return {
        "before": before.number, "after": after.number, "about": _changes(found.about), "rules": rules,
        "tests": _changes(found.tests), "text": text,
    }  # fmt: skip


def _changes(changes: Any) -> list[dict[str, Any]]:
    return [{"field": each.field, "before": each.before, "after": each.after} for each in changes]


def template_data(each: PolicyTemplate, schema: Any) -> dict[str, Any]:
    """A template as the API shows it."""
    return {
        "name": each.name, "title": each.title, "about": each.about, "text": write_text(dict(each.document)),
        "lacking": [field.path for field in each.lacking(schema)],
    }  # fmt: skip
