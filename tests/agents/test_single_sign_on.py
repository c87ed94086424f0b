"""The company's own sign-in service lets people in, with the roles that its groups mean; a real one on this machine."""

import html
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import oidc_provider_mock
import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from agents.models import Principal
from agents.views.adapters import asked_just_now
from autonomy_site.environment import Oidc
from governance.models import ControlState
from observability.ledger import database_now
from observability.models import Event
from tests.conftest import PASSWORD

GROUPS = {"os-council": "council", "os-reviewers": "reviewer", "os-owners": "unit_owner"}
ANNA = {
    "email": "anna@halden.example", "email_verified": True, "name": "Anna Berg", "preferred_username": "anna",
    "groups": ["os-reviewers", "chess club"],
}  # fmt: skip


class Service:
    """The sign-in service, and what it says of people."""

    def __init__(self, issuer: str, users: dict[str, oidc_provider_mock.User]) -> None:
        self.issuer, self.users = issuer, users

    def says(self, sub: str = "anna", **claims: Any) -> None:
        """From now on it says this of a person; None takes a claim away."""
        kept = self.users[sub].claims
        kept.update(claims)
        for name in [name for name, value in kept.items() if value is None]:
            del kept[name]


@pytest.fixture(scope="module")
def provider() -> Iterator[tuple[str, dict[str, oidc_provider_mock.User]]]:
    """A provider that serves on a free port."""
    users = {sub: oidc_provider_mock.User(sub=sub, claims={}) for sub in ("anna", "bert")}
    with oidc_provider_mock.run_server_in_thread(user_claims=tuple(users.values())) as server:
        yield f"http://localhost:{server.server_port}", users


@pytest.fixture
def service(provider: Any, halden: Any, settings: Any) -> Service:
    """The provider as the environment would name it, and Anna there."""
    issuer, users = provider
    settings.OIDC = Oidc(
        issuer=issuer, client_id="autonomy-os", client_secret="kept", name="Halden ID", group_map=GROUPS,
        unit="finance", unit_claim="department",
    )  # fmt: skip
    users["anna"].claims.clear()
    users["anna"].claims.update(ANNA)
    return Service(issuer, users)


def come(client: Client, *, sub: str = "anna", next: str = "", answer: str = "sub") -> Any:
    """Press the button, say yes at the service, come back: the last answer."""
    page = client.post("/sign-in/service", {"next": next})
    address = html.unescape(re.search(r'content="0;url=([^"]+)"', page.content.decode())[1])  # type: ignore[index]
    given = {"sub": sub} if answer == "sub" else {"action": "deny"}
    there = httpx.post(address, data=given)
    back = urlsplit(there.headers["Location"])
    return client.get(f"{back.path}?{back.query}")


def test_the_button_is_there_only_with_a_service(client: Any, halden: Any, settings: Any) -> None:
    assert "/sign-in/service" not in client.get("/sign-in").content.decode()
    assert client.post("/sign-in/service").status_code == 404
    assert client.get("/sign-in/sso/back").status_code == 404

    settings.OIDC = Oidc(issuer="https://id.example", client_id="x", name="Halden ID", unit="finance")
    assert "Sign in with Halden ID" in client.get("/sign-in").content.decode()
    assert client.get("/sign-in/service").status_code == 405, "no other site sends anybody there"


def test_somebody_with_a_mapped_group_becomes_a_person(service: Service) -> None:
    client = Client()

    back = come(client, next="/runs?status=done")

    assert back.headers["Location"] == "/runs?status=done"
    assert client.get("/runs").status_code == 200
    anna = Principal.objects.get(username="anna")
    assert (anna.name, anna.email, anna.unit.code) == ("Anna Berg", "anna@halden.example", "finance")  # type: ignore[union-attr]
    assert anna.role_names == {"reviewer"}
    assert not anna.has_usable_password()
    assert Event.objects.get(verb="person.signed_in").data["method"] == "single sign-on"
    assert Event.objects.get(verb="person.admitted", subject_id="anna").actor_kind == "system"


@pytest.mark.parametrize("groups", [None, [], ["chess club"], "os", 7, [["os-council"]], {"os-council": 1}])
def test_nobody_comes_in_without_a_mapped_group(service: Service, groups: Any) -> None:
    service.says(groups=groups)
    client = Client()

    refused = come(client)

    assert refused.status_code == 403
    assert "none of your groups opens anything here" in refused.content.decode()
    assert client.get("/runs").status_code == 302
    assert not Principal.objects.filter(username="anna").exists()
    assert Event.objects.get(verb="person.sign_in_failed").data["reason"] == "not_admitted"


def test_roles_follow_the_groups_at_each_sign_in(service: Service) -> None:
    first, second = Client(), Client()
    come(first)
    service.says(groups=["os-owners"], department="procurement")

    come(second)

    anna = Principal.objects.get(username="anna")
    assert anna.role_names == {"unit_owner"}
    assert first.get("/runs").status_code == 302, "the old session knew other roles"
    assert second.get("/runs").status_code == 200
    assert Event.objects.get(verb="person.roles_changed").data["roles"] == ["unit_owner"]
    service.says(groups=["chess club"])
    assert come(Client()).status_code == 403


