"""Escalation paths: quorums, order, calendars, reminders, who may not decide, and who may change a path."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from agents.models import Principal
from governance import operations
from governance.models import BusinessCalendar, Escalation, EscalationPath, PathStep, PolicyVersion, Training
from governance.operations import Level, PathTerms
from observability import ledger
from observability.models import Event
from tests.policies import approved
from workflows import operations as workflows
from workflows.tasks import pass_deadlines

HOUR = 3600
RUN = str(uuid4())
FRIDAY = datetime(2026, 12, 4, 16, tzinfo=UTC)  # 17:00 in Berlin, an hour before the end of the week


def path(halden: Any, now: Any, *levels: Any, **terms: Any) -> EscalationPath:
    """A path of finance whose levels are each (names, quorum)."""
    people = halden.people
    made = [Level(HOUR, tuple(people[name] for name in names), quorum=quorum) for names, quorum in levels]
    return operations.add_path(
        "drill", "Drill", unit=halden.units["finance"], levels=made, terms=PathTerms(**terms), by=ledger.SYSTEM, at=now
    )


def asked(halden: Any, now: Any, on: EscalationPath, **more: Any) -> Escalation:
    """A question on it about the payments clerk."""
    what = operations.Asked(
        kind=Escalation.Kind.ACTION, title="Pay", path=on, unit=halden.units["finance"], likeness="x", request={},
        request_sha256="0" * 64, agent=halden.agents["AP-04"], **more,
    )  # fmt: skip
    return operations.open_escalation(what, by=ledger.SYSTEM, at=now)


def settle(row: Escalation, who: Principal, now: Any, answer: str = "approved") -> str:
    done = workflows.settle(
        row.uid, answer, reviewer=Principal.objects.get(pk=who.pk), at=now, request_sha256="0" * 64, reason="x"
    )
    row.refresh_from_db()
    return done.status


def may(row: Escalation, *names: str) -> set[str]:
    """Those of these people who may decide it now."""
    return {name for name in names if operations.may_settle(Principal.objects.get(username=name), row)}


# --- quorums and order ----------------------------------------------------------------------------------------
def test_two_of_three_approve(halden: Any, now: Any) -> None:
    row = asked(halden, now, path(halden, now, (("priya", "maria", "daniel"), 2)))

    assert settle(row, halden.people["priya"], now) == "open"
    with pytest.raises(ledger.TooLate, match="already"):
        settle(row, halden.people["priya"], now)
    assert settle(row, halden.people["daniel"], now) == "approved"


def test_levels_approve_one_after_the_other(halden: Any, now: Any) -> None:
    row = asked(halden, now, path(halden, now, (("priya",), 1), (("daniel",), 1), mode="in_order"))
    assert may(row, "priya", "daniel") == {"priya"}

    assert settle(row, halden.people["priya"], now + timedelta(minutes=30)) == "open"

    assert may(row, "priya", "daniel") == {"daniel"}
    assert row.due_at == now + timedelta(minutes=30, seconds=HOUR), "each level has its own time"
    assert settle(row, halden.people["daniel"], now + timedelta(minutes=80)) == "approved"


def test_all_levels_are_asked_at_once_and_each_approves(halden: Any, now: Any) -> None:
    row = asked(halden, now, path(halden, now, (("priya", "maria"), 1), (("daniel",), 1), mode="parallel"))
    assert may(row, "priya", "maria", "daniel") == {"priya", "maria", "daniel"}

    assert settle(row, halden.people["daniel"], now) == "open"
    assert settle(row, halden.people["maria"], now) == "approved"


def test_where_all_have_to_approve_nobody_in_time_means_no(halden: Any, now: Any) -> None:
    row = asked(halden, now, path(halden, now, (("priya",), 1), (("daniel",), 1), mode="in_order"))

    workflows.pass_deadline(row, at=row.due_at)

    row.refresh_from_db()
    assert row.status == "expired"


def test_the_policy_may_want_more_than_the_path(halden: Any, now: Any) -> None:
    row = asked(halden, now, path(halden, now, (("priya", "maria", "daniel"), 1)), approvals=2)

    assert settle(row, halden.people["priya"], now) == "open"
    assert settle(row, halden.people["maria"], now) == "approved"


def test_one_no_is_a_no_in_any_mode(halden: Any, now: Any) -> None:
    row = asked(halden, now, path(halden, now, (("priya", "maria"), 2), mode="parallel"))
    settle(row, halden.people["priya"], now)

    assert settle(row, halden.people["maria"], now, "rejected") == "rejected"


# --- who does not decide --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "terms, barred",
    [
        ({}, set()),
        ({"not_by": ("accountable",)}, {"maria", "priya"}),  # priya stands in for her
        ({"not_by": ("author",)}, {"daniel"}),
        ({"not_by": ("accountable", "author")}, {"maria", "priya", "daniel"}),
    ],
)
def test_whom_the_path_keeps_from_deciding(terms: Any, barred: Any, halden: Any, now: Any, sign_in: Any) -> None:
    text = sign_in("daniel").get("/policies/finance.invoice-payment/versions/1/document.yaml").content.decode()
    number = approved(sign_in, text.replace("<= 25000", "<= 20000"))
    names = ("priya", "maria", "daniel")

    row = asked(
        halden, now, path(halden, now, (names, 1), **terms), policy="finance.invoice-payment", policy_version=number
    )

    assert may(row, *names) == set(names) - barred
    for name in barred:
        with pytest.raises(operations.NotAReviewer):
            settle(row, halden.people[name], now)


def test_who_approved_something_else_of_the_run_does_not_approve_this(halden: Any, now: Any) -> None:
    on = path(halden, now, (("priya", "maria"), 1), not_by=("previous_approver",))
    place = operations.Place(run=RUN)
    first, second = (asked(halden, now, on, place=place) for _ in range(2))
    other_run = asked(halden, now, on, place=operations.Place(run=str(uuid4())))

    settle(first, halden.people["priya"], now)

    assert may(second, "priya", "maria") == {"maria"}
    assert may(other_run, "priya", "maria") == {"priya", "maria"}
    assert list(Escalation.objects.open().for_person(halden.people["priya"])) == [other_run]
    with pytest.raises(operations.NotAReviewer):
        settle(second, halden.people["priya"], now)


def test_whoever_decides_needs_the_training_while_it_holds(halden: Any, now: Any, sign_in: Any) -> None:
    row = asked(halden, now, path(halden, now, (("priya", "maria"), 1), training="payments-basics"))
    assert may(row, "priya", "maria") == set()
    at = ledger.database_now()

    for name, days in (("priya", 1), ("maria", -1)):
        operations.record_training(
            halden.people[name], "payments-basics", valid_until=at + timedelta(days=days), by=ledger.SYSTEM, at=at
        )

    assert may(row, "priya", "maria") == {"priya"}
    body = {"request_sha256": "0" * 64}
    refused = sign_in("maria").call("post", f"escalations/{row.uid}/approve", body)
    assert refused.status_code == 403
    assert "training “payments-basics”" in sign_in("maria").get(f"/escalations/{row.uid}").content.decode()
    assert Event.objects.filter(verb="escalation.refused", actor_id="maria").count() == 1


def test_a_training_that_ended_meanwhile_undoes_a_held_answer(halden: Any, now: Any) -> None:
    row = asked(halden, now, path(halden, now, (("priya",), 1), training="payments-basics"))
    at = ledger.database_now()
    operations.record_training(
        halden.people["priya"], "payments-basics", valid_until=at + timedelta(days=1), by=ledger.SYSTEM, at=at
    )
    workflows.settle(
        row.uid, "approved", reviewer=halden.people["priya"], at=at, request_sha256="0" * 64,
        undo=timedelta(seconds=10),
    )  # fmt: skip
    Training.objects.update(valid_until=at)

    workflows.take_effect(Escalation.objects.get(), at=at + timedelta(seconds=11))

    assert Escalation.objects.get().status == "open"


def test_who_is_asked_no_more_loses_a_held_answer(halden: Any, now: Any) -> None:
    on = path(halden, now, (("priya", "maria"), 1))
    row, at = asked(halden, now, on), ledger.database_now()
    workflows.settle(
        row.uid, "approved", reviewer=halden.people["priya"], at=at, request_sha256="0" * 64,
        undo=timedelta(seconds=10),
    )  # fmt: skip
    on.steps.get().people.remove(halden.people["priya"])

    workflows.take_effect(Escalation.objects.get(), at=at + timedelta(seconds=11))

    assert Escalation.objects.get().status == "open"


def test_a_path_that_wants_two_meanwhile_undoes_the_held_answer_of_one(halden: Any, now: Any, sign_in: Any) -> None:
    row, at = asked(halden, now, path(halden, now, (("priya", "maria"), 1))), ledger.database_now()
    workflows.settle(
        row.uid, "approved", reviewer=halden.people["priya"], at=at, request_sha256="0" * 64,
        undo=timedelta(seconds=10),
    )  # fmt: skip
    assert sign_in("daniel").call("patch", "escalation-paths/drill", body(), match="*").status_code == 200

    workflows.take_effect(Escalation.objects.get(), at=at + timedelta(seconds=11))

    row.refresh_from_db()
    assert (row.status, row.approvals_needed) == ("open", 2)
    assert settle(row, halden.people["priya"], now) == "open"
    assert settle(row, halden.people["maria"], now) == "approved"


def test_a_level_on_which_an_answer_can_be_undone_stays(halden: Any, now: Any, sign_in: Any) -> None:
    row = asked(halden, now, path(halden, now, (("priya",), 1), (("maria",), 1)))
    workflows.pass_deadline(row, at=row.due_at)
    workflows.settle(
        row.uid, "approved", reviewer=halden.people["maria"], at=row.due_at, request_sha256="0" * 64,
        undo=timedelta(seconds=10),
    )  # fmt: skip

    refused = sign_in("daniel").call("patch", "escalation-paths/drill", body(), match="*")

    assert (refused.status_code, refused.json()["code"]) == (409, "level_in_use")


@pytest.mark.parametrize("is_ended, status", [(False, "approved"), (True, "open")])
def test_a_delegation_that_ended_meanwhile_undoes_a_held_answer(
    is_ended: bool, status: str, halden: Any, now: Any
) -> None:
    row = asked(halden, now, path(halden, now, (("daniel",), 1)))
    daniel, priya, at = halden.people["daniel"], halden.people["priya"], ledger.database_now()
    terms = operations.Terms(
        person=daniel, delegate=priya, ends_at=at + timedelta(days=2), reason="On leave", unit=halden.units["finance"]
    )
    made = operations.delegate(terms, by=daniel, at=at)
    workflows.settle(
        row.uid, "approved", reviewer=priya, at=at, request_sha256="0" * 64, undo=timedelta(seconds=10)
    )  # fmt: skip
    if is_ended:
        operations.end_delegation(made, by=daniel, at=ledger.database_now(), why="Back again.")

    workflows.take_effect(Escalation.objects.get(), at=at + timedelta(seconds=11))

    assert Escalation.objects.get().status == status


SELF = ("requester", "accountable", "stand-in", "author", "previous approver", "asked through an agent")


@pytest.mark.parametrize("who", SELF)
@pytest.mark.parametrize("route", ["api", "page", "bulk", "delegate", "hand-over", "operation"])
def test_no_route_lets_anybody_approve_their_own(who: str, route: str, halden: Any, now: Any, sign_in: Any) -> None:
    priya, maria = halden.people["priya"], halden.people["maria"]
    on = path(halden, now, (("priya", "maria", "daniel"), 1), not_by=("accountable", "author", "previous_approver"))
    agent, place, not_by = halden.agents["AP-04"], operations.Place(run=RUN), ()
    if who == "requester":
        not_by = (priya,)
    elif who == "accountable":
        type(agent).objects.filter(pk=agent.pk).update(accountable=priya, stand_in=maria)
    elif who == "author":
        PolicyVersion.objects.filter(policy__key="finance.invoice-payment", number=1).update(author=priya)
    elif who != "stand-in":
        type(agent).objects.filter(pk=agent.pk).update(accountable=maria, stand_in=None)
    agent.refresh_from_db()
    by: Any = ledger.SYSTEM
    if who == "asked through an agent":
        agent.caller = ledger.Caller(on_behalf_of=({"kind": "person", "id": "priya", "name": "Priya Nair"},))
        by = agent
    what = operations.Asked(
        kind=Escalation.Kind.ACTION, title="Pay", path=on, unit=halden.units["finance"], likeness="x", request={},
        request_sha256="0" * 64, agent=agent, place=place, not_by=not_by, policy="finance.invoice-payment",
        policy_version=1,
    )  # fmt: skip
    if who == "previous approver":
        earlier = operations.open_escalation(what, by=by, at=now)
        settle(earlier, priya, now)
    row = operations.open_escalation(what, by=by, at=now)

    tried = attempt(route, row, sign_in, halden, now)

    assert tried in (302, 303, 400, 403, 404, 409), tried
    row.refresh_from_db()
    assert (row.status, row.votes.count()) == ("open", 0)


def attempt(route: str, row: Escalation, sign_in: Any, halden: Any, now: Any) -> int:
    """Priya's try to approve it on this way; the status that she got."""
    browser, body = sign_in("priya"), {"request_sha256": "0" * 64}
    if route == "api":
        return int(browser.call("post", f"escalations/{row.uid}/approve", body).status_code)
    if route == "page":
        return int(browser.post(f"/escalations/{row.uid}/answer", {**body, "answer": "approved"}).status_code)
    if route == "delegate":  # somebody who is asked lets her decide instead
        daniel = halden.people["daniel"]
        terms = operations.Terms(
            person=daniel, delegate=halden.people["priya"], ends_at=now + timedelta(days=2), reason="On leave",
            unit=halden.units["finance"],
        )  # fmt: skip
        operations.delegate(terms, by=daniel, at=ledger.database_now())
        return int(browser.call("post", f"escalations/{row.uid}/approve", body).status_code)
    if route == "hand-over":  # somebody who is asked hands it to her
        return int(sign_in("daniel").call("post", f"escalations/{row.uid}/hand-over", {"to": "priya"}).status_code)
    try:
        workflows.settle(
            row.uid, "approved", reviewer=Principal.objects.get(username="priya"), at=now, request_sha256="0" * 64,
            undo=timedelta(seconds=10) if route == "bulk" else timedelta(0),
        )  # fmt: skip
    except ledger.Refused as refused:
        return refused.status
    return 200


