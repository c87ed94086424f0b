"""Tokens of agents: had with a key pair, good for minutes, gone on the next request; an agent acts for a person."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet

from agents import operations
from agents.models import Agent, Consent, Principal, UsedToken
from agents.rules import ALL_SCOPES
from agents.rules.scopes import NothingLeft, narrowed
from agents.tasks import forget_tokens
from observability import ledger
from observability.models import Event
from tests.agents.tokens import ACCESS, ISSUER, Program, pair

SYSTEM = ledger.SYSTEM


def opened(text: str, http: Any) -> dict[str, Any]:
    """The claims of a token, its signature checked by the keys that the server publishes."""
    keys = KeySet.import_key_set(http.get("/oauth/jwks").json())
    token = jwt.decode(text, keys, algorithms=["ES256"])
    assert token.header["typ"] == "at+jwt"
    return dict(token.claims)


def consent(person: Any, agent: str = "AP-04", **more: Any) -> str:
    """What a person gives an agent, so that it can act for the person."""
    answer = person.call("post", "me/delegated-tokens", {"agent": agent, **more})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["subject_token"])


@pytest.mark.parametrize(
    ("kind", "size", "algorithm"),
    [("EC", "P-256", "ES256"), ("OKP", "Ed25519", "EdDSA"), ("OKP", "Ed25519", "Ed25519"), ("RSA", 2048, "RS256"),
     ("RSA", 2048, "PS256")],
)  # fmt: skip
def test_an_agent_gets_a_token_with_each_kind_of_key(program: Any, kind: str, size: Any, algorithm: str) -> None:
    clerk = program("AP-04", pair(kind, size), algorithm)
    answer = clerk.ask()
    body = answer.json()

    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 900, " ".join(ALL_SCOPES))
    assert answer.headers["Cache-Control"] == "no-store"
    claims = opened(body["access_token"], clerk.http)
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, ISSUER, "agent:AP-04")
    assert (claims["client_id"], claims["client_kid"]) == ("AP-04", clerk.key.kid)
    assert claims["exp"] - claims["iat"] == 900
    assert clerk.get("me", body["access_token"]).json()["code"] == "AP-04"


def test_the_uid_of_the_agent_names_it_as_well(program: Any, halden: Any) -> None:
    clerk, uid = program("AP-04"), str(halden.agents["AP-04"].uid)

    assert clerk.ask(clerk.assertion(iss=uid, sub=uid, aud=ISSUER), client_id=uid).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": "read  work"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"client_id": "AP-01"}, "invalid_client"),
        ({"client_assertion_type": "urn:x"}, "invalid_client"),
        ({"client_secret": "secret"}, "invalid_request"),
        ({"scope": "read\0"}, "invalid_request"),
    ],
)  # fmt: skip
def test_a_request_that_is_not_as_it_should_be(program: Any, form: dict[str, str], error: str) -> None:
    answer = program("AP-04").ask(**form)

    assert answer.json()["error"] == error
    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.headers["Content-Type"] == "application/json"


def test_only_a_form_with_each_parameter_once_is_read(program: Any) -> None:
    clerk = program("AP-04")
    form = f"grant_type=client_credentials&scope=read&scope=work&client_assertion={clerk.assertion()}"

    for body, kind in ((form, "application/x-www-form-urlencoded"), ("{}", "application/json")):
        assert clerk.http.post("/oauth/token", body, content_type=kind).json()["error"] == "invalid_request"
    assert clerk.http.get("/oauth/token").status_code == 405


def test_a_token_opens_what_its_scopes_name_and_nothing_else(program: Any) -> None:
    clerk = program("AP-04", scopes=["read", "work"])
    assert clerk.ask(scope="ask").json()["error"] == "invalid_scope"

    token = clerk.token(scope="read ask")
    assert clerk.get("me", token).status_code == 200
    refused = clerk.post("work/claim", token)

    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert 'error="insufficient_scope", scope="work"' in refused.headers["WWW-Authenticate"]
    assert Event.objects.get(verb="agent.refused").credential.startswith(f"token:{clerk.key.kid}:")


def test_a_token_ends_with_the_key_the_agent_and_its_account(program: Any, halden: Any, now: Any) -> None:
    clerk, agent = program("AP-04"), halden.agents["AP-04"]
    token = clerk.token()
    assert clerk.get("me", token).status_code == 200

    operations.pause(agent, by=SYSTEM, at=now, why="Odd payments")
    assert (clerk.get("me", token).status_code, clerk.ask().status_code) == (403, 401)
    operations.resume(agent, by=SYSTEM, at=now)
    assert clerk.get("me", token).status_code == 200

    Principal.objects.filter(pk=agent.principal_id).update(is_active=False)
    assert clerk.get("me", token).status_code == 403
    Principal.objects.filter(pk=agent.principal_id).update(is_active=True)

    operations.revoke_client_key(agent.client_keys.get(), by=halden.people["jonas"], at=now, why="Laptop lost")
    assert (clerk.get("me", token).json()["code"], clerk.ask().status_code) == ("unknown_token", 401)


def test_a_retired_agents_keys_are_revoked(program: Any, halden: Any, now: Any) -> None:
    clerk, agent = program("AP-04"), halden.agents["AP-04"]
    token = clerk.token()

    operations.retire(agent, by=SYSTEM, at=now, why="Replaced.")

    assert agent.client_keys.get().status == "revoked"
    assert clerk.get("me", token).status_code == 401


def test_the_metadata_leads_from_a_refusal_to_a_token(client: Any, program: Any) -> None:
    clerk = program("AP-04")
    refused = client.get("/api/v1/me")
    (address,) = [part.split('"')[1] for part in refused.headers["WWW-Authenticate"].split(",") if "metadata" in part]

    resource = client.get(address.removeprefix(ISSUER)).json()
    (issuer,) = resource["authorization_servers"]
    server = client.get("/.well-known/oauth-authorization-server").json()

    assert address.startswith(f"{resource['resource']}/.well-known/oauth-protected-resource")
    assert server["issuer"] == issuer
    assert server["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert not {"none", "HS256"} & set(server["token_endpoint_auth_signing_alg_values_supported"])
    for member in ("token_endpoint", "jwks_uri"):
        assert client.get(server[member].removeprefix(issuer)).status_code in (200, 405), member
    token = clerk.token(resource=resource["resource"])
    assert opened(token, client)["aud"] == resource["resource"]
    keys = client.get("/oauth/jwks").json()["keys"]
    assert all("d" not in key and key["kid"] for key in keys)


def test_a_public_url_is_the_name_by_which_tokens_know_the_server(program: Any, settings: Any, client: Any) -> None:
    settings.PUBLIC_URL = "https://os.example"
    clerk = program("AP-04")

    assert clerk.ask().status_code == 401, "another name is another audience"
    answer = clerk.ask(clerk.assertion(aud="https://os.example"))
    assert opened(answer.json()["access_token"], client)["iss"] == "https://os.example"
    assert client.get("/.well-known/oauth-protected-resource").json()["resource"] == "https://os.example"


def test_used_tokens_are_forgotten_when_they_have_expired(program: Any, now: Any) -> None:
    program("AP-04").ask()
    assert UsedToken.objects.count() == 1
    assert forget_tokens() == 0

    UsedToken.objects.update(expires_at=now - timedelta(seconds=1))
    assert forget_tokens() == 1


# --- an agent for a person ------------------------------------------------------------------------------------
def test_an_agent_acts_for_maria_and_the_ledger_tells_both(program: Any, sign_in: Any, client: Any) -> None:
    reader, maria = program("AP-01"), sign_in("maria")
    answer = reader.exchange(consent(maria, "AP-01", scopes=["work", "read"]))
    body = answer.json()

    assert (body["scope"], body["issued_token_type"]) == ("work read", ACCESS)
    claims = opened(body["access_token"], client)
    assert (claims["sub"], claims["act"]) == ("maria", {"sub": "agent:AP-01"})
    started = reader.post(
        "runs", body["access_token"], {"workflow": "invoice-to-payment", "key": "7", "input": {"document": "7.xml"}}
    )
    assert started.status_code == 201, started.content
    event = Event.objects.get(verb="run.started")
    assert (event.actor_kind, event.actor_id) == ("agent", "AP-01")
    assert event.on_behalf_of == [{"kind": "person", "id": "maria", "name": "Maria Lindqvist"}]
    assert event.credential == f"token:{reader.key.kid}:{claims['jti']}"


def test_a_consent_is_good_once_for_one_agent_for_minutes(program: Any, sign_in: Any, now: Any) -> None:
    clerk, reader, maria = program("AP-04"), program("AP-01"), sign_in("maria")
    text = consent(maria)

    assert reader.exchange(text).json()["error"] == "invalid_grant", "it is for AP-04"
    assert [clerk.exchange(text).status_code for _ in range(2)] == [200, 400]
    late = consent(maria)
    Consent.objects.filter(status="given").update(expires_at=now - timedelta(seconds=1))
    assert clerk.exchange(late).json()["error"] == "invalid_grant"
    for wrong in ("x", "aos_for_0123456789ab_" + "s" * 43, text[:-1]):
        assert clerk.exchange(wrong).json()["error"] == "invalid_grant"


def test_a_consent_that_is_withdrawn_ends_the_token_on_the_next_request(program: Any, sign_in: Any) -> None:
    clerk, maria = program("AP-04"), sign_in("maria")
    token = clerk.exchange(consent(maria)).json()["access_token"]
    assert clerk.get("me", token).status_code == 200
    (given,) = maria.call("get", "me/delegated-tokens").json()["results"]
    assert (given["status"], given["subject_token"]) == ("used", None)

    assert sign_in("priya").call("post", f"me/delegated-tokens/{given['id']}/withdraw").status_code == 404
    assert maria.call("post", f"me/delegated-tokens/{given['id']}/withdraw").status_code == 200

    assert clerk.get("me", token).status_code == 401


def test_a_person_who_is_gone_is_acted_for_no_longer(program: Any, sign_in: Any) -> None:
    clerk = program("AP-04")
    token = clerk.exchange(consent(sign_in("maria"))).json()["access_token"]

    Principal.objects.filter(username="maria").update(is_active=False)

    assert clerk.get("runs", token).status_code == 401


def test_an_agent_that_acts_for_a_person_sees_what_both_may_see(
    program: Any, sign_in: Any, halden: Any, bring: Any, now: Any
) -> None:
    run = bring("2026-1187")
    operations.grant("agents.view_agent", halden.people["tomasz"], halden.agents["AP-04"], by=SYSTEM, at=now)
    clerk = program("AP-04")
    own = clerk.token()
    for_maria = clerk.exchange(consent(sign_in("maria"))).json()["access_token"]
    for_tomasz = clerk.exchange(consent(sign_in("tomasz"))).json()["access_token"]

    assert [clerk.get(f"runs/{run}", token).status_code for token in (own, for_maria, for_tomasz)] == [200, 200, 404]
    assert [len(clerk.get("runs", token).json()["results"]) for token in (own, for_maria, for_tomasz)] == [1, 1, 0]
    assert clerk.post("work/claim", for_tomasz).json()["work"] is None
    assert clerk.post("work/claim", for_maria).json()["work"]["element"] == "pay"
    assert clerk.get("agents", for_tomasz).json()["results"] == [], "nor does it see what Tomasz alone may see"


def test_what_a_policy_knows_of_the_agents_rights_is_what_both_have(
    program: Any, sign_in: Any, halden: Any, question: Any, now: Any
) -> None:
    operations.grant("agents.view_agent", halden.people["tomasz"], halden.agents["AP-04"], by=SYSTEM, at=now)
    clerk = program("AP-04")
    effects = []
    for who in ("maria", "tomasz"):
        token = clerk.exchange(consent(sign_in(who))).json()["access_token"]
        effects.append(clerk.post("actions", token, question(amount="10.00")).json()["effect"])

    assert effects == ["allow", "deny"]


def test_a_chain_of_agents_is_told_in_full_and_ends_at_three(
    program: Any, sign_in: Any, halden: Any, client: Any
) -> None:
    programs = [program(code) for code in ("AP-01", "AP-02", "RK-01", "AP-04")]
    answer = programs[0].exchange(consent(sign_in("maria"), "AP-01"), audience="AP-02")
    assert answer.json()["token_type"] == "N_A"
    assert programs[0].get("me", answer.json()["access_token"]).status_code == 401, "it is addressed to AP-02"

    for this, next_code in ((programs[1], "RK-01"), (programs[2], "AP-04")):
        answer = this.exchange(answer.json()["access_token"], ACCESS, audience=next_code)
        assert answer.status_code == 200, answer.content
    handed = answer.json()["access_token"]
    assert programs[1].exchange(handed, ACCESS).json()["error"] == "invalid_grant", "it is addressed to AP-04"
    refused = programs[3].exchange(handed, ACCESS)

    assert refused.json()["error"] == "invalid_grant"
    assert "At most 3" in refused.json()["error_description"]
    assert opened(handed, client)["act"] == {
        "sub": "agent:RK-01", "act": {"sub": "agent:AP-02", "act": {"sub": "agent:AP-01"}}
    }  # fmt: skip
    told = Event.objects.filter(verb="token.exchanged", actor_id="RK-01").get()
    assert [each["id"] for each in told.on_behalf_of] == ["AP-02", "AP-01", "maria"]


def test_a_token_that_was_addressed_is_exchanged_once_and_ends_with_the_first(
    program: Any, sign_in: Any, client: Any, halden: Any, now: Any
) -> None:
    reader, matcher = program("AP-01"), program("AP-02")
    own = reader.exchange(consent(sign_in("maria"), "AP-01", minutes=5)).json()["access_token"]
    handed = reader.exchange(own, ACCESS, audience="AP-02").json()["access_token"]

    answers = [matcher.exchange(handed, ACCESS) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 400]
    token = answers[0].json()["access_token"]
    assert opened(token, client)["exp"] <= opened(own, client)["exp"]
    assert matcher.get("me", token).status_code == 200
    operations.pause(halden.agents["AP-01"], by=SYSTEM, at=now, why="Looked at")
    assert matcher.get("me", token).status_code == 403, "an agent of the chain is paused"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"audience": "AP-99"}, "invalid_target"),
        ({"audience": "VO-01"}, "invalid_target"),
        ({"scope": "memory:write"}, "invalid_scope"),
        ({"subject_token_type": "urn:x"}, "invalid_grant"),
        ({"subject_token": ""}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
    ],
)
def test_an_exchange_that_cannot_be(program: Any, sign_in: Any, form: dict[str, str], error: str) -> None:
    clerk = program("AP-04")
    given = {"subject": consent(sign_in("maria"), scopes=["read"]), "kind": operations.CONSENT}
    if "subject_token" in form:
        given["subject"] = form.pop("subject_token")
    if "subject_token_type" in form:
        given["kind"] = form.pop("subject_token_type")

    assert clerk.exchange(given["subject"], given["kind"], **form).json()["error"] == error


def test_an_agents_own_token_is_not_exchanged(program: Any) -> None:
    clerk, reader = program("AP-04"), program("AP-01")

    assert clerk.exchange(clerk.token(), ACCESS, audience="AP-01").json()["error"] == "invalid_grant"
    assert reader.exchange(clerk.token(), ACCESS).json()["error"] == "invalid_grant"


def test_nobody_lets_an_agent_act_that_he_may_not_see_or_that_does_not_work(sign_in: Any) -> None:
    tomasz, maria = sign_in("tomasz"), sign_in("maria")

    assert tomasz.call("post", "me/delegated-tokens", {"agent": "AP-04"}).status_code == 404
    assert tomasz.call("post", "me/delegated-tokens", {"agent": "VO-01"}).status_code == 403, "it is a draft"
    wrong = {"agent": "AP-04", "scopes": ["all"], "minutes": 16}
    answer = maria.call("post", "me/delegated-tokens", wrong)
    assert {error["field"] for error in answer.json()["errors"]} == {"scopes[0]", "minutes"}


SCOPES = st.lists(st.sampled_from(ALL_SCOPES), unique=True)


@settings(max_examples=200, deadline=None)
@given(asked=SCOPES, limits=st.lists(SCOPES, min_size=1, max_size=3))
def test_the_scope_of_an_exchanged_token_lies_within_the_intersection(
    asked: list[str], limits: list[list[str]]
) -> None:
    within = set(ALL_SCOPES).intersection(*limits)
    try:
        left = narrowed(" ".join(asked), *limits)
    except NothingLeft:
        assert not within & set(asked or ALL_SCOPES)
        return

    assert set(left) == within & set(asked or ALL_SCOPES)
    assert left == [scope for scope in ALL_SCOPES if scope in left]


# --- public keys ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("jwk", "said"),
    [
        ({}, "kind EC"),
        ({"kty": "oct", "k": "c2VjcmV0"}, "kind EC"),
        (pair().as_dict(private=True), "private key"),
        (pair("EC", "P-384").as_dict(private=False), "P-256"),
        (pair("RSA", 1024).as_dict(private=False), "2048"),
        ({"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}, "no key of this kind"),
        ({"kty": "EC", "crv": ["P-256"], "x": 1, "y": None}, "each a text"),
        ({"kty": "OKP", "crv": "X25519", "x": "A" * 43}, "Ed25519"),
        ({**pair().as_dict(private=False), "kid": "../x"}, "kid must"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_key_that_is_not_taken(sign_in: Any, jwk: dict[str, Any], said: str) -> None:
    answer = sign_in("jonas").call("post", "agents/AP-04/client-keys", {"jwk": jwk})

    assert answer.status_code == 400
    assert said in answer.content.decode()


def test_jonas_registers_and_revokes_a_public_key(sign_in: Any, halden: Any) -> None:
    jonas, clerk = sign_in("jonas"), Program("AP-04", pair())
    made = jonas.call("post", "agents/AP-04/client-keys", {"jwk": clerk.jwk, "scopes": ["read"]})

    assert (made.status_code, made.json()["kid"]) == (201, clerk.key.kid)
    assert "d" not in made.json()["jwk"]
    assert jonas.call("post", "agents/AP-04/client-keys", {"jwk": clerk.jwk}).status_code == 400, "a kid is used once"
    assert clerk.ask().json()["scope"] == "read"
    assert sign_in("maria").call("get", "agents/AP-04/client-keys").status_code == 403
    assert sign_in("tomasz").call("get", "agents/AP-04/client-keys").status_code == 404
    (listed,) = jonas.call("get", "agents/AP-04/client-keys").json()["results"]
    assert jonas.call("post", f"client-keys/{listed['id']}/revoke", {"why": "Lost."}).json()["status"] == "revoked"
    assert clerk.ask().status_code == 401


def test_no_token_assertion_or_consent_stands_in_the_database(program: Any, sign_in: Any, everything: Any) -> None:
    clerk, maria = program("AP-04"), sign_in("maria")
    assertion, given = clerk.assertion(), consent(maria)
    token = clerk.ask(assertion).json()["access_token"]
    exchanged = clerk.exchange(given).json()["access_token"]
    issued = sign_in("jonas").call("post", "agents/AP-04/keys", {"name": "laptop"}).json()["key"]
    replaced = clerk.http.post(
        "/api/v1/me/key/rotate", "{}", content_type="application/json",
        headers={"Authorization": f"Bearer {issued}", "Idempotency-Key": "1"},
    ).json()["key"]  # fmt: skip

    dump = everything()
    assert "client_key.registered" in dump
    for text in (assertion, token, exchanged):
        for part in text.split(".")[1:]:
            assert part not in dump
    for text in (given, issued, replaced):
        assert text.rpartition("_")[2] not in dump
        assert text[21:] not in dump
    assert json.dumps(clerk.key.as_dict(private=True)["d"]) not in dump
    assert Agent.objects.filter(code="AP-04").exists()
