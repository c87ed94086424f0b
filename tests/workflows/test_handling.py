"""What reviewers do beside approving and rejecting: amend, ask, hand over, confirm; by page and by program."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
import yaml

from agents import operations as agents
from autonomy_site.demo.company import FOLDER
from governance.models import Decision, Escalation, EscalationPath, Inquiry
from observability import ledger
from observability.models import Event
from tests.policies import approved, put_in_force
from workflows import operations as workflows
from workflows.forms import opened_token
from workflows.models import Step

TERMS: dict[str, Any] = {
    "amend": {"amount": {"at_least": 1, "at_most": "context.amount"}}, "confirm": {"type": "context.amount"},
}  # fmt: skip


@pytest.fixture
def clerk(robot: Any) -> Any:
    """The payments clerk at the API."""
    return robot("AP-04")


@pytest.fixture
def terms(sign_in: Any) -> Any:
    """`terms(amend=..., confirm=...)` puts a version in force whose escalating rules have these terms as well."""

    def given(**more: Any) -> None:
        document = yaml.safe_load((FOLDER / "policies" / "invoice_payment.yaml").read_text())
        for rule in document["rules"]:
            if rule["effect"] == "escalate":
                rule["escalate"] |= more
        number = approved(sign_in, json.dumps(document))
        answer = put_in_force(sign_in("ingrid"), number)
        assert answer.status_code == 200, answer.content

    return given


@pytest.fixture
def ask(bring: Any, clerk: Any, question: Any) -> Any:
    """`ask(amount="9000.00")` has people asked about a payment in a run."""

    def asked(**more: Any) -> Escalation:
        bring()
        answer = clerk.call("post", "actions", question(clerk.claim(), **more)).json()
        return Escalation.objects.get(uid=answer["escalation"]["id"])

    return asked


def api(person: Any, asked: Escalation, act: str, body: Any = None, **more: Any) -> Any:
    """One act on the question through the API."""
    return person.call("post", f"escalations/{asked.uid}/{act}", body or {}, **more)


def page(person: Any, asked: Escalation, act: str, **fields: Any) -> Any:
    """The same by a plain form."""
    return person.post(f"/escalations/{asked.uid}/{act}", fields)


def read(asked: Escalation, **more: Any) -> dict[str, Any]:
    """An answer to the request as it stands."""
    asked.refresh_from_db()
    return {"request_sha256": asked.request_sha256, **more}


# --- amend ----------------------------------------------------------------------------------------------------
def test_an_approval_covers_the_amended_request_and_not_the_one_that_was_asked(
    terms: Any, ask: Any, clerk: Any, question: Any, sign_in: Any
) -> None:
    terms(amend=TERMS["amend"])
    asked, priya = ask(), sign_in("priya")
    was = asked.request_sha256

    amended = api(priya, asked, "amend", read(asked, values={"amount": "7000.00"}, reason="The rest is not due."))

    assert amended.status_code == 200, amended.content
    assert (amended.json()["amended"], amended.json()["request_sha256"] != was) == ({"amount": "7000.00"}, True)
    assert api(priya, asked, "approve", {"request_sha256": was}).status_code == 412
    assert api(priya, asked, "approve", read(asked)).status_code == 200
    work = clerk.claim()
    assert work["approval"]["amended"] == {"amount": "7000.00"}
    approval = work["approval"]["id"]
    original = clerk.call("post", "actions", question(work, approval=approval)).json()
    assert original["effect"] == "escalate", "nobody approved 9,000.00"
    event = Event.objects.get(verb="escalation.amended")
    assert (event.data["from"], event.data["to"]) == ({"amount": "9000.00"}, {"amount": "7000.00"})
    assert event.why == "The rest is not due."


def test_the_agent_does_the_amended_thing(terms: Any, ask: Any, clerk: Any, question: Any, sign_in: Any) -> None:
    terms(amend=TERMS["amend"])
    asked, priya = ask(), sign_in("priya")
    api(priya, asked, "amend", read(asked, values={"amount": "7000.00"}))
    api(priya, asked, "approve", read(asked))
    work = clerk.claim()

    now = clerk.call("post", "actions", question(work, amount="7000.00", approval=work["approval"]["id"])).json()

    assert now["effect"] == "allow", now


def test_what_needs_nobody_in_the_changed_form_is_allowed_to_the_agent_only_when_it_asks(
    terms: Any, ask: Any, clerk: Any, question: Any, sign_in: Any
) -> None:
    terms(amend=TERMS["amend"])
    asked, priya = ask(), sign_in("priya")

    amended = api(priya, asked, "amend", read(asked, values={"amount": "700.00"}))

    assert (amended.status_code, amended.json()["status"]) == (200, "open")
    asked.refresh_from_db()
    assert asked.amended_decision is not None
    assert asked.amended_decision.effect == "escalate"
    assert not Decision.objects.filter(effect="allow").exists(), "nothing counts as allowed that nobody may do yet"
    api(priya, asked, "approve", read(asked))
    work = clerk.claim()
    now = clerk.call("post", "actions", question(work, amount="700.00", approval=work["approval"]["id"])).json()
    assert now["effect"] == "allow", now


def test_the_queue_finds_and_groups_the_amended_request(terms: Any, ask: Any, sign_in: Any) -> None:
    terms(amend=TERMS["amend"])
    asked = ask()
    was = (asked.alike, asked.amount_below)

    api(sign_in("priya"), asked, "amend", read(asked, values={"amount": "700.00"}))

    asked.refresh_from_db()
    assert (was[1], asked.amount_below, asked.alike != was[0]) == (10_000, 1000, True)
    assert list(Escalation.objects.sought("amended: 700.00")) == [asked]


@pytest.mark.parametrize(
    "values, status, told",
    [
        ({"amount": "9000.01"}, 400, "At most 9000.00"),
        ({"amount": "0"}, 400, "At least 1"),
        ({"amount": "9000.00"}, 400, "Nothing is changed"),
        ({"currency": "USD"}, 400, "cannot be changed"),
        ({"amount": "\u202e0007"}, 400, "Give a number"),
    ],
)
def test_out_of_bounds_nothing_is_changed(
    values: Any, status: int, told: str, terms: Any, ask: Any, sign_in: Any
) -> None:
    terms(amend=TERMS["amend"])
    asked = ask()

    refused = api(sign_in("priya"), asked, "amend", read(asked, values=values))

    assert refused.status_code == status
    assert told in refused.content.decode()
    assert Escalation.objects.get().original is None


def test_what_the_policies_deny_in_the_changed_form_is_not_changed(
    terms: Any, ask: Any, sign_in: Any, halden: Any, now: Any
) -> None:
    terms(amend=TERMS["amend"])
    asked = ask()
    agents.pause(halden.agents["AP-04"], by=ledger.SYSTEM, at=now, why="A drill.")

    refused = api(sign_in("priya"), asked, "amend", read(asked, values={"amount": "7000.00"}))

    assert (refused.status_code, refused.json()["code"]) == (409, "amendment_refused")
    assert Escalation.objects.get().original is None
    assert not Event.objects.filter(verb="escalation.amended").exists()


def test_without_leave_of_the_policy_nothing_is_amended(ask: Any, sign_in: Any) -> None:
    asked = ask()

    refused = api(sign_in("priya"), asked, "amend", read(asked, values={"amount": "1.00"}))

    assert (refused.status_code, refused.json()["code"]) == (409, "amendment_refused")
    assert "Amend" not in sign_in("priya").get(f"/escalations/{asked.uid}").content.decode()


def test_approvals_of_the_request_before_the_amendment_count_no_more(terms: Any, ask: Any, sign_in: Any) -> None:
    terms(amend=TERMS["amend"])
    asked, priya, maria = ask(amount="48200.00"), sign_in("priya"), sign_in("maria")
    assert api(priya, asked, "approve", read(asked)).json()["status"] == "open"

    assert api(maria, asked, "amend", read(asked, values={"amount": "40000.00"})).status_code == 200

    assert asked.votes.count() == 0
    assert api(maria, asked, "approve", read(asked)).json()["status"] == "open"
    assert api(priya, asked, "approve", read(asked)).json()["status"] == "approved"


# --- confirm --------------------------------------------------------------------------------------------------
def test_an_approval_wants_the_amount_typed(terms: Any, ask: Any, sign_in: Any) -> None:
    terms(confirm={"type": "context.amount", "checklist": ["I called the seller back"]})
    asked, priya = ask(), sign_in("priya")
    ticked = {"ticked": ["I called the seller back"]}

    for confirmation in (None, {"typed": "900.00", **ticked}, {"typed": "9000.00"}):
        refused = api(priya, asked, "approve", read(asked, confirmation=confirmation))
        assert (refused.status_code, refused.json()["code"]) == (400, "confirmation_needed")
    form = page(priya, asked, "answer", **read(asked, answer="approved", typed="9000"))
    assert form.status_code == 400
    assert "Confirm the amount" in form.content.decode()
    assert Escalation.objects.get().is_open
    assert api(priya, asked, "approve", read(asked, confirmation={"typed": "9,000.00", **ticked})).status_code == 200
    event = Event.objects.get(verb="escalation.approved")
    assert event.data["confirmed"] == {"typed": "9,000.00", "ticked": ["I called the seller back"]}


def test_a_rejection_confirms_nothing(terms: Any, ask: Any, sign_in: Any) -> None:
    terms(confirm={"type": "context.amount"})
    asked = ask()

    assert api(sign_in("priya"), asked, "reject", read(asked, reason="No")).status_code == 200


def test_who_looked_for_a_while_is_asked_no_more(ask: Any, sign_in: Any) -> None:
    asked, a_while_ago = ask(), ledger.database_now() - timedelta(seconds=4)

    answer = page(
        sign_in("priya"), asked, "answer", **read(asked, answer="approved", opened=opened_token(asked.uid, a_while_ago))
    )

    assert answer.status_code == 303


def test_who_approves_a_high_risk_at_once_is_asked_once_more(ask: Any, sign_in: Any) -> None:
    asked, priya = ask(), sign_in("priya")
    shown = priya.get(f"/escalations/{asked.uid}").content.decode()
    assert 'name="opened" value="' in shown
    just_now = opened_token(asked.uid, ledger.database_now())  # whatever a slow page took

    first = page(priya, asked, "answer", **read(asked, answer="approved", opened=just_now))

    assert first.status_code == 409
    assert "You opened this 0 s ago" in first.content.decode()
    assert Escalation.objects.get().is_open
    again = re.search(r'name="opened" value="([^"]+)"', first.content.decode())
    assert again
    second = page(priya, asked, "answer", **read(asked, answer="approved", opened=again[1]))
    assert second.status_code == 303
    assert Escalation.objects.get().status == "held"


# --- ask ------------------------------------------------------------------------------------------------------
def test_the_agent_answers_a_question_once_and_the_card_shows_it(
    ask: Any, clerk: Any, robot: Any, sign_in: Any
) -> None:
    asked, priya = ask(), sign_in("priya")

    assert page(priya, asked, "ask", text="Which order?").status_code == 303

    waiting = clerk.call("get", "questions").json()["results"]
    assert [each["text"] for each in waiting] == ["Which order?"]
    path = f"escalations/{asked.uid}/questions/{waiting[0]['id']}/answer"
    assert robot("AP-01").call("post", path, {"answer": "Not mine"}).status_code == 404
    assert priya.call("post", path, {"answer": "Not mine"}).status_code == 403
    assert clerk.call("post", path, {"answer": " "}).status_code == 400
    told = clerk.call("post", path, {"answer": "PO-3007 <b>\u202eevil</b>"})
    assert told.status_code == 200, told.content
    assert clerk.call("post", path, {"answer": "Another"}).json()["code"] == "too_late"
    shown = priya.get(f"/escalations/{asked.uid}").content.decode()
    assert "Which order?" in shown
    assert "PO-3007 &lt;b&gt;" in shown
    assert "\u202e" not in shown
    assert Step.objects.get(escalation=asked).status == "waiting"
    assert [event.verb for event in Event.objects.filter(verb__in=("escalation.questioned", "escalation.replied"))] == [
        "escalation.questioned", "escalation.replied",
    ]  # fmt: skip


def test_one_question_at_a_time_and_only_of_those_who_are_asked(ask: Any, sign_in: Any) -> None:
    asked, priya = ask(), sign_in("priya")
    assert api(priya, asked, "ask", {"text": "Why?"}).status_code == 201

    assert api(priya, asked, "ask", {"text": "Why now?"}).json()["code"] == "still_unanswered"
    assert api(sign_in("edith"), asked, "ask", {"text": "Why?"}).status_code == 403
    assert api(sign_in("tomasz"), asked, "ask", {"text": "Why?"}).status_code == 404
    assert Inquiry.objects.count() == 1


def test_the_clock_stands_still_as_often_and_as_long_as_the_path_says(ask: Any, halden: Any, now: Any) -> None:
    EscalationPath.objects.update(asking_pauses=True, pauses_at_most=2, pause_hours_at_most=3)
    asked, priya, hour = ask(), halden.people["priya"], timedelta(hours=1)
    due = asked.due_at

    def waits(at: Any, answered: Any) -> None:
        inquiry = workflows.ask_agent(asked.uid, "Why?", reviewer=priya, at=at)
        asked.refresh_from_db()
        workflows.answer_inquiry(asked.uid, inquiry.uid, "So.", agent=halden.agents["AP-04"], at=answered)

    waits(now, now + hour)
    asked.refresh_from_db()
    assert asked.due_at == due + hour
    waits(now + hour, now + 2 * hour)
    asked.refresh_from_db()
    assert asked.due_at == due + 2 * hour
    waits(now + 2 * hour, now + 3 * hour)
    asked.refresh_from_db()
    assert asked.due_at == due + 2 * hour, "the third question stops no clock"


def test_an_agent_that_never_answers_stalls_no_longer_than_the_path_allows(ask: Any, halden: Any, now: Any) -> None:
    EscalationPath.objects.update(asking_pauses=True, pauses_at_most=1, pause_hours_at_most=3)
    asked = ask()
    due = asked.due_at

    workflows.ask_agent(asked.uid, "Why?", reviewer=halden.people["priya"], at=now)

    asked.refresh_from_db()
    assert asked.due_at == due + timedelta(hours=3)
    workflows.pass_deadline(asked, at=asked.due_at)
    asked.refresh_from_db()
    assert asked.asked.level == 2


def test_what_people_ask_an_agent_is_none_of_another_ones_affair(
    ask: Any, clerk: Any, robot: Any, sign_in: Any
) -> None:
    asked = ask()
    api(sign_in("priya"), asked, "ask", {"text": "Which order?"})

    assert len(clerk.call("get", f"escalations/{asked.uid}/questions").json()["results"]) == 1
    other = robot("AP-01").call("get", f"escalations/{asked.uid}/questions")
    assert "Which order?" not in other.content.decode()


def test_an_agent_reads_an_answer_when_it_has_taken_effect(ask: Any, clerk: Any, sign_in: Any) -> None:
    asked = ask()
    answer = read(asked, reason="The order is another one.", reason_code="wrong_data", undo_seconds=10)
    assert api(sign_in("priya"), asked, "reject", answer).json()["status"] == "held"

    shown = clerk.call("get", f"escalations/{asked.uid}").json()
    (listed,) = clerk.call("get", "escalations").json()["results"]

    for told in (shown, listed):
        names = ("status", "reason", "reason_code", "settled_by", "settled_at", "effect_at")
        assert [told[name] for name in names] == ["open", "", "", None, None, None]
    assert clerk.call("get", "escalations?status=held").json()["results"] == []
    workflows.take_effect(Escalation.objects.get(), at=ledger.database_now() + timedelta(seconds=11))
    assert clerk.call("get", f"escalations/{asked.uid}").json()["reason"] == "The order is another one."


# --- hand over ------------------------------------------------------------------------------------------------
def test_what_is_handed_over_goes_from_my_list_to_theirs(ask: Any, sign_in: Any, halden: Any) -> None:
    asked, daniel = ask(), halden.people["daniel"]

    handed = page(sign_in("priya"), asked, "hand-over", to="person:daniel", note="You know them.")

    assert handed.status_code == 303
    waits = {
        name: list(Escalation.objects.open().for_person(halden.people[name])) for name in ("priya", "daniel", "maria")
    }
    assert waits == {"priya": [], "daniel": [asked], "maria": [asked]}
    shown = sign_in("daniel").get(f"/escalations/{asked.uid}").content.decode()
    assert "You know them." in shown
    assert api(sign_in("daniel"), asked, "approve", read(asked)).json()["status"] == "approved"
    asked.refresh_from_db()
    assert asked.settled_by == daniel
    event = Event.objects.get(verb="escalation.handed_over")
    assert (event.actor_id, event.data["to_id"]) == ("priya", "daniel")


@pytest.mark.parametrize("to", ["sofia", "tomasz", "edith", "nobody", "priya", "agent:AP-04"])
def test_nothing_is_handed_to_who_may_not_decide(to: str, ask: Any, sign_in: Any) -> None:
    asked = ask()

    refused = api(sign_in("priya"), asked, "hand-over", {"to": to})

    assert (refused.status_code, refused.json()["code"]) == (400, "may_not_decide")
    assert not asked.handed_over.exists()


def test_what_comes_back_is_in_my_list_again(ask: Any, sign_in: Any, halden: Any) -> None:
    asked = ask()
    api(sign_in("priya"), asked, "hand-over", {"to": "daniel"})

    assert api(sign_in("daniel"), asked, "hand-over", {"to": "priya", "note": "No, you."}).status_code == 201

    assert list(Escalation.objects.open().for_person(halden.people["priya"])) == [asked]


def test_a_role_is_asked_as_well(ask: Any, sign_in: Any, halden: Any) -> None:
    asked = ask()

    assert api(sign_in("priya"), asked, "hand-over", {"role": "risk"}).status_code == 201

    assert list(Escalation.objects.open().for_person(halden.people["daniel"])) == [asked]
