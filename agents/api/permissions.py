"""Which kind of caller a door is for, and which scope of an agent's credential opens it.

Beside the doors, because the framework loads these while it loads the views that doors are built on."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from agents.models import Agent, Principal
from agents.rules import ANY
from observability import ledger


class InsufficientScope(ledger.Refused):
    """The credential does not have the scope that this needs."""

    status = 403
    code = "insufficient_scope"

    def __init__(self, scope: str, agent: Agent) -> None:
        super().__init__(
            f"This needs the scope {scope}, which the credential of {agent.code} does not have.", about=agent
        )
        self.scope = scope


class SignedIn(BasePermission):
    """Somebody who signed in; an agent only where the door names the scope that opens it."""

    def has_permission(self, request: Request, view: Any) -> bool:
        agent = request.auth
        if not isinstance(agent, Agent):
            return bool(request.user and request.user.is_authenticated)
        scope = scope_of(view, str(request.method))
        if scope is None:
            return False
        if scope != ANY and scope not in agent.scopes:
            raise InsufficientScope(scope, agent)
        return True


def scope_of(view: Any, method: str) -> str | None:
    """The scope that a view names for a method: `scope = "read"`, or one for each method; None opens it to no agent."""
    scope = getattr(view, "scope", None)
    # What is asked about a door (HEAD, OPTIONS), and a method that it does not have, needs what its reading needs.
    return scope if scope is None or isinstance(scope, str) else scope.get(method.lower(), next(iter(scope.values())))


class Anybody(SignedIn):
    """Everybody; but an agent that signed in needs the scope all the same."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.auth is None or super().has_permission(request, view)


class AgentsOnly(SignedIn):
    """Only an agent with its key or token."""

    message = "This is for agents; sign in with an agent's key."

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, Agent) and super().has_permission(request, view)


class PeopleOnly(SignedIn):
    """Only a signed-in person."""

    message = "This is for people; sign in as a person."

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, Principal) and request.user.is_person
