"""The programs' door to the ledger: what happened after a position, for agents and people by the same rule."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from observability.consumers import missed
from observability.serializers import EventsOutput, EventsQuery


class EventsView(APIView):
    """What happened."""

    scope = "read"

    @extend_schema(parameters=[EventsQuery], responses=EventsOutput, summary="Read events after a position")
    def get(self, request: Request) -> Response:
        query = EventsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        events, position = missed(request.user, query.validated_data["after"])
        shown = events[: query.validated_data["limit"]]
        if len(shown) < len(events):
            position = shown[-1]["position"]
        return Response({"events": shown, "position": position})
