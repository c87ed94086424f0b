"""Questions for people: one winner, the right people, the request they read, and what happens when nobody answers."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group

from agents import operations as agents
from agents.models import Principal
from governance import operations as governance
from governance.models import Escalation, Vote
from observability import ledger
from observability.models import Event
from workflows import operations as workflows
from workflows.models import Step


@pytest.fixture
def clerk(robot: Any) -> Any:
    """The payments clerk at the API."""
    return robot("AP-04")


@pytest.fixture
def asked(bring: Any, clerk: Any, question: Any) -> Escalation:
    """A payment of 9,000.00 waits for priya or maria, then for daniel."""
    bring()
    answer = clerk.call("post", "actions", question(clerk.claim())).json()
    return Escalation.objects.get(uid=answer["escalation"]["id"])


def answer(person: Any, asked: Escalation, how: str = "approve", **more: Any) -> Any:
    """A person's answer to the question, as they read it."""
    body = {"request_sha256": asked.request_sha256, **more}
    return person.call("post", f"escalations/{asked.uid}/{how}", body)


def settle(asked: Escalation, to: str, reviewer: Principal, now: Any, **more: Any) -> Escalation:
    """The same below the door."""
    return workflows.settle(asked.uid, to, reviewer=reviewer, at=now, request_sha256=asked.request_sha256, **more)


def test_the_second_answer_learns_who_was_first_and_when(asked: Escalation, sign_in: Any) -> None:
    assert answer(sign_in("priya"), asked).status_code == 200

    late = answer(sign_in("maria"), asked, "reject", reason="No")

    assert (late.status_code, late.json()["code"]) == (409, "too_late")
    asked.refresh_from_db()
    assert f"Priya Nair settled this first at {asked.settled_at:%H:%M:%S} UTC: approved." == late.json()["detail"]
    assert Event.objects.filter(verb__in=("escalation.approved", "escalation.rejected")).count() == 1


def test_a_second_copy_of_the_row_is_too_late(asked: Escalation, halden: Any, now: Any) -> None:
    same = Escalation.objects.get(pk=asked.pk)
    settle(asked, "approved", halden.people["priya"], now)

    with pytest.raises(ledger.TooLate):
        governance.close(
            same, "rejected", reviewer=halden.people["maria"], at=now, request_sha256=same.request_sha256, reason="No"
        )
    with pytest.raises(ledger.TooLate):
        settle(same, "rejected", halden.people["maria"], now, reason="No")
    assert Escalation.objects.get().status == "approved"


def test_a_double_click_gets_one_answer_twice(asked: Escalation, sign_in: Any) -> None:
    priya, body = sign_in("priya"), {"request_sha256": asked.request_sha256}
    first, again = (priya.call("post", f"escalations/{asked.uid}/approve", body, key="click") for _ in range(2))

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert Event.objects.filter(verb="escalation.approved").count() == 1


def test_an_answer_to_another_version_of_the_request_is_412(asked: Escalation, sign_in: Any) -> None:
    wrong = sign_in("priya").call("post", f"escalations/{asked.uid}/approve", {"request_sha256": "0" * 64})

    assert (wrong.status_code, wrong.json()["code"]) == (412, "request_changed")
    assert Escalation.objects.get().is_open
    assert sign_in("priya").call("post", f"escalations/{asked.uid}/approve", {}).status_code == 428


def test_people_who_are_not_asked_cannot_answer(asked: Escalation, sign_in: Any) -> None:
    for name, status in (
        ("sofia", 403),
        ("daniel", 403),
        ("ingrid", 403),
        ("edith", 403),
        ("jonas", 403),
        ("tomasz", 404),
    ):
        for how in ("approve", "reject"):
            assert answer(sign_in(name), asked, how, reason="x").status_code == status, name
    assert Escalation.objects.get().is_open


