"""Shapes of the API about events."""

from typing import Any

from rest_framework import serializers

EVENTS_AT_MOST = 200


class EventsQuery(serializers.Serializer[Any]):
    """From where, and how many."""

    after = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=EVENTS_AT_MOST, default=EVENTS_AT_MOST)


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
    """Events in the order of their positions; ask again with `after` = `position`."""

    events = EventOutput(many=True)
    position = serializers.IntegerField()
