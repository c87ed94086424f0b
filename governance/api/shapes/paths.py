"""Shapes of escalation paths, business calendars and trainings."""

from typing import Any, ClassVar

from rest_framework import serializers

from governance.models import BARRED, BusinessCalendar, EscalationPath, Training
from observability.serializers import StrictSerializer, Text, Whole, YesNo

LEVEL: dict[str, Any] = {
    "people": ["priya", "maria"], "role": "", "seconds": 14_400, "quorum": 2, "remind_seconds": 1_800,
}  # fmt: skip


class LevelInput(StrictSerializer):
    """One level: user names, the name of a role or both, their time, how many of them approve, and how long before the
    end they are reminded (0: not at all)."""

    people = serializers.ListField(child=Text(max_length=80), default=list, max_length=50)
    role = Text(max_length=150, allow_blank=True, default="")
    seconds = Whole(min_value=60)
    quorum = Whole(min_value=1, max_value=20, default=1)
    remind_seconds = Whole(min_value=0, default=0)


class PathChangeInput(StrictSerializer):
    """A path as it shall be: its levels in their order, and the terms on which it asks."""

    example: ClassVar[dict[str, Any]] = {
        "name": "Large payments", "mode": "in_order", "levels": [LEVEL], "calendar": "head-office",
        "not_by": ["accountable", "previous_approver"], "training": "payments-basics", "reason": "Two of three.",
    }  # fmt: skip

    name = Text(max_length=200)
    mode = serializers.ChoiceField(EscalationPath.Mode.choices, default=EscalationPath.Mode.PASS_ON)
    levels = LevelInput(many=True)
    calendar = Text(max_length=60, allow_blank=True, default="", help_text="Count working time only, by this calendar.")
    not_by = serializers.ListField(child=serializers.ChoiceField(BARRED), default=list, max_length=4)
    training = Text(max_length=60, allow_blank=True, default="")
    approves_unanswered = YesNo(default=False)
    asking_pauses = YesNo(default=False)
    pauses_at_most = Whole(min_value=1, max_value=10, default=2)
    pause_hours_at_most = Whole(min_value=1, max_value=168, default=8)
    reason = Text(max_length=2_000)


class PathInput(PathChangeInput):
    """A new path; `unit` is the code of the unit it belongs to, by default one's own."""

    example: ClassVar[dict[str, Any]] = {"key": "large-payments", "unit": "finance", **PathChangeInput.example}

    key = Text(max_length=60)
    unit = Text(max_length=60, allow_blank=True, default="")


class LevelOutput(serializers.Serializer[Any]):
    """One level of a path."""

    level = serializers.IntegerField()
    people = serializers.SerializerMethodField()
    role = serializers.CharField(source="group.name", allow_null=True, default=None)
    seconds = serializers.IntegerField()
    quorum = serializers.IntegerField()
    remind_seconds = serializers.IntegerField()

    def get_people(self, step: Any) -> list[str]:
        """The user names, in their order."""
        return sorted(person.username for person in step.people.all())


class PathOutput(serializers.ModelSerializer[EscalationPath]):
    """An escalation path; the requester never decides, whatever `not_by` says beside."""

    unit = serializers.CharField(source="unit.code")
    calendar = serializers.CharField(source="calendar.key", allow_null=True, default=None)
    not_by = serializers.ListField(child=serializers.CharField())
    levels = serializers.SerializerMethodField()

    class Meta:
        model = EscalationPath
        fields = [
            "key", "name", "unit", "mode", "levels", "calendar", "not_by", "training", "approves_unanswered",
            "asking_pauses", "pauses_at_most", "pause_hours_at_most", "edition",
        ]  # fmt: skip

    def get_levels(self, path: EscalationPath) -> list[dict[str, Any]]:
        """The levels in their order."""
        steps = sorted(path.steps.all(), key=lambda step: step.level)
        return [dict(LevelOutput(step).data) for step in steps]


class CalendarChangeInput(StrictSerializer):
    """When people work: weekdays, hours, a time zone and the days off."""

    example: ClassVar[dict[str, Any]] = {
        "name": "Head office", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00",
        "zone": "Europe/Berlin", "holidays": ["2026-12-25"],
    }  # fmt: skip

    name = Text(max_length=200)
    days = serializers.ListField(child=Text(max_length=3), max_length=7)
    to = Text(max_length=5)
    zone = Text(max_length=60)
    holidays = serializers.ListField(child=Text(max_length=10), default=list, max_length=400)

    def get_fields(self) -> dict[str, Any]:
        """The fields with `from`, which is no name in Python."""
        return {**super().get_fields(), "from": Text(max_length=5)}


class CalendarInput(CalendarChangeInput):
    """A new calendar; `unit` is the code of the unit it belongs to, by default one's own."""

    example: ClassVar[dict[str, Any]] = {"key": "head-office", "unit": "finance", **CalendarChangeInput.example}

    key = Text(max_length=60)
    unit = Text(max_length=60, allow_blank=True, default="")


class CalendarOutput(serializers.ModelSerializer[BusinessCalendar]):
    """A business calendar."""

    unit = serializers.CharField(source="unit.code")

    class Meta:
        model = BusinessCalendar
        fields = ["key", "name", "unit", "document", "edition"]


class TrainingInput(StrictSerializer):
    """Until when a training of a person counts."""

    example: ClassVar[dict[str, Any]] = {
        "person": "priya", "name": "payments-basics", "valid_until": "2030-12-31T00:00:00Z",
    }  # fmt: skip

    person = Text(max_length=80)
    name = Text(max_length=60)
    valid_until = serializers.DateTimeField()


class TrainingOutput(serializers.ModelSerializer[Training]):
    """What a person was trained for, and until when it counts."""

    person = serializers.CharField(source="person.username")

    class Meta:
        model = Training
        fields = ["person", "name", "valid_until"]
