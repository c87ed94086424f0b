"""What is learnt from answers: a rule is suggested, drafted with a replay, approved by another, revoked at once."""

from typing import Any

import pytest

from autonomy_site.demo.company import Halden
from governance.models import Escalation, LearntRule, Policy
from governance.tasks import run_replays
from observability.ledger import database_now
from observability.models import Event
from tests.answers import SELLERS, answer, approve_many, ask, payment, settled_ago
from tests.policies import KEY, act, activate


def insights(person: Any) -> str:
    """The page as this person sees it."""
    page = person.get("/escalations/insights")
    assert page.status_code == 200
    return str(page.content.decode())


def make_rule(person: Any) -> LearntRule:
    """Press the button of the one suggestion."""
    page = person.get("/escalations/insights")
    (offer,) = page.context["offers"]
    answered = person.post(f"/escalations/insights/suggestions/{offer.group}/draft")
    assert answered.status_code == 302, answered.content
    return LearntRule.objects.standing().with_names().get(group=offer.group)


def put_in_force(sign_in: Any, made: LearntRule) -> None:
    """Daniel asks for review, Ingrid approves, the replay that came with the draft is looked at, and it decides."""
    daniel, ingrid = sign_in("daniel"), sign_in("ingrid")
    number = made.version.number
    for person, step in ((daniel, "ask-review"), (ingrid, "approve")):
        assert act(person, number, step).status_code == 200
    assert run_replays() == 1
    replay = daniel.get(f"/policies/{KEY}/versions/{number}/replay")
    assert replay.context["chosen"].status == "done"
    assert activate(daniel, number).status_code == 200


@pytest.fixture
def reviewers(sign_in: Any) -> list[Any]:
    """Priya and Maria, who decide about payments."""
    return [sign_in("priya"), sign_in("maria")]


def test_25_yes_of_two_people_become_a_rule_that_another_one_puts_in_force(
    halden: Halden, sign_in: Any, robot: Any, reviewers: list[Any]
) -> None:
    approve_many(robot, reviewers)
    daniel = sign_in("daniel")
    assert "25 of 25" in insights(daniel)

    made = make_rule(daniel)

    assert made.version.status == "draft"
    assert made.replay is not None
    assert made.criteria["amount_at_most"] == "8400.00"
    assert made.criteria["parties"] == {"resource.seller": list(SELLERS)}
    assert {str(person) for person in made.reviewers.all()} == {"Priya Nair", "Maria Lindqvist"}
    assert made.questions.count() == 25
    assert ask(robot, 100, "6000.00").is_open, "a draft decides nothing"
    put_in_force(sign_in, made)
    decided = robot("AP-04").call("post", "actions", payment(101, "8400.00")).json()
    assert (decided["effect"], decided["rule"]) == ("allow", made.rule)


def test_what_a_person_amended_was_no_yes_to_what_was_asked(
    halden: Halden, sign_in: Any, robot: Any, reviewers: list[Any]
) -> None:
    approve_many(robot, reviewers, many=26)
    amended = Escalation.objects.order_by("pk").first()
    assert amended is not None
    context = {**amended.request["context"], "amount": "9999.00"}
    Escalation.objects.filter(pk=amended.pk).update(original={**amended.request, "context": context})

    (offer,) = sign_in("daniel").get("/escalations/insights").context["offers"]

    assert (offer.suggestion.asked, str(offer.suggestion.refused_from)) == (25, "9999.00")


@pytest.fixture
def in_force(sign_in: Any, robot: Any, reviewers: list[Any]) -> LearntRule:
    """A learnt rule that decides."""
    approve_many(robot, reviewers)
    made = make_rule(sign_in("daniel"))
    put_in_force(sign_in, made)
    return made


@pytest.mark.parametrize(
    "asked",
    [
        {"amount": "8400.01"},  # more than anybody approved
        {"amount": "6000.00", "seller": "Vostok Metall"},  # a seller that nobody saw
    ],
)
def test_what_lies_outside_of_what_was_seen_is_asked_as_before(in_force: LearntRule, robot: Any, asked: Any) -> None:
    assert ask(robot, 102, **asked).is_open


def test_a_question_without_the_seller_is_asked_as_before(in_force: LearntRule, robot: Any) -> None:
    question = payment(103, "6000.00")
    del question["resource"]["properties"]["seller"]

    assert robot("AP-04").call("post", "actions", question).json()["effect"] == "escalate"


def test_one_click_revokes_the_rule_and_people_are_asked_from_the_next_question_on(
    in_force: LearntRule, sign_in: Any, robot: Any
) -> None:
    before = Policy.objects.get(key=KEY).versions.get(number=1).document

    answered = sign_in("daniel").post(f"/escalations/insights/learnt/{in_force.uid}/revoke")

    assert answered.status_code == 302
    assert ask(robot, 104, "6000.00").is_open
    now = Policy.objects.get(key=KEY).versions.active().get().document
    assert {name: part for name, part in now.items() if name != "version"} == {
        name: part for name, part in before.items() if name != "version"
    }
    assert Event.objects.filter(verb="learnt.revoked", actor_id="daniel").count() == 1
    assert "Revoked" in insights(sign_in("daniel"))


