"""Tokens that somebody forged, stole or bent: each is refused, at the token endpoint and at the API."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64encode

from agents.models import Agent
from agents.operations import signing
from observability.models import Event
from tests.agents.tokens import ENDPOINT, ISSUER, Program, pair, raw

BIG = "x" * 9000


def hs_with_public_key(program: Program) -> str:
    """HMAC with the public key's text as the secret, the classic confusion of HS and RS."""
    head, body = {"alg": "HS256", "kid": program.key.kid}, program.claims()
    text = ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode() for part in (head, body))
    secret = program.key.as_pem(private=False)
    return f"{text}.{urlsafe_b64encode(hmac.new(secret, text.encode(), hashlib.sha256).digest()).decode()}"


def rightly(program: Program, header: dict[str, Any], claims: str = "") -> str:
    """A token with a right signature over this header and these claims, as text."""
    head = json.dumps({"alg": "ES256", "kid": program.key.kid, **header})
    parts = (head, claims or json.dumps(program.claims()))
    text = ".".join(urlsafe_b64encode(part.encode()).decode() for part in parts)
    signature = JWSRegistry.algorithms["ES256"].sign(text.encode(), program.key)
    return f"{text}.{urlsafe_b64encode(signature).decode()}"


def with_duplicate(program: Program) -> str:
    return rightly(program, {}, json.dumps(program.claims())[:-1] + ', "iss": "AP-01"}')


def with_other_letters(program: Program) -> str:
    """base64 as elsewhere, not base64url."""
    return base64.b64encode(b'{"alg":"ES256"}').decode() + "+/." + program.assertion().split(".", 1)[1]


def ago(**offsets: int) -> Callable[[Program], str]:
    """An assertion with times moved by these seconds from now."""
    return lambda program: program.assertion(**{name: int(time.time()) + by for name, by in offsets.items()})


def with_claims(**claims: Any) -> Callable[[Program], str]:
    return lambda program: program.assertion(**claims)


def with_header(**header: Any) -> Callable[[Program], str]:
    return lambda program: program.assertion(header)


def bare(header: dict[str, Any], signature: bytes = b"") -> Callable[[Program], str]:
    return lambda program: raw({"kid": program.key.kid, **header}, program.claims(), signature)


ATTACKS: dict[str, Callable[[Program], str]] = {
    "none": lambda p: raw({"alg": "none", "kid": p.key.kid}, p.claims(), b"").rstrip(".") + ".",
    "none with something as its signature": bare({"alg": "none"}, b"x"),
    "None in capitals": bare({"alg": "NONE"}, b"x"),
    "no algorithm": bare({}, b"x"),
    "an algorithm that is a list": bare({"alg": ["ES256"]}, b"x"),
    "HS256 with the public key as the secret": hs_with_public_key,
    "ES512, which is not on the list": bare({"alg": "ES512"}, b"x" * 132),
    "RS256 with a key of another kind": bare({"alg": "RS256"}, b"x" * 256),
    "a signature of zeros (the psychic one)": bare({"alg": "ES256"}, b"\0" * 64),
    "another key's signature": lambda p: Program(p.code, ECKey.generate_key("P-256", {"kid": p.key.kid})).assertion(),
    "expired": ago(exp=-1),
    "too long valid": ago(exp=301 + 10),
    "not before in the future": ago(nbf=120),
    "issued in the future": ago(iat=120),
    "no end": with_claims(exp=None),
    "an end that is text": with_claims(exp="soon"),
    "an end that is true": with_claims(exp=True),
    "an end beyond numbers": with_claims(exp=1e300),
    "no audience": with_claims(aud=None),
    "another audience": with_claims(aud="https://elsewhere.example/oauth/token"),
    "several audiences": with_claims(aud=[ENDPOINT, "https://elsewhere.example"]),
    "an audience that is an object": with_claims(aud={"x": ENDPOINT}),
    "another issuer than subject": with_claims(sub="AP-01"),
    "another agent's code": with_claims(iss="AP-01", sub="AP-01"),
    "an agent that there is not": with_claims(iss="AP-99", sub="AP-99"),
    "no issuer": with_claims(iss=None),
    "no jti": with_claims(jti=None),
    "an empty jti": with_claims(jti=""),
    "a jti that is long": with_claims(jti="j" * 201),
    "no kid": lambda p: raw({"alg": "ES256"}, p.claims()),
    "an unknown kid": with_header(kid="unknown"),
    "a kid that is a path": with_header(kid="../../../../dev/null"),
    "a kid that is SQL": with_header(kid="x' OR '1'='1"),
    "a kid that is an address": with_header(kid="https://evil.example/keys"),
    "a kid that is a number": bare({"alg": "ES256", "kid": 1}, b"x" * 64),
    "a critical header": lambda p: rightly(p, {"crit": ["exp"], "exp": 1}),
    "an unencoded payload": lambda p: rightly(p, {"b64": False, "crit": ["b64"]}),
    "b64 without crit": lambda p: rightly(p, {"b64": True}),
    "huge": with_claims(note=BIG),
    "a claim twice": with_duplicate,
    "not base64": lambda p: p.assertion() + "!",
    "padding": lambda p: p.assertion() + "==",
    "base64 with + and /": with_other_letters,
    "two parts": lambda p: p.assertion().rpartition(".")[0],
    "four parts": lambda p: p.assertion() + ".x",
    "no JSON": lambda p: raw(b"{", p.claims()),  # type: ignore[arg-type]
    "JSON that is a list": lambda p: raw(b"[]", p.claims()),  # type: ignore[arg-type]
    "claims that are text": lambda p: raw({"alg": "ES256", "kid": p.key.kid}, "text"),
    "claims with NaN": lambda p: rightly(p, {}, '{"iss": "AP-04", "sub": "AP-04", "exp": NaN}'),
    "nested without end": lambda p: raw({"alg": "ES256", "kid": p.key.kid}, ("[" * 3000).encode()),
    "an agent's API key": lambda p: "aos_live_0123456789ab_" + "s" * 43,
    "nothing but dots": lambda p: "..",
}  # fmt: skip


