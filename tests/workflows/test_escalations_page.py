"""The reviewers' page: who sees what, and what the card says."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance.models import Escalation
from observability import ledger
from tests.invoices import ask_to_pay, bring
from workflows import operations
from workflows.views.cards import leading_facts, length, readable


def card(person: Any, asked: Escalation, query: str = "") -> str:
    """The page with the card of an escalation, as text."""
    answer = person.get(reverse("escalation", args=[asked.uid]) + query)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def answer(person: Any, asked: Escalation, said: str, **more: str) -> Any:
    """What the form of the card sends."""
    body = {"answer": said, "request_sha256": asked.request_sha256, **more}
    return person.post(reverse("escalation-answer", args=[asked.uid]), body)


def let_take_effect() -> None:
    """The time to undo what was answered passes."""
    later = ledger.database_now() + timedelta(seconds=settings.UNDO_SECONDS)
    for held in Escalation.objects.taking_effect(later):
        operations.take_effect(held, at=later)


# --- the list ---------------------------------------------------------------------------------------------------
def test_priya_sees_what_waits_for_her_and_sofia_only_that_it_waits(robot: Any, sign_in: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")

    assert asked.title in sign_in("priya").get("/escalations").content.decode()
    sofia = sign_in("sofia").get("/escalations").content.decode()
    assert "Nothing waits for you." in sofia
    assert asked.title not in sofia
    assert asked.title in sign_in("sofia").get("/escalations?tab=all").content.decode()


def test_an_escalation_of_another_unit_is_not_found(robot: Any, sign_in: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")
    lukas = sign_in("lukas")

    assert lukas.get(reverse("escalation", args=[asked.uid])).status_code == 404
    assert answer(lukas, asked, "approved").status_code == 404
    assert asked.title not in lukas.get("/escalations?tab=all").content.decode()


def test_nobody_reads_without_signing_in(client: Any, robot: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")

    assert client.get("/escalations").status_code == 302
    assert client.get(reverse("escalation", args=[asked.uid])).status_code == 302
    assert answer(client, asked, "approved").status_code == 302
    asked.refresh_from_db()
    assert asked.is_open


def test_the_late_one_leads_then_risk_weighs_time(robot: Any, sign_in: Any, now: datetime) -> None:
    soon, late, low = (ask_to_pay(robot, f"2026-{n}", amount=f"{n}000.00") for n in (6, 7, 8))
    for asked, hours, risk in ((soon, 3, 3), (late, -1, 1), (low, 2, 1)):
        Escalation.objects.filter(pk=asked.pk).update(due_at=now + timedelta(hours=hours), risk=risk)

    page = sign_in("priya").get("/escalations").content.decode()

    places = [page.index(str(asked.uid)) for asked in (late, soon, low)]
    assert places == sorted(places), "3 hours at three times the risk come before 2 hours"


def test_the_filter_narrows_by_risk_and_the_choice_stays_in_the_addresses(robot: Any, sign_in: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")
    priya = sign_in("priya")

    high = priya.get("/escalations?risk=3&workflow=invoice-to-payment").content.decode()
    assert f'/escalations/{asked.uid}?workflow=invoice-to-payment&amp;risk=3"' in high
    assert "No escalation fits the filter." in priya.get("/escalations?risk=1").content.decode()
    assert priya.get("/escalations?risk=x&tab=y&before=z").status_code == 200


def test_what_was_decided_stands_under_done_page_by_page(
    robot: Any, sign_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    priya = sign_in("priya")
    first, second = ask_to_pay(robot, "2026-1"), ask_to_pay(robot, "2026-2", amount="7000.00")
    answer(priya, first, "approved")
    answer(priya, second, "rejected", reason_code="duplicate", reason="Paid in March.")
    monkeypatch.setattr("workflows.views.listing.LIST_AT_MOST", 1)

    page = priya.get("/escalations?tab=done")

    assert [row.pk for row in page.context["rows"]] == [second.pk]
    older = priya.get(f"/escalations{page.context['older']}")
    assert [row.pk for row in older.context["rows"]] == [first.pk]
    assert older.context["older"] == ""


def test_the_number_of_queries_does_not_grow_with_the_list(robot: Any, sign_in: Any) -> None:
    priya, counts = sign_in("priya"), []

    for number in (1, 2, 3, 4):
        ask_to_pay(robot, f"2026-{number}", amount=f"{6000 + number}.00")
        with CaptureQueriesContext(connection) as queries:
            assert priya.get("/escalations?tab=all").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[-1] < 51


def test_the_bar_counts_what_came_into_this_list_after_the_page(robot: Any, sign_in: Any) -> None:
    ask_to_pay(robot, "2026-1")
    ledger.seal()
    position = ledger.last_position()
    ask_to_pay(robot, "2026-2", amount="7000.00")
    ledger.seal()

    def bar(name: str) -> str:
        return sign_in(name).get(f"/escalations/new?after={position}").content.decode()

    assert "1 new" in bar("priya")
    assert "new" not in bar("sofia"), "nobody asks Sofia"
    assert "new" not in sign_in("priya").get(f"/escalations/new?after={ledger.last_position()}").content.decode()


# --- the card ---------------------------------------------------------------------------------------------------
def test_the_card_answers_the_five_questions(robot: Any, sign_in: Any) -> None:
    shown = card(sign_in("priya"), ask_to_pay(robot, "2026-1"))

    for words in (
        "Pay EUR 9,000.00 to Kessler Maschinenbau GmbH", "AP-04 Payments clerk", "run 2026-1", "9,000.00 EUR",
        "Why you are asked", "Invoice payment, version 1", "above the limit of 5,000", "more than 5,000",
        "Maria Lindqvist, Priya Nair", "Then, for 4 h:", "Daniel Okafor", "scheduled for 2026-12-01", "2026-1.xml",
        "Stated by the agent", "This is the first question of its kind.", "AP-04 asks again with your approval",
        "AP-04 reads your reason", "Daniel Okafor is asked, for 4 h.",
    ):  # fmt: skip
        assert words in shown, words


def test_what_an_agent_writes_stays_text(robot: Any, sign_in: Any) -> None:
    text = "Approve <script>alert(1)</script> now \u202egnp.exe https://evil.example"
    asked = ask_to_pay(robot, "2026-1", title=f"Pay \u200b{text}", statement=text)

    shown = card(sign_in("priya"), asked)

    assert "<script>alert" not in shown
    assert "&lt;U+202E&gt;gnp.exe" in shown
    assert "\u202e" not in shown.partition("<body")[2]
    assert "\u200b" not in shown.partition("<body")[2]
    assert 'href="https://evil.example' not in shown


def test_past_answers_to_the_same_kind_of_question_stand_beside_it(robot: Any, sign_in: Any) -> None:
    priya = sign_in("priya")
    answer(priya, ask_to_pay(robot, "2026-1"), "rejected", reason_code="missing_evidence", reason="No goods receipt.")
    answer(priya, ask_to_pay(robot, "2026-2", amount="7000.00"), "approved")
    let_take_effect()

    shown = card(priya, ask_to_pay(robot, "2026-3", amount="8000.00"))

    assert "2 similar" in shown
    assert "1 approved · 1 rejected" in shown
    assert "No goods receipt." in shown


def test_who_is_not_asked_reads_the_card_without_buttons(robot: Any, sign_in: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")
    daniel = sign_in("daniel")

    shown = card(daniel, asked, "?tab=all")
    assert "You are not asked to decide this. Asked now: Maria Lindqvist, Priya Nair." in shown
    assert 'name="answer"' not in shown
    refused = answer(daniel, asked, "approved")
    assert refused.status_code == 403
    assert "You are not asked to decide this." in refused.content.decode()


def test_a_step_for_a_person_says_what_each_answer_leads_to(robot: Any, sign_in: Any) -> None:
    bring(robot, "2026-1", findings=1)
    asked = Escalation.objects.get()

    shown = card(sign_in("priya"), asked)

    assert "Invoice to payment</a> asks a person" in shown
    assert "The payments clerk schedules the payment" in shown
    assert "it goes to the group controller" in shown
    assert "Everything known when it was asked" in shown


def test_nobody_decides_and_the_card_says_the_answer_will_be_no(robot: Any, sign_in: Any) -> None:
    known = {"seller": "Kessler", "order_matched": True, "findings": 0, "bank_changed_days": 3}
    asked = ask_to_pay(robot, "2026-1", resource={"type": "invoice", "id": "2026-1", "properties": known})

    assert "the answer is no. AP-04 reads your reason" in card(sign_in("maria"), asked)


# --- how values are read ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "value, words",
    [
        ("48200.00", "48,200.00"),
        ("-1234.5", "-1,234.5"),
        ("True", "yes"),
        ("20260001", "20260001"),
        ("a\u202e", "a<U+202E>"),
    ],
)
def test_values_are_readable(value: str, words: str) -> None:
    assert readable(value) == words


@pytest.mark.parametrize("seconds, words", [(1800, "30 min"), (14400, "4 h"), (86400, "1 day"), (172800, "2 days")])
def test_lengths_are_readable(seconds: int, words: str) -> None:
    assert length(seconds) == words


def test_the_facts_that_lead_are_short_and_of_the_latest_steps() -> None:
    def fact(group: str, label: str, value: str) -> dict[str, str]:
        return {"group": group, "label": label, "value": value}

    shown = [
        fact("input", "SHA-256", "ab" * 32), fact("read", "Amount due", "9000.00"), fact("read", "Currency", "EUR"),
        fact("read", "Seller", "Kessler"), fact("read", "Buyer", "Halden"), fact("match", "Matched", "False"),
        fact("match", "Result", "price differs"), fact("scout", "Note", "x" * 60),
    ]  # fmt: skip

    assert leading_facts(shown) == [
        {"label": "Result", "value": "price differs"},
        {"label": "Amount due", "value": "9,000.00 EUR"},
        {"label": "Seller", "value": "Kessler"},
    ]


def test_of_two_late_questions_the_riskier_comes_first_although_it_is_less_late(
    bring: Any, sign_in: Any, now: datetime
) -> None:
    for key, risk, hours in (("plain", 1, 2), ("risky", 3, 1)):
        bring(key, findings=1)
        late = now - timedelta(hours=hours)
        Escalation.objects.filter(run_key=key).update(risk=risk, due_at=late)

    rows = sign_in("priya").get("/escalations").context["rows"]

    assert [row.run_key for row in rows] == ["risky", "plain"]
