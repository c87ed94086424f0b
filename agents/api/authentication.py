"""Who calls the API: an agent by its key, or a signed-in person; never one as the other."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from agents import operations
from agents.models import Agent, Principal
from agents.operations import SecondFactorNeeded, lacks_second_factor
from observability.ledger import database_now


class KeyAuthentication(BaseAuthentication):
    """An agent's key in the Authorization header; request.auth is then the Agent."""

    def authenticate(self, request: Request) -> tuple[Principal, Agent] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        agent = operations.sign_in_with_key(text.strip(), at=database_now())
        return agent.principal, agent

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="autonomy-os"'


class PersonAuthentication(SessionAuthentication):
    """A signed-in person's session, with CSRF protection; an agent's account never passes, nor does a session that
    waits for its second factor."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        if found is None or not found[0].is_person:
            return None
        if lacks_second_factor(request._request.session, found[0]):
            raise SecondFactorNeeded
        return found

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="autonomy-os"'


class KeyScheme(OpenApiAuthenticationExtension):
    """How the API description names an agent's key."""

    target_class = "agents.api.authentication.KeyAuthentication"
    name = "agentKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An agent's key, aos_live_…"}


class PersonScheme(OpenApiAuthenticationExtension):
    """How the API description names a person's session."""

    target_class = "agents.api.authentication.PersonAuthentication"
    name = "personSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
