"""Planted cases: asked like any other question, of no effect, told afterwards to who answered."""

import json
from typing import Any

import pytest

from governance.models import Decision, Escalation, PlantedCase
from governance.tasks import ask_planted, note_answers
from observability.ledger import database_now
from observability.models import Event
from tests.answers import answer, ask, payment

TITLE = "Pay EUR 7,950.00 to Kessler Maschinenbau GmbH"


def plant(person: Any, pattern: Escalation, **more: Any) -> Any:
    """Plant a case by the page, like an answered question, with another amount and thing."""
    form = person.get(f"/escalations/insights/planted/like/{pattern.uid}").context["form"]
    request = json.loads(form["request"].value())
    request["resource"]["id"], request["context"]["amount"] = "L-9001", "7950.00"
    given = {name: form[name].value() or "" for name in form.fields}
    given |= {"title": TITLE, "request": json.dumps(request), "why": "The account is not on file.", **more}
    return person.post(f"/escalations/insights/planted/like/{pattern.uid}", given)


@pytest.fixture
def pattern(sign_in: Any, robot: Any) -> Escalation:
    """A question that Priya answered."""
    asked = ask(robot, 1, "7000.00")
    answer(sign_in("priya"), asked)
    return asked


@pytest.fixture
def case(sign_in: Any, pattern: Escalation) -> Escalation:
    """A planted case that is asked now, as the reviewers see it."""
    assert plant(sign_in("ingrid"), pattern).status_code == 302
    PlantedCase.objects.update(ask_at=database_now())
    assert ask_planted() == 1
    escalation = PlantedCase.objects.get().escalation
    assert escalation is not None
    return escalation


def test_it_cannot_be_told_from_a_real_question(case: Escalation, sign_in: Any, robot: Any) -> None:
    priya, real = sign_in("priya"), ask(robot, 2, "7950.00")

    told = priya.call("get", f"escalations/{case.uid}").json()
    beside = priya.call("get", f"escalations/{real.uid}").json()

    assert told.keys() == beside.keys()
    same = ("kind", "status", "risk", "path", "workflow", "run", "reason_asked", "conditions", "statement")
    assert {name: told[name] for name in same} == {name: beside[name] for name in same}
    assert told["request"].keys() == beside["request"].keys()
    pages = [priya.get(f"/escalations/{each.uid}").content.decode() for each in (case, real)]
    assert not any("planted" in page.lower() for page in pages)
    events = [Event.objects.get(verb="escalation.opened", subject_id=str(each.uid)) for each in (case, real)]
    messages = [event.as_message() for event in events]
    different = {"position", "subject_id", "subject_name", "at", "id"}
    assert {k: v for k, v in messages[0].items() if k not in different} == {
        k: v for k, v in messages[1].items() if k not in different
    }


def test_it_wants_the_confirmation_that_its_policy_wants(
    pattern: Escalation, sign_in: Any, request: pytest.FixtureRequest
) -> None:
    confirm = {"type": "context.amount", "checklist": ["I called the seller back"]}
    terms = {"confirm": confirm, "reach": "One supplier", "reversible": "Not once it is paid"}
    Escalation.objects.filter(pk=pattern.pk).update(**terms)

    case: Escalation = request.getfixturevalue("case")

    assert {name: getattr(case, name) for name in terms} == terms
    body = {"request_sha256": case.request_sha256}
    refused = sign_in("priya").call("post", f"escalations/{case.uid}/approve", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "confirmation_needed")
    body |= {"confirmation": {"typed": "7950.00", "ticked": ["I called the seller back"]}}  # type: ignore[dict-item]
    assert sign_in("priya").call("post", f"escalations/{case.uid}/approve", body).status_code == 200


def test_who_catches_it_is_told_kindly_and_nothing_is_done(case: Escalation, sign_in: Any, robot: Any) -> None:
    priya, decisions = sign_in("priya"), Decision.objects.count()
    answer(priya, case, "reject")
    assert note_answers() == 1

    real = ask(robot, 3, "6000.00")
    card = priya.get(f"/escalations/{real.uid}").content.decode()
    assert "was a planted case: nothing was done. You gave the right answer. The account is not on file." in card
    assert priya.post(f"/escalations/insights/planted/{PlantedCase.objects.get().uid}/seen").status_code == 302
    assert "planted" not in priya.get(f"/escalations/{real.uid}").content.decode()

    assert Decision.objects.count() == decisions + 1
    row = priya.get("/escalations/insights").context["people"][0]
    assert (row.figures.planted, row.figures.caught) == (1, 1)


def test_who_misses_it_reads_the_right_answer_and_a_colleague_does_not(case: Escalation, sign_in: Any) -> None:
    answer(sign_in("priya"), case)
    note_answers()

    own = sign_in("priya").get(f"/escalations/{case.uid}?tab=done").content.decode()
    other = sign_in("maria").get(f"/escalations/{case.uid}?tab=done").content.decode()

    assert "The right answer was to reject" in own
    assert "This was a planted case" in other
    assert "The right answer was" not in other
    event = Event.objects.get(verb="planted.over")
    assert (event.why, set(event.data)) == ("", {"case"}), "the ledger of the unit does not say who missed what"


def test_its_approval_allows_nothing(case: Escalation, sign_in: Any, robot: Any) -> None:
    answer(sign_in("priya"), case)
    question = payment(9001, "7950.00")
    assert Escalation.objects.get(pk=case.pk).request["resource"] == question["resource"]

    decided = robot("AP-04").call("post", "actions", question).json()

    assert decided["effect"] == "escalate"


