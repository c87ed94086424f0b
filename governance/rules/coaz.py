"""Rules of governance, COAZ: the default mapping of MCP calls to questions of AuthZEN (draft), as one table."""

from collections.abc import Mapping
from typing import Any

SERVER = "mcp_server"
_NAMED: Mapping[str, tuple[str, str]] = {
    "tools/call": ("tool", "name"),
    "prompts/get": ("prompt", "name"),
    "resources/read": ("resource", "uri"),
    "resources/subscribe": ("resource", "uri"),
    "resources/unsubscribe": ("resource", "uri"),
    "tasks/get": ("task", "taskId"),
    "tasks/update": ("task", "taskId"),
    "tasks/cancel": ("task", "taskId"),
}
"""Methods that name a thing: what kind of thing it is, and the parameter that names it."""
OF_THE_SERVER = (
    "server/discover", "initialize", "ping", "tools/list", "prompts/list", "resources/list",
    "resources/templates/list", "completion/complete", "logging/setLevel",
)  # fmt: skip
"""Methods that are about the server as a whole."""
METHODS = (*_NAMED, *OF_THE_SERVER)


class NotMapped(ValueError):
    """No question belongs to this call: it has to be refused."""


def question_of(method: str, params: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
    """The question that a call of MCP asks, of the verified claims of its token (sub, client_id, aud). Raises NotMapped
    for a method that the table does not have, and for a call or a token without what it needs."""
    if method not in METHODS:
        raise NotMapped(f"No question belongs to the method {method}.")
    kind, name = _NAMED.get(method, (SERVER, ""))
    key = params.get(name) if name else _only(claims.get("aud"))
    subject = claims.get("sub")
    if not (isinstance(key, str) and key):
        raise NotMapped(f"{method} does not name its {kind}.")
    if not (isinstance(subject, str) and subject):
        raise NotMapped("The token names no subject.")
    agent = claims.get("client_id")
    return {
        "subject": {"type": "identity", "id": subject},
        "action": {"name": method},
        "resource": {"type": kind, "id": key},
        "context": {"agent": agent} if isinstance(agent, str) and agent else {},
    }


def _only(audience: Any) -> Any:
    return audience[0] if isinstance(audience, list) and len(audience) == 1 else audience
