"""Agent cards: ours as the A2A kit reads and verifies them, those of others pinned until they change."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from a2a.types import AgentCard
from a2a.utils.signing import InvalidSignaturesError, create_signature_verifier
from google.protobuf import json_format
from jwt import PyJWK

from agents import operations
from agents.models import ForeignCard
from agents.rules.cards import BadCard, differences, read_card
from observability import ledger
from observability.models import Event

SYSTEM = ledger.SYSTEM
SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "agents" / "a2a_cards"
CARD = {
    "name": "Customs agent", "description": "Clears shipments", "version": "2.1.0",
    "provider": {"organization": "Broker AG", "url": "https://broker.example"},
    "supportedInterfaces": [
        {"url": "https://broker.example/a2a", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
    ],
    "capabilities": {"streaming": True}, "defaultInputModes": ["text/plain"], "defaultOutputModes": ["text/plain"],
    "skills": [{"id": "clear", "name": "Clear a shipment", "description": "Files the papers", "tags": ["customs"]}],
}  # fmt: skip


def path(code: str = "AP-04") -> str:
    return f"/agents/{code}/agent-card.json"


def parsed(answer: Any) -> AgentCard:
    """The card as the kit reads it: an unknown member would be an error."""
    return json_format.ParseDict(answer.json(), AgentCard())


def verify(card: AgentCard, http: Any) -> None:
    """Raise unless the kit finds the signature right by the keys that the server publishes."""
    keys = {key["kid"]: PyJWK(key) for key in http.get("/oauth/jwks").json()["keys"]}

    def provide(kid: str | None, jku: str | None) -> PyJWK:
        assert jku == "http://testserver/oauth/jwks"
        return keys[str(kid)]

    create_signature_verifier(provide, ["ES256"])(card)


def skills(answer: Any) -> list[str]:
    return [skill["id"] for skill in answer.json()["skills"]]


@pytest.fixture
def published(halden: Any, now: Any) -> None:
    """The payments clerk's card can be read by everybody."""
    operations.publish_card(halden.agents["AP-04"], published=True, by=halden.people["ingrid"], at=now)


def test_a_card_is_read_and_verified_by_the_kit(sign_in: Any, client: Any, published: Any) -> None:
    for reader in (client, sign_in("maria")):
        answer = reader.get(path())
        card = parsed(answer)

        assert answer["Content-Type"] == "application/json"
        assert (card.name, card.provider.organization) == ("AP-04 Payments clerk", "Halden Group")
        assert card.supported_interfaces[0].url == "http://testserver/api/v1"
        assert card.security_schemes["oauth2"].oauth2_security_scheme.flows.client_credentials.token_url.endswith(
            "/token"
        )
        verify(card, client)


def test_a_card_with_one_changed_letter_is_not_verified(client: Any, published: Any) -> None:
    card = parsed(client.get(path()))
    card.description = card.description.replace("S", "s", 1)

    with pytest.raises(InvalidSignaturesError):
        verify(card, client)


