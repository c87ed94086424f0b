"""Who calls the API: an agent by its key or token, or a signed-in person; never one as the other. And how: the ledger
hears with which credential, from where, for whom."""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from agents import operations
from agents.models import Agent, Principal
from agents.operations import SecondFactorNeeded, lacks_second_factor
from agents.rules import KEY_START, SCOPES, client_address
from observability import ledger
from observability.ledger import NO_DOOR, Caller, database_now


class CsrfFailed(ledger.NotAllowed):
    """The request has a person's cookie but not the token of a page of ours. Load the page again, then send it."""

    code = "csrf_failed"


def server_of(request: HttpRequest | Request) -> operations.Server:
    """By which names tokens know this server: PUBLIC_URL, or the host that was asked for, which ALLOWED_HOSTS names."""
    issuer = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    return operations.Server(issuer, f"{issuer}/oauth/token")


def caller_of(request: HttpRequest | Request, known: Caller = NO_DOOR) -> Caller:
    """How a request came in: what is known of its credential, with the address it came from and its trace."""
    address = client_address(
        request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""), settings.TRUSTED_PROXIES
    )
    return replace(known, address=address, trace=str(getattr(request, "trace_id", ""))[:32])


def caller_of_person(request: HttpRequest) -> Caller:
    """How a person's request came in; the session is told by a digest, since its key is as good as a password."""
    session = hashlib.sha256((request.session.session_key or "").encode()).hexdigest()
    return caller_of(request, Caller(credential=f"session:{session[:16]}"))


def challenge(request: HttpRequest | Request, **more: str) -> str:
    """What a 401 says about how to sign in (RFC 6750, RFC 9728)."""
    parts = {"resource_metadata": f"{server_of(request).issuer}/.well-known/oauth-protected-resource", **more}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items())


class _AgentAuthentication(BaseAuthentication):
    """What keys and tokens share: the header, and how the agent came in; request.auth is then the Agent."""

    def bearer(self, request: Request) -> str | None:
        """What stands in the Authorization header after Bearer, None without it."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        return text.strip() if scheme.lower() == "bearer" else None

    def admitted(self, request: Request, agent: Agent, at: datetime) -> tuple[Principal, Agent]:
        """The agent's account and the agent, both with the caller that the ledger is told of."""
        agent.came_at = at
        known = replace(agent.caller or NO_DOOR, version=version_of(agent))
        agent.caller = agent.principal.caller = caller_of(request, known)
        return agent.principal, agent

    def authenticate_header(self, request: Request) -> str:
        return challenge(request)


class KeyAuthentication(_AgentAuthentication):
    """An agent's key in the Authorization header."""

    def authenticate(self, request: Request) -> tuple[Principal, Agent] | None:
        text = self.bearer(request)
        if text is None or not text.startswith(KEY_START):
            return None
        at = database_now()
        return self.admitted(request, operations.sign_in_with_key(text, at=at), at)


class TokenAuthentication(_AgentAuthentication):
    """An access token in the Authorization header: whatever stands there and is no key."""

    def authenticate(self, request: Request) -> tuple[Principal, Agent] | None:
        text = self.bearer(request)
        if text is None:
            return None
        server, at = server_of(request), database_now()
        return self.admitted(request, operations.sign_in_with_token(text, server=server, at=at), at)


def version_of(agent: Agent) -> str:
    """The version of the agent's description that is in force, as the ledger keeps it."""
    return str(agent.version)


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

    def enforce_csrf(self, request: Request) -> None:
        """Refuse what comes with a cookie and without its token. Raises CsrfFailed."""
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as refused:
            raise CsrfFailed from refused

    def authenticate_header(self, request: Request) -> str:
        return challenge(request)


class KeyScheme(OpenApiAuthenticationExtension):
    """How the API description names an agent's key."""

    target_class = "agents.api.authentication.KeyAuthentication"
    name = "agentKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An agent's key, aos_live_…"}


class TokenScheme(OpenApiAuthenticationExtension):
    """How the API description names an agent's access token."""

    target_class = "agents.api.authentication.TokenAuthentication"
    name = "agentToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        flow = {"tokenUrl": "/oauth/token", "scopes": dict(SCOPES)}
        return {"type": "oauth2", "flows": {"clientCredentials": flow}}


class PersonScheme(OpenApiAuthenticationExtension):
    """How the API description names a person's session."""

    target_class = "agents.api.authentication.PersonAuthentication"
    name = "personSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
