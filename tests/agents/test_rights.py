"""Rights on single objects: who may give which to whom, why, and until when; what one may, and where it comes from."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group

from agents import operations
from agents.models import Grant, RoleGrant, Unit
from agents.rules.access import Answering, Giving, first_to_answer, why_not_give, why_not_take
from agents.tasks import end_grants
from governance.models import Policy
from observability import ledger
from observability.models import Event
from tests.policies import act

BODY = {"kind": "agent", "id": "AP-04", "permission": "agents.view_agent", "to": "sofia", "reason": "She checks it."}


def give(person: Any, **more: Any) -> Any:
    return person.call("post", "grants", {**BODY, **more})


def taken(person: Any, grant: dict[str, Any], *, tag: str = "", why: str = "Left") -> Any:
    return person.delete(
        f"/api/v1/grants/{grant['id']}?reason={why}", headers={"If-Match": tag or grant["etag"]} if tag != "-" else {}
    )  # fmt: skip


# --- who may give ---------------------------------------------------------------------------------------------
ABLE = Giving(
    to_oneself=False, is_it=False, manages_unit=True, to_role=False, receiver_in_unit=True, holds=True
)  # fmt: skip


@pytest.mark.parametrize(
    "change, word",
    [
        ({}, ""),
        ({"to_oneself": True}, "themselves"),
        ({"to_oneself": True, "is_it": True}, "themselves"),
        ({"is_it": True, "manages_unit": False, "holds": False, "to_role": True, "receiver_in_unit": False}, ""),
        ({"manages_unit": False}, "manages its unit"),
        ({"to_role": True}, "only IT"),
        ({"receiver_in_unit": False}, "within the unit only"),
        ({"holds": False}, "do not hold"),
        ({"holds_until_end": False}, "longer than you hold"),
    ],
)
def test_the_table_of_who_may_give(change: dict[str, bool], word: str) -> None:
    refused = why_not_give(Giving(**{**vars(ABLE), **change}))

    assert word in refused if word else refused == ""


def test_the_table_of_who_may_take_away() -> None:
    for own, is_it, manages in itertools.product((True, False), repeat=3):
        assert (why_not_take(is_own=own, is_it=is_it, manages_unit=manages) == "") == (own or is_it or manages)


def test_nobody_reviews_a_right_of_their_own() -> None:
    own, away, other = Answering(1, True, True), Answering(2, False, False), Answering(3, True, False)

    assert first_to_answer([own, away, other]) == 3
    assert first_to_answer([own, away]) is None


POLICY = {"kind": "policy", "id": "finance.invoice-payment"}
GIVERS: list[tuple[str, dict[str, str], int, str]] = [
    ("jonas", {}, 201, ""),  # IT gives everything
    ("jonas", {"permission": "agents.key_agent"}, 201, ""),
    ("jonas", {"to": "jonas"}, 403, "themselves"),
    ("jonas", {"to": "", "role": "it"}, 403, "themselves"),
    ("jonas", {"to": "", "role": "auditor"}, 201, ""),
    ("maria", {}, 201, ""),  # she manages finance, so she sees and pauses what belongs to it
    ("maria", {"permission": "agents.pause_agent"}, 201, ""),
    ("maria", {"permission": "agents.key_agent"}, 403, "do not hold"),
    ("maria", {"to": "", "role": "member"}, 403, "only IT"),
    ("maria", {"to": "jonas"}, 400, "nobody of this name"),  # she does not see the people of the group
    ("maria", {"kind": "unit", "id": "finance", "permission": "agents.manage_unit"}, 201, ""),
    ("maria", {"kind": "workflow", "id": "invoice-to-payment", "permission": "workflows.cancel_workflow"}, 201, ""),
    ("maria", {**POLICY, "permission": "governance.view_policy"}, 201, ""),
    ("maria", {**POLICY, "permission": "governance.change_policy"}, 403, "do not hold"),
    ("maria", {"kind": "space", "id": "orders", "permission": "workflows.write_space"}, 403, "do not hold"),
    ("maria", {"id": "VO-01"}, 404, ""),  # another unit's agent is not there for her
    ("priya", {}, 403, "manages its unit"),
    ("daniel", {}, 403, "manages its unit"),
    ("edith", {}, 403, "manages its unit"),
    ("tomasz", {}, 404, ""),
]


def test_who_gives_what_to_whom(sign_in: Any) -> None:
    browsers = {name: sign_in(name) for name in {giver for giver, *_ in GIVERS}}
    for giver, change, status, told in GIVERS:
        before = Event.objects.filter(verb="grant.given").count()

        answer = give(browsers[giver], **change)

        assert answer.status_code == status, (giver, change, answer.content)
        assert told.casefold() in answer.content.decode().casefold(), (giver, change)
        assert Event.objects.filter(verb="grant.given").count() - before == (status == 201), (giver, change)


def test_an_owner_gives_within_the_unit_only_even_whom_she_sees(halden: Any, sign_in: Any, now: Any) -> None:
    procurement = halden.units["procurement"]
    operations.grant("agents.view_unit", halden.people["maria"], procurement, by=ledger.SYSTEM, at=now)
    maria = sign_in("maria")

    assert give(maria, to="tomasz").status_code == 403
    assert give(maria, id="VO-01").status_code == 403


WRONG: list[tuple[dict[str, str], str]] = [
    ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ({"expires_at": "soon"}, "expires_at"),
    ({"permission": "workflows.view_workflow"}, "permission"),
    ({"permission": "agents.delete_agent"}, "permission"),
    ({"kind": "run"}, "kind"),
    ({"reason": " "}, "reason"),
    ({"role": "it"}, "to"),
    ({"to": ""}, "to"),
    ({"to": "nobody"}, "to"),
    ({"to": "", "role": "nobody"}, "role"),
    ({"granted_by": "edith"}, "granted_by"),
]


def test_a_wrong_grant_is_refused_and_names_the_field(sign_in: Any) -> None:
    jonas, before = sign_in("jonas"), Grant.objects.count()
    for change, field in WRONG:
        answer = give(jonas, **change)

        assert answer.status_code == 400, change
        assert [error["field"] for error in answer.json()["errors"]] == [field], change
    assert Grant.objects.count() == before


def test_agents_neither_give_nor_take(robot: Any, halden: Any) -> None:
    grant = Grant.objects.first()
    assert robot("AP-04").call("post", "grants", BODY).status_code == 403
    answer = robot("AP-04").delete(
        f"/api/v1/grants/{grant.uid}", headers={"Authorization": f"Bearer {halden.keys['AP-04']}"}
    )
    assert answer.status_code == 403


# --- reason, giver, end ---------------------------------------------------------------------------------------
def test_a_right_is_prolonged_and_never_doubled_or_shortened(sign_in: Any, now: Any) -> None:
    jonas = sign_in("jonas")
    ends = [(now + timedelta(days=days)).isoformat() for days in (10, 5, 20)]

    told = [give(jonas, expires_at=end, reason=f"Reason {n}").json()["grant"] for n, end in enumerate(ends)]
    told.append(give(jonas, reason="For good").json()["grant"])
    told.append(give(jonas, reason="Again", expires_at=ends[0]).json()["grant"])

    assert len({each["id"] for each in told}) == 1
    days = [each["expires_at"] and each["expires_at"][:10] for each in told]
    assert days == [ends[0][:10], ends[0][:10], ends[2][:10], None, None]
    verbs = Event.objects.filter(subject_id="sofia", actor_id="jonas").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["grant.given", "grant.given", "grant.prolonged", "grant.prolonged", "grant.given"]


def test_an_owner_gives_for_no_longer_than_she_holds(halden: Any, sign_in: Any, now: Any) -> None:
    maria, key = halden.people["maria"], "agents.key_agent"
    end = now + timedelta(days=10)
    operations.grant(key, maria, halden.agents["AP-04"], by=ledger.SYSTEM, at=now, expires_at=end)
    browser = sign_in("maria")

    assert give(browser, permission=key).status_code == 403
    assert give(browser, permission=key, expires_at=(end + timedelta(days=1)).isoformat()).status_code == 403
    assert give(browser, permission=key, expires_at=end.isoformat()).status_code == 201


def test_a_right_holds_nothing_from_its_end_on_and_is_swept(halden: Any, sign_in: Any, now: Any) -> None:
    tomasz, agent = halden.people["tomasz"], halden.agents["AP-04"]
    given = operations.grant(
        "agents.view_agent", tomasz, agent, by=ledger.SYSTEM, at=now, expires_at=now + timedelta(hours=1)
    )
    browser = sign_in("tomasz")
    assert browser.call("get", "agents/AP-04").status_code == 200

    Grant.objects.filter(pk=given.pk).update(expires_at=now - timedelta(microseconds=1))

    assert browser.call("get", "agents/AP-04").status_code == 404
    tomasz.forget_grants()
    assert not tomasz.has_perm("agents.view_agent", agent)
    assert Grant.objects.filter(pk=given.pk).exists(), "the sweep has not come by"
    assert end_grants() == 1
    assert end_grants() == 0
    event = Event.objects.get(verb="grant.expired")
    assert (event.subject_id, event.actor_id, event.data["on"]) == ("tomasz", "autonomy-os", str(agent))


def test_an_action_is_not_allowed_by_a_right_that_has_ended(
    halden: Any, bring: Any, robot: Any, question: Any, now: Any
) -> None:
    bring()
    clerk = robot("AP-04")
    work = clerk.claim()
    pay = Grant.objects.filter(user=halden.agents["AP-04"].principal, permission__codename="pay_in_system")
    pay.update(expires_at=now)

    answer = clerk.call("post", "actions", question(work, amount="900.00")).json()

    assert answer["effect"] == "deny", answer


def test_a_right_of_a_role_holds_for_everybody_with_the_role(halden: Any, sign_in: Any, now: Any) -> None:
    owners = Group.objects.get(name="unit_owner")
    tomasz = sign_in("tomasz")

    given = operations.grant("agents.view_agent", owners, halden.agents["AP-04"], by=ledger.SYSTEM, at=now, reason="x")

    assert tomasz.call("get", "agents/AP-04").status_code == 200
    told = tomasz.call("get", "access/principals/tomasz").json()["roles"]
    assert {"may": "see", "origin": "By the role Business-unit owner"}.items() <= told[0].items()
    RoleGrant.objects.filter(pk=given.pk).update(expires_at=now)
    assert tomasz.call("get", "agents/AP-04").status_code == 404
    assert end_grants() == 1


def test_taking_away_needs_a_reason_and_the_state_that_was_read(sign_in: Any) -> None:
    jonas, sofia = sign_in("jonas"), sign_in("sofia")
    grant = give(jonas, id="VO-01").json()["grant"]
    assert sofia.call("get", "agents/VO-01").status_code == 200

    assert taken(jonas, grant, tag="-").status_code == 428
    assert taken(jonas, grant, tag='"other"').status_code == 412
    assert taken(jonas, grant, why="").status_code == 400
    assert taken(sign_in("priya"), grant).status_code == 404, "she sees neither the agent nor the right"
    assert sofia.call("get", "agents/VO-01").status_code == 200

    assert taken(jonas, grant).status_code == 204
    assert sofia.call("get", "agents/VO-01").status_code == 404
    assert taken(jonas, grant).status_code == 404
    event = Event.objects.get(verb="grant.revoked")
    procurement = str(Unit.objects.get(code="procurement").pk)
    assert (event.why, event.subject_id, event.unit) == ("Left", "sofia", procurement)


def test_who_may_take_what_away(halden: Any, sign_in: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]

    def fresh() -> dict[str, Any]:
        return dict(give(sign_in("jonas"), to="sofia").json()["grant"])

    for who, status in (("priya", 403), ("daniel", 403), ("maria", 204), ("jonas", 204), ("sofia", 204)):
        assert taken(sign_in(who), fresh()).status_code == status, who
    assert not Grant.objects.on(agent).filter(user=halden.people["sofia"]).exists()


def test_a_right_on_one_policy_lets_somebody_write_its_next_version(halden: Any, sign_in: Any) -> None:
    policy = Policy.objects.get(key="finance.invoice-payment")
    text = sign_in("ingrid").get(f"/policies/{policy.key}").context["document"]
    body = {"text": text, "unit": "finance"}
    maria = sign_in("maria")
    assert maria.call("post", "policies", body).status_code == 403

    change = {"kind": "policy", "id": policy.key, "permission": "governance.change_policy", "to": "maria"}
    assert give(sign_in("jonas"), **change).status_code == 201

    drafted = maria.call("post", "policies", body)
    assert drafted.status_code == 201, drafted.content
    number = drafted.json()["version"]
    assert act(maria, number, "ask-review").status_code == 200
    assert act(maria, number, "approve").status_code == 403, "writing is not approving"
    assert act(sign_in("ingrid"), number, "approve").status_code == 200
    put = maria.call("post", f"policies/{policy.key}/activate", {"version": number}, match="*")
    assert put.status_code == 200


# --- the pages and what the API tells -------------------------------------------------------------------------
def test_the_page_of_an_object_says_who_may_and_why(halden: Any, sign_in: Any) -> None:
    give(sign_in("jonas"), permission="agents.key_agent")
    told = sign_in("priya").call("get", "access/objects/agent/AP-04").json()

    rights = {(row["holder"]["id"], row["may"], row["origin"]) for row in told["results"]}
    assert ("sofia", "issue keys for", "Given directly") in rights
    assert ("maria", "see and pause", "Manages the unit Finance") in rights
    assert ("priya", "see", "Sees the unit Finance") in rights
    assert ("daniel", "see", "Sees the unit Halden Group") in rights
    roles = {(row["holder"]["name"], row["may"], row["origin"]) for row in told["roles"]}
    assert ("IT", "see, pause, issue keys for and change", "By the role, on all agents") in roles
    given = next(row["grant"] for row in told["results"] if row["holder"]["id"] == "sofia" and row["may"] != "see")
    assert (given["reason"], given["granted_by"], given["expires_at"]) == ("She checks it.", "Jonas Weber", None)
    assert told["may_change"] is False

    page = sign_in("maria").get("/access/objects/agent/AP-04").content.decode()
    for words in ("Who may? ", "She checks it.", "Jonas Weber", "Manages the unit Finance", "Give a right"):
        assert words in page


def test_ones_own_page_tells_everything_with_its_origin(sign_in: Any) -> None:
    page = sign_in("maria").get("/access/principals/maria").content.decode()

    for words in (
        "What may I?",
        "Manage the work of",
        "Finance",
        "Decide escalations",
        "By the role Business-unit owner",
    ):
        assert words in page, words
    assert "/access/principals/maria" in sign_in("maria").get("/").content.decode(), "the user menu leads to it"


HIDDEN = (
    "/access/objects/agent/AP-04", "/access/objects/unit/finance", "/access/objects/workflow/invoice-to-payment",
    "/access/objects/policy/finance.invoice-payment", "/access/objects/space/orders",
    "/access/objects/system/payables", "/access/principals/maria", "/access/principals/agent:AP-04",
    "/access/objects/run/x", "/access/objects/agent/none", "/access/principals/nobody",
)  # fmt: skip


def test_what_one_may_not_see_is_not_found(sign_in: Any) -> None:
    tomasz, edith = sign_in("tomasz"), sign_in("edith")
    for path in HIDDEN:
        assert tomasz.get(path).status_code == 404, path
        assert tomasz.get(f"/api/v1{path}").status_code == 404, path
        known = "run/x" not in path and not path.endswith(("none", "nobody"))
        assert edith.get(path).status_code == (200 if known else 404), path


def test_a_right_is_given_prolonged_and_taken_away_on_the_pages(halden: Any, sign_in: Any) -> None:
    maria, page = sign_in("maria"), "/access/objects/agent/AP-04"
    terms = {"to": "Sofia Marin", "permission": "agents.pause_agent", "reason": "Holiday", "until": "2099-12-01"}

    assert maria.post(page, {**terms, "to": "maria"}).status_code == 403
    wrong = maria.post(page, {**terms, "until": "2020-01-01"})
    assert (wrong.status_code, "lies in the past" in wrong.content.decode()) == (400, True)
    assert "Holiday" in wrong.content.decode(), "what was typed stays"
    assert maria.post(page, terms).status_code == 302
    grant = Grant.objects.get(user__username="sofia", permission__codename="pause_agent")
    assert grant.expires_at is not None

    assert "Take it away" in maria.get(f"{page}?take={grant.uid}").content.decode()
    assert "New last day" in maria.get(f"{page}?prolong={grant.uid}").content.decode()
    longer = {"reason": "Longer holiday", "until": "2100-01-31", "back": "principal"}
    assert maria.post(f"/access/rights/{grant.uid}/prolong", longer)["Location"] == "/access/principals/sofia"
    grant.refresh_from_db()
    assert (grant.reason, grant.expires_at.year) == ("Longer holiday", 2100)
    assert maria.post(f"/access/rights/{grant.uid}/take", {"why": ""}).status_code == 400
    assert sign_in("priya").post(f"/access/rights/{grant.uid}/take", {"why": "x"}).status_code == 403
    assert maria.post(f"/access/rights/{grant.uid}/take", {"why": "Back"}).status_code == 302
    assert not Grant.objects.filter(pk=grant.pk).exists()

    given = {"right": "workflow:workflows.start_workflow", "object": "invoice-to-payment", "reason": "She starts them"}
    assert maria.post("/access/principals/sofia", {**given, "object": "none"}).status_code == 400
    assert maria.post("/access/principals/sofia", given).status_code == 302
    assert Grant.objects.filter(user__username="sofia", permission__codename="start_workflow").exists()


def test_sight_that_is_given_up_leads_to_ones_own_page(halden: Any, sign_in: Any, now: Any) -> None:
    given = operations.grant(
        "agents.view_agent", halden.people["tomasz"], halden.agents["AP-04"], by=ledger.SYSTEM, at=now
    )
    tomasz = sign_in("tomasz")

    answer = tomasz.post(f"/access/rights/{given.uid}/take", {"why": "Done"})

    assert answer["Location"] == "/access/principals/tomasz"
    assert tomasz.get("/agents/AP-04").status_code == 404


def test_lists_of_access_search_and_choose(sign_in: Any) -> None:
    maria = sign_in("maria")

    for kind, name in (("unit", "Finance"), ("agent", "Payments clerk"), ("policy", "Invoice"), ("space", "Orders")):
        page = maria.get("/access", {"kind": kind, "q": name.lower()}).content.decode()
        assert name in page, kind
    assert "None does." in maria.get("/access", {"q": "zzz"}).content.decode()
    people = maria.get("/access/principals", {"kind": "person"}).content.decode()
    assert "Priya Nair" in people and "agent:AP-04" not in people and "Tomasz" not in people
    assert maria.get("/access", {"kind": "nonsense"}).status_code == 200