def test_outsiders_read_the_role_and_insiders_the_actions_too(
    sign_in: Any, robot: Any, client: Any, published: Any, program: Any
) -> None:
    assert skills(client.get(path())) == ["payments-clerk"]
    assert skills(sign_in("tomasz").get(path())) == ["payments-clerk"]
    assert skills(sign_in("maria").get(path())) == ["payments-clerk", "invoice.pay"]
    clerk = program("AP-01")
    by_token = clerk.http.get(path(), headers={"Authorization": f"Bearer {clerk.token()}"})
    assert skills(by_token) == ["payments-clerk", "invoice.pay"]
    assert client.get(path(), headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_who_may_see_the_agent_reads_a_card_that_is_not_published(sign_in: Any, client: Any, halden: Any) -> None:
    assert sign_in("maria").get(path()).status_code == 200
    for stranger in (client, sign_in("tomasz")):
        assert stranger.get(path()).status_code == 404
    assert client.get(path("XX-99")).status_code == 404


@pytest.mark.parametrize("stop", ["pause", "retire"])
def test_an_agent_that_does_not_work_has_no_card(
    client: Any, sign_in: Any, published: Any, halden: Any, now: Any, stop: str
) -> None:
    getattr(operations, stop)(halden.agents["AP-04"], by=SYSTEM, at=now, why="Looked at")

    assert [reader.get(path()).status_code for reader in (client, sign_in("maria"))] == [404, 404]


def test_a_card_that_is_known_is_not_sent_again(client: Any, sign_in: Any, published: Any, halden: Any) -> None:
    first = client.get(path())
    known = {"If-None-Match": first["ETag"]}

    assert first["Cache-Control"] == "public, max-age=300"
    assert {"Authorization", "Cookie"} <= {name.strip() for name in first["Vary"].split(",")}
    again = client.get(path(), headers=known)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    inside = sign_in("maria").get(path(), headers=known)
    assert (inside.status_code, inside["Cache-Control"]) == (200, "private, max-age=300")
    halden.agents["AP-04"].role.purpose = "Pays."
    halden.agents["AP-04"].role.save(update_fields=["purpose"])
    assert client.get(path(), headers=known).status_code == 200


def test_the_page_publishes_a_card_and_takes_it_back(sign_in: Any, client: Any) -> None:
    ingrid = sign_in("ingrid")
    assert "Publish the card" in ingrid.get("/agents/AP-04?tab=keys").content.decode()
    assert sign_in("sofia").post("/agents/AP-04/card", {"published": "yes"}).status_code == 403

    assert ingrid.post("/agents/AP-04/card", {"published": "yes"}).status_code == 302
    assert client.get(path()).status_code == 200
    assert ingrid.post("/agents/AP-04/card", {"published": "yes"}).status_code == 409
    ingrid.post("/agents/AP-04/card", {"published": "no"})
    assert client.get(path()).status_code == 404
    assert [event.verb for event in Event.objects.filter(verb__startswith="agent.card_")] == [
        "agent.card_published", "agent.card_hidden",
    ]  # fmt: skip


# --- cards of others ------------------------------------------------------------------------------------------
def changed(**more: Any) -> dict[str, Any]:
    return {**CARD, **more}


def upload(person: Any, card: Any, halden: Any, unit: str = "finance") -> Any:
    """Send a card by the form of the page."""
    file = BytesIO(card if isinstance(card, bytes) else json.dumps(card).encode())
    file.name = "agent-card.json"
    return person.post("/agents/cards", {"unit": halden.units[unit].pk, "card": file})


def test_a_card_is_pinned_drifts_is_accepted_and_withdrawn(sign_in: Any, halden: Any) -> None:
    jonas = sign_in("jonas")
    assert upload(jonas, CARD, halden).status_code == 302
    card = ForeignCard.objects.get()
    assert (card.status, card.name, card.provider, card.url) == (
        "pinned", "Customs agent", "Broker AG", "https://broker.example/a2a"
    )  # fmt: skip

    upload(jonas, json.dumps(CARD, indent=4, sort_keys=True).encode(), halden)
    card.refresh_from_db()
    assert card.status == "pinned", "the same card in another spelling"

    new = changed(skills=[{**CARD["skills"][0], "description": "Files the papers and pays"}])
    upload(jonas, new, halden)
    card.refresh_from_db()
    assert card.status == "drifted"
    assert Event.objects.get(verb="card.drifted").data["seen_sha256"] == card.seen_sha256
    page = jonas.get(f"/agents/cards/{card.uid}").content.decode()
    assert "Files the papers and pays" in page
    assert "skills[1].description" in page

    where = f"/agents/cards/{card.uid}"
    assert jonas.post(f"{where}/accept", {"sha256": card.sha256}).status_code == 409, "not the one that came in last"
    assert jonas.post(f"{where}/accept", {"sha256": card.seen_sha256, "why": "Asked them."}).status_code == 302
    card.refresh_from_db()
    assert (card.status, card.card, card.seen, card.seen_sha256) == ("pinned", new, None, "")
    assert jonas.post(f"{where}/withdraw", {"why": "Contract ended."}).status_code == 302
    upload(jonas, CARD, halden)
    card.refresh_from_db()
    assert card.status == "drifted", "after that every other card needs a person again"
    assert jonas.get("/agents/cards").status_code == 200


def test_a_card_that_comes_back_as_it_was_is_pinned_again(sign_in: Any, halden: Any) -> None:
    jonas = sign_in("jonas")
    for card in (CARD, changed(version="9"), changed(version="10"), CARD):
        upload(jonas, card, halden)

    assert ForeignCard.objects.get().status == "pinned"
    verbs = Event.objects.filter(subject_kind="card").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["card.pinned", "card.drifted", "card.drifted", "card.restored"]


def test_the_api_pins_accepts_and_withdraws(sign_in: Any, halden: Any) -> None:
    jonas = sign_in("jonas")
    made = jonas.call("post", "foreign-cards", {"unit": "finance", "card": CARD})
    assert made.status_code == 201, made.content
    drifted = jonas.call("post", "foreign-cards", {"unit": "finance", "card": changed(version="9")}).json()
    where = f"foreign-cards/{drifted['id']}"

    assert (drifted["status"], drifted["changes"]) == (
        "drifted", [{"field": "version", "before": "2.1.0", "after": "9"}]
    )  # fmt: skip
    assert jonas.call("get", where).json() == drifted
    assert jonas.call("post", f"{where}/accept", {"sha256": "0" * 64}).json()["code"] == "card_changed"
    accepted = jonas.call("post", f"{where}/accept", {"sha256": drifted["seen_sha256"]}).json()
    assert (accepted["status"], accepted["version"], accepted["changes"]) == ("pinned", "9", [])
    assert jonas.call("post", f"{where}/accept", {"sha256": accepted["sha256"]}).json()["code"] == "wrong_status"
    assert jonas.call("post", f"{where}/withdraw", {"why": "Ended."}).json()["status"] == "withdrawn"
    assert [card["id"] for card in jonas.call("get", "foreign-cards").json()["results"]] == [drifted["id"]]


def test_cards_of_another_unit_are_not_found_and_not_everybody_pins(sign_in: Any, halden: Any) -> None:
    upload(sign_in("jonas"), CARD, halden)
    uid = ForeignCard.objects.get().uid
    tomasz, maria = sign_in("tomasz"), sign_in("maria")

    assert "Customs agent" not in tomasz.get("/agents/cards").content.decode()
    assert tomasz.call("get", "foreign-cards").json()["results"] == []
    for where in (f"/agents/cards/{uid}", f"/api/v1/foreign-cards/{uid}"):
        assert tomasz.get(where).status_code == 404
        assert maria.get(where).status_code == 200
    assert tomasz.post(f"/agents/cards/{uid}/accept").status_code == 404
    assert maria.post(f"/agents/cards/{uid}/withdraw").status_code == 403
    assert maria.call("post", "foreign-cards", {"unit": "finance", "card": CARD}).status_code == 403
    assert "Pin the card" not in maria.get("/agents/cards").content.decode()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"", "empty"),
        (b"{", "not JSON"),
        (b"[]", "JSON object"),
        (b"\xff", "not JSON"),
        (b'{"name": "a", "name": "b"}', "twice"),
        (b'{"name": NaN}', "no number"),
        (json.dumps(changed(name="")).encode(), "needs name"),
        (json.dumps(changed(name="x" * 201)).encode(), "needs name"),
        (json.dumps(changed(skills=[])).encode(), "needs skills"),
        (json.dumps(changed(supportedInterfaces=[{"url": "javascript:alert(1)"}])).encode(), "must begin with"),
        (json.dumps(changed(supportedInterfaces=[{"url": "https://[x"}])).encode(), "cannot be read"),
        (json.dumps(changed(note="a\0b")).encode(), "cannot be kept"),
        (json.dumps(changed(note="\ud800")).encode(), "no exact form"),
        (json.dumps(changed(note=2**60)).encode(), "no exact form"),
        (json.dumps(changed(note="x" * 262_144)).encode(), "larger than 256 KB"),
        (json.dumps(CARD).encode()[:-1] + b', "x": ' + b"[" * 40 + b"]" * 40 + b"}", "nested"),
        (b'{"x": ' + b"[" * 90_000, "not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_card(sign_in: Any, halden: Any, file: bytes, said: str) -> None:
    answer = upload(sign_in("jonas"), file, halden)

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not ForeignCard.objects.exists()


def test_one_changed_byte_is_another_fingerprint() -> None:
    whole = json.dumps(CARD).encode()

    assert read_card(whole).sha256 == read_card(whole.replace(b", ", b",\n")).sha256
    assert read_card(whole).sha256 != read_card(whole.replace(b"Clears", b"clears")).sha256


def test_differences_are_told_place_by_place() -> None:
    old = {"a": 1, "b": {"c": "x"}, "d": [1, 2], "gone": {}}
    new = {"a": 1, "b": {"c": "y"}, "d": [1], "new": None}

    assert differences(old, new) == [
        {"field": "b.c", "before": "x", "after": "y"},
        {"field": "d[2]", "before": "2", "after": None},
        {"field": "gone", "before": "{}", "after": None},
        {"field": "new", "before": None, "after": "null"},
    ]
    assert differences(old, old) == []


def test_the_example_cards_are_read() -> None:
    files = sorted(SHARED.glob("*.json"))
    if not files:
        return
    told = json.loads((SHARED.parent / "answers.json").read_text())

    for file in files:
        read = read_card(file.read_bytes())
        known = told[f"a2a_cards/{file.name}"]
        assert (read.name, len(read.skills)) == (known["name"], known["skills"])
        with pytest.raises(BadCard):
            read_card(file.read_bytes()[:-2])