# --- time -----------------------------------------------------------------------------------------------------
def office(halden: Any, now: Any) -> BusinessCalendar:
    document = {
        "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00", "zone": "Europe/Berlin",
        "holidays": [],
    }  # fmt: skip
    unit = halden.units["finance"]
    return operations.add_calendar("office", "Office", document, unit=unit, by=ledger.SYSTEM, at=now)


def test_a_path_counts_working_time_only(halden: Any, now: Any) -> None:
    on = path(halden, now, (("priya",), 1), (("daniel",), 1), calendar=office(halden, now))
    PathStep.objects.update(seconds=4 * HOUR)

    row = asked(halden, FRIDAY, on)

    monday = datetime(2026, 12, 7, 10, tzinfo=UTC)  # 11:00 in Berlin: one hour on Friday, three on Monday
    assert row.due_at == monday
    workflows.pass_deadline(row, at=monday)
    row.refresh_from_db()
    assert row.due_at == monday + timedelta(hours=4)


def test_people_are_reminded_once_on_each_level(halden: Any, now: Any) -> None:
    on = path(halden, now, (("priya",), 1), (("daniel",), 1))
    PathStep.objects.filter(path=on).update(remind_seconds=600)
    row = asked(halden, now - timedelta(minutes=55), on)
    Escalation.objects.filter(pk=row.pk).update(remind_at=now - timedelta(minutes=5))

    for _ in range(2):
        pass_deadlines()

    told = Event.objects.filter(verb="escalation.reminded", subject_id=str(row.uid))
    assert told.count() == 1
    row.refresh_from_db()
    workflows.pass_deadline(row, at=row.due_at)
    row.refresh_from_db()
    assert row.remind_at == row.due_at - timedelta(minutes=10)


