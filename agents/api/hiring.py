"""Agents at the API, as people's programs hire, change and move them; what needs policies or work stands higher up."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents import operations
from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly, PeopleWrite
from agents.api.registry import AgentsView, AgentView
from agents.api.shapes.hiring import AgentChangeInput, AgentInput
from agents.api.shapes.reasons import NothingInput, ReasonInput
from agents.api.versions import IF_MATCH, etag, require_match, tag_over
from agents.models import Agent, Principal, Version
from agents.operations.naming import Naming
from agents.serializers import AgentDetail, VersionOutput
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of


class HiringView(PeopleWrite, AgentsView):
    """The agents that the caller may see; people hire."""

    @extend_schema(request=AgentInput, responses={201: AgentDetail}, parameters=[IDEMPOTENCY], summary="Hire an agent")
    def post(self, request: Request) -> Response:
        given = self.read(AgentInput, request.data)

        def act(key: str) -> tuple[int, Mapping[str, Any]]:
            agent = operations.hire(_job(given, self.principal), by=self.principal, at=database_now())
            return 201, AgentDetail(agent).data

        return self.answer_once(request, act)


def _job(given: Mapping[str, Any], user: Principal) -> operations.Hired:
    named = Naming(given)
    blueprint = named.blueprint()
    if blueprint is not None and not type(blueprint).objects.visible_to(user).filter(pk=blueprint.pk).exists():
        named.wrong["blueprint"] = f"There is no blueprint {given['blueprint']}."
        blueprint = None
    rows = {
        "blueprint": blueprint, "accountable": named.person("accountable"), "stand_in": named.person("stand_in"),
        "starts_on": named.day("starts_on"), "ends_on": named.day("ends_on"),
    }  # fmt: skip
    rows["unit"] = named.unit() if given["unit"] else blueprint and blueprint.unit
    named.require("The agent cannot be hired like this.")
    purpose = given["purpose"] or blueprint.purpose if blueprint else ""
    return operations.Hired(**{**given, **rows, "purpose": purpose})


class AgentDoor(PeopleWrite, AgentView):
    """One agent; people change it."""

    @extend_schema(responses=AgentDetail, summary="Show an agent")
    def get(self, request: Request, code: str) -> Response:
        agent = visible_agent(self.principal, code)
        body = AgentDetail(agent).data
        return self.tagged(body, tag_over(tag_of_agent(agent), body))

    @extend_schema(request=AgentChangeInput, responses=AgentDetail, parameters=[IF_MATCH], summary="Change an agent")
    def patch(self, request: Request, code: str) -> Response:
        agent = visible_agent(self.principal, code)
        given = self.read(AgentChangeInput, request.data)
        why = given.pop("why")
        with transaction.atomic():
            operations.lock_agent(agent)
            require_match(request, tag_of_agent(agent))
            operations.change_agent(agent, given, by=self.principal, at=database_now(), why=why)
        return told(agent)


class MovingDoor(ActingDoor):
    """What the doors share that move an agent along its life: read, lock, compare the entity tag, act, tell."""

    permission_classes = [PeopleOnly]
    loosens = False

    def move(self, request: Request, code: str, act: Callable[[Agent], object]) -> Response:
        """Act once on the agent, if it is still as the caller read it; what lets it do more needs a recent sign-in."""
        if self.loosens:
            self.require_recent()
        agent = visible_agent(self.principal, code)

        def moved(key: str) -> tuple[int, Mapping[str, Any]]:
            operations.lock_agent(agent)
            require_match(request, tag_of_agent(agent))
            act(agent)
            return 200, AgentDetail(agent).data

        answer = self.answer_once(request, moved)
        answer["ETag"] = tag_over(tag_of_agent(agent), answer.data)
        return answer


class SubmitView(MovingDoor):
    """Put a draft before a second person."""

    @extend_schema(
        request=NothingInput, responses=AgentDetail, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Submit an agent for review",
    )  # fmt: skip
    def post(self, request: Request, code: str) -> Response:
        self.read(NothingInput, request.data)
        return self.move(request, code, lambda agent: operations.submit(agent, by=self.principal, at=database_now()))


class SendBackView(MovingDoor):
    """Return an agent from review to draft."""

    @extend_schema(
        request=ReasonInput, responses=AgentDetail, parameters=[IDEMPOTENCY, IF_MATCH], summary="Send an agent back"
    )
    def post(self, request: Request, code: str) -> Response:
        why, by, at = self.read(ReasonInput, request.data)["why"], self.principal, database_now()
        return self.move(request, code, lambda agent: operations.send_back(agent, by=by, at=at, why=why))


class PauseView(MovingDoor):
    """Stop an agent."""

    @extend_schema(
        request=ReasonInput, responses=AgentDetail, parameters=[IDEMPOTENCY, IF_MATCH], summary="Pause an agent"
    )
    def post(self, request: Request, code: str) -> Response:
        why, by, at = self.read(ReasonInput, request.data)["why"], self.principal, database_now()
        return self.move(request, code, lambda agent: operations.pause(agent, by=by, at=at, why=why))


class VersionsView(Door):
    """How an agent stood after each change."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(VersionOutput), summary="List the versions of an agent, newest first"
    )
    def get(self, request: Request, code: str) -> Response:
        versions = Version.objects.of(visible_agent(self.principal, code)).select_related("author")
        return self.page(versions, VersionOutput, by="-number")


def visible_agent(user: Principal, code: str) -> Agent:
    """The agent, if the caller may see it; not found otherwise."""
    found: Agent | None = Agent.objects.visible_to(user).with_people().filter(code=code).first()
    if found is None:
        raise ledger.NotFound
    return found


def tag_of_agent(agent: Agent) -> str:
    """The entity tag of what people decide about the agent, which a change has to have read: not when it was seen."""
    return etag("agent", agent.code, agent.status, agent.risk_class, *agent.as_document().items())


def told(agent: Agent) -> Response:
    """The agent as the API shows it, with its entity tag."""
    body = AgentDetail(agent).data
    return Response(body, headers={"ETag": tag_over(tag_of_agent(agent), body)})
