"""One person decides for another: what comes to whom, what is refused, whose vote counts, and when it ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F

from agents import operations as agents
from agents.models import Grant, Principal
from governance import operations
from governance.models import Delegation, Escalation, EscalationPath, Vote
from governance.rules.delegating import leads_back, wrong_period
from governance.tasks import end_delegations
from observability import ledger
from observability.models import Event
from workflows import operations as workflows

DAY = timedelta(days=1)
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def asked(halden: Any, now: Any, path: str = "group-controller", unit: str = "finance", **more: Any) -> Escalation:
    """A question; on this path to Maria first, then to Daniel."""
    what = operations.Asked(
        kind=Escalation.Kind.ACTION, title="Pay", path=EscalationPath.objects.get(key=path), unit=halden.units[unit],
        likeness="x", request={}, request_sha256="0" * 64, **more,
    )  # fmt: skip
    return operations.open_escalation(what, by=ledger.SYSTEM, at=now)


def away(halden: Any, now: Any, person: str, delegate: str, **more: Any) -> Delegation:
    """A delegation for a week, given by the person."""
    people = halden.people
    terms = {"ends_at": now + 7 * DAY, "reason": "On leave", **more}
    return operations.delegate(
        operations.Terms(person=people[person], delegate=people[delegate], **terms), by=people[person], at=now
    )  # fmt: skip


def waits_for(who: Principal) -> list[Escalation]:
    return list(Escalation.objects.open().for_person(Principal.objects.get(pk=who.pk)))


def settle(row: Escalation, who: Principal, now: Any, answer: str = "approved") -> Escalation:
    return workflows.settle(
        row.uid, answer, reviewer=Principal.objects.get(pk=who.pk), at=now, request_sha256="0" * 64, reason="x"
    )


# --- the rules ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "edges, ring",
    [
        ([], False),
        ([(2, 1)], True),
        ([(2, 3)], False),
        ([(2, 3), (3, 1)], True),
        ([(2, 3), (3, 4), (4, 2)], False),  # an old ring elsewhere ends the search
        ([(1, 2)], False),  # a second one to the same person
    ],
)
def test_a_ring_is_found_however_long(edges: list[tuple[int, int]], ring: bool) -> None:
    assert leads_back(edges, person=1, delegate=2) == ring


@pytest.mark.parametrize(
    "begins, ends, field",
    [
        (0, 90, None),
        (0, 90.001, "ends_at"),
        (-0.001, 5, "starts_at"),
        (5, 5, "ends_at"),
        (5, 4, "ends_at"),
        (-5, -4, "starts_at"),
        (30, 120, None),
    ],
)
def test_a_period_lies_ahead_and_is_not_too_long(begins: float, ends: float, field: str | None) -> None:
    wrong = wrong_period(NOON + begins * DAY, NOON + ends * DAY, NOON)

    assert (field in wrong) if field else wrong == {}


# --- what comes to whom ---------------------------------------------------------------------------------------
def test_questions_come_to_whoever_stands_in_and_not_to_who_is_away(halden: Any, now: Any, sign_in: Any) -> None:
    row, priya, maria = asked(halden, now), halden.people["priya"], halden.people["maria"]
    assert waits_for(priya) == []

    away(halden, now, "maria", "priya")

    assert (waits_for(priya), waits_for(maria)) == ([row], [])
    page = sign_in("priya").get(f"/escalations/{row.uid}").content.decode()
    end = Delegation.objects.get().ends_at
    assert f'You decide for <b class="b5">Maria Lindqvist</b> until {end.day} {end:%B}.' in page
    body = {"request_sha256": "0" * 64, "reason": "Fine"}
    own = sign_in("maria").get(f"/escalations/{row.uid}").content.decode()
    assert "You decide for" not in own
    assert "You are away: whom you let decide is asked instead." in own
    assert sign_in("maria").call("post", f"escalations/{row.uid}/approve", body).status_code == 403
    assert sign_in("priya").call("post", f"escalations/{row.uid}/approve", body).status_code == 200
    row.refresh_from_db()
    assert (row.settled_by, row.settled_for) == (priya, maria)
    assert waits_for(priya) == waits_for(maria) == []
    event = Event.objects.get(verb="escalation.approved")
    assert (event.actor_id, event.data["for"]) == ("priya", "Maria Lindqvist")
    assert ", for Maria Lindqvist" in sign_in("edith").get("/audit").content.decode()
    assert "for Maria Lindqvist" in sign_in("maria").get(f"/escalations/{row.uid}").content.decode()


def test_who_is_asked_in_person_decides_in_person(halden: Any, now: Any) -> None:
    row = asked(halden, now, "finance-approver")
    away(halden, now, "maria", "priya")

    settle(row, halden.people["priya"], now)

    row.refresh_from_db()
    assert row.settled_for is None


@pytest.mark.parametrize(
    "limits, question, comes",
    [
        ({}, {}, True),
        ({"paths": ("group-controller",)}, {}, True),
        ({"paths": ("treasury", "large-payments")}, {}, False),
        ({"risk_at_most": 2}, {"risk": 2}, True),
        ({"risk_at_most": 2}, {"risk": 3}, False),
        ({"unit": "finance"}, {}, True),
        ({"unit": "halden"}, {"unit": "finance"}, True),
        ({"starts_at": DAY}, {}, False),
    ],
)
def test_the_limits_of_a_delegation(limits: Any, question: Any, comes: bool, halden: Any, now: Any) -> None:
    daniel, ingrid = halden.people["daniel"], halden.people["ingrid"]
    row = asked(halden, now, **question)
    operations.expire(row, at=now)  # so Daniel is asked
    limits = dict(limits)
    if "paths" in limits:
        limits["paths"] = EscalationPath.objects.filter(key__in=limits["paths"])
    if "unit" in limits:
        limits["unit"] = halden.units[limits["unit"]]
    if "starts_at" in limits:
        limits["starts_at"] = now + limits["starts_at"]

    away(halden, now, "daniel", "ingrid", **limits)

    assert (waits_for(ingrid) == [row]) == comes
    assert (waits_for(daniel) == [row]) != comes, "what is not handed over still comes to the person"
    assert operations.may_settle(ingrid, row) == comes
    assert operations.may_settle(daniel, row) != comes


def test_a_limit_to_another_unit_leaves_the_rest(halden: Any, now: Any) -> None:
    row = asked(halden, now)
    operations.expire(row, at=now)

    away(halden, now, "daniel", "ingrid", unit=halden.units["procurement"])

    assert waits_for(halden.people["ingrid"]) == []


def test_what_is_delegated_is_not_delegated_on(halden: Any, now: Any) -> None:
    asked(halden, now)
    away(halden, now, "maria", "priya")
    away(halden, now, "priya", "daniel")

    assert waits_for(halden.people["daniel"]) == [], "Priya hands over her own questions, not Maria's"
    row = asked(halden, now, "finance-approver")
    assert waits_for(halden.people["daniel"]) == [row]


@pytest.mark.parametrize("lost", ["excluded", "delegate excluded", "inactive", "right", "sight", "role gone"])
def test_nobody_decides_for_somebody_who_may_not(lost: str, halden: Any, now: Any) -> None:
    maria, priya = halden.people["maria"], halden.people["priya"]
    not_by = {"excluded": (maria,), "delegate excluded": (priya,)}.get(lost, ())
    row = asked(halden, now, not_by=not_by)
    away(halden, now, "maria", "priya")
    if lost == "inactive":
        Principal.objects.filter(pk=maria.pk).update(is_active=False)
    elif lost == "right":
        maria.groups.clear()
    elif lost == "sight":
        Grant.objects.filter(user=maria, permission__codename="view_unit").delete()
    elif lost == "role gone":
        Grant.objects.filter(user=maria, permission__codename="view_unit").update(expires_at=now)

    assert waits_for(priya) == []
    with pytest.raises(operations.NotAReviewer):
        settle(row, priya, now)


def test_sight_of_a_unit_above_is_enough(halden: Any, now: Any) -> None:
    row, daniel, priya = asked(halden, now), halden.people["daniel"], halden.people["priya"]
    operations.expire(row, at=now)
    away(halden, now, "daniel", "ingrid")

    daniel.groups.set(priya.groups.all())  # a mere reviewer, who sees the whole company by a grant on its top unit

    assert waits_for(halden.people["ingrid"]) == [row]


# --- one vote each --------------------------------------------------------------------------------------------
def test_nobody_votes_for_himself_and_for_another(halden: Any, now: Any) -> None:
    row, people = asked(halden, now, "large-payments", approvals=2), halden.people
    away(halden, now, "maria", "priya")

    settle(row, people["priya"], now)
    with pytest.raises(ledger.TooLate, match="another person"):
        settle(row, people["priya"], now)
    assert waits_for(people["priya"]) == []
    assert waits_for(people["maria"]) == [], "Maria is away; Priya has her one vote"
    settle(row, people["daniel"], now)

    row.refresh_from_db()
    assert row.status == "approved"


def test_a_person_whose_delegate_voted_has_voted(halden: Any, now: Any) -> None:
    row, people = asked(halden, now, "large-payments", approvals=2), halden.people
    away(halden, now, "maria", "ingrid")

    settle(row, people["ingrid"], now)

    vote = row.votes.get()
    assert (vote.person, vote.instead_of) == (people["ingrid"], people["maria"])
    assert waits_for(people["maria"]) == []
    with pytest.raises(operations.NotAReviewer):
        settle(row, people["maria"], now)
    operations.end_delegation(Delegation.objects.get(), by=people["maria"], at=now)
    with pytest.raises(ledger.TooLate, match="for you"):
        settle(row, people["maria"], now)
    settle(row, people["daniel"], now)
    row.refresh_from_db()
    assert row.status == "approved"


def test_two_delegates_of_one_person_have_one_vote(halden: Any, now: Any) -> None:
    row, people = asked(halden, now, "large-payments", approvals=2), halden.people
    away(halden, now, "maria", "ingrid")
    sofia = people["sofia"]
    sofia.groups.set(people["priya"].groups.all())
    away(halden, now, "maria", "sofia")

    settle(row, people["ingrid"], now)
    with pytest.raises(operations.NotAReviewer):
        settle(row, sofia, now)

    own = asked(halden, now, "large-payments", approvals=2)
    Vote.objects.create(escalation=own, person=people["maria"], at=now)  # before she went away
    with pytest.raises(operations.NotAReviewer):
        settle(own, people["ingrid"], now)


# --- making one -----------------------------------------------------------------------------------------------
MAKERS: list[tuple[str, dict[str, Any], int, str]] = [
    ("maria", {}, 201, ""),
    ("maria", {"to": "maria"}, 400, "somebody else"),
    ("maria", {"to": "sofia"}, 400, "no such person"),  # she may not decide
    ("maria", {"to": "tomasz"}, 400, "no such person"),  # she does not see him
    ("maria", {"to": "daniel"}, 201, ""),  # risk sees all units
    ("maria", {"to": "agent:AP-04"}, 400, "no such person"),
    ("maria", {"person": "priya", "to": "daniel"}, 201, ""),  # Maria owns the unit
    ("maria", {"person": "priya", "to": "maria"}, 403, "takes somebody"),
    ("jonas", {"person": "maria"}, 201, ""),  # IT
    ("jonas", {"person": "maria", "to": "tomasz"}, 400, "may not see Finance"),
    ("jonas", {"to": "priya"}, 400, "nothing to hand over"),  # Jonas decides nothing himself
    ("priya", {"person": "maria", "to": "daniel"}, 403, "by the person"),
    ("edith", {"person": "maria"}, 403, "by the person"),
    ("maria", {"ends_at": "2020-01-01T00:00:00Z"}, 400, "past"),
    ("maria", {"ends_at": "2099-01-01T00:00:00Z"}, 400, "90 days"),
    ("maria", {"starts_at": "2020-01-01T00:00:00Z"}, 400, "past"),
    ("maria", {"reason": " "}, 400, "reason"),
    ("maria", {"risk_at_most": 4}, 400, "risk_at_most"),
    ("maria", {"paths": ["none"]}, 400, "paths"),
    ("maria", {"unit": "procurement"}, 400, "unit"),
    ("maria", {"unit": "finance", "paths": ["treasury"], "risk_at_most": 1}, 201, ""),
]


def test_who_may_make_which_delegation(sign_in: Any, now: Any) -> None:
    browsers = {name: sign_in(name) for name in {who for who, *_ in MAKERS}}
    for who, change, status, told in MAKERS:
        body = {"to": "priya", "ends_at": (now + 7 * DAY).isoformat(), "reason": "On leave", **change}

        answer = browsers[who].call("post", "delegations", body)

        assert answer.status_code == status, (who, change, answer.content)
        assert told.casefold() in answer.content.decode().casefold(), (who, change)
        assert Delegation.objects.all().delete()[1].get("governance.Delegation", 0) == (status == 201)


def test_a_ring_is_refused_while_it_would_hold(halden: Any, now: Any) -> None:
    group = halden.units["halden"]
    for each in ("maria", "priya"):
        agents.grant("agents.view_unit", halden.people[each], group, by=ledger.SYSTEM, at=now)
    away(halden, now, "maria", "priya")
    away(halden, now, "priya", "daniel")

    for person, delegate in (("priya", "maria"), ("daniel", "maria"), ("daniel", "priya")):
        with pytest.raises(operations.Circular):
            away(halden, now, person, delegate)
    away(halden, now, "daniel", "maria", starts_at=now + 8 * DAY, ends_at=now + 9 * DAY)  # then both are back

    assert Delegation.objects.count() == 3


def test_either_ends_it_early_and_time_ends_it_anyway(halden: Any, sign_in: Any, now: Any) -> None:
    row, priya = asked(halden, now), halden.people["priya"]
    for who in ("maria", "priya", "jonas"):
        delegation = away(halden, now, "maria", "priya")
        told = sign_in(who).call("get", "delegations").json()["results"][0]
        path = f"/api/v1/delegations/{told['id']}/end"
        key = {"Idempotency-Key": who}
        browser = sign_in(who)
        assert browser.post(path, {}, content_type="application/json", headers=key).status_code == 428
        ended = browser.post(path, {}, content_type="application/json", headers={**key, "If-Match": told["etag"]})
        assert (ended.status_code, ended.json()["status"]) == (200, "ended"), who
        delegation.refresh_from_db()
        assert delegation.ended_by == halden.people[who]
        assert waits_for(priya) == []
    last = away(halden, now, "maria", "priya")
    for who, status in (("sofia", 403), ("tomasz", 404), ("edith", 403)):
        assert sign_in(who).post(f"/access/delegations/{last.uid}/end", {}).status_code == status, who

    Delegation.objects.filter(pk=last.pk).update(starts_at=F("starts_at") - 9 * DAY, ends_at=now)

    assert waits_for(priya) == []
    assert row.is_open
    assert (end_delegations(), end_delegations()) == (1, 0)
    assert Event.objects.filter(verb="delegation.ended", actor_id="autonomy-os").count() == 1


def test_the_page_shows_makes_and_ends_delegations(halden: Any, sign_in: Any, now: Any) -> None:
    maria, page = sign_in("maria"), "/access/delegations"
    given = {
        "person": "maria",
        "to": "priya",
        "last": (now + 7 * DAY).date(),
        "risk_at_most": 2,
        "reason": "In hospital",
    }

    assert maria.post(page, {**given, "last": "2020-01-01"}).status_code == 400
    assert maria.post(page, {**given, "to": "maria"}).status_code == 400
    assert maria.post(page, {**given, "paths": ["treasury"], "first": now.date()}).status_code == 302
    shown = maria.get(page).content.decode()
    for words in ("Holds now", "Up to medium risk, on Treasury call-back", "In hospital"):
        assert words in shown, words
    assert "Priya Nair" in sign_in("sofia").get(page).content.decode()
    assert "Let somebody decide" not in sign_in("sofia").get(page).content.decode(), "she decides nothing"
    assert "In hospital" not in sign_in("tomasz").get(page).content.decode()
    delegation = Delegation.objects.get()
    assert "Why does it end?" in maria.get(f"{page}?end={delegation.uid}").content.decode()
    assert maria.post(f"{page}/{delegation.uid}/end", {"why": "Back early"}).status_code == 302
    assert "Ended" in maria.get(page).content.decode()


def test_what_waits_takes_the_same_queries_for_many_questions(
    halden: Any, now: Any, django_assert_num_queries: Any
) -> None:
    asked(halden, now)
    priya = Principal.objects.get(username="priya")
    priya.unit_ids()  # who she is was read before
    with django_assert_num_queries(2):  # is there a delegation to her, and what waits
        assert len(Escalation.objects.open().for_person(priya)) == 0

    away(halden, now, "maria", "priya")
    for _ in range(20):
        asked(halden, now)

    with django_assert_num_queries(5):  # once for each delegation: its paths, and what the absent person may do and see
        assert len(Escalation.objects.open().for_person(priya)) == 21