def test_nobody_revokes_twice_and_nobody_without_the_right(in_force: LearntRule, sign_in: Any) -> None:
    address = f"/escalations/insights/learnt/{in_force.uid}/revoke"

    assert sign_in("priya").post(address).status_code in (403, 404)
    assert sign_in("daniel").post(address).status_code == 302
    assert sign_in("ingrid").post(address).status_code == 409


def test_revoking_a_draft_throws_it_away(sign_in: Any, robot: Any, reviewers: list[Any]) -> None:
    approve_many(robot, reviewers)
    daniel = sign_in("daniel")
    made = make_rule(daniel)
    assert act(daniel, made.version.number, "ask-review").status_code == 200

    assert daniel.post(f"/escalations/insights/learnt/{made.uid}/revoke").status_code == 302

    made.version.refresh_from_db()
    assert made.version.status == "retired"
    assert Policy.objects.get(key=KEY).versions.active().get().number == 1
    assert make_rule(daniel).pk != made.pk, "it may be drafted anew"


def test_what_was_drafted_is_not_suggested_again(sign_in: Any, robot: Any, reviewers: list[Any]) -> None:
    approve_many(robot, reviewers)
    make_rule(sign_in("daniel"))

    assert "25 of 25" not in insights(sign_in("ingrid"))


def test_24_are_too_few(sign_in: Any, robot: Any, reviewers: list[Any]) -> None:
    approve_many(robot, reviewers, many=24)

    assert "of 24" not in insights(sign_in("daniel"))


def test_a_no_below_them_keeps_the_rule_away_and_one_above_ends_the_band(
    sign_in: Any, robot: Any, reviewers: list[Any]
) -> None:
    approve_many(robot, reviewers)
    answer(reviewers[0], ask(robot, 200, "9000.00"), "reject")
    page = sign_in("daniel").get("/escalations/insights")
    assert str(page.context["offers"][0].suggestion.refused_from) == "9000.00"

    answer(reviewers[0], ask(robot, 201, "5500.00"), "reject")

    assert not sign_in("daniel").get("/escalations/insights").context["offers"]


def test_answers_of_long_ago_suggest_nothing(sign_in: Any, robot: Any, reviewers: list[Any]) -> None:
    approve_many(robot, reviewers)
    settled_ago(91, database_now())

    assert not sign_in("daniel").get("/escalations/insights").context["offers"]


def test_what_one_person_answered_alone_says_so(sign_in: Any, robot: Any, reviewers: list[Any]) -> None:
    approve_many(robot, reviewers[:1])

    assert "One person gave all of these answers" in insights(sign_in("daniel"))


def test_the_next_question_like_these_offers_the_rule_and_says_who_may_draft_it(
    sign_in: Any, robot: Any, reviewers: list[Any]
) -> None:
    approve_many(robot, reviewers)
    like, other = ask(robot, 300, "7000.00"), ask(robot, 301, "7000.00", "Vostok Metall")
    priya = reviewers[0]

    card = priya.get(f"/escalations/{like.uid}").content.decode()

    assert "All 25 questions like this were approved" in card
    assert "The rule can be drafted by" in card
    assert "Make it a rule</button>" not in card
    assert "All 25 questions" not in priya.get(f"/escalations/{other.uid}").content.decode()


def test_who_may_not_write_the_policy_drafts_nothing(sign_in: Any, robot: Any, reviewers: list[Any]) -> None:
    approve_many(robot, reviewers)
    group = sign_in("daniel").get("/escalations/insights").context["offers"][0].group

    assert reviewers[0].post(f"/escalations/insights/suggestions/{group}/draft").status_code == 403
    assert not LearntRule.objects.exists()


def test_a_suggestion_that_is_turned_down_rests_for_90_days(sign_in: Any, robot: Any, reviewers: list[Any]) -> None:
    approve_many(robot, reviewers)
    group = sign_in("daniel").get("/escalations/insights").context["offers"][0].group

    assert reviewers[0].post(f"/escalations/insights/suggestions/{group}/turn-down").status_code == 302

    assert not sign_in("daniel").get("/escalations/insights").context["offers"]
    assert Event.objects.filter(verb="suggestion.turned_down", actor_id="priya").count() == 1
    assert sign_in("daniel").post(f"/escalations/insights/suggestions/{group}/draft").status_code == 404


def test_another_unit_hears_nothing_of_it(sign_in: Any, robot: Any, reviewers: list[Any]) -> None:
    approve_many(robot, reviewers)

    assert not sign_in("tomasz").get("/escalations/insights").context["offers"]
    assert Escalation.objects.decided().count() == 25