def test_every_forged_assertion_is_refused_and_nothing_else_happens(program: Any) -> None:
    clerk = program("AP-04")
    for name, forge in ATTACKS.items():
        text = forge(clerk)
        answer = clerk.ask(text)

        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), (name, answer.content)
        assert answer.headers["Cache-Control"] == "no-store"
        assert text not in answer.content.decode()
    assert not Event.objects.filter(verb="token.issued").exists()
    assert clerk.ask().status_code == 200, "the program itself still gets in"


def test_every_forged_token_is_refused_at_the_api(program: Any) -> None:
    clerk = program("AP-04")
    for name, forge in ATTACKS.items():
        answer = clerk.get("me", forge(clerk))

        assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json"), name
        assert 'resource_metadata="http://testserver/.well-known' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u"])
def test_a_key_that_the_token_brings_or_points_to_is_not_looked_at(program: Any, member: str) -> None:
    clerk, thief = program("AP-04"), pair()
    brought = {"jwk": thief.as_dict(private=False), "jku": "https://evil.example/jwks", "x5u": "https://evil.example/x"}
    header = {member: brought[member]}

    forged = Program("AP-04", ECKey.import_key({**thief.as_dict(private=True), "kid": clerk.key.kid}))
    assert forged.ask(forged.assertion(header)).status_code == 401
    assert clerk.ask(clerk.assertion(header)).status_code == 200, "and a right signature stays right beside it"


def test_an_assertion_works_once(program: Any) -> None:
    clerk, reader = program("AP-04"), program("AP-01")
    once = clerk.assertion(jti="same")

    assert [clerk.ask(once).status_code for _ in range(2)] == [200, 401]
    assert clerk.ask(clerk.assertion(jti="same")).status_code == 401, "the jti counts, not the text"
    assert reader.ask(reader.assertion(jti="same")).status_code == 200, "another agent's jti is another one"


def test_an_assertion_that_was_sent_with_a_wrong_scope_is_used_as_well(program: Any) -> None:
    clerk = program("AP-04")
    once = clerk.assertion()

    assert clerk.ask(once, scope="everything").json()["error"] == "invalid_scope"
    assert clerk.ask(once).json()["error"] == "invalid_client"


def access(agent: Agent, kid: str, **more: Any) -> dict[str, Any]:
    """The claims of an access token of this server, changed."""
    now = int(time.time())
    plain = {
        "iss": ISSUER, "aud": ISSUER, "sub": f"agent:{agent.code}", "client_id": agent.code, "client_kid": kid,
        "scope": "read work", "iat": now, "exp": now + 600, "jti": "j1",
    }  # fmt: skip
    return {name: value for name, value in {**plain, **more}.items() if value is not None}


