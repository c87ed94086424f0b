"""Who calls the API: an agent by its key, or a signed-in person; never one as the other."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from agents import operations
from agents.models import Agent, Principal
from observability import ledger
from observability.ledger import database_now


class CsrfFailed(ledger.NotAllowed):
    """The request has a person's cookie but not the token of a page of ours. Load the page again, then send it."""

    code = "csrf_failed"


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
    """A signed-in person's session, with CSRF protection; an agent's account never passes."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        return found if found and found[0].is_person else None

    def enforce_csrf(self, request: Request) -> None:
        """Refuse what comes with a cookie and without its token. Raises CsrfFailed."""
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as refused:
            raise CsrfFailed from refused

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