def test_who_lost_the_role_or_left_cannot_answer(asked: Escalation, sign_in: Any, halden: Any) -> None:
    priya = sign_in("priya")
    Group.objects.get(name="reviewer").user_set.remove(halden.people["priya"])
    form = {"answer": "approved", "request_sha256": asked.request_sha256}

    assert answer(priya, asked).status_code == 403
    assert priya.post(f"/escalations/{asked.uid}/answer", form).status_code == 403
    tried = Event.objects.filter(verb="escalation.refused", subject_id=str(asked.uid))
    assert [event.actor_id for event in tried] == ["priya", "priya"]

    Principal.objects.filter(username="maria").update(is_active=False)
    maria = Principal.objects.get(username="maria")
    assert not governance.may_settle(maria, asked)


def test_no_agent_answers_however_many_rights_it_is_given(asked: Escalation, halden: Any, now: Any) -> None:
    account = halden.agents["AP-04"].principal
    account.groups.set(Group.objects.all())
    asked.asked.people.add(account)

    with pytest.raises(governance.NotAReviewer):
        settle(asked, "approved", Principal.objects.get(pk=account.pk), now)


def test_the_person_who_started_the_run_does_not_decide_in_it(halden: Any, now: Any, robot: Any, question: Any) -> None:
    maria = halden.people["maria"]
    workflows.start(halden.workflow, key="own", variables={"document": "own.xml"}, by=maria, at=now)
    robot("AP-01").finish(robot("AP-01").claim(), readable=True)
    robot("AP-02").finish(robot("AP-02").claim(), matched=True)
    robot("RK-01").finish(robot("RK-01").claim(), findings=0)
    clerk = robot("AP-04")
    clerk.call("post", "actions", question(clerk.claim()))
    asked = Escalation.objects.get()

    with pytest.raises(governance.NotAReviewer):
        settle(asked, "approved", maria, now)
    assert settle(asked, "approved", halden.people["priya"], now).status == "approved"


def test_rejecting_needs_a_reason(asked: Escalation, sign_in: Any) -> None:
    for reason in ("", "   "):
        refused = answer(sign_in("priya"), asked, "reject", reason=reason)
        assert (refused.status_code, refused.json()["code"]) == (400, "reason_needed")
    assert answer(sign_in("priya"), asked, "reject", reason="Twice", reason_code="nonsense").status_code == 400
    assert answer(sign_in("priya"), asked, "reject", reason="Twice", reason_code="duplicate").status_code == 200


def test_after_the_deadline_nobody_answers_any_more(asked: Escalation, sign_in: Any, now: Any) -> None:
    Escalation.objects.update(due_at=now - timedelta(seconds=1))

    late = answer(sign_in("priya"), asked)

    assert (late.status_code, late.json()["code"]) == (409, "too_late")
    assert Escalation.objects.get().is_open, "the sweep acts on it, no click does"


def test_nobody_in_time_asks_the_next_level_and_at_the_end_denies(
    asked: Escalation, clerk: Any, halden: Any, sign_in: Any, question: Any, now: Any
) -> None:
    assert set(asked.asked.people.all()) == {halden.people["priya"], halden.people["maria"]}

    workflows.pass_deadline(asked, at=asked.due_at)
    passed = Escalation.objects.get()
    assert (passed.status, passed.due_at - asked.due_at) == ("open", timedelta(hours=4))
    assert set(passed.asked.people.all()) == {halden.people["daniel"]}
    assert answer(sign_in("priya"), passed).status_code == 403, "it is daniel's now"
    workflows.pass_deadline(passed, at=asked.due_at)
    assert Escalation.objects.get().is_open, "the same deadline does not count twice"

    workflows.pass_deadline(passed, at=passed.due_at)

    assert Escalation.objects.get().status == "expired"
    Step.objects.filter(status="ready").update(available_at=now)
    work = clerk.claim()
    assert work["approval"]["status"] == "expired"
    again = clerk.call("post", "actions", question(work)).json()
    assert (again["effect"], again["rule"]) == ("deny", "answered-before")
    verbs = list(Event.objects.filter(subject_kind="escalation").order_by("id").values_list("verb", flat=True))
    assert verbs == ["escalation.opened", "escalation.passed_on", "escalation.refused", "escalation.expired"]


