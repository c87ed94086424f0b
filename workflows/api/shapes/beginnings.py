"""Shapes of messages, signals, and of what begins runs: schedules, hooks, ends of other runs."""

from typing import Any, ClassVar

from rest_framework import serializers

from observability.serializers import PageQuery, StrictSerializer, Text
from workflows.models import Follow, Hook, Message, Run, Schedule


class MessageInput(StrictSerializer):
    """A message to the run that waits for it. `id` is the sender's own number: the same one again is the same message.
    With `workflow` only runs of that one get it."""

    example: ClassVar[dict[str, Any]] = {
        "name": "Goods received", "key": "PO-2026-3007", "payload": {"pallets": 3}, "id": "wms-88123",
    }  # fmt: skip

    name = Text(max_length=200)
    key = Text(max_length=200, allow_blank=True, default="")
    payload = serializers.DictField(default=dict)
    workflow = Text(max_length=80, allow_blank=True, default="")
    id = Text(max_length=120, allow_blank=True, default="")


class SignalInput(StrictSerializer):
    """A signal to all runs that wait for it now."""

    example: ClassVar[dict[str, Any]] = {"name": "Year closed", "payload": {"year": 2026}}

    name = Text(max_length=200)
    payload = serializers.DictField(default=dict)
    workflow = Text(max_length=80, allow_blank=True, default="")
    id = Text(max_length=120, allow_blank=True, default="")


class MessageOutput(serializers.ModelSerializer[Message]):
    """A message and what became of it: the run that took it, none while it is on its way."""

    id = serializers.UUIDField(source="uid")
    run = serializers.UUIDField(source="receiver.uid", allow_null=True, default=None)
    payload = serializers.DictField()

    class Meta:
        model = Message
        fields = ["id", "kind", "name", "key", "payload", "status", "run", "sent_at", "settled_at", "trouble"]


class MessagesQuery(PageQuery):
    """Which messages."""

    status = serializers.ChoiceField(Message.Status.choices, default="", help_text="Only messages in this status.")


class BeginningsQuery(PageQuery):
    """Of which workflow."""

    workflow = Text(max_length=80, default="", help_text="Only those of the workflow with this code.")


class ScheduleInput(StrictSerializer):
    """When runs begin: a cron line of five fields or an ISO 8601 cycle, in a time zone, on request only within the
    working time of a business calendar; and what is done about moments that were missed."""

    example: ClassVar[dict[str, Any]] = {
        "workflow": "invoice-to-payment", "name": "Every morning", "rule": "0 7 * * mon-fri", "zone": "Europe/Berlin",
        "missed": "once", "input": {"document": "inbox.xml"},
    }  # fmt: skip

    workflow = Text(max_length=80)
    name = Text(max_length=120)
    rule = Text(max_length=200)
    zone = Text(max_length=60, default="UTC")
    calendar = Text(max_length=60, allow_blank=True, default="")
    missed = serializers.ChoiceField(Schedule.Missed.choices, default=Schedule.Missed.ONCE)
    input = serializers.DictField(default=dict)


class ScheduleOutput(serializers.ModelSerializer[Schedule]):
    """A schedule, and when it begins the next run."""

    id = serializers.UUIDField(source="uid")
    workflow = serializers.CharField(source="workflow.code")
    calendar = serializers.CharField(source="calendar.key", allow_null=True, default=None)
    input = serializers.DictField(source="variables")

    class Meta:
        model = Schedule
        fields = [
            "id", "workflow", "name", "rule", "zone", "calendar", "missed", "input", "status", "why", "next_at",
            "last_at",
        ]  # fmt: skip


class HookInput(StrictSerializer):
    """An address for another system. Each call begins a run, or with `message` becomes that message; `key_path` says
    where in the body the business key stands."""

    example: ClassVar[dict[str, Any]] = {
        "workflow": "invoice-to-payment", "name": "Mail room", "message": "", "key_path": "invoice.number",
    }  # fmt: skip

    workflow = Text(max_length=80)
    name = Text(max_length=120)
    message = Text(max_length=200, allow_blank=True, default="")
    key_path = Text(max_length=200, allow_blank=True, default="")


class HookOutput(serializers.ModelSerializer[Hook]):
    """An address for another system."""

    id = serializers.UUIDField(source="uid")
    workflow = serializers.CharField(source="workflow.code")

    class Meta:
        model = Hook
        fields = ["id", "workflow", "name", "message", "key_path", "status", "created_at", "called_at"]


class NewHookOutput(HookOutput):
    """The same with its path below the server's address and its secret, which is shown only now."""

    path = serializers.CharField()
    secret = serializers.CharField(allow_null=True)

    class Meta(HookOutput.Meta):
        fields = [*HookOutput.Meta.fields, "path", "secret"]


class FollowInput(StrictSerializer):
    """Begin a run of `workflow` when one of `after` ends in this status, with any outcome or with this one."""

    example: ClassVar[dict[str, Any]] = {
        "workflow": "invoice-to-payment", "after": "vendor-onboarding", "status": "done", "outcome": "Approved",
    }  # fmt: skip

    workflow = Text(max_length=80)
    after = Text(max_length=80)
    status = serializers.ChoiceField([(end.value, end.label) for end in Run.ENDS], default=Run.Status.DONE)
    outcome = Text(max_length=200, allow_blank=True, default="")


class FollowOutput(serializers.ModelSerializer[Follow]):
    """A workflow that begins a run after one of another."""

    id = serializers.UUIDField(source="uid")
    workflow = serializers.CharField(source="workflow.code")
    after = serializers.CharField(source="after.code")

    class Meta:
        model = Follow
        fields = ["id", "workflow", "after", "status", "outcome"]


class BeginningWhyInput(StrictSerializer):
    """A reason."""

    example: ClassVar[dict[str, Any]] = {"why": "The supplier moved to another system."}

    why = Text(max_length=2000)
