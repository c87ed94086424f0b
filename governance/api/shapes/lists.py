"""Shapes of named lists of values."""

from typing import Any, ClassVar

from rest_framework import serializers

from governance.models import (
    ValueList,
)
from observability.serializers import StrictSerializer, Text


class ListInput(StrictSerializer):
    """A new list; `unit` is the code of the unit it belongs to, by default one's own."""

    example: ClassVar[dict[str, Any]] = {
        "name": "core_carriers", "title": "Carriers with a frame contract", "items": ["DHL", "Maersk"],
        "reason": "The contracts of this year.", "unit": "finance",
    }  # fmt: skip

    name = Text(max_length=60)
    title = Text(max_length=200)
    items = serializers.ListField(child=Text(max_length=200), max_length=1_000)
    reason = Text(max_length=2_000)
    unit = Text(max_length=60, allow_blank=True, default="")


class ListChangeInput(StrictSerializer):
    """What the list holds from now on, and why."""

    example: ClassVar[dict[str, Any]] = {"items": ["DHL", "Maersk"], "reason": "One contract ended."}

    items = serializers.ListField(child=Text(max_length=200), max_length=1_000)
    reason = Text(max_length=2_000)


class ListOutput(serializers.ModelSerializer[ValueList]):
    """A named list; rules read it under `path`."""

    unit = serializers.CharField(source="unit.code")
    path = serializers.CharField()
    items = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ValueList
        fields = ["name", "path", "title", "unit", "edition", "items"]