@pytest.mark.parametrize(
    "risk, on_timeout, marked, status",
    [
        (1, "path", True, "approved"),
        (1, "deny", True, "expired"),  # the policy does not leave it to the path
        (2, "path", True, "expired"),
        (3, "path", True, "expired"),
        (1, "path", False, "expired"),
    ],
)
def test_nobody_means_yes_only_for_low_risk_where_path_and_policy_say_so(
    risk: int, on_timeout: str, marked: bool, status: str, halden: Any, now: Any
) -> None:
    on = path(halden, now, (("priya",), 1), approves_unanswered=marked)
    row = asked(halden, now, on, risk=risk, on_timeout=on_timeout)

    workflows.pass_deadline(row, at=row.due_at)

    row.refresh_from_db()
    assert row.status == status


# --- changing paths -------------------------------------------------------------------------------------------
def body(**more: Any) -> dict[str, Any]:
    level = {"people": ["priya", "maria"], "seconds": 7200, "quorum": 2, "remind_seconds": 600}
    return {"name": "Large payments", "levels": [level], "reason": "Two of them.", **more}


def test_a_path_is_added_and_changed_by_those_who_change_policies(sign_in: Any, halden: Any, now: Any) -> None:
    daniel = sign_in("daniel")
    assert sign_in("priya").call("post", "escalation-paths", body(key="two")).status_code == 403
    made = daniel.call("post", "escalation-paths", body(key="two", unit="finance"))
    assert made.status_code == 201, made.content
    assert made.json()["levels"][0]["quorum"] == 2
    row = asked(halden, now, EscalationPath.objects.get(key="two"))

    one = daniel.call("get", "escalation-paths/two")
    level = {"people": ["maria"], "seconds": 3600}
    changed = daniel.call("patch", "escalation-paths/two", body(levels=[level]), match=one["ETag"])

    assert changed.status_code == 200, changed.content
    assert may(row, "priya", "maria") == {"maria"}, "what is open is asked of them as well"
    row.refresh_from_db()
    assert row.approvals_needed == 1
    again = daniel.call("patch", "escalation-paths/two", body(), match=one["ETag"])
    assert again.status_code == 412
    event = Event.objects.get(verb="path.changed")
    assert event.data["before"]["levels"][0]["quorum"] == 2
    assert event.why == "Two of them."


