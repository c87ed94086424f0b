"""How we decide: figures of rules and people that open exactly their rows, alerts, and who sees what."""

from typing import Any

import pytest

from autonomy_site.demo.company import Halden
from governance.models import Escalation, ReviewerAlert
from governance.tasks import watch_reviewers
from observability.models import Event
from tests.answers import answer, approve_many, ask, payment

PAGE = "/escalations/insights"


def rule_row(person: Any, rule: str) -> Any:
    """The row of one rule on the page."""
    (row,) = [row for row in person.get(PAGE).context["rules"] if row.figures.rule == rule]
    return row


def person_row(person: Any, username: str) -> Any:
    """The row of one person on the page."""
    (row,) = [row for row in person.get(PAGE).context["people"] if row.person.username == username]
    return row


@pytest.fixture
def answered(sign_in: Any, robot: Any) -> None:
    """Twenty answers of Priya and Maria, one of them no; one open question; and one payment without a person."""
    people = [sign_in("priya"), sign_in("maria")]
    approve_many(robot, people, many=19)
    answer(people[0], ask(robot, 90, "9000.00"), "reject", seconds=2)
    ask(robot, 91, "9100.00")
    assert robot("AP-04").call("post", "actions", payment(92, "100.00")).json()["effect"] == "allow"


def test_every_number_opens_rows_that_add_up_to_it(answered: None, sign_in: Any) -> None:
    daniel = sign_in("daniel")
    asking, allowing, priya = rule_row(daniel, "ip-limit"), rule_row(daniel, "ip-allow"), person_row(daniel, "priya")

    assert (asking.figures.asked, asking.figures.approved, asking.figures.rejected) == (21, 19, 1)
    assert (asking.figures.open, asking.figures.asks_too_much, allowing.figures.alone) == (1, True, 1)
    assert (priya.figures.decided, priya.figures.quick, priya.figures.today, priya.figures.open) == (11, 1, 11, 1)
    numbers = [*asking.numbers.values(), *allowing.numbers.values(), *priya.numbers.values()]
    numbers += [number for _, number in asking.codes]
    for number in numbers:
        if number.url:
            page = daniel.get(number.url)
            assert (page.context["count"], len(page.context["rows"])) == (number.value, number.value), number.url


def test_agreement_is_measured_on_the_same_kind_of_question(answered: None, sign_in: Any) -> None:
    (pair,) = sign_in("daniel").get(PAGE).context["pairs"]

    assert (pair["agreement"].pairs, pair["agreement"].words) == (9, "n = 9, too few to tell")
    page = sign_in("daniel").get(pair["url"])
    assert page.context["count"] == 9


def test_a_reviewer_sees_their_own_figures_only(answered: None, sign_in: Any) -> None:
    priya = sign_in("priya")

    assert [row.person.username for row in priya.get(PAGE).context["people"]] == ["priya"]
    assert priya.get(PAGE).context["pairs"] == []
    assert priya.get(f"{PAGE}/rows?show=decided&person=maria").status_code == 404
    assert priya.get(f"{PAGE}/pairs?one=priya&other=maria").status_code == 404
    assert priya.get(f"{PAGE}/rows?show=decided&person=priya").status_code == 200
    told = priya.call("get", "escalation-insights").json()
    assert [each["person"] for each in told["reviewers"]] == ["priya"]


def test_who_leads_a_unit_sees_the_people_in_it(answered: None, sign_in: Any, halden: Halden) -> None:
    own = [row.person.username for row in sign_in("maria").get(PAGE).context["people"]]
    other = [row.person.username for row in sign_in("tomasz").get(PAGE).context["people"]]

    assert own == ["maria", "priya"]
    assert other == ["tomasz"]


def test_another_unit_sees_none_of_its_rules(answered: None, sign_in: Any) -> None:
    tomasz = sign_in("tomasz")

    assert tomasz.get(PAGE).context["rules"] == []
    page = tomasz.get(f"{PAGE}/rows?show=asked&policy=finance.invoice-payment&rule=ip-limit")
    assert page.context["count"] == 0


@pytest.mark.parametrize("query", ["show=nothing", "show=decided", "show=decided&person=nobody", ""])
def test_a_number_that_there_is_not_is_not_found(sign_in: Any, query: str) -> None:
    assert sign_in("daniel").get(f"{PAGE}/rows?{query}").status_code == 404


def test_programs_of_people_read_the_same(answered: None, sign_in: Any) -> None:
    told = sign_in("daniel").call("get", "escalation-insights", {"days": "7"}).json()

    (rule,) = [each for each in told["rules"] if each["rule"] == "ip-limit"]
    assert (rule["asked"], rule["approved"], rule["approval"]) == (21, 19, "0.9500")
    assert rule["reason_codes"] == {"wrong_data": 1}
    assert {each["person"] for each in told["reviewers"]} >= {"priya", "maria"}
    assert told["agreement"][0]["words"] == "n = 9, too few to tell"
    assert sign_in("daniel").call("get", "escalation-insights", {"days": "8"}).status_code == 400


def test_an_agent_does_not_read_it(robot: Any) -> None:
    assert robot("AP-04").call("get", "escalation-insights").status_code == 403


def test_an_alert_is_recorded_once_and_ends_when_it_is_so_no_more(
    halden: Halden, sign_in: Any, robot: Any, settings: Any
) -> None:
    priya = sign_in("priya")
    for number in range(20):
        answer(priya, ask(robot, number, "6000.00"), seconds=1)

    assert watch_reviewers() == 1
    assert watch_reviewers() == 0

    event = Event.objects.get(verb="reviewer.alerted")
    assert (event.subject_id, event.unit, event.data) == ("priya", "", {"alert": "quick"})
    assert not Event.objects.visible_to(halden.people["maria"]).filter(verb="reviewer.alerted")
    page = sign_in("daniel").get(PAGE).content.decode()
    assert "Decides very quickly." in page
    assert "Half of 20 answers to questions of medium or high risk" in page
    settings.REVIEWER_MEDIAN_SECONDS = 0
    assert watch_reviewers() == 0
    assert ReviewerAlert.objects.get().ended_at is not None
    assert "Decides very quickly." not in sign_in("daniel").get(PAGE).content.decode()


def test_too_many_open_questions_are_an_alert(sign_in: Any, robot: Any, settings: Any) -> None:
    settings.REVIEWER_OPEN_AT_MOST = 2
    for number in range(3):
        ask(robot, number)

    watch_reviewers()

    assert {alert.person.username for alert in ReviewerAlert.objects.filter(kind="load")} == {"priya", "maria"}
    assert Escalation.objects.open().count() == 3
