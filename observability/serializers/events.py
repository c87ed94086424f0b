"""Shapes of the API about events."""

from typing import Any

from rest_framework import serializers

from observability.models import Event
from observability.serializers.strict import Digits, PageQuery

POSITION_AT_MOST = 2**63 - 1


class EventsQuery(PageQuery):
    """From which position on, and how many."""

    after = Digits(
        min_value=0, max_value=POSITION_AT_MOST, default=0,
        help_text="Only events with a position above this one: where an earlier reading stopped.",
    )  # fmt: skip


class EventOutput(serializers.Serializer[Any]):
    """One event: names, ids and its position."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    verb = serializers.CharField()
    position = serializers.IntegerField()
    actor_kind = serializers.CharField()
    actor_id = serializers.CharField()
    actor_name = serializers.CharField()
    subject_kind = serializers.CharField()
    subject_id = serializers.CharField()
    subject_name = serializers.CharField()
    after = serializers.CharField()
    run = serializers.CharField()
    workflow = serializers.CharField()
    unit = serializers.CharField()


class EventsOutput(serializers.Serializer[Any]):
    """Events in the order of their positions. `position` is how far they reach: what to come back with as `after`."""

    results = EventOutput(many=True)
    next = serializers.URLField(allow_null=True, help_text="The address of the next page, null at the end for now.")
    position = serializers.IntegerField()


class BehalfOutput(serializers.Serializer[Any]):
    """Somebody for whom an actor acted."""

    kind = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()


class EntryOutput(EventOutput):
    """One event in full: what was recorded with it, and how its actor came in. `address` is null for a reader who may
    not read the whole audit trail."""

    id = serializers.UUIDField(source="uid")
    position = serializers.IntegerField(allow_null=True)
    before = serializers.CharField()
    why = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]
    cost = serializers.DecimalField(max_digits=18, decimal_places=6, allow_null=True)
    seconds = serializers.DecimalField(max_digits=18, decimal_places=3, allow_null=True)
    credential = serializers.CharField()
    on_behalf_of = BehalfOutput(many=True)
    actor_version = serializers.CharField()
    trace = serializers.CharField()
    address = serializers.SerializerMethodField(allow_null=True)

    def get_address(self, event: Event) -> str | None:
        """Where the actor came from."""
        return event.address if self.context["reads_all"] else None