@pytest.mark.parametrize(
    "change, told",
    [
        ({"levels": []}, "1 to 20 levels"),
        ({"levels": [{"people": ["nobody"], "seconds": 60}]}, "nobody called nobody"),
        ({"levels": [{"people": ["priya"], "seconds": 3600, "quorum": 2}]}, "2 of 1 cannot approve"),
        ({"levels": [{"people": ["priya"], "seconds": 3600, "remind_seconds": 3600}]}, "reminder comes before"),
        ({"levels": [{"seconds": 3600}]}, "name people or a role"),
        ({"levels": [{"role": "kings", "seconds": 3600}]}, "no role kings"),
        ({"calendar": "nowhere"}, "calendar"),
        ({"training": "Not A Name"}, "small letters"),
        ({"key": "Large Payments"}, "Small letters"),
        ({"key": "treasury"}, "already"),
        ({"reason": ""}, "reason"),
    ],
)
def test_a_path_that_cannot_be_is_refused(change: Any, told: str, sign_in: Any, halden: Any) -> None:
    refused = sign_in("daniel").call("post", "escalation-paths", body(**{"key": "two", "unit": "finance", **change}))

    assert refused.status_code == 400, refused.content
    assert told in refused.content.decode()
    assert not EscalationPath.objects.filter(key="two").exists()