def test_it_counts_nowhere(case: Escalation, sign_in: Any) -> None:
    answer(sign_in("priya"), case)
    note_answers()

    page = sign_in("daniel").get("/escalations/insights").context
    (rule,) = page["rules"]
    (priya,) = [row for row in page["people"] if row.person.username == "priya"]

    assert (rule.figures.asked, priya.figures.decided) == (1, 1), "only the pattern"
    assert Escalation.objects.decided().count() == 1


def test_the_agent_does_not_see_what_it_never_asked(case: Escalation, robot: Any) -> None:
    clerk = robot("AP-04")

    assert clerk.call("get", f"escalations/{case.uid}").status_code == 404
    assert str(case.uid) not in clerk.call("get", "escalations").content.decode()
    assert (
        clerk.get(f"/access/v1/requests/{case.uid}", headers={"Authorization": f"Bearer {clerk.key}"}).status_code
        == 404
    )


def test_who_may_plant_is_not_asked_and_nobody_else_sees_the_cases(
    case: Escalation, sign_in: Any, pattern: Escalation
) -> None:
    ingrid, priya = sign_in("ingrid"), sign_in("priya")

    body = {"request_sha256": case.request_sha256}
    assert ingrid.call("post", f"escalations/{case.uid}/approve", body).status_code == 403
    assert TITLE in ingrid.get("/escalations/insights/planted").content.decode()
    for username in ("priya", "maria", "daniel", "jonas", "edith"):
        person = sign_in(username)
        assert person.get("/escalations/insights/planted").status_code == 404
        assert person.get(f"/escalations/insights/planted/like/{pattern.uid}").status_code == 404
        assert person.call("get", "planted-cases").status_code == 403
    assert priya.call("get", "planted-cases").status_code == 403


def test_before_its_moment_nobody_is_asked_and_it_can_be_taken_back(sign_in: Any, pattern: Escalation) -> None:
    ingrid = sign_in("ingrid")
    plant(ingrid, pattern)
    kept = PlantedCase.objects.get()
    assert kept.ask_at > database_now()
    assert ask_planted() == 0

    assert ingrid.post(f"/escalations/insights/planted/{kept.uid}/withdraw").status_code == 302

    PlantedCase.objects.update(ask_at=database_now())
    assert ask_planted() == 0


def test_where_the_setting_says_none_none_is_asked(sign_in: Any, pattern: Escalation, settings: Any) -> None:
    plant(sign_in("ingrid"), pattern)
    PlantedCase.objects.update(ask_at=database_now())
    settings.PLANTED_PER_DAY = 0

    assert ask_planted() == 0


def test_exactly_what_an_agent_asked_cannot_be_planted(sign_in: Any, pattern: Escalation) -> None:
    ingrid = sign_in("ingrid")

    refused = plant(ingrid, pattern, request=json.dumps(pattern.request))

    assert refused.status_code == 400
    assert "An agent asked exactly this already" in refused.content.decode()
    assert plant(ingrid, pattern, shown="Amount 7950").status_code == 400
    assert plant(ingrid, pattern, request="[]").status_code == 400
    assert not PlantedCase.objects.exists()


def test_programs_plant_as_well(sign_in: Any, pattern: Escalation) -> None:
    request = {**pattern.request, "context": {"amount": "7950.00", "currency": "EUR"}}
    body = {
        "like": str(pattern.uid), "title": TITLE, "request": request,
        "shown": [{"label": "Amount", "value": "7950.00"}], "right_answer": "rejected",
        "why": "The account is not on file.",
    }  # fmt: skip

    made = sign_in("ingrid").call("post", "planted-cases", body)

    assert made.status_code == 201, made.content
    assert made.json()["state"] == "waiting"
    assert sign_in("ingrid").call("get", "planted-cases").json()["results"] == [made.json()]


def test_asking_amending_and_handing_it_over_has_no_effect_and_tells_nothing(
    case: Escalation, sign_in: Any, robot: Any
) -> None:
    priya, clerk, decisions = sign_in("priya"), robot("AP-04"), Decision.objects.count()
    Escalation.objects.filter(pk=case.pk).update(amendable=[{"field": "amount", "at_most": "7950.00"}])

    asked = priya.call("post", f"escalations/{case.uid}/ask", {"text": "Why?"})
    amended = priya.call(
        "post", f"escalations/{case.uid}/amend",
        {"values": {"amount": "1.00"}, "request_sha256": case.request_sha256},
    )  # fmt: skip
    handed = priya.call("post", f"escalations/{case.uid}/hand-over", {"to": "daniel"})

    assert (asked.status_code, amended.status_code, handed.status_code) == (201, 409, 201)
    assert clerk.call("get", "questions").json()["results"] == []
    path = f"escalations/{case.uid}/questions/{asked.json()['id']}/answer"
    assert clerk.call("post", path, {"answer": "I never asked."}).status_code == 404
    assert not any("planted" in each.content.decode().lower() for each in (asked, amended, handed))
    assert Decision.objects.count() == decisions


def test_it_takes_no_room_of_the_agent(case: Escalation, robot: Any, settings: Any) -> None:
    settings.OPEN_QUESTIONS_PER_AGENT = 1

    assert ask(robot, 4).is_open
