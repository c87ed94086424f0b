"""The credentials with which an agent comes in, as the tab of its page shows them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.models import Agent, ClientKey, Key, Principal
from agents.rules import SCOPES
from workflows.models import Endpoint

PUSHES_SHOWN = 20


@dataclass(frozen=True)
class Credential:
    """One key of the agent with its state in the words of the page; `can_be_replaced` while nothing replaced it."""

    key: Key | ClientKey
    state: str
    can_be_replaced: bool = False

    @property
    def opens(self) -> str:
        """The scopes, as people read them."""
        return "everything" if len(self.key.scopes) == len(SCOPES) else ", ".join(self.key.scopes)


def credentials_of(agent: Agent, user: Principal, *, at: datetime) -> dict[str, Any]:
    """What the tab of credentials shows: keys, public keys, the scopes that there are, where work is
    announced, and the card."""
    keys = list(agent.keys.select_related("created_by", "replaces").order_by("-pk"))
    replaced = {key.replaces_id for key in keys if key.opens(at) and key.last_used_at is not None}
    endpoint = Endpoint.objects.select_related("set_by").filter(agent=agent).first()
    client_keys = agent.client_keys.select_related("created_by").order_by("-pk")
    return {
        "keys": [Credential(key, _state(key, at), _can_be_replaced(key, replaced, at)) for key in keys],
        "client_keys": [Credential(key, _state(key, at)) for key in client_keys],
        "endpoint": endpoint, "pushes": endpoint.pushes.all()[:PUSHES_SHOWN] if endpoint else (),
        "scopes": SCOPES.items(), "may_publish": user.may("agents.change_agent", agent),
    }  # fmt: skip


def _state(key: Key | ClientKey, at: datetime) -> str:
    return "expired" if key.status == "active" and not key.opens(at) else key.status


def _can_be_replaced(key: Key, replaced: set[int | None], at: datetime) -> bool:
    overlaps = key.replaces is not None and key.replaces.opens(at)
    return key.opens(at) and key.pk not in replaced and not overlaps
