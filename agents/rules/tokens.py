"""Signed tokens (JWS compact, RFC 7515): what may come in at all, and what its claims must say. Strict where the
standards leave room: one algorithm for each kind of key, no name twice, keys only from where the caller looks."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

TOKEN_AT_MOST = 8_192
KID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._~:@=-]{0,99}")
SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "RS256", "PS256")
RSA_BITS = range(2048, 8193)
ASSERTION_SECONDS = 300
CLOCKS_DIFFER_SECONDS = 30
JTI_AT_MOST = 200


class BadToken(ValueError):
    """A token that is refused; its argument says why, for whoever made it."""


class BadKey(ValueError):
    """A public key that is not taken; its argument says why."""


@dataclass(frozen=True)
class Token:
    """A token whose signature is right: its header, its claims."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    def text(self, name: str, at_most: int = 200) -> str:
        """A claim that is text. Raises BadToken for one that is missing, empty, too long or something else."""
        value = self.claims.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= at_most:
            raise BadToken(f"The claim {name} must be a text of 1 to {at_most} characters.")
        return value

    def time(self, name: str) -> float | None:
        """A claim that is a time in seconds since 1970, None when it is missing."""
        value = self.claims.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
            raise BadToken(f"The claim {name} must be a number of seconds since 1970.")
        return float(value)

    @property
    def audiences(self) -> list[str]:
        """Whom the token is for."""
        value = self.claims.get("aud")
        many = [value] if isinstance(value, str) else value
        if not isinstance(many, list) or not many or not all(isinstance(each, str) for each in many):
            raise BadToken("The claim aud must name whom the token is for.")
        return many


def algorithms_of(key: Key) -> tuple[str, ...]:
    """The algorithms that a key may sign with; none for a kind of key that is not taken."""
    if isinstance(key, ECKey) and key.curve_name == "P-256":
        return ("ES256",)
    if isinstance(key, OKPKey) and key.curve_name == "Ed25519":
        return ("EdDSA", "Ed25519")
    if isinstance(key, RSAKey) and key.public_key.key_size in RSA_BITS:
        return ("RS256", "PS256")
    return ()


