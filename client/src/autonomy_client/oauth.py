"""Short-lived tokens instead of a key: signed assertions (RFC 7523) and acting for a person (RFC 8693).

Needs the extra `oauth`. The private key never leaves the program."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
import time
import uuid
import weakref
from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from autonomy_client.answers import read_answer, retry_after
from autonomy_client.credentials import CONSENT, Credentials
from autonomy_client.errors import NotUnderstood, TokenRefused

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ASSERTION_SECONDS = 60
TOKEN_TIMEOUT_SECONDS = 10.0
# A token is renewed this long before its end, or in the last quarter of a life that is shorter than four times that.
RENEW_BEFORE_SECONDS = 60.0

SigningKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Token:
    """An access token, good until a moment of the monotonic clock."""

    text: str
    good_until: float


class TokenCredentials(Credentials):
    """A token that is fetched when it is needed, kept, and renewed before its end, once for all who wait for it."""

    renew_before_seconds = RENEW_BEFORE_SECONDS

    def __init__(self, token_url: str) -> None:
        self.token_url = token_url
        self._held: Token | None = None
        self._turn = threading.Lock()
        self._turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()

    def form(self, now: float) -> dict[str, str]:
        """What the token endpoint is asked, at `now` in seconds since 1970."""
        raise NotImplementedError

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        refused = ""
        while True:
            with self._turn:
                token = self._usable(refused)
                is_new = token is None
                if token is None:
                    response = yield self._token_request()
                    response.read()
                    token = self._keep(response)
            response = yield _signed(request, token)
            # A token that was good a moment ago may have been withdrawn with the server's keys: one new one is tried.
            if response.status_code != 401 or is_new:
                return
            refused = token.text

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        refused = ""
        while True:
            async with self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
                token = self._usable(refused)
                is_new = token is None
                if token is None:
                    response = yield self._token_request()
                    await response.aread()
                    token = self._keep(response)
            response = yield _signed(request, token)
            if response.status_code != 401 or is_new:
                return
            refused = token.text

    def _usable(self, refused: str) -> Token | None:
        held = self._held
        return held if held and held.text != refused and time.monotonic() < held.good_until else None

    def _token_request(self) -> httpx.Request:
        limits = {"timeout": httpx.Timeout(TOKEN_TIMEOUT_SECONDS).as_dict()}
        headers = {"Accept": "application/json"}
        return httpx.Request("POST", self.token_url, data=self.form(time.time()), headers=headers, extensions=limits)

    def _keep(self, response: httpx.Response) -> Token:
        self._held = token_in(response, time.monotonic(), self.renew_before_seconds)
        return self._held


class PrivateKeyCredentials(TokenCredentials):
    """An agent's private key, with which it signs for its own tokens; ES256 for a P-256 key, EdDSA for Ed25519.

    `private_key` is a PEM text or a JWK. Without a `kid` it is the one in the JWK, or else the key's thumbprint.
    `audience` is whom the assertion is for, otherwise the token endpoint."""

    def __init__(
        self,
        client_id: str,
        private_key: str | bytes | Mapping[str, Any],
        kid: str = "",
        token_url: str = "",
        *,
        audience: str = "",
        scope: str = "",
        resource: str = "",
    ) -> None:
        if not client_id or not token_url:
            raise ValueError("A client_id and the address of the token endpoint are needed.")
        super().__init__(token_url)
        self.client_id = client_id
        self.audience = audience or token_url
        self.wanted = {name: text for name, text in (("scope", scope), ("resource", resource)) if text}
        self._key = signing_key(private_key)
        named = private_key.get("kid") if isinstance(private_key, Mapping) else None
        self.kid = kid or str(named or thumbprint(self._key))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.client_id!r}, kid={self.kid!r})"

    def form(self, now: float) -> dict[str, str]:
        return {"grant_type": "client_credentials", **self.wanted, **self.proof(now)}

    def proof(self, now: float) -> dict[str, str]:
        """The fields that say who asks, signed for this one request."""
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "jti": str(uuid.uuid4()),
            "iat": int(now),
            "exp": int(now) + ASSERTION_SECONDS,
        }
        assertion = signed_jwt(claims, self._key, self.kid)
        return {"client_id": self.client_id, "client_assertion_type": ASSERTION, "client_assertion": assertion}

    def on_behalf_of(self, subject_token: str, subject_token_type: str = CONSENT) -> Credentials:
        return DelegatedCredentials(self, subject_token, subject_token_type)


class DelegatedCredentials(TokenCredentials):
    """An agent's token with which it acts for a person; it names both, and ends with the person's consent."""

    # A consent works once, so there is no other token to be had before this one ends.
    renew_before_seconds = 0.0

    def __init__(self, agent: PrivateKeyCredentials, subject_token: str, subject_token_type: str) -> None:
        super().__init__(agent.token_url)
        self.agent = agent
        self.subject = {"subject_token": subject_token, "subject_token_type": subject_token_type}

    def form(self, now: float) -> dict[str, str]:
        return {"grant_type": EXCHANGE, **self.subject, **self.agent.wanted, **self.agent.proof(now)}


def token_in(response: httpx.Response, now: float, renew_before_seconds: float = RENEW_BEFORE_SECONDS) -> Token:
    """The token that the endpoint gave at `now`, or the error that it is."""
    if response.status_code in (400, 401, 403):
        raise _refusal(response)
    answer = read_answer(response.status_code, response.headers, response.content)
    text, kind = answer.body.get("access_token"), str(answer.body.get("token_type", "Bearer"))
    if not isinstance(text, str) or not text or kind.lower() not in ("bearer", "n_a"):
        raise NotUnderstood(response.status_code, "not_understood", "The token endpoint gave no bearer token.")
    try:
        life = float(answer.body.get("expires_in", 300))
    except (TypeError, ValueError):
        life = 0.0
    return Token(text, now + max(life - min(renew_before_seconds, life / 4), 0.0))


def _refusal(response: httpx.Response) -> TokenRefused:
    try:
        told = json.loads(response.content)
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    code = str(told.get("error") or told.get("code") or "invalid_client")
    detail = str(told.get("error_description") or told.get("detail") or "The token endpoint gave no reason.")
    headers = {name.lower(): value for name, value in response.headers.items()}
    trace = headers.get("x-request-id", "")
    return TokenRefused(response.status_code, code, detail, (), retry_after(headers), trace_id=trace, problem=told)


def _signed(request: httpx.Request, token: Token) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token.text}"
    return request


# --- signatures -----------------------------------------------------------------------------------------------
def signing_key(given: str | bytes | Mapping[str, Any]) -> SigningKey:
    """The private key in a PEM text or a JWK; ValueError when it is none that is used here."""
    key = _key_of_jwk(given) if isinstance(given, Mapping) else _key_of_pem(given)
    if isinstance(key, ec.EllipticCurvePrivateKey) and not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("Use a P-256 or an Ed25519 key.")
    return key


def signed_jwt(claims: Mapping[str, Any], key: SigningKey, kid: str) -> str:
    """The claims as a signed JWT in compact form (RFC 7515)."""
    algorithm = "EdDSA" if isinstance(key, ed25519.Ed25519PrivateKey) else "ES256"
    head = {"alg": algorithm, "typ": "JWT"} | ({"kid": kid} if kid else {})
    text = ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    return f"{text}.{_encoded(_signature(text.encode(), key))}"


def public_jwk(private_key: str | bytes | Mapping[str, Any]) -> dict[str, str]:
    """The public half of a private key, as a JWK to register for the agent."""
    key = signing_key(private_key)
    return {**_public_members(key), "kid": thumbprint(key)}


def thumbprint(key: SigningKey) -> str:
    """The name of a key that follows from its public half (RFC 7638)."""
    members = json.dumps(_public_members(key), separators=(",", ":"), sort_keys=True)
    return _encoded(hashlib.sha256(members.encode()).digest())


def _public_members(key: SigningKey) -> dict[str, str]:
    public = key.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": _encoded(public.public_bytes_raw())}
    numbers = public.public_numbers()
    places = {name: _encoded(value.to_bytes(32, "big")) for name, value in (("x", numbers.x), ("y", numbers.y))}
    return {"kty": "EC", "crv": "P-256", **places}


def _signature(text: bytes, key: SigningKey) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(text)
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _key_of_pem(text: str | bytes) -> SigningKey:
    key = load_pem_private_key(text.encode() if isinstance(text, str) else text, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise ValueError("Use a P-256 or an Ed25519 key.")
    return key


def _key_of_jwk(jwk: Mapping[str, Any]) -> SigningKey:
    try:
        secret = _decoded(str(jwk["d"]))
        if (jwk.get("kty"), jwk.get("crv")) == ("OKP", "Ed25519"):
            return ed25519.Ed25519PrivateKey.from_private_bytes(secret)
        if (jwk.get("kty"), jwk.get("crv")) == ("EC", "P-256"):
            return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
    except KeyError as missing:
        raise ValueError("This JWK holds no private key.") from missing
    raise ValueError("Use a P-256 or an Ed25519 key.")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
