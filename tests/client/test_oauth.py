"""Tokens instead of a key: signed as the standards say, kept, renewed in time and only once, withdrawn at once."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from autonomy_client import AsyncAutonomy, Autonomy, KeyCredentials, NotUnderstood, TokenRefused, Unauthorized
from autonomy_client.oauth import ASSERTION, EXCHANGE, PrivateKeyCredentials, public_jwk, token_in
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

SERVER, TOKENS = "https://autonomy.example", "https://autonomy.example/oauth/token"
EC, ED = ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")


class Office:
    """A server whose token endpoint counts, checks and gives tokens that end when the test says so."""

    def __init__(self, key: Any = EC, seconds: float = 900) -> None:
        self.key = key
        self.seconds = seconds
        self.asked: list[dict[str, str]] = []
        self.claims: list[dict[str, Any]] = []
        self.heads: list[dict[str, Any]] = []
        self.used: list[str] = []
        self.good: set[str] = set()
        self.refusals: list[httpx.Response] = []
        self.door = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if str(request.url) == TOKENS:
            return self.token(dict(parse_qsl(request.content.decode())))
        text = request.headers["Authorization"].removeprefix("Bearer ")
        self.used.append(text)
        if text not in self.good:
            return httpx.Response(401, json={"code": "unauthorized"})
        return httpx.Response(200, json={"code": "AP-04"})

    def token(self, form: dict[str, str]) -> httpx.Response:
        with self.door:
            self.asked.append(form)
            if self.refusals:
                return self.refusals.pop(0)
            signed = jwt.decode(form["client_assertion"], self.key, algorithms=["ES256", "EdDSA"])
            self.claims.append(signed.claims)
            self.heads.append(signed.header)
            text = f"token-{len(self.asked)}"
            self.good.add(text)
            return httpx.Response(200, json={"access_token": text, "token_type": "Bearer", "expires_in": self.seconds})

    async def slowly(self, request: httpx.Request) -> httpx.Response:
        """The same after a turn of the loop, so that others come in between."""
        await asyncio.sleep(0)
        return self(request)


def credentials(key: Any = EC, **more: Any) -> PrivateKeyCredentials:
    return PrivateKeyCredentials("AP-04", key.as_pem(private=True), "k1", TOKENS, **more)


def connected(office: Office, given: Any, **more: Any) -> Autonomy:
    return Autonomy(SERVER, given, backoff_seconds=0.001, transport=httpx.MockTransport(office), **more)


# --- what is signed -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("key", "algorithm"), [(EC, "ES256"), (ED, "EdDSA")])
@pytest.mark.parametrize("form", ["pem", "jwk"])
def test_the_assertion_is_what_rfc_7523_asks_for(key: Any, algorithm: str, form: str) -> None:
    office = Office(key)
    private = key.as_pem(private=True) if form == "pem" else key.as_dict(private=True)

    with connected(office, PrivateKeyCredentials("AP-04", private, "k1", TOKENS, scope="work")) as client:
        client.me()

    (asked,), (claims,), (head,) = office.asked, office.claims, office.heads
    assert (asked["grant_type"], asked["client_assertion_type"]) == ("client_credentials", ASSERTION)
    assert (asked["client_id"], asked["scope"]) == ("AP-04", "work")
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("AP-04", "AP-04", TOKENS)
    assert claims["exp"] - claims["iat"] <= 300
    assert abs(claims["iat"] - time.time()) < 60
    assert (head["alg"], head["kid"]) == (algorithm, "k1")
    assert office.used == ["token-1"]


@pytest.mark.parametrize("key", [EC, ED])
def test_without_a_kid_it_is_the_thumbprint_of_the_key(key: Any) -> None:
    given = PrivateKeyCredentials("AP-04", key.as_pem(private=True), token_url=TOKENS)

    assert given.kid == key.thumbprint()
    assert public_jwk(key.as_pem(private=True)) == key.as_dict(private=False) | {"kid": key.thumbprint()}
    assert PrivateKeyCredentials("AP-04", key.as_dict(private=True) | {"kid": "k2"}, token_url=TOKENS).kid == "k2"


def test_no_assertion_is_used_twice() -> None:
    office = Office(seconds=0)

    with connected(office, credentials()) as client:
        client.me()
        client.me()

    assert len({claims["jti"] for claims in office.claims}) == 2


@pytest.mark.parametrize(
    "private",
    [
        RSAKey.generate_key(2048).as_pem(private=True),
        ECKey.generate_key("P-384").as_pem(private=True),
        ECKey.generate_key("P-384").as_dict(private=True),
        EC.as_dict(private=False),
        "no key at all",
    ],
)
def test_a_key_that_is_not_used_here_is_refused_at_once(private: Any) -> None:
    with pytest.raises(ValueError):
        PrivateKeyCredentials("AP-04", private, "k1", TOKENS)


def test_no_secret_shows_where_credentials_are_printed() -> None:
    assert repr(credentials()) == "PrivateKeyCredentials('AP-04', kid='k1')"
    assert repr(KeyCredentials("aos_live_abcdefghijklmnop")) == "KeyCredentials(aos_live_abc…)"


# --- how long a token is kept ---------------------------------------------------------------------------------
@pytest.mark.parametrize(("seconds", "kept"), [(900, 840), (240, 180), (60, 45), (0, 0), (-5, 0), ("soon", 0)])
def test_a_token_is_renewed_before_its_end(seconds: Any, kept: float) -> None:
    answer = httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires_in": seconds})

    assert token_in(answer, now=1000).good_until == 1000 + kept


@pytest.mark.parametrize("body", [{}, {"access_token": 5}, {"access_token": "t", "token_type": "mac"}])
def test_what_is_no_token_is_a_typed_error(body: Any) -> None:
    with pytest.raises(NotUnderstood):
        token_in(httpx.Response(200, json=body), now=0)


def test_one_token_serves_many_requests() -> None:
    office = Office()

    with connected(office, credentials()) as client:
        for _ in range(5):
            client.me()

    assert len(office.asked) == 1
    assert office.used == ["token-1"] * 5


def test_many_threads_wait_for_one_renewal() -> None:
    office, line = Office(), threading.Barrier(16)
    with connected(office, credentials()) as client:

        def ask() -> None:
            line.wait(30)
            client.me()

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert len(office.asked) == 1
    assert office.used == ["token-1"] * 16


def test_many_tasks_wait_for_one_renewal_and_a_cancelled_one_holds_nobody_up() -> None:
    office = Office()

    async def ask() -> list[Any]:
        transport = httpx.MockTransport(office.slowly)
        async with AsyncAutonomy(SERVER, credentials(), transport=transport) as client:
            tasks = [asyncio.create_task(client.me()) for _ in range(16)]
            await asyncio.sleep(0)  # the first one holds the turn now
            tasks[0].cancel()
            return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(asyncio.wait_for(ask(), 30))

    assert isinstance(results[0], asyncio.CancelledError)
    assert [result.code for result in results[1:]] == ["AP-04"] * 15
    assert len(office.asked) <= 2


def test_the_same_credentials_serve_one_loop_after_the_other() -> None:
    office, shared = Office(), credentials()

    async def ask() -> None:
        async with AsyncAutonomy(SERVER, shared, transport=httpx.MockTransport(office.slowly)) as client:
            await asyncio.gather(client.me(), client.me())

    asyncio.run(ask())
    asyncio.run(ask())

    assert len(office.asked) == 1


# --- refusals -------------------------------------------------------------------------------------------------
def test_a_withdrawn_token_is_replaced_once() -> None:
    office = Office()
    with connected(office, credentials()) as client:
        client.me()
        office.good.clear()
        client.me()

    assert office.used == ["token-1", "token-1", "token-2"]


def test_a_new_token_that_is_refused_is_not_replaced_again() -> None:
    office = Office()
    with connected(office, credentials()) as client:
        office.good = Refusing()
        with pytest.raises(Unauthorized):
            client.me()

    assert office.used == ["token-1"]


class Refusing(set[str]):
    """Tokens of which none is good."""

    def __contains__(self, text: object) -> bool:
        return False


def test_an_agent_that_is_paused_gets_no_token_and_is_told_why() -> None:
    office = Office()
    refusal = {"error": "invalid_client", "error_description": "AP-04 is paused."}
    office.refusals = [httpx.Response(401, json=refusal, headers={"X-Request-ID": "r-1"})]

    with connected(office, credentials()) as client, pytest.raises(TokenRefused) as caught:
        client.me()

    assert (caught.value.code, caught.value.detail, caught.value.trace_id) == (
        "invalid_client",
        "AP-04 is paused.",
        "r-1",
    )
    assert office.used == []


def test_a_token_endpoint_that_is_busy_is_asked_again() -> None:
    office = Office()
    office.refusals = [httpx.Response(503), httpx.Response(429), httpx.Response(400, json=[])]

    with connected(office, credentials()) as client:
        with pytest.raises(TokenRefused, match="invalid_client"):
            client.me()
        client.me()

    assert len(office.asked) == 4


# --- for a person ---------------------------------------------------------------------------------------------
def test_an_agent_acts_for_a_person_with_a_token_of_its_own() -> None:
    office = Office()
    with connected(office, credentials(resource=SERVER)) as client, client.on_behalf_of("token-of-priya") as for_priya:
        client.me()
        for_priya.me()
        client.me()

    own, exchanged = office.asked
    assert own["grant_type"] == "client_credentials"
    assert (exchanged["grant_type"], exchanged["subject_token"]) == (EXCHANGE, "token-of-priya")
    assert exchanged["subject_token_type"] == "urn:autonomy-os:token-type:consent"
    assert (exchanged["client_id"], exchanged["resource"]) == ("AP-04", SERVER)
    assert office.used == ["token-1", "token-2", "token-1"]


def test_a_persons_consent_is_exchanged_once_and_its_token_used_to_its_end() -> None:
    office, began = Office(seconds=900), time.monotonic()
    with connected(office, credentials()) as client, client.on_behalf_of("consent-of-priya") as for_priya:
        for_priya.me()
        for_priya.me()
        held = for_priya.credentials._held

    assert began + 900 <= held.good_until <= time.monotonic() + 900
    assert [form["grant_type"] for form in office.asked] == [EXCHANGE]


def test_a_key_cannot_act_for_a_person() -> None:
    with Autonomy(SERVER, "aos_live_x") as client, pytest.raises(ValueError, match="PrivateKeyCredentials"):
        client.on_behalf_of("token-of-priya")
