"""IT admits people, moves them, lets them go and back in; nobody does it to himself, and somebody always remains."""

import re
from typing import Any

import pytest
from django.test import Client

from agents import operations
from agents.models import Principal
from observability.ledger import NotFound
from observability.models import Event
from tests.agents.conftest import Phone
from tests.conftest import PASSWORD

NEW = "a long and unusual sentence"
NINA = {"name": "Nina Ott", "username": "nina", "title": "Clerk", "email": "nina@halden.example"}


def unit_of(halden: Any, code: str) -> str:
    return str(halden.units[code].pk)


def link_on(page: Any) -> str:
    """The path of the invitation that a page shows."""
    found = re.search(r'value="http://testserver(/invitation/[^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def admit(person: Any, halden: Any, *, roles: Any = ("reviewer",), **more: Any) -> Any:
    return person.post("/people/admit", {**NINA, "unit": unit_of(halden, "finance"), "roles": list(roles), **more})


def may_sign_in(username: str, password: str) -> bool:
    return Client().post("/sign-in", {"username": username, "password": password}).status_code == 302


def test_it_admits_a_person_who_sets_the_password(sign_in: Any, halden: Any, client: Any) -> None:
    page = admit(sign_in("jonas"), halden)
    link = link_on(page)

    assert "Nina Ott" in client.get(link).content.decode()
    weak = client.post(link, {"password": "password1234", "again": "password1234"})
    assert weak.status_code == 400
    assert client.post(link, {"password": NEW, "again": NEW + "x"}).status_code == 400
    assert client.post(link, {"password": NEW, "again": NEW}).headers["Location"] == "/sign-in"

    assert may_sign_in("nina", NEW)
    assert client.get(link).status_code == 410, "it works once"
    assert client.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 410
    assert page.headers["Cache-Control"] == "no-store"
    assert [event.verb for event in Event.objects.filter(subject_id="nina").order_by("pk")][:3] == [
        "grant.given", "person.admitted", "person.joined",
    ]  # fmt: skip
    assert link.rpartition("/")[2] not in str(list(Event.objects.values()))


def test_an_invitation_ends_after_three_days_and_with_the_next_one(sign_in: Any, halden: Any, client: Any) -> None:
    jonas = sign_in("jonas")
    first = link_on(admit(jonas, halden))
    second = link_on(jonas.post("/people/nina/invite"))

    assert client.get(first).status_code == 410
    assert client.get(second).status_code == 200
    changed = second[:-1] + ("a" if second[-1] != "a" else "b")
    for broken in (changed, "/invitation/x/y", f"/invitation/{'9' * 400}/y", "/invitation/LTE/y"):
        assert client.get(broken).status_code == 410
    Principal.objects.filter(username="nina").update(is_active=False)
    assert client.get(second).status_code == 410


def test_what_is_wrong_with_a_new_person_stands_beside_its_field(sign_in: Any, halden: Any) -> None:
    jonas = sign_in("jonas")
    cases = {
        "username": {"username": "priya"}, "name": {"name": ""}, "email": {"email": "x"}, "unit": {"unit": "999999"},
    }  # fmt: skip
    cases |= {"username ": {"username": "agent:AP-04"}}
    for field, given in cases.items():
        page = admit(jonas, halden, **given)
        assert page.status_code == 400, field
        assert list(page.context["form"].errors) == [field.strip()]
    assert not Principal.objects.filter(username="nina").exists()


def test_who_may_not_see_to_people_cannot(sign_in: Any, halden: Any) -> None:
    for username in ("maria", "priya", "edith", "daniel"):
        person = sign_in(username)
        assert person.get("/people/admit").status_code == 403
        assert admit(person, halden).status_code == 403
        for act in ("disable", "enable", "factors"):
            answer = person.post(f"/people/sofia/{act}", {"why": "No reason."})
            assert answer.status_code in (403, 409), act
        assert person.post("/people/sofia/invite").status_code == 403
        assert "Admit a person" not in person.get("/people").content.decode()
    assert Principal.objects.get(username="sofia").is_active
    tried = Event.objects.filter(verb="person.refused", subject_id="sofia").values_list("actor_id", flat=True)
    assert set(tried) == {"maria", "priya", "edith", "daniel"}, "each attempt is in the ledger"


def test_a_mover_gets_other_roles_another_unit_and_signs_in_again(sign_in: Any, halden: Any) -> None:
    sofia, jonas = sign_in("sofia"), sign_in("jonas")
    unit = unit_of(halden, "procurement")

    answer = jonas.post("/people/sofia/roles", {"roles": ["unit_owner"], "unit": unit, "why": "She moves."})

    assert answer.headers["Location"] == "/people/sofia"
    fresh = Principal.objects.get(username="sofia")
    assert fresh.role_names == {"unit_owner"}
    assert fresh.unit_ids() == [halden.units["procurement"].pk]
    assert fresh.may("agents.manage_unit", halden.units["procurement"])
    assert not fresh.may("agents.manage_unit", halden.units["finance"])
    assert sofia.get("/runs").status_code == 302
    event = Event.objects.get(verb="person.roles_changed")
    assert event.data == {"before": ["Member"], "roles": ["unit_owner"], "unit": "procurement"}
    assert event.why == "She moves."


def test_nobody_changes_himself_and_only_the_council_makes_council(sign_in: Any, halden: Any) -> None:
    jonas, ingrid = sign_in("jonas"), sign_in("ingrid")
    finance = unit_of(halden, "finance")

    for act in ("roles", "disable", "factors", "invite"):
        answer = jonas.post(f"/people/jonas/{act}", {"why": "I like it.", "roles": ["it", "risk"], "unit": finance})
        assert answer.status_code == 403, act
    for person, roles in (("maria", ["council"]), ("ingrid", ["it"]), ("ingrid", [])):
        answer = jonas.post(f"/people/{person}/roles", {"roles": roles, "unit": finance, "why": "x"})
        assert answer.status_code == 403, (person, roles)
    assert jonas.post("/people/ingrid/factors", {"why": "She lost it."}).status_code == 403
    assert jonas.post("/people/ingrid/invite").status_code == 403
    assert admit(jonas, halden, roles=["council"]).status_code == 403
    assert (
        ingrid.post("/people/maria/roles", {"roles": ["council"], "unit": finance, "why": "Elected."}).status_code
        == 302
    )
    assert Principal.objects.get(username="maria").role_names == {"council"}


def test_the_last_of_it_and_of_the_council_stays(sign_in: Any, halden: Any) -> None:
    ingrid, jonas = sign_in("ingrid"), sign_in("jonas")
    finance = unit_of(halden, "finance")

    assert jonas.post("/people/ingrid/disable", {"why": "Coup."}).status_code == 409
    assert ingrid.post("/people/jonas/disable", {"why": "Coup."}).status_code == 409
    assert ingrid.post("/people/jonas/roles", {"roles": [], "unit": finance, "why": "Coup."}).status_code == 409
    ingrid.post("/people/maria/roles", {"roles": ["it"], "unit": finance, "why": "A second one."})
    assert ingrid.post("/people/jonas/disable", {"why": "He left."}).status_code == 302
    assert Principal.objects.people().holding("it").get().username == "maria"


def test_a_leaver_is_out_at_once_and_can_come_back(sign_in: Any, halden: Any) -> None:
    lukas, jonas = sign_in("lukas"), sign_in("jonas")

    no_reason = jonas.post("/people/lukas/disable", {"why": " "})
    assert (no_reason.status_code, "A reason is needed" in no_reason.content.decode()) == (400, True)
    assert jonas.post("/people/lukas/disable", {"why": "He left."}).status_code == 302

    assert lukas.get("/runs").status_code == 302
    assert lukas.get("/api/v1/runs").status_code == 401
    assert not may_sign_in("lukas", PASSWORD)
    assert Principal.objects.get(username="lukas").role_names == {"unit_owner"}, "the record stays"
    assert jonas.post("/people/lukas/disable", {"why": "Again."}).status_code == 409
    assert jonas.post("/people/lukas/enable", {"why": "He is back."}).status_code == 302
    assert may_sign_in("lukas", PASSWORD)
    verbs = Event.objects.filter(subject_id="lukas", why__gt="").values_list("verb", "why")
    assert list(verbs) == [("person.disabled", "He left."), ("person.enabled", "He is back.")]


def test_a_lost_phone_is_reset_by_somebody_else(sign_in: Any, halden: Any, phone: Any) -> None:
    phone("daniel")
    daniel, jonas = sign_in("daniel"), sign_in("jonas")
    assert "Code" in jonas.get("/people/daniel").content.decode()

    jonas.post("/people/daniel/factors", {"why": "He lost his phone, I called him."})

    assert daniel.get("/runs").status_code == 302
    again = Client()
    again.post("/sign-in", {"username": "daniel", "password": PASSWORD})
    assert again.get("/runs").headers["Location"] == "/second-factor"
    event = Event.objects.get(verb="person.second_factors_reset")
    assert (event.actor_id, event.subject_id, event.data) == ("jonas", "daniel", {"factors": 1})


def test_people_are_seen_by_unit(sign_in: Any, halden: Any) -> None:
    names = {row["username"] for row in sign_in("maria").call("get", "people").json()["results"]}
    page = sign_in("tomasz").get("/people").content.decode()

    assert names == {"maria", "priya", "sofia"}
    assert "Tomasz Nowak" in page
    assert "Priya Nair" not in page
    assert sign_in("tomasz").get("/people/priya").status_code == 404
    assert sign_in("tomasz").get("/people/agent:VO-01").status_code == 404
    assert sign_in("tomasz").call("get", "people/priya").status_code == 404


def test_the_list_is_filtered_and_costs_the_same_for_many(
    sign_in: Any, halden: Any, django_assert_max_num_queries: Any
) -> None:
    ingrid = sign_in("ingrid")
    for query, wanted in (
        ("role=risk", {"daniel"}), ("q=NAIR", {"priya"}), ("state=disabled", set()), ("unit=abc", None),
        (f"unit={unit_of(halden, 'finance')}", {"maria", "priya", "sofia"}),
    ):  # fmt: skip
        rows = {row["person"].username for row in ingrid.get(f"/people?{query}").context["rows"]}
        assert wanted is None or rows == wanted, query
    Principal.objects.bulk_create(
        Principal(username=f"clone-{n}", name=f"Clone {n}", unit=halden.units["finance"]) for n in range(90)
    )
    with django_assert_max_num_queries(17):
        assert len(ingrid.get("/people").context["rows"]) == 100


def test_only_oneself_and_it_see_factors_and_sessions(sign_in: Any, halden: Any, phone: Any) -> None:
    phone("priya")
    for username, inside in (("priya", True), ("jonas", True), ("maria", False), ("edith", False)):
        page = sign_in(username).get("/people/priya")
        assert page.context["inside"] is inside
        assert ("Second factors</h2>" in page.content.decode()) is inside


def test_the_api_admits_changes_and_disables(sign_in: Any, halden: Any, client: Any) -> None:
    jonas = sign_in("jonas")
    body = {"username": "nina", "name": "Nina Ott", "unit": "finance", "roles": ["member"]}

    made = jonas.call("post", "people", body, key="k1")
    again = jonas.call("post", "people", body, key="k1")
    assert (made.status_code, again.status_code) == (201, 201)
    assert client.get(again.json()["invitation"]).status_code == 200
    shown = jonas.call("get", "people/nina")
    tag = shown.headers["ETag"]
    path, json_type = "/api/v1/people/nina", "application/json"

    def patch(body: Any, **headers: str) -> Any:
        return jonas.patch(path, body, content_type=json_type, headers=headers)

    assert patch({"title": "Clerk"}).json()["code"] == "if_match_missing"
    changed = patch({"title": "Clerk", "roles": ["reviewer"]}, **{"If-Match": tag})
    assert (changed.json()["title"], changed.json()["roles"]) == ("Clerk", ["reviewer"])
    assert patch({"title": "Boss"}, **{"If-Match": tag}).status_code == 412
    assert patch({"is_staff": True}, **{"If-Match": "*"}).status_code == 400
    assert patch({"unit": "moon"}, **{"If-Match": "*"}).status_code == 400
    headers = {"Idempotency-Key": "k2", "If-Match": changed.headers["ETag"]}
    off = jonas.post(f"{path}/disable", {"why": "A test."}, content_type=json_type, headers=headers)
    assert off.json()["is_active"] is False
    headers = {"Idempotency-Key": "k3", "If-Match": "*"}
    assert jonas.post(f"{path}/enable", {"why": "Over."}, content_type=json_type, headers=headers).json()["is_active"]
    assert sign_in("maria").call("post", "people", body).status_code == 403
    assert sign_in("maria").patch(path, {"title": "x"}, content_type=json_type).status_code == 403


def test_an_agent_and_a_stranger_are_no_people(halden: Any, now: Any) -> None:
    with pytest.raises(NotFound):
        operations.end_session("x", by=halden.people["priya"], at=now)
    assert Phone("A" * 32).code().isdecimal()
    assert not Principal.objects.all_people().filter(username__startswith="agent:").exists()
