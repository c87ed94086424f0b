"""What an agent's program does to get tokens: a key pair, assertions, requests to the token endpoint."""

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64encode

from agents.api.oauth import EXCHANGE, JWT_BEARER
from agents.operations import CONSENT

ISSUER = "http://testserver"
ENDPOINT = f"{ISSUER}/oauth/token"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


def pair(kind: str = "EC", size: Any = "P-256") -> Any:
    """A new key pair."""
    return {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}[kind].generate_key(size, auto_kid=True)


def raw(header: dict[str, Any], claims: Any, signature: bytes = b"x" * 64) -> str:
    """A token with these parts, whatever they are."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    return ".".join(urlsafe_b64encode(part).decode() for part in (*parts, signature))


@dataclass
class Program:
    """An agent's program with its key pair."""

    code: str
    key: Any
    algorithm: str = "ES256"
    http: Client = field(default_factory=Client)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half, with its kid."""
        return {**self.key.as_dict(private=False), "kid": self.key.kid}

    def claims(self, **more: Any) -> dict[str, Any]:
        """What an assertion says; None leaves a claim out."""
        now = int(time.time())
        plain = {
            "iss": self.code,
            "sub": self.code,
            "aud": ENDPOINT,
            "exp": now + 60,
            "iat": now,
            "jti": uuid.uuid4().hex,
        }
        return {name: value for name, value in {**plain, **more}.items() if value is not None}

    def assertion(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A signed assertion, with these headers and claims instead of the plain ones."""
        head = {"alg": self.algorithm, "kid": self.key.kid, **(header or {})}
        return jwt.encode(head, self.claims(**claims), self.key, algorithms=[head["alg"]])

    def ask(self, assertion: str | None = None, **form: str) -> Any:
        """The token endpoint's answer."""
        body = {
            "grant_type": "client_credentials", "client_assertion_type": JWT_BEARER,
            "client_assertion": assertion or self.assertion(), **form,
        }  # fmt: skip
        body = {name: value for name, value in body.items() if value}
        return self.http.post("/oauth/token", urlencode(body), content_type="application/x-www-form-urlencoded")

    def token(self, **form: str) -> str:
        """An access token."""
        answer = self.ask(**form)
        assert answer.status_code == 200, answer.content
        return str(answer.json()["access_token"])

    def exchange(self, subject: str, kind: str = CONSENT, **form: str) -> Any:
        """The answer to an exchange."""
        return self.ask(grant_type=EXCHANGE, subject_token=subject, subject_token_type=kind, **form)

    def get(self, path: str, token: str, query: Any = None) -> Any:
        """The API's answer to this token."""
        return self.http.get(f"/api/v1/{path}", query or {}, headers={"Authorization": f"Bearer {token}"})

    def post(self, path: str, token: str, body: Any = None) -> Any:
        """The same for a POST."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
        return self.http.post(
            f"/api/v1/{path}", json.dumps(body or {}), content_type="application/json", headers=headers
        )
