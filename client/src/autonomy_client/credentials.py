"""How a client proves who it is: here with an agent's key; `autonomy_client.oauth` has tokens."""

from __future__ import annotations

from collections.abc import Generator

import httpx

# What a person gives an agent, and what one agent hands on to another (RFC 8693, 3).
CONSENT = "urn:autonomy-os:token-type:consent"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


class Credentials(httpx.Auth):
    """What a client signs its requests with; safe to share between threads and between tasks."""

    def on_behalf_of(self, subject_token: str, subject_token_type: str = CONSENT) -> Credentials:
        """Credentials with which the agent acts for a person, by the person's consent or a token with ACCESS_TOKEN."""
        raise ValueError("A key cannot act for a person; use PrivateKeyCredentials.")


class KeyCredentials(Credentials):
    """An agent's key, sent with every request; ValueError when it cannot be one."""

    def __init__(self, key: str) -> None:
        if not key or not key.isascii() or not key.isprintable():
            raise ValueError("The key must be one line of plain characters, as it was issued.")
        self._key = key

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._key[:12]}…)"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = f"Bearer {self._key}"
        yield request


def credentials_for(given: str | Credentials) -> Credentials:
    """The credentials, or those of a key."""
    return KeyCredentials(given) if isinstance(given, str) else given
