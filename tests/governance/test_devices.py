"""Devices: what is pushed reaches one browser, encrypted for it; without a key of the server nothing is offered."""

import base64
import json
import os
from collections.abc import Iterator
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from autonomy_site import environment
from governance.models import NoticePlace
from observability.models import Event
from tests.receivers import Receiver, http_receiver

PAGE = "/settings/notifications"


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Browser:
    """A browser's own half of a subscription."""

    def __init__(self) -> None:
        self.key, self.auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)

    def subscription(self, endpoint: str) -> str:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return json.dumps({"endpoint": endpoint, "keys": {"p256dh": text(point), "auth": text(self.auth)}})

    def read(self, body: bytes) -> Any:
        return json.loads(http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"))


@pytest.fixture
def vapid(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The server's key, read from the environment as at a start."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    monkeypatch.setenv("VAPID_PRIVATE_KEY", text(number.to_bytes(32, "big")))
    monkeypatch.setenv("VAPID_CONTACT", "mailto:it@halden.example")
    settings.VAPID = environment.vapid()
    return settings.VAPID


@pytest.fixture
def push_service(settings: Any) -> Iterator[Receiver]:
    with http_receiver() as receiver:
        receiver.answer = 201
        settings.OUTGOING_HOSTS = frozenset({receiver.host})
        yield receiver


def add(person: Any, address: str) -> Any:
    return person.post(f"{PAGE}/places", {"kind": "device", "address": address})


def test_a_push_reaches_the_browser_and_nobody_else_can_read_it(
    sign_in: Any, vapid: dict[str, str], push_service: Receiver
) -> None:
    priya, browser = sign_in("priya"), Browser()
    assert add(priya, browser.subscription(push_service.url)).status_code == 302
    place = NoticePlace.objects.get()

    page = priya.post(f"{PAGE}/places/{place.uid}/test", follow=True)

    assert "The test was taken" in page.content.decode()
    (taken,) = push_service.taken
    told = browser.read(taken.body)
    assert (told["title"], told["link"]) == ("A test from Autonomy OS", f"http://testserver{PAGE}")
    assert b"test" not in taken.body
    scheme, _, rest = taken.headers["authorization"].partition(" ")
    parts = dict(each.strip().split("=", 1) for each in rest.split(","))
    point = base64.urlsafe_b64decode(parts["k"] + "==")
    key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": text(point[1:33]), "y": text(point[33:])})
    claims = jwt.decode(parts["t"], key, algorithms=["ES256"]).claims
    assert (scheme, parts["k"].rstrip("=")) == ("vapid", vapid["public"])
    assert (claims["aud"], claims["sub"]) == (f"http://{push_service.host}", "mailto:it@halden.example")
    assert int(taken.headers["ttl"]) > 0


def test_a_browser_that_took_its_permission_back_removes_its_place(
    sign_in: Any, vapid: dict[str, str], push_service: Receiver
) -> None:
    priya = sign_in("priya")
    add(priya, Browser().subscription(push_service.url))
    push_service.answer = 410

    priya.post(f"{PAGE}/places/{NoticePlace.objects.get().uid}/test")

    assert not NoticePlace.objects.exists()
    assert Event.objects.get(verb="person.notice_place_removed").actor_kind == "system"


@pytest.mark.parametrize(
    "address",
    ["", "x", "{}", "[]", '{"endpoint": "https://push.example/"}',
     '{"endpoint": 5, "keys": {"p256dh": "a", "auth": "b"}}',
     '{"endpoint": "https://10.0.0.1/", "keys": {"p256dh": "a", "auth": "b"}}', "[" * 1500,
     '{"endpoint": "http://127.0.0.1/", "keys": {"p256dh": "a", "auth": "b"}}'],
)  # fmt: skip
def test_what_is_no_subscription_or_leads_inside_is_refused(sign_in: Any, vapid: Any, address: str) -> None:
    assert add(sign_in("priya"), address).status_code == 400
    assert not NoticePlace.objects.exists()


def test_keys_that_are_none_remove_the_place_and_break_nothing(
    sign_in: Any, vapid: Any, push_service: Receiver
) -> None:
    priya = sign_in("priya")
    add(priya, json.dumps({"endpoint": push_service.url, "keys": {"p256dh": "a", "auth": "b"}}))

    page = priya.post(f"{PAGE}/places/{NoticePlace.objects.get().uid}/test", follow=True)

    assert page.status_code == 200
    assert (push_service.taken, NoticePlace.objects.count()) == ([], 0)


def test_without_a_key_of_the_server_there_is_nothing_to_press(sign_in: Any, push_service: Receiver) -> None:
    priya = sign_in("priya")

    assert "this device" not in priya.get(PAGE).content.decode().lower()
    assert add(priya, Browser().subscription(push_service.url)).status_code == 400


def test_with_a_key_the_page_offers_it_with_the_public_half_alone(sign_in: Any, vapid: dict[str, str]) -> None:
    page = sign_in("priya").get(PAGE).content.decode()

    assert "Notify me on this device" in page
    assert vapid["public"] in page
    assert vapid["private"] not in page


# --- installable ----------------------------------------------------------------------------------------------
def test_the_manifest_names_icons_that_there_are(client: Any) -> None:
    answer = client.get("/manifest.webmanifest")
    told = answer.json()

    assert answer["Content-Type"] == "application/manifest+json"
    assert (told["start_url"], told["display"]) == ("/escalations", "standalone")
    assert {each["sizes"] for each in told["icons"]} >= {"192x192", "512x512"}
    for each in told["icons"]:
        assert client.get(each["src"]).status_code == 200, each


def test_the_service_worker_keeps_no_page_and_its_files_are_there(client: Any) -> None:
    answer = client.get("/service-worker.js")
    script = answer.content.decode()

    assert answer["Content-Type"] == "text/javascript"
    assert "no-cache" in answer["Cache-Control"]
    assert ".put(" not in script
    files = [each for each in script.split('"') if each.startswith("/static/")]
    assert len(files) >= 4
    assert all(client.get(each).status_code == 200 for each in files)
    assert "No connection" in client.get("/offline").content.decode()


def test_the_notice_without_connection_is_the_same_for_everybody(client: Any, sign_in: Any) -> None:
    assert sign_in("priya").get("/offline").content == client.get("/offline").content
