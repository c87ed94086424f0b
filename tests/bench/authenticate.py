"""Bench: what it costs to find out who calls, by a key, a token, a token for a person, and a session.

DATABASE_URL=postgresql://... python tests/bench/authenticate.py
"""

import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

from measuring.database import ROOT, company, own_database
from measuring.serving import agent, person, served
from measuring.times import Times, header, measured, show

if TYPE_CHECKING:
    from autonomy_site.demo.company import Halden

ROUNDS = 1000
BAR = 0.3


def key_pair(halden: "Halden", code: str) -> Any:
    """A private key whose public half is registered for the agent."""
    from joserfc.jwk import ECKey

    from agents import operations
    from observability.ledger import SYSTEM, database_now

    key = ECKey.generate_key("P-256", auto_kid=True)
    operations.register_client_key(halden.agents[code], key.as_dict(private=False), by=SYSTEM, at=database_now())
    return key


def assertion(key: Any, code: str, audience: str) -> str:
    """What the agent signs to get a token."""
    from joserfc import jwt

    now = int(time.time())
    claims = {"iss": code, "sub": code, "aud": audience, "exp": now + 60, "iat": now, "jti": uuid.uuid4().hex}
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)


def tokens(halden: "Halden", server: Any, key: Any) -> tuple[str, str]:
    """(an agent's own token, one with which it acts for Maria)."""
    from agents import operations
    from observability.ledger import Caller, database_now

    at, nobody = database_now(), Caller()

    def proved() -> Any:
        return operations.prove_client(
            assertion(key, "AP-04", server.issuer), server=server, caller=nobody, at=database_now()
        )

    own = operations.issue_token(proved(), asked="", server=server, resource="", caller=nobody, at=at)
    _, text = operations.give_consent(halden.agents["AP-04"], by=halden.people["maria"], at=at)
    for_maria = operations.exchange_token(
        proved(), subject=text, kind=operations.CONSENT, asked="", server=server, resource="", audience="",
        caller=nobody, at=at,
    )  # fmt: skip
    return own.text, for_maria.text


def in_process(halden: "Halden", key: Any) -> list[Times]:
    """Who is it? The room's own functions, as the doors call them."""
    from django.contrib.auth import get_user
    from django.contrib.sessions.backends.db import SessionStore
    from django.http import HttpRequest

    from agents import operations
    from observability.ledger import database_now

    server, at = operations.Server("http://bench", "http://bench/oauth/token"), database_now()
    own, for_maria = tokens(halden, server, key)
    session = request_of(halden)

    def by_session(_: int) -> None:
        request = HttpRequest()
        request.session = SessionStore(session)  # type: ignore[assignment]
        assert get_user(request).is_authenticated  # type: ignore[arg-type]

    def by_token(text: str) -> Any:
        return lambda _: operations.sign_in_with_token(text, server=server, at=at)

    text = halden.keys["AP-04"]
    return [
        measured("a key", lambda _: operations.sign_in_with_key(text, at=at), ROUNDS),
        measured("a token", by_token(own), ROUNDS),
        measured("a token for a person", by_token(for_maria), ROUNDS),
        measured("a person's session", by_session, ROUNDS),
    ]  # fmt: skip


def request_of(halden: "Halden") -> str:
    """The key of a new session of Maria."""
    from measuring.serving import cookies

    return cookies("maria").split("sessionid=")[1].split(";")[0]


def over_http(halden: "Halden", key: Any) -> None:
    """The whole of GET /api/v1/me, or of the list of agents for a person."""
    from agents import operations

    with served() as server:
        name = f"http://127.0.0.1:{server.port}"
        own, _ = tokens(halden, operations.Server(name, f"{name}/oauth/token"), key)
        by_key, by_token, maria = agent(server, halden.keys["AP-04"]), agent(server, own), person(server, "maria")
        calls = {
            "health, nobody": by_key,
            "agents, by a key": by_key,
            "agents, by a token": by_token,
            "agents, by a session": maria,
        }
        header("Whole requests, in milliseconds")
        floor = None
        for name, caller in calls.items():
            path = "/health" if "health" in name else "/api/v1/agents"
            times = measured(f"GET {name}", lambda _, c=caller, p=path: c.get(p), 300)
            floor = floor or times
            show(times, beside=floor)


def main() -> None:
    sys.path.insert(0, str(ROOT))
    with own_database("authenticate"):
        halden = company()
        key = key_pair(halden, "AP-04")
        from django.db import connection

        with connection.cursor() as cursor:
            nothing = measured("one empty statement to the database", lambda _: cursor.execute("SELECT 1"), ROUNDS)
        header("Who calls? In milliseconds")
        show(nothing)
        for times in in_process(halden, key):
            show(times, beside=nothing, bar=BAR if times.name == "a key" else None)
        over_http(halden, key)
        connection.close()


if __name__ == "__main__":
    main()
