"""The card of an agent (A2A 1.0), for programs: signed, and with as many skills as the caller may know of.

It stands in this app because the skills follow from the policies in force."""

from typing import Any

from django.conf import settings
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents import operations
from agents.api.authentication import server_of, version_of
from agents.api.permissions import Anybody
from agents.api.versions import etag
from agents.models import Agent, Principal
from agents.rules import SCOPES
from agents.rules.cards import Published, Skill, agent_card, signed_part
from governance.operations import access_of
from governance.operations.access import DENY
from observability import ledger
from observability.ledger import database_now

FRESH_SECONDS = 300


class AgentCard(APIView):
    """Who an agent is and what it can be asked for. Everybody gets the card of a published agent with its role; whoever
    may see the agent gets it with each action that the policies let it do or ask for."""

    permission_classes = [Anybody]
    scope = "read"

    @extend_schema(exclude=True)
    def get(self, request: Request, code: str) -> Response:
        user = request.user if isinstance(request.user, Principal) else None
        agent, inside = _agent(code, user)
        server = server_of(request).issuer
        card = _card(agent, user if inside else None, server)
        tag = f"W/{etag(signed_part(card), operations.SIGNS_WITH)}"  # weak: each signature is another one
        known = parse_etags(request.headers.get("If-None-Match", ""))
        if tag in known or "*" in known:
            return _cached(Response(status=304), tag, user)
        return _cached(Response(operations.signed_card(card, keys_at=f"{server}/oauth/jwks")), tag, user)


def _agent(code: str, user: Principal | None) -> tuple[Agent, bool]:
    active = Agent.objects.at_work().with_people().select_related("principal").filter(code=code)
    agent = active.visible_to(user).first() if user else None
    if agent is not None:
        return agent, True
    agent = active.filter(card_published=True).first()
    if agent is None:
        raise ledger.NotFound
    return agent, False


def _card(agent: Agent, user: Principal | None, server: str) -> dict[str, Any]:
    role = Skill(agent.role.code, agent.role.name, agent.role.purpose, ("role",))
    told = Published(
        name=str(agent), description=agent.purpose, version=version_of(agent),
        organisation=settings.ORGANISATION, server=server, scopes=SCOPES,
        skills=[role, *(_actions(agent, user) if user else [])],
    )  # fmt: skip
    return agent_card(told)


def _actions(agent: Agent, user: Principal) -> list[Skill]:
    access = access_of(agent, user, at=database_now())
    effects = {
        (system.pk, action["name"]): str(action.get("effect", ""))
        for system in access.systems
        for action in system.actions
    }
    return [
        Skill(each.name, each.label, effects[each.system.pk, each.name], ("action", each.system.code, str(each.effect)))
        for each in access.actions
        if each.effect != DENY
    ]


def _cached(answer: Response, tag: str, user: Principal | None) -> Response:
    answer["ETag"] = tag
    answer["Cache-Control"] = f"{'private' if user else 'public'}, max-age={FRESH_SECONDS}"
    patch_vary_headers(answer, ("Authorization", "Cookie"))
    return answer
