"""The server's own keys: what it signs with, and what others check its signatures by."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from joserfc import jws, jwt
from joserfc.jwk import ECKey

SIGNS_WITH = "ES256"
KIND = "at+jwt"


@lru_cache(maxsize=4)
def _server_keys(kept: tuple[tuple[tuple[str, Any], ...], ...]) -> dict[str, ECKey]:
    keys = [ECKey.import_key(dict(each)) for each in kept]
    return {str(key.kid): key for key in keys}


def server_keys() -> dict[str, ECKey]:
    """The server's private keys by their kid; the first one signs."""
    return _server_keys(tuple(tuple(sorted(each.items())) for each in settings.TOKEN_SIGNING_KEYS))


def public_keys() -> dict[str, Any]:
    """The public halves of the server's keys, as a JWK set."""
    plain = [key.as_dict(private=False) for key in server_keys().values()]
    return {"keys": [{**each, "use": "sig", "alg": SIGNS_WITH} for each in plain]}


def sign(claims: Mapping[str, Any]) -> str:
    """The claims as a signed access token."""
    kid, key = next(iter(server_keys().items()))
    return jwt.encode({"alg": SIGNS_WITH, "typ": KIND, "kid": kid}, dict(claims), key, algorithms=[SIGNS_WITH])


def sign_detached(payload: bytes, **header: str) -> tuple[str, str]:
    """(protected header, signature) of a JWS over `payload`, which travels beside it."""
    kid, key = next(iter(server_keys().items()))
    text = jws.serialize_compact({"alg": SIGNS_WITH, "kid": kid, **header}, payload, key, algorithms=[SIGNS_WITH])
    protected, _, signature = text.split(".")
    return protected, signature
