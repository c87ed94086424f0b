"""Which doors a key opens; and keys that are replaced while the old one goes on for a while."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver
from rest_framework.views import APIView

from agents import operations
from agents.api.permissions import AgentsOnly, PeopleOnly, SignedIn, scope_of
from agents.api.registry import MeView
from agents.models import GivenAnswer, Key
from agents.rules import ALL_SCOPES, ANY
from observability import ledger
from observability.models import Event
from tests.agents.tokens import Program, pair

SYSTEM = ledger.SYSTEM
DOORS = [
    ("get", "me", "read"),
    ("get", "agents", "read"),
    ("get", "events", "read"),
    ("get", "runs", "work"),
    ("post", "runs", "work"),
    ("post", "work/claim", "work"),
    ("post", "actions", "ask"),
    ("get", "escalations", "ask"),
    ("get", "memory/facts", "memory:read"),
    ("post", "memory/facts", "memory:write"),
]


def routes(patterns: Any = None, start: str = "") -> Any:
    """(path, view class, options) of every route."""
    for each in patterns if patterns is not None else get_resolver().url_patterns:
        path = f"{start}{each.pattern}"
        if isinstance(each, URLPattern):
            yield path, getattr(each.callback, "cls", None) or getattr(each.callback, "view_class", None), each.callback
        else:
            yield from routes(each.url_patterns, path)


def test_every_door_of_the_api_names_its_scope_or_is_for_people() -> None:
    seen = 0
    for path, view, _ in routes():
        if not (isinstance(view, type) and issubclass(view, APIView)) or path in ("api/", "api/schema/"):
            continue
        assert all(issubclass(each, SignedIn) for each in view.permission_classes), path
        for method in ("get", "post", "put", "patch", "delete"):
            if hasattr(view, method):
                seen += 1
                scope = scope_of(view, method)
                if PeopleOnly in view.permission_classes:
                    assert scope is None, (path, method)
                else:
                    assert scope in (*ALL_SCOPES, ANY), (path, method, "name the scope that opens this to an agent")
    assert seen > 30


def test_a_door_without_a_scope_opens_to_no_agent(robot: Any, monkeypatch: Any) -> None:
    monkeypatch.delattr(MeView, "scope")

    assert robot("AP-04").call("get", "me").status_code == 403
    assert AgentsOnly in MeView.permission_classes


@pytest.mark.parametrize("scope", ALL_SCOPES)
def test_a_key_opens_the_doors_of_its_scopes_only(robot: Any, halden: Any, now: Any, scope: str) -> None:
    clerk = robot("AP-04")
    clerk.key = operations.issue_key(halden.agents["AP-04"], by=SYSTEM, at=now, scopes=[scope])

    for method, path, needed in DOORS:
        answer = clerk.call(method, path)
        if needed == scope:
            assert answer.status_code != 403, path
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope"), path
            assert needed in answer.json()["detail"]
            assert f'scope="{needed}"' in answer.headers["WWW-Authenticate"]
    refused = Event.objects.filter(verb="agent.refused")
    assert refused.count() == sum(needed != scope for *_, needed in DOORS), "what was denied stands in the ledger"


def test_keys_from_before_open_everything(halden: Any) -> None:
    assert Key._meta.get_field("scopes").get_default() == list(ALL_SCOPES)
    assert all(key.scopes == list(ALL_SCOPES) for key in Key.objects.all())


@pytest.mark.parametrize("scopes", [[], ["all"], ["read", "root"]])
def test_a_key_with_unknown_scopes_is_not_issued(halden: Any, now: Any, scopes: list[str]) -> None:
    with pytest.raises(ledger.Invalid) as wrong:
        operations.issue_key(halden.agents["AP-04"], by=SYSTEM, at=now, scopes=scopes)
    assert set(wrong.value.fields) == {"scopes"}


# --- rotation -------------------------------------------------------------------------------------------------
def rotated(client: Any, **body: Any) -> Any:
    return client.call("post", "me/key/rotate", body)


def works(client: Any, key: str) -> bool:
    kept, client.key = client.key, key
    status = client.call("get", "me").status_code
    client.key = kept
    return bool(status == 200)


def test_an_agent_replaces_its_own_key_and_both_open_for_a_day(robot: Any, halden: Any, now: Any) -> None:
    clerk = robot("AP-04")
    answer = rotated(clerk)
    new = answer.json()["key"]

    assert answer.status_code == 201
    assert works(clerk, clerk.key)
    assert works(clerk, new)
    old = Key.objects.get(agent__code="AP-04", replaced_by__isnull=False)
    assert timedelta(hours=23) < old.expires_at - now < timedelta(hours=25)
    Key.objects.filter(pk=old.pk).update(expires_at=now)
    assert not works(clerk, clerk.key)
    told = Event.objects.get(verb="key.rotated")
    assert (told.actor_id, told.data["replaces"], told.credential) == ("AP-04", old.prefix, f"key:{old.prefix}")


def test_two_keys_are_the_most(robot: Any, now: Any) -> None:
    clerk = robot("AP-04")
    second = rotated(clerk).json()["key"]
    assert works(clerk, second)

    assert rotated(clerk).json()["code"] == "rotation_under_way", "the second one is in use"
    clerk.key, first = second, clerk.key
    assert rotated(clerk).json()["code"] == "rotation_under_way", "the first one still opens"
    Key.objects.filter(prefix=first.split("_")[2]).update(expires_at=now)
    assert rotated(clerk).status_code == 201


def test_a_new_key_whose_answer_got_lost_is_replaced(robot: Any) -> None:
    clerk = robot("AP-04")
    lost = rotated(clerk).json()["key"]

    again = rotated(clerk).json()["key"]

    assert not works(clerk, lost)
    assert works(clerk, again)
    assert works(clerk, clerk.key)
    assert Key.objects.filter(agent__code="AP-04", status="active").count() == 2


def test_a_repeat_of_a_rotation_gets_the_same_answer_without_the_secret(robot: Any) -> None:
    clerk = robot("AP-04")
    first, second = (clerk.call("post", "me/key/rotate", {}, key="same") for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == {**first.json(), "key": None}
    assert first.json()["key"] not in str(list(GivenAnswer.objects.values()))


def test_a_token_rotates_no_key(program: Any) -> None:
    clerk = program("AP-04")

    assert clerk.post("me/key/rotate", clerk.token()).status_code == 409


def test_people_issue_replace_and_revoke_keys_by_the_api(sign_in: Any, robot: Any) -> None:
    jonas, clerk = sign_in("jonas"), robot("AP-04")
    issued = jonas.call("post", "agents/AP-04/keys", {"name": "server 2", "scopes": ["read"], "days": 7}).json()
    assert works(clerk, issued["key"])
    assert (issued["name"], issued["scopes"]) == ("server 2", ["read"])

    replaced = jonas.call("post", f"keys/{issued['prefix']}/rotate", {"overlap_hours": 0})

    assert replaced.status_code == 201, replaced.content
    assert not works(clerk, issued["key"])
    assert works(clerk, replaced.json()["key"])
    assert (replaced.json()["replaces"], replaced.json()["name"]) == (issued["prefix"], "server 2")
    assert (
        jonas.call("post", f"keys/{replaced.json()['prefix']}/revoke", {"why": "Done."}).json()["status"] == "revoked"
    )
    listed = jonas.call("get", "agents/AP-04/keys").json()["results"]
    assert len(listed) == 3
    assert all(key["key"] is None for key in listed)


def test_only_those_who_may_touch_keys(sign_in: Any, halden: Any) -> None:
    prefix = halden.agents["AP-04"].keys.get().prefix
    for path, body in (("agents/AP-04/keys", {}), (f"keys/{prefix}/rotate", {}), (f"keys/{prefix}/revoke", {})):
        assert sign_in("maria").call("post", path, body).status_code == 403, path
        assert sign_in("tomasz").call("post", path, body).status_code == 404, path
    assert Key.objects.filter(agent__code="AP-04", status="active").count() == 1


def test_jonas_replaces_a_key_on_the_page(sign_in: Any, robot: Any, halden: Any) -> None:
    jonas, clerk = sign_in("jonas"), robot("AP-04")
    prefix = halden.agents["AP-04"].keys.get().prefix
    assert "Replace the key" in jonas.get(f"/agents/AP-04?tab=keys&ask=rotate-{prefix}").content.decode()

    assert jonas.post(f"/agents/AP-04/keys/{prefix}/rotate", {"overlap_hours": "999"}).status_code == 400
    page = jonas.post(f"/agents/AP-04/keys/{prefix}/rotate", {"overlap_hours": "2"})

    key = page.content.decode().split('value="aos_live_')[1].split('"')[0]
    assert works(clerk, f"aos_live_{key}")
    assert page["Cache-Control"] == "no-store"


def test_jonas_chooses_what_a_key_opens_on_the_page(sign_in: Any) -> None:
    jonas = sign_in("jonas")
    assert "It opens" in jonas.get("/agents/AP-04?tab=keys&ask=new-key").content.decode()

    refused = jonas.post("/agents/AP-04/keys", {"name": "x", "days": "30"})
    assert (refused.status_code, "Choose at least one." in refused.content.decode()) == (400, True)
    assert jonas.post("/agents/AP-04/keys", {"name": "x", "days": "30", "scopes": ["ask"]}).status_code == 200
    assert Key.objects.get(name="x").scopes == ["ask"]


def test_jonas_registers_a_public_key_on_the_page(sign_in: Any, program: Any, halden: Any) -> None:
    jonas, clerk = sign_in("jonas"), Program("AP-04", pair())
    form = {"jwk": json.dumps(clerk.jwk), "days": "30", "scopes": ["read", "work"]}
    assert "Public key" in jonas.get("/agents/AP-04?tab=keys&ask=client-key").content.decode()
    assert jonas.post("/agents/AP-04/client-keys", {**form, "jwk": "{"}).status_code == 400
    assert jonas.post("/agents/AP-04/client-keys", {**form, "jwk": '{"kty": "oct"}'}).status_code == 400

    assert jonas.post("/agents/AP-04/client-keys", form).status_code == 302

    assert clerk.ask().json()["scope"] == "work read"
    uid = halden.agents["AP-04"].client_keys.get().uid
    assert clerk.key.kid in jonas.get(f"/agents/AP-04?tab=keys&ask={uid}").content.decode()
    assert jonas.post(f"/agents/AP-04/client-keys/{uid}/revoke", {"why": "Lost."}).status_code == 302
    assert clerk.ask().status_code == 401
    assert "revoked the public key" in jonas.get("/agents/AP-04?tab=audit").content.decode()


def test_maria_lets_an_agent_act_for_her_on_the_page(sign_in: Any, program: Any) -> None:
    maria, clerk = sign_in("maria"), program("AP-04")
    assert "Let it act for me" in maria.get("/settings/agents").content.decode()
    assert maria.post("/settings/agents", {"agent": "AP-04", "minutes": "60"}).status_code == 400
    page = maria.post("/settings/agents", {"agent": "AP-04", "minutes": "5", "scopes": ["read"]}).content.decode()
    text = "aos_for_" + page.split('value="aos_for_')[1].split('"')[0]

    token = clerk.exchange(text).json()["access_token"]
    assert clerk.get("me", token).status_code == 200
    listed = maria.get("/settings/agents").content.decode()
    assert text not in listed
    uid = listed.split("/settings/agents/")[1].split("/")[0]
    assert sign_in("priya").post(f"/settings/agents/{uid}/withdraw").status_code == 404
    assert maria.post(f"/settings/agents/{uid}/withdraw").status_code == 302
    assert clerk.get("me", token).status_code == 401