def public_key(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """The public members of a key as it is kept. Raises BadKey for a private or symmetric key, a short RSA key and
    every other kind but P-256, Ed25519 and RSA."""
    kinds: dict[str, tuple[type[ECKey] | type[OKPKey] | type[RSAKey], tuple[str, ...]]] = {
        "EC": (ECKey, ("crv", "x", "y")), "OKP": (OKPKey, ("crv", "x")), "RSA": (RSAKey, ("n", "e")),
    }  # fmt: skip
    kind = jwk.get("kty")
    if not isinstance(kind, str) or kind not in kinds:
        raise BadKey("The key must be a public key of the kind EC (P-256), OKP (Ed25519) or RSA.")
    if any(member in jwk for member in ("d", "p", "q", "dp", "dq", "qi", "k", "oth")):
        raise BadKey("This is a private key; keep it with the agent and send its public half.")
    made, members = kinds[kind]
    plain = {"kty": kind, **{name: jwk.get(name) for name in members}}
    if not all(isinstance(value, str) and len(value) <= 2_000 for value in plain.values()):
        raise BadKey(f"The key needs the members {', '.join(members)}, each a text.")
    try:
        key = made.import_key(plain)  # type: ignore[arg-type]
        allowed = algorithms_of(key)
    except (JoseError, ValueError, TypeError, KeyError) as wrong:
        raise BadKey("The key cannot be read: its numbers are no key of this kind.") from wrong
    if not allowed:
        raise BadKey("The key must be P-256, Ed25519, or RSA with 2048 to 8192 bits.")
    return plain


def read_token(text: str, find_key: Callable[[str], Key | None], *, algorithms: Collection[str], kind: str) -> Token:
    """The token, when its signature is right. `find_key` is asked with the kid, after everything that can be seen
    without a key was looked at; a header that brings or points to a key of its own changes nothing. `kind` is the typ
    that the header must have, "" for any."""
    header, claims = _opened(text)
    name, kid = header.get("alg"), header.get("kid")
    if not isinstance(name, str) or name not in algorithms:
        raise BadToken(f"The algorithm must be one of {', '.join(algorithms)}.")
    if "crit" in header or "b64" in header:
        raise BadToken("Nothing that the header calls critical is understood here.")
    if kind and str(header.get("typ", "")).lower().removeprefix("application/") != kind:
        raise BadToken(f"The type of the token must be {kind}.")
    if not isinstance(kid, str) or not KID.fullmatch(kid):
        raise BadToken("The header must name a kid of 1 to 100 plain characters.")
    key = find_key(kid)
    if key is None or name not in algorithms_of(key):
        raise BadToken("There is no such key, or it is not for this algorithm.")
    _verify(text, key, name)
    return Token(header, claims)


def unverified_issuer(text: str) -> str:
    """Whom a token says it is from; nothing about it is proved."""
    value = _opened(text)[1].get("iss")
    if not isinstance(value, str) or not 0 < len(value) <= 100:
        raise BadToken("The claim iss must name the agent.")
    return value


def _verify(text: str, key: Key, name: str) -> None:
    registry = jws.JWSRegistry(algorithms=[name], strict_check_header=False)
    registry.max_header_length = TOKEN_AT_MOST
    try:
        signed = jws.deserialize_compact(text, key, registry=registry)
    except (JoseError, ValueError, TypeError) as wrong:
        raise BadToken("The signature is wrong.") from wrong
    if signed.headers()["alg"] != name:
        raise BadToken("The signature is wrong.")


def _opened(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(text) > TOKEN_AT_MOST:
        raise BadToken(f"The token is longer than {TOKEN_AT_MOST} characters.")
    parts = text.split(".")
    if len(parts) != 3 or not all(SEGMENT.fullmatch(part) for part in parts):
        raise BadToken("A token has three parts of base64url with dots between, and nothing else.")
    return _object(parts[0]), _object(parts[1])


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(
            urlsafe_b64decode(part.encode()).decode(), object_pairs_hook=_once, parse_constant=_no_number
        )
    except BadToken:
        raise
    except (ValueError, RecursionError) as wrong:
        raise BadToken("A part of the token is not JSON.") from wrong
    if not isinstance(value, dict):
        raise BadToken("A part of the token is not a JSON object.")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise BadToken("A name stands twice in the token.")
    return names


def _no_number(text: str) -> float:
    raise BadToken(f"{text} is no number here.")


def check_times(token: Token, at: float, *, longest: int) -> float:
    """When the token ends. Raises BadToken when it has ended, has not begun, or ends later than `longest` seconds from
    now."""
    ends = token.time("exp")
    if ends is None or ends <= at:
        raise BadToken("The token has expired, or does not say when it does (exp).")
    if ends > at + longest:
        raise BadToken(f"The token must expire within {longest} seconds from now.")
    for name in ("nbf", "iat"):
        begins = token.time(name)
        if begins is not None and begins > at + CLOCKS_DIFFER_SECONDS:
            raise BadToken(f"The token begins in the future ({name}); set the clock right.")
    return ends


def check_assertion(
    token: Token, at: float, *, client: Collection[str], audiences: Collection[str]
) -> tuple[str, float]:
    """(jti, end) of a client's assertion (RFC 7523). Raises BadToken for one of another client, for somebody else, or
    out of its time."""
    issuer, subject = token.text("iss"), token.text("sub")
    if issuer != subject or issuer not in client:
        raise BadToken("iss and sub must both be the agent's code, as the client_id.")
    found = token.audiences
    if len(found) != 1 or found[0] not in audiences:
        raise BadToken("aud must be this server's token endpoint or issuer, and nobody else.")
    return token.text("jti", JTI_AT_MOST), check_times(token, at, longest=ASSERTION_SECONDS)
