"""The programs' door to the address at which an agent is told that work is ready."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.credentials import CredentialDoor
from agents.api.doors import IDEMPOTENCY
from agents.api.shapes.reasons import WhyInput
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of
from workflows.api.shapes.work import EndpointInput, EndpointOutput, PushOutput
from workflows.models import Endpoint
from workflows.operations import pushing

Answer = tuple[int, Mapping[str, Any]]


class EndpointDoor(CredentialDoor):
    """What the doors to an agent's endpoint share."""

    def endpoint_of(self, code: str) -> Endpoint:
        """The endpoint of an agent to which this person may give credentials, or not found."""
        agent = self.of_agent(code)
        endpoint = Endpoint.objects.select_related("agent__unit", "set_by").filter(agent=agent).first()
        if endpoint is None:
            raise ledger.NotFound("No address is set for this agent.")
        return endpoint


class EndpointView(EndpointDoor):
    """Where an agent is told that work is ready."""

    shows_one = True

    @extend_schema(responses=EndpointOutput, summary="Show where an agent is told of work")
    def get(self, request: Request, code: str) -> Response:
        return self.tagged(EndpointOutput(self.endpoint_of(code)).data)

    @extend_schema(
        request=EndpointInput, responses={201: EndpointOutput}, parameters=[IDEMPOTENCY],
        summary="Set where an agent is told of work",
    )  # fmt: skip
    def post(self, request: Request, code: str) -> Response:
        given = self.read(EndpointInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            agent = self.of_agent(code)
            endpoint, secret = pushing.set_endpoint(agent, given["url"], by=self.principal, at=database_now())
            return 201, {**EndpointOutput(endpoint).data, "secret": secret}

        return self.answer_once(request, act, secret="secret")


class DisableView(EndpointDoor):
    """Send nothing there any more."""

    @extend_schema(
        request=WhyInput, responses=EndpointOutput, parameters=[IDEMPOTENCY], summary="Stop telling an agent of work"
    )
    def post(self, request: Request, code: str) -> Response:
        given = self.read(WhyInput, request.data)

        def act(key: str) -> Answer:
            endpoint = self.endpoint_of(code)
            pushing.disable_endpoint(endpoint, by=self.principal, at=database_now(), why=given["why"])
            return 200, EndpointOutput(endpoint).data

        return self.answer_once(request, act)


class PushesView(EndpointDoor):
    """What was sent to an endpoint."""

    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(PushOutput), summary="List messages to an agent, newest first"
    )
    def get(self, request: Request, code: str) -> Response:
        return self.page(self.endpoint_of(code).pushes.all(), PushOutput, by="-pk")
