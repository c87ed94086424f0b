"""Shapes of decision tables: a DMN file in, editions and decisions out."""

from typing import Any, ClassVar

from rest_framework import serializers

from observability.serializers import PageQuery, StrictSerializer, Text
from workflows.models import DecisionTable


class TablesQuery(PageQuery):
    """Which tables are listed: the newest edition of each, or all editions of one."""

    code = Text(max_length=120, required=False, default="")


class TableInput(StrictSerializer):
    """A DMN 1.x file as text; `decision` names one of its decisions where several could be asked."""

    example: ClassVar[dict[str, Any]] = {"dmn": "<definitions xmlns=…", "why": "The limits of 2027."}

    dmn = Text(max_length=900_000, trim_whitespace=False)
    decision = Text(max_length=120, required=False, default="")
    why = Text(max_length=2000, required=False, default="")


class TryTableInput(StrictSerializer):
    """The values that the table reads, by name."""

    example: ClassVar[dict[str, Any]] = {"facts": {"amount": "120.00", "kind": "hardware"}}

    facts = serializers.DictField()


class TableOutput(serializers.ModelSerializer[DecisionTable]):
    """One edition of a decision table."""

    id = serializers.UUIDField(source="uid")
    workflow = serializers.CharField(source="workflow.code")
    author = serializers.CharField(source="author.username", default=None, allow_null=True)

    class Meta:
        model = DecisionTable
        fields = ["id", "workflow", "code", "name", "number", "sha256", "author", "created_at", "reason"]


class DecidedOutput(serializers.Serializer[Any]):
    """What a table decided: its values by output, and by decision the numbers of the rules that matched."""

    values = serializers.DictField()
    matched = serializers.DictField(child=serializers.ListField(child=serializers.IntegerField()))