def test_an_unknown_unit_is_refused_when_there_is_none_for_everybody(service: Service, settings: Any) -> None:
    service.says(department="moon")
    come(Client())
    assert Principal.objects.get(username="anna").unit.code == "finance"  # type: ignore[union-attr]

    settings.OIDC = Oidc(**{**vars(settings.OIDC), "unit": ""})
    assert come(Client(), sub="anna").status_code == 403


def test_no_local_account_is_taken_over(service: Service, settings: Any) -> None:
    cases = ((False, True, 403), (True, False, 403), (True, "true", 403), (True, True, 302))
    for links, verified, status in cases:
        settings.OIDC = Oidc(**{**vars(settings.OIDC), "links_by_email": links})
        service.says(email="PRIYA@halden.example", email_verified=verified, preferred_username="priya")
        client = Client()
        answer = come(client)
        assert answer.status_code == status, (links, verified)
    assert "already" not in answer.content.decode()
    assert client.get("/people/priya").context["is_oneself"]
    assert Event.objects.get(verb="person.linked").subject_id == "priya"
    assert Client().post("/sign-in", {"username": "priya", "password": PASSWORD}).status_code == 302


def test_a_taken_name_becomes_another_one(service: Service) -> None:
    service.says(preferred_username="priya", email="other@halden.example")
    come(Client())
    assert Principal.objects.get(email="other@halden.example").username == "priya-2"


def test_an_agents_account_and_a_disabled_person_stay_out(service: Service, halden: Any, settings: Any) -> None:
    settings.OIDC = Oidc(**{**vars(settings.OIDC), "links_by_email": True})
    account = halden.agents["AP-04"].principal
    Principal.objects.filter(pk=account.pk).update(email="ap04@halden.example")
    service.says(email="ap04@halden.example", preferred_username="agent:AP-04")
    come(Client())
    assert Principal.objects.get(email="ap04@halden.example", kind="person").username == "agent-ap-04"

    Principal.objects.filter(username="agent-ap-04").update(is_active=False)
    client = Client()
    assert come(client).status_code == 403
    assert client.get("/runs").status_code == 302


@pytest.mark.parametrize(("trusts", "amr", "place"), [
    (False, ["mfa"], "/second-factor"), (True, ["pwd"], "/second-factor"), (True, None, "/second-factor"),
    (True, ["pwd", "mfa"], ""),
])  # fmt: skip
def test_a_second_factor_there_counts_when_it_is_trusted(
    service: Service, settings: Any, trusts: bool, amr: Any, place: str
) -> None:
    settings.OIDC = Oidc(**{**vars(settings.OIDC), "trusts_mfa": trusts})
    service.says(groups=["os-council"], amr=amr)
    client = Client()

    come(client)

    assert client.get("/runs").headers.get("Location", "") == place


@pytest.mark.parametrize("told", [None, "now", 1, True, 10**300])
def test_the_service_must_say_that_it_asked_just_now(db: None, told: Any) -> None:
    at = database_now()

    assert not asked_just_now(told, at=at)
    assert asked_just_now(at.timestamp(), at=at)


def test_a_no_at_the_service_is_told_in_words(service: Service) -> None:
    for answer in (come(Client(), answer="deny"), Client().get("/sign-in/sso/back?code=x&state=forged")):
        assert "did not say yes" in answer.content.decode()
    assert Event.objects.filter(verb="person.sign_in_failed").count() == 2


def test_a_service_that_is_away_is_told_in_words(halden: Any, settings: Any) -> None:
    settings.OIDC = Oidc(issuer="http://127.0.0.1:9", client_id="x", name="Halden ID", unit="finance")

    answer = Client().post("/sign-in/service")

    assert answer.status_code == 502
    assert "does not answer" in answer.content.decode()


def test_an_act_that_loosens_asks_the_service_again(service: Service, settings: Any, monkeypatch: Any) -> None:
    settings.OIDC = Oidc(**{**vars(settings.OIDC), "trusts_mfa": True})
    service.says(groups=["os-council"], amr=["mfa"])
    client = Client()
    come(client)
    client.post("/control", {"state": "paused", "why": "Stop."})
    for module in ("agents.views.who", "agents.views.adapters"):
        monkeypatch.setattr(f"{module}.database_now", timezone.now)
    with time_machine.travel(time.time() + settings.REAUTHENTICATE_AFTER_SECONDS + 60, tick=True):
        asked = client.post("/control", {"state": "normal", "why": "Go on."})
        assert asked.headers["Location"].startswith("/confirm/service")
        assert "what you entered is kept" in client.get(asked.headers["Location"]).content.decode()
        done = come(client)

    assert done.headers["Location"] == "/control"
    assert ControlState.objects.get().status == "normal"
    page = client.post("/sign-in/service?auth_params=prompt%3Dnone&process=connect&scope=all", {"process": "connect"})
    assert "max_age%3D0" in page.content.decode() or "max_age=0" in page.content.decode()
    assert "prompt=none" not in page.content.decode()