def nested(depth: int) -> dict[str, Any]:
    """A chain of that many actors."""
    return {"sub": f"agent:{depth}", **({"act": nested(depth - 1)} if depth else {})}


BENT: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://elsewhere.example"},
    "another audience": {"aud": "https://elsewhere.example"},
    "an audience among others": {"aud": [ISSUER, "https://elsewhere.example"]},
    "expired": {"exp": 1},
    "longer than any token lasts": {"exp": 4102444800},
    "begins later": {"nbf": 4102444000},
    "no scope": {"scope": None},
    "another agent as subject": {"sub": "agent:AP-01"},
    "a person as subject": {"sub": "maria"},
    "another client": {"client_id": "AP-01"},
    "an unknown client": {"client_id": "AP-99"},
    "another client key": {"client_kid": "other"},
    "act that is text": {"act": "agent:AP-04"},
    "act without a consent": {"act": {"sub": "agent:AP-04"}, "sub": "maria"},
    "act with a consent that there is not": {
        "act": {"sub": "agent:AP-04"}, "sub": "maria", "consent": "0197a3a0-0000-7000-8000-000000000000",
    },
    "a chain without end": {"act": nested(9), "sub": "maria"},
    "no jti": {"jti": None},
}  # fmt: skip


def test_an_access_token_with_a_bent_claim_opens_nothing_though_it_is_rightly_signed(program: Any, halden: Any) -> None:
    clerk, agent = program("AP-04"), halden.agents["AP-04"]
    assert clerk.get("me", signing.sign(access(agent, clerk.key.kid))).status_code == 200, "unbent it opens"

    for name, bend in BENT.items():
        answer = clerk.get("me", signing.sign(access(agent, clerk.key.kid, **bend)))
        assert (answer.status_code, answer.json()["code"]) == (401, "unknown_token"), (name, answer.content)


def test_a_token_of_the_server_that_is_no_access_token_opens_nothing(program: Any, halden: Any) -> None:
    clerk = program("AP-04")
    kid, key = next(iter(signing.server_keys().items()))
    mine = Program("AP-04", key)
    for kind in ("JWT", "dpop+jwt", ""):
        text = mine.assertion({"typ": kind, "kid": kid}, **access(halden.agents["AP-04"], clerk.key.kid))
        assert clerk.get("me", text).status_code == 401, kind


def test_an_assertion_is_no_access_token_and_the_other_way_round(program: Any) -> None:
    clerk = program("AP-04")

    assert clerk.get("me", clerk.assertion({"typ": "at+jwt"}, aud=ISSUER)).status_code == 401
    assert clerk.ask(clerk.token()).status_code == 401


def test_a_replaced_server_key_still_proves_its_tokens_and_a_removed_one_does_not(program: Any, settings: Any) -> None:
    clerk = program("AP-04")
    old = settings.TOKEN_SIGNING_KEYS
    token = clerk.token()
    new = {**pair().as_dict(private=True)}
    new["kid"] = new.get("kid") or "new"

    settings.TOKEN_SIGNING_KEYS = [new, *old]
    assert clerk.get("me", token).status_code == 200
    assert clerk.get("me", clerk.token()).status_code == 200

    settings.TOKEN_SIGNING_KEYS = [new]
    assert clerk.get("me", token).status_code == 401


def test_what_was_tried_in_an_agents_name_is_in_the_audit_trail_once_a_minute(program: Any) -> None:
    clerk = program("AP-04")
    for _ in range(3):
        clerk.ask(ATTACKS["another audience"](clerk))
        clerk.ask(ATTACKS["an agent that there is not"](clerk))

    tried = Event.objects.get(verb="token.refused")
    assert (tried.subject_id, tried.actor_kind, tried.address) == ("AP-04", "system", "127.0.0.1")
    assert "aud must be" in tried.why
    assert Event.objects.get(verb="agent.unknown").subject_id == "AP-99"


def test_the_settings_hold_a_key_of_the_right_kind() -> None:
    assert all(key["crv"] == "P-256" and key["d"] and key["kid"] for key in settings.TOKEN_SIGNING_KEYS)
