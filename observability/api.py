"""The programs' door to the ledger: what happened after a position, for agents and people by the same rule."""

from typing import cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from observability import ledger
from observability.consumers import missed
from observability.models import Event, Reader
from observability.serializers import EntryOutput, EventsOutput, EventsQuery
from observability.views.audit import reads_all


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


class EventView(APIView):
    """One entry of the audit trail."""

    scope = "read"

    @extend_schema(operation_id="api_v1_event_retrieve", responses=EntryOutput, summary="Show an event in full")
    def get(self, request: Request, uid: UUID) -> Response:
        event = Event.objects.visible_to(cast(Reader, request.user)).filter(uid=uid).first()
        if event is None:
            raise ledger.NotFound
        return Response(EntryOutput(event, context={"reads_all": reads_all(request.user)}).data)