def test_only_the_council_lets_silence_approve(sign_in: Any, halden: Any) -> None:
    wanted = body(key="two", unit="finance", approves_unanswered=True)

    refused = sign_in("daniel").call("post", "escalation-paths", wanted)

    assert (refused.status_code, refused.json()["code"]) == (403, "council_decides")
    assert sign_in("ingrid").call("post", "escalation-paths", wanted).status_code == 201


def test_a_level_on_which_questions_wait_stays(sign_in: Any, halden: Any, now: Any) -> None:
    row = asked(halden, now, EscalationPath.objects.get(key="finance-approver"))
    operations.expire(row, at=now)
    level = {"people": ["priya"], "seconds": 3600}

    refused = sign_in("daniel").call("patch", "escalation-paths/finance-approver", body(levels=[level]), match="*")

    assert (refused.status_code, refused.json()["code"]) == (409, "level_in_use")
    settle(row, halden.people["daniel"], now)
    assert sign_in("daniel").call(
        "patch", "escalation-paths/finance-approver", body(levels=[level]), match="*"
    ).status_code == 200  # fmt: skip
    assert "Daniel Okafor" in sign_in("edith").get(f"/escalations/{row.uid}").content.decode()


def test_nobody_records_their_own_training(sign_in: Any, halden: Any) -> None:
    until = {"name": "payments-basics", "valid_until": "2030-01-01T00:00:00Z"}

    assert sign_in("daniel").call("post", "trainings", {"person": "daniel", **until}).status_code == 403
    assert sign_in("daniel").call("post", "trainings", {"person": "priya", **until}).status_code == 201
    assert sign_in("priya").call("post", "trainings", {"person": "maria", **until}).status_code == 403