def test_an_answer_in_time_is_not_undone_by_the_sweep(asked: Escalation, halden: Any, now: Any) -> None:
    due, same = asked.due_at, Escalation.objects.get(pk=asked.pk)
    settle(asked, "approved", halden.people["priya"], now)

    workflows.pass_deadline(same, at=due + timedelta(days=3))

    assert Escalation.objects.get().status == "approved"


@pytest.fixture
def large(bring: Any, clerk: Any, question: Any) -> Escalation:
    """A payment of 30,000.00, which two people have to approve."""
    bring()
    clerk.call("post", "actions", question(clerk.claim(), amount="30000.00"))
    return Escalation.objects.get()


def test_two_approvals_are_two_people(large: Escalation, sign_in: Any, clerk: Any) -> None:
    priya = sign_in("priya")
    assert answer(priya, large).json()["status"] == "open"
    assert clerk.claim() is None

    again = answer(priya, large)
    assert (again.status_code, Vote.objects.count()) == (409, 1)

    assert answer(sign_in("daniel"), large).json()["status"] == "approved"
    assert clerk.claim()["approval"]["status"] == "approved"
    assert Event.objects.filter(verb="escalation.seconded", actor_id="priya").count() == 1


def test_one_no_outweighs_a_yes(large: Escalation, sign_in: Any) -> None:
    answer(sign_in("priya"), large)

    assert answer(sign_in("maria"), large, "reject", reason="Too much").json()["status"] == "rejected"
    assert answer(sign_in("daniel"), large).status_code == 409


def test_a_cancelled_run_takes_its_question_back(
    asked: Escalation, halden: Any, sign_in: Any, now: Any, clerk: Any
) -> None:
    workflows.cancel(halden.workflow.runs.get(), by=halden.people["maria"], at=now, why="Sent twice")

    assert Escalation.objects.get().status == "withdrawn"
    late = answer(sign_in("priya"), asked)
    assert (late.status_code, late.json()["code"]) == (409, "too_late")
    assert clerk.claim() is None
    assert Step.objects.filter(element="pay").get().status == "cancelled"


def test_a_path_that_names_a_group_asks_its_members_who_see_the_unit(halden: Any, now: Any) -> None:
    path = governance.add_path(
        "owners", "Owners", unit=halden.units["finance"], levels=[governance.Level(60, group="unit_owner")],
        by=halden.people["daniel"], at=now,
    )  # fmt: skip
    asked = governance.Asked(
        kind=Escalation.Kind.STEP, title="Close the books", path=path, unit=halden.units["finance"], likeness="x",
        request={}, request_sha256="0" * 64, not_by=(),
    )  # fmt: skip
    row = governance.open_escalation(asked, by=ledger.SYSTEM, at=now)

    able = {name for name, person in halden.people.items() if governance.may_settle(person, row)}

    assert able == {"maria"}, "other owners do not see finance"


def test_a_path_without_levels_is_refused(halden: Any, now: Any) -> None:
    with pytest.raises(ledger.Invalid):
        governance.add_path("empty", "Empty", unit=halden.units["finance"], levels=[], by=ledger.SYSTEM, at=now)
    with pytest.raises(ledger.NotAllowed):
        governance.add_path("x", "X", unit=halden.units["finance"], levels=[], by=halden.people["priya"], at=now)


def test_a_stand_in_admitted_later_is_asked_when_put_on_the_path(
    asked: Escalation, halden: Any, sign_in: Any, now: Any
) -> None:
    agents.admit_person(
        "omar",
        "Omar Said",
        unit=halden.units["finance"],
        roles=["reviewer"],
        password="Nine-long-winters",
        by=ledger.SYSTEM,
        at=now,
    )
    assert answer(sign_in("omar"), asked).status_code == 403

    asked.asked.people.add(Principal.objects.get(username="omar"))

    assert answer(sign_in("omar"), asked).status_code == 200
