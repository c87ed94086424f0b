"""Shapes of many runs that are started in one request."""

from typing import Any, ClassVar

from rest_framework import serializers

from observability.serializers import StrictSerializer, Text, Whole, YesNo
from workflows.api.shapes.work import ITEMS_AT_MOST, RefusalOutput, refusal_of
from workflows.operations import Begun, Wanted


class RunItem(StrictSerializer):
    """One run of many; the same business key gets the same run."""

    key = Text(max_length=200)
    input = serializers.DictField(default=dict)
    priority = Whole(min_value=-100, max_value=100, default=0)


class RunsBatchInput(StrictSerializer):
    """Start runs of a workflow, at most 50."""

    example: ClassVar[dict[str, Any]] = {
        "workflow": "invoice-to-payment",
        "runs": [
            {"key": "2026-1187", "input": {"document": "1187.xml"}},
            {"key": "2026-1188", "input": {"document": "1188.xml"}, "priority": 5},
        ],
    }

    workflow = Text(max_length=80)
    runs = RunItem(many=True, allow_empty=False, max_length=ITEMS_AT_MOST)  # type: ignore[call-arg]
    anew = YesNo(default=False, help_text="Take nothing from shared memory: find everything out again.")


class RunBegunOutput(serializers.Serializer[Any]):
    """What became of one: the run of its key, and whether it is new; or the problem, and no run."""

    key = serializers.CharField()
    run = serializers.UUIDField(allow_null=True)
    is_new = serializers.BooleanField()
    problem = RefusalOutput(allow_null=True)


class RunsBatchOutput(serializers.Serializer[Any]):
    """The answers in the order of the runs."""

    results = RunBegunOutput(many=True)


def told_of(wanted: Wanted, begun: Begun) -> dict[str, Any]:
    """One answer."""
    return {
        "key": wanted.key,
        "run": begun.run and begun.run.uid,
        "is_new": begun.is_new,
        "problem": begun.refused and refusal_of(begun.refused),
    }
