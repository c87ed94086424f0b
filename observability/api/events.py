"""The programs' door to the ledger: what happened after a position, for agents and people by the same rule."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from observability.api.doors import ReadingDoor, linked
from observability.consumers import missed
from observability.ledger import last_position
from observability.serializers import EventsOutput, EventsQuery


class EventsView(ReadingDoor):
    """What happened."""

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