def test_the_pages_show_and_change_all_of_it(sign_in: Any, halden: Any) -> None:
    daniel = sign_in("daniel")
    terms = {"name": "Two", "mode": "in_order", "pauses_at_most": 2, "pause_hours_at_most": 8, "why": "Two of them."}
    levels = {
        "form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 0, "form-0-people": ["priya", "maria"], "form-0-seconds": "4h",
        "form-0-quorum": 2, "form-0-remind": "30m", "form-1-role": "risk", "form-1-seconds": "2d", "form-1-quorum": 1,
    }  # fmt: skip
    hours = {"days": ["mon"], "begin": "08:00", "end": "17:00", "zone": "Europe/Berlin", "holidays": "2026-12-25"}

    calendar = daniel.post("/policies/calendars/new", {"key": "office", "name": "Office", "unit": "finance", **hours})
    added = daniel.post(
        "/policies/paths/new", {"key": "two", "unit": "finance", "calendar": "office", **terms, **levels}
    )

    assert (calendar.status_code, added.status_code) == (302, 302), added.content
    made = EscalationPath.objects.get(key="two")
    assert [(step.quorum, step.seconds, step.remind_seconds) for step in operations.levels_of(made)] == [
        (2, 4 * HOUR, 1800), (1, 48 * HOUR, 0),
    ]  # fmt: skip
    shown = daniel.get("/policies/paths").content.decode()
    assert "2 of Maria Lindqvist, Priya Nair" in shown
    assert "Monday, 08:00 to 17:00, Europe/Berlin, 1 day off" in shown
    assert 'value="4h"' in daniel.get("/policies/paths/two").content.decode()
    stale = daniel.post("/policies/paths/two", {"edition": 9, **terms, **levels})
    assert stale.status_code == 412
    wrong = daniel.post("/policies/paths/two", {"edition": 1, **terms, **levels, "form-0-quorum": 3})
    assert "3 of 2 cannot approve" in wrong.content.decode()
    assert sign_in("edith").get("/policies/paths/two").status_code == 200
    assert sign_in("priya").get("/policies/paths/new").status_code == 403


# --- handing over lends no other level ------------------------------------------------------------------------
def hand(row: Escalation, by: str, to: str, halden: Any, now: Any) -> None:
    """Somebody hands it to a colleague."""
    people = {name: Principal.objects.get(username=name) for name in (by, to)}
    workflows.hand_over(row.uid, operations.Receiver(people[to]), note="", reviewer=people[by], at=now)


def test_whom_one_level_handed_it_does_not_approve_for_the_next(halden: Any, now: Any) -> None:
    row = asked(halden, now, path(halden, now, (("priya",), 1), (("daniel",), 1), mode="in_order"))
    hand(row, "priya", "maria", halden, now)
    assert may(row, "priya", "maria", "daniel") == {"priya", "maria"}

    assert settle(row, halden.people["priya"], now) == "open"

    assert may(row, "priya", "maria", "daniel") == {"daniel"}
    with pytest.raises(operations.NotAReviewer):
        settle(row, halden.people["maria"], now)
    assert settle(row, halden.people["daniel"], now) == "approved"


def test_what_is_passed_on_leaves_those_to_whom_it_was_handed(halden: Any, now: Any) -> None:
    row = asked(halden, now, path(halden, now, (("priya",), 1), (("daniel",), 1)))
    hand(row, "priya", "maria", halden, now)

    workflows.pass_deadline(row, at=row.due_at)

    row.refresh_from_db()
    assert may(row, "priya", "maria", "daniel") == {"daniel"}


def test_where_all_are_asked_at_once_it_is_handed_over_on_ones_own_level(halden: Any, now: Any) -> None:
    row = asked(halden, now, path(halden, now, (("daniel",), 1), (("priya",), 1), mode="parallel"))
    hand(row, "priya", "maria", halden, now)

    assert settle(row, halden.people["maria"], now) == "open"
    assert settle(row, halden.people["priya"], now) == "open", "both speak for the second level"
    assert settle(row, halden.people["daniel"], now) == "approved"


def test_an_approval_on_a_level_that_is_gone_is_none_of_another_level(halden: Any, now: Any, sign_in: Any) -> None:
    row = asked(halden, now, path(halden, now, (("daniel",), 1), (("maria",), 1), (("priya",), 1), mode="parallel"))
    assert settle(row, halden.people["priya"], now) == "open"
    levels = [{"people": ["daniel"], "seconds": HOUR}, {"people": ["maria"], "seconds": HOUR}]
    changed = sign_in("daniel").call(
        "patch", "escalation-paths/drill", body(levels=levels, mode="parallel"), match="*"
    )  # fmt: skip
    assert changed.status_code == 200, changed.content

    assert settle(row, halden.people["maria"], now) == "open", "daniel's level has no approval"
    assert settle(row, halden.people["daniel"], now) == "approved"
