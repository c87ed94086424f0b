"""Shapes of the control state and of drills."""

from typing import Any, ClassVar

from rest_framework import serializers

from governance.models import (
    ControlDrill,
    ControlState,
)
from governance.operations import result_of
from observability.serializers import StrictSerializer, Text


class ControlPreviewQuery(StrictSerializer):
    """Which scope: its kind and the code of the thing, and the state that is thought of."""

    kind = serializers.ChoiceField(ControlState.Kind.choices, default=ControlState.Kind.EVERYTHING)
    id = Text(max_length=80, default="", help_text="The code of the thing; nothing for everything.")
    state = serializers.ChoiceField(ControlState.Status.choices, default=ControlState.Status.PAUSED)


class ControlInput(StrictSerializer):
    """Which scope shall be in which state, why, and until when."""

    example: ClassVar[dict[str, Any]] = {
        "kind": "agent", "id": "AP-04", "state": "paused", "why": "A supplier reports forged invoices.",
        "until": "2030-12-31T00:00:00Z",
    }  # fmt: skip

    kind = serializers.ChoiceField(ControlState.Kind.choices)
    id = Text(max_length=80, allow_blank=True, default="")
    state = serializers.ChoiceField(ControlState.Status.choices)
    why = Text(max_length=2000)
    until = serializers.DateTimeField(allow_null=True, default=None)


class ControlOutput(serializers.Serializer[Any]):
    """One scope and its state."""

    scope = serializers.CharField()
    kind = serializers.ChoiceField(ControlState.Kind.choices)
    id = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(ControlState.Status.choices)
    why = serializers.CharField()
    set_by = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)


class WouldStopOutput(serializers.Serializer[Any]):
    """The numbers of a stop: what is held up, what goes back to the queue, what may be reported, what goes on."""

    agents = serializers.IntegerField()
    runs = serializers.IntegerField()
    steps_returned = serializers.IntegerField()
    steps_reported = serializers.IntegerField()
    questions_go_on = serializers.IntegerField()
    actions = serializers.IntegerField()


class ControlPreviewOutput(serializers.Serializer[Any]):
    """The state of a scope now, whether one may set another, and what that would stop (null for who may not)."""

    scope = serializers.CharField()
    state = serializers.ChoiceField(ControlState.Status.choices)
    would_stop = WouldStopOutput(allow_null=True)
    may_stop = serializers.BooleanField()


class DrillInput(StrictSerializer):
    """Which stop is practised, and why."""

    example: ClassVar[dict[str, Any]] = {"kind": "everything", "id": "", "why": "Quarterly."}

    kind = serializers.ChoiceField(ControlState.Kind.choices)
    id = Text(max_length=80, allow_blank=True, default="")
    why = Text(max_length=2000)


class SightingOutput(serializers.Serializer[Any]):
    """A process, and how long after the beginning it saw the drill."""

    process = serializers.CharField()
    milliseconds = serializers.IntegerField()


class DrillOutput(serializers.Serializer[Any]):
    """A drill: who practised what, when and why, what it would have stopped, and which processes saw it how soon."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(ControlState.Kind.choices)
    of = serializers.CharField()
    name = serializers.CharField()
    by = serializers.CharField()
    why = serializers.CharField()
    at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    would_stop = WouldStopOutput()
    processes = serializers.IntegerField()
    slowest_ms = serializers.IntegerField(allow_null=True)
    seen = SightingOutput(many=True)


def stop_of(row: ControlState) -> dict[str, Any]:
    """A scope's state as the API shows it."""
    return {
        "scope": row.scope, "kind": row.kind, "id": row.code, "name": row.name, "state": row.status, "why": row.why,
        "set_by": row.set_by, "since": row.changed_at, "until": row.until,
    }  # fmt: skip


def drill_of(drill: ControlDrill) -> dict[str, Any]:
    """A drill as the API shows it."""
    return {
        "id": drill.uid, "kind": drill.kind, "of": drill.code, "name": drill.name, "by": drill.by_name,
        "why": drill.why, "at": drill.at, "ends_at": drill.ends_at, "ended_at": drill.ended_at, **result_of(drill),
    }  # fmt: skip
