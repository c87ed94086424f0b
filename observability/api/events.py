"""The programs' door to the ledger: what happened after a position, for agents and people by the same rule."""

from typing import cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from observability import ledger
from observability.api.doors import ReadingDoor, linked
from observability.consumers import missed
from observability.ledger import last_position
from observability.models import Event, Reader
from observability.serializers import EntryOutput, EventsOutput, EventsQuery
from observability.views.audit import reads_all

CAN_BE_UNDONE = "escalation.answered"  # what it was is no agent's business before it takes effect


class EventsView(ReadingDoor):
    """What happened."""

    scope = "read"
    query = EventsQuery

    @extend_schema(parameters=[EventsQuery], responses=EventsOutput, summary="Read events after a position")
    def get(self, request: Request) -> Response:
        listing, last = self.listing, last_position()
        events, position = missed(request.user, listing.start[0] if listing.start else self.asked["after"], last)
        shown = events[: listing.limit]
        if len(shown) < len(events):
            position = shown[-1]["position"]
        following = listing.address([position]) if position < last else None
        return linked({"results": shown, "next": following, "position": position})


class EventView(ReadingDoor):
    """One entry of the audit trail."""

    scope = "read"
    shows_one = True

    @extend_schema(responses=EntryOutput, summary="Show an event in full")
    def get(self, request: Request, uid: UUID) -> Response:
        reader = cast(Reader, request.user)
        visible = Event.objects.visible_to(reader).filter(uid=uid)
        if not reader.is_person:
            visible = visible.exclude(verb=CAN_BE_UNDONE)
        event = visible.first()
        if event is None:
            raise ledger.NotFound
        return self.tagged(EntryOutput(event, context={"reads_all": reads_all(request.user)}).data)
