"""The reviewers' queue: who looks at what, what comes back, the like in piles, answers to many, views, a flood."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

from agents import operations as agents
from governance import operations as governance
from governance.models import Escalation, SavedView, Snooze
from observability import ledger
from observability.models import Event
from tests.invoices import ask_to_pay
from tests.refunds import ask_refunds


@pytest.fixture
def refunds(halden: Any, now: datetime) -> Any:
    """`refunds(14)` are that many questions of the payments clerk about small refunds, low risk, all alike."""
    return partial(ask_refunds, halden, now)


def act(who: Any, asked: Escalation, name: str, **given: str) -> Any:
    """What a form of the card's menu sends, and the card as it is then."""
    answer = who.post(reverse(f"escalation-{name}", args=[asked.uid]), given)
    assert answer.status_code == 303, answer.content
    return who.get(answer["Location"]).content.decode()


def call(person: Any, asked: Escalation, verb: str, body: dict[str, Any] | None = None) -> Any:
    return person.call("post", f"escalations/{asked.uid}/{verb}", body or {})


def listed(person: Any, query: str = "") -> Any:
    """What the list shows, as the page got it."""
    answer = person.get(f"/escalations{query}")
    assert answer.status_code == 200, answer.content
    return answer.context


def titles(person: Any, query: str = "") -> set[str]:
    return {row.title for row in listed(person, query)["rows"]}


def count_of(person: Any, tab: str, query: str = "") -> int:
    """The number beside a tab."""
    return next(each["count"] for each in listed(person, query)["tabs"] if each["name"] == tab)


def verbs(asked: Escalation) -> list[str]:
    events = Event.objects.filter(subject_kind="escalation", subject_id=str(asked.uid)).order_by("id")
    return [verb.partition(".")[2] for verb in events.values_list("verb", flat=True)]


# --- who looks at it ---------------------------------------------------------------------------------------------
def test_who_looks_at_a_question_is_told_to_the_others_and_hides_nothing(
    robot: Any, sign_in: Any, settings: Any
) -> None:
    settings.UNDO_SECONDS = 0
    asked = ask_to_pay(robot, "2026-1")
    priya, maria = sign_in("priya"), sign_in("maria")

    assert "<b>You look at it</b>" in act(priya, asked, "claim")

    card = maria.get(f"/escalations/{asked.uid}").content.decode()
    assert "<b>Priya Nair looks at it</b>" in card
    assert "You may decide all the same." in card
    assert 'name="answer" value="approved"' in card
    assert "Priya Nair looks at it" in maria.get("/escalations").content.decode()
    answer = {"answer": "approved", "request_sha256": asked.request_sha256}
    assert maria.post(reverse("escalation-answer", args=[asked.uid]), answer).status_code == 303
    asked.refresh_from_db()
    assert (asked.status, str(asked.settled_by)) == ("approved", "Maria Lindqvist")


def test_the_second_who_wants_to_look_reads_who_is_at_it(robot: Any, sign_in: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")
    priya, maria = sign_in("priya"), sign_in("maria")
    assert call(priya, asked, "claim").json()["claimed_by"] == "priya"

    late = call(maria, asked, "claim")

    assert (late.status_code, late.json()["code"]) == (409, "looked_at")
    assert "Priya Nair looks at this" in late.json()["detail"]
    assert call(maria, asked, "release").status_code == 409
    assert call(priya, asked, "release").json()["claimed_by"] is None
    assert call(maria, asked, "claim").status_code == 200
    assert verbs(asked) == ["opened", "claimed", "released", "claimed"]


def test_two_who_press_at_the_same_moment_are_not_both_told_yes(robot: Any, halden: Any, now: datetime) -> None:
    asked = ask_to_pay(robot, "2026-1")
    mine, same = (Escalation.objects.get(pk=asked.pk) for _ in range(2))

    governance.claim_escalation(mine, by=halden.people["priya"], at=now)

    with pytest.raises(ledger.TooLate):
        governance.claim_escalation(same, by=halden.people["maria"], at=now)


def test_a_look_ends_by_itself(robot: Any, sign_in: Any, now: datetime) -> None:
    asked, maria = ask_to_pay(robot, "2026-1"), sign_in("maria")
    act(sign_in("priya"), asked, "claim")
    before = now - timedelta(minutes=settings.CLAIM_MINUTES)

    Escalation.objects.filter(pk=asked.pk).update(claimed_at=before)

    assert "Priya Nair looks at it" not in maria.get(f"/escalations/{asked.uid}").content.decode()
    assert call(maria, asked, "claim").json()["claimed_by"] == "maria"


def test_somebody_is_asked_to_look_who_may_decide(robot: Any, sign_in: Any) -> None:
    asked, priya = ask_to_pay(robot, "2026-1"), sign_in("priya")

    assert "<b>Maria Lindqvist looks at it</b>" in act(priya, asked, "assign", person="maria")
    assert titles(sign_in("maria"), "?tab=teams&claimed=me") == {asked.title}
    for nobody in ("sofia", "edith", "nobody"):
        wrong = call(sign_in("maria"), asked, "assign", {"person": nobody})
        assert wrong.status_code == 400
        assert wrong.json()["errors"][0]["message"] == "This person is not asked to decide this."


def test_who_is_not_asked_looks_at_nothing_and_what_is_settled_stays(robot: Any, sign_in: Any) -> None:
    asked = ask_to_pay(robot, "2026-1")

    assert call(sign_in("daniel"), asked, "claim").status_code == 403
    assert call(sign_in("lukas"), asked, "claim").status_code == 404
    Escalation.objects.filter(pk=asked.pk).update(status="approved")
    for verb, body in (("claim", {}), ("assign", {"person": "maria"}), ("snooze", {"until": "2999-01-01T00:00:00Z"})):
        assert call(sign_in("priya"), asked, verb, body).status_code == 409


# --- watch and put aside -----------------------------------------------------------------------------------------
def test_sofia_watches_and_finds_what_she_watches(robot: Any, sign_in: Any) -> None:
    asked, sofia = ask_to_pay(robot, "2026-1"), sign_in("sofia")
    ask_to_pay(robot, "2026-2", amount="7000.00")

    assert "Watched by Sofia Marin." in act(sofia, asked, "watch")
    assert call(sofia, asked, "watch").json()["watched"] is True
    assert titles(sofia, "?tab=all&claimed=watched") == {asked.title}
    act(sofia, asked, "unwatch")

    assert titles(sofia, "?tab=all&claimed=watched") == set()
    assert verbs(asked) == ["opened", "watched", "unwatched"]


def test_what_is_put_aside_waits_no_longer_for_me_and_comes_back_by_itself(
    robot: Any, sign_in: Any, now: datetime
) -> None:
    asked, priya, maria = ask_to_pay(robot, "2026-1"), sign_in("priya"), sign_in("maria")

    assert "You put it aside until" in act(priya, asked, "snooze", **{"for": "1h"})

    assert (titles(priya), count_of(priya, "me")) == (set(), 0)
    assert count_of(priya, "teams") == 1
    assert "Put aside by me" in priya.get("/escalations?tab=teams&claimed=aside").content.decode()
    assert titles(priya, "?tab=teams&claimed=aside") == {asked.title}
    assert titles(maria) == {asked.title}, "for Maria it waits"
    Snooze.objects.update(until=now - timedelta(seconds=1))
    assert (titles(priya), count_of(priya, "me")) == ({asked.title}, 1)


def test_nothing_stays_aside_until_its_deadline(robot: Any, sign_in: Any, now: datetime) -> None:
    asked, priya = ask_to_pay(robot, "2026-1"), sign_in("priya")

    until = call(priya, asked, "snooze", {"until": (now + timedelta(days=2)).isoformat()}).json()["snoozed_until"]

    early = asked.due_at - timedelta(minutes=15) - datetime.fromisoformat(until)
    assert timedelta(0) <= early < timedelta(milliseconds=1), "JSON has milliseconds"
    Escalation.objects.filter(pk=asked.pk).update(due_at=now + timedelta(minutes=10))
    assert titles(priya) == {asked.title}, "its deadline came nearer, so it is back"
    for minutes, words in ((10, "due within 15 minutes"), (-1, "This is late.")):
        Escalation.objects.filter(pk=asked.pk).update(due_at=now + timedelta(minutes=minutes))
        refused = call(priya, asked, "snooze", {"until": (now + timedelta(hours=1)).isoformat()})
        assert (refused.status_code, refused.json()["code"]) == (409, "too_soon_due")
        assert words in refused.json()["detail"]


def test_what_was_put_aside_is_taken_up_again(robot: Any, sign_in: Any) -> None:
    asked, priya = ask_to_pay(robot, "2026-1"), sign_in("priya")
    act(priya, asked, "snooze", **{"for": "tomorrow"})

    act(priya, asked, "wake")

    assert titles(priya) == {asked.title}
    assert verbs(asked) == ["opened", "snoozed", "woken"]


# --- tabs, filters, search ---------------------------------------------------------------------------------------
def test_my_teams_shows_what_went_to_others_on_my_paths(robot: Any, sign_in: Any, halden: Any, now: datetime) -> None:
    asked, daniel = ask_to_pay(robot, "2026-1"), sign_in("daniel")
    assert titles(daniel) == set()
    assert titles(daniel, "?tab=teams") == {asked.title}, "he is asked next"

    governance.expire(Escalation.objects.select_related("asked", "path", "unit").get(pk=asked.pk), at=now)

    assert titles(daniel) == {asked.title}
    assert titles(sign_in("priya"), "?tab=teams") == {asked.title}
    assert "teams" not in [tab["name"] for tab in listed(sign_in("sofia"))["tabs"]], "she decides nothing"


def test_counts_follow_the_filters(refunds: Any, robot: Any, sign_in: Any) -> None:
    ask_to_pay(robot, "2026-1")
    refunds(4)
    priya = sign_in("priya")

    def counts(query: str) -> list[int]:
        return [each["count"] for each in listed(priya, query)["tabs"] if each["count"] is not None]

    assert counts("") == [5, 5, 5]
    assert counts("?risk=3") == [1, 1, 1]
    assert counts("?q=refund") == [4, 4, 4]
    assert counts("?risk=3&path=treasury") == [0, 0, 0]
    assert counts("?tab=all&kind=action&agent=AP-04&age=late") == [0, 0, 0]


@pytest.mark.parametrize("words", ["kessler", "PAY eur", "AP-04", "clerk", "2026-11", "2026-11 maschinenbau"])
def test_a_question_is_found_by_title_agent_run_and_resource(robot: Any, sign_in: Any, words: str) -> None:
    found = ask_to_pay(robot, "2026-11")
    ask_to_pay(robot, "2026-22", title="Something else")

    assert found.title in titles(sign_in("priya"), f"?tab=all&q={words}")
    assert titles(sign_in("priya"), "?tab=all&q=something 2026-22") == {"Something else"}
    assert titles(sign_in("priya"), "?tab=all&q=something 2026-11") == set()
    assert titles(sign_in("priya"), "?tab=all&q=nothing%25_of") == set()


def test_what_was_decided_is_found_as_well(robot: Any, sign_in: Any) -> None:
    asked, priya = ask_to_pay(robot, "2026-1"), sign_in("priya")
    answer = {"answer": "approved", "request_sha256": asked.request_sha256}
    priya.post(reverse("escalation-answer", args=[asked.uid]), answer)

    assert titles(priya, "?tab=done&q=kessler") == {asked.title}
    assert titles(priya, "?tab=done&q=nobody") == set()


# --- the like in piles -------------------------------------------------------------------------------------------
def test_questions_that_are_alike_are_one_row_that_unfolds(refunds: Any, sign_in: Any) -> None:
    refunds(14)
    priya = sign_in("priya")

    page = priya.get("/escalations").content.decode()

    assert '<b class="os-count">14</b> Refund a customer under EUR 50, AP-04' in page
    assert "Alike: agent, reason, path, risk, amount" in page
    (entry,) = listed(priya)["entries"]
    assert len(titles(priya, f"?unfold={entry.pile.key}")) == 14


def test_another_band_risk_or_agent_is_another_pile_and_high_risk_is_none(refunds: Any, sign_in: Any) -> None:
    for more in ({}, {"amount": 60}, {"risk": 2}, {"code": "AP-01"}, {"risk": 3}):
        refunds(3, **more)

    entries = listed(sign_in("priya"))["entries"]

    assert [entry.pile.count for entry in entries if entry.pile] == [3, 3, 3, 3]
    assert len([entry for entry in entries if entry.row and entry.row.risk == 3]) == 3


# --- one answer to many ------------------------------------------------------------------------------------------
def lines(page: Any) -> list[str]:
    return [line.value for line in page.context["lines"]]


def test_a_pile_is_decided_with_each_question_listed(refunds: Any, sign_in: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 0
    asked = refunds(14)
    priya = sign_in("priya")

    page = priya.get(f"/escalations/together?pile={asked[0].alike}&as=approved")

    shown = page.content.decode()
    assert "Approve 14" in shown
    for each in asked:
        assert each.title in shown
        assert each.request_sha256 in shown
    assert "EUR 20" in shown
    done = priya.post("/escalations/together", {"item": lines(page), "answer": "approved"})
    assert "14 approved" in done.content.decode()
    assert set(Escalation.objects.values_list("status", "settled_by__username")) == {("approved", "priya")}


def test_each_failure_is_told_and_the_others_are_decided(refunds: Any, sign_in: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 0
    good, changed, taken, other = refunds(4)
    priya = sign_in("priya")
    page = priya.get(f"/escalations/together?pile={good.alike}&as=rejected")
    Escalation.objects.filter(pk=changed.pk).update(request_sha256="f" * 64)
    first = {"answer": "approved", "request_sha256": taken.request_sha256}
    sign_in("maria").post(reverse("escalation-answer", args=[taken.uid]), first)
    reason = {"reason_code": "duplicate", "reason": "Paid in March."}

    done = priya.post("/escalations/together", {"item": lines(page), "answer": "rejected", **reason})

    told = done.content.decode()
    assert "2 rejected, 2 not" in told
    assert "The request changed since you opened it. Nothing was decided." in told
    assert "Maria Lindqvist settled this first" in told
    for each, status in ((good, "rejected"), (changed, "open"), (taken, "approved"), (other, "rejected")):
        each.refresh_from_db()
        assert each.status == status
    assert good.reason == "Paid in March."


def test_rejecting_many_needs_a_reason_and_nothing_is_lost(refunds: Any, sign_in: Any) -> None:
    asked, priya = refunds(3), sign_in("priya")
    page = priya.get(f"/escalations/together?pile={asked[0].alike}&as=rejected")

    refused = priya.post("/escalations/together", {"item": lines(page), "answer": "rejected", "reason": "Twice."})

    assert refused.status_code == 400
    assert len(refused.context["lines"]) == 3
    assert "Twice." in refused.content.decode()
    assert Escalation.objects.open().count() == 3


def test_high_risk_is_never_decided_together(robot: Any, refunds: Any, sign_in: Any) -> None:
    high, (low, *_) = ask_to_pay(robot, "2026-1"), refunds(1)
    priya = sign_in("priya")

    page = priya.get(f"/escalations/together?item={high.uid}&item={low.uid}")
    assert lines(page) == [f"{low.uid}:{low.request_sha256}"]
    assert "High risk is decided one by one" in page.content.decode()
    forced = [f"{each.uid}:{each.request_sha256}" for each in (high, low)]
    done = priya.post("/escalations/together", {"item": forced, "answer": "approved"})

    assert "1 approved, 1 not" in done.content.decode()
    assert "Questions of high risk are decided one by one." in done.content.decode()
    high.refresh_from_db()
    assert high.is_open


def test_programs_decide_many_as_well_and_read_what_became_of_each(robot: Any, refunds: Any, sign_in: Any) -> None:
    high, (low, other) = ask_to_pay(robot, "2026-1"), refunds(2)
    items = [{"id": str(each.uid), "request_sha256": each.request_sha256} for each in (high, low, other)]
    items[2]["request_sha256"] = "0" * 64

    body = sign_in("priya").call("post", "escalations/decide", {"items": items, "answer": "approved"}).json()

    assert body["partial"] is True
    told = [(each["decided"], each["http_status"], each["code"], each["status"]) for each in body["items"]]
    assert told == [
        (False, 409, "not_together", None), (True, 200, None, "approved"), (False, 412, "request_changed", None),
    ]  # fmt: skip


def test_whoever_answers_the_same_many_goes_through_them_in_the_same_order(refunds: Any, sign_in: Any) -> None:
    asked = refunds(4)
    ordered = [{"id": str(each.uid), "request_sha256": each.request_sha256} for each in asked]
    items = [ordered[place] for place in (2, 0, 3, 1)]

    body = sign_in("priya").call("post", "escalations/decide", {"items": items, "answer": "approved"}).json()

    assert [each["id"] for each in body["items"]] == [each["id"] for each in items], "told in the order asked"
    done = Event.objects.filter(verb="escalation.approved").order_by("id").values_list("subject_id", flat=True)
    assert list(done) == sorted(each["id"] for each in items), "two at once wait for each other, not in a circle"


@pytest.mark.parametrize("change", ["none", "21", "twice"])
def test_one_to_twenty_questions_are_decided_together(refunds: Any, sign_in: Any, change: str) -> None:
    asked = refunds(21)
    items = [{"id": str(each.uid), "request_sha256": each.request_sha256} for each in asked]
    items = {"none": [], "21": items, "twice": items[:1] * 2}[change]

    refused = sign_in("priya").call("post", "escalations/decide", {"items": items, "answer": "approved"})

    assert refused.status_code == 400
    assert Escalation.objects.open().count() == 21


def test_of_a_large_pile_the_twenty_most_urgent_are_listed(refunds: Any, sign_in: Any) -> None:
    asked = refunds(26)

    page = sign_in("priya").get(f"/escalations/together?pile={asked[0].alike}")

    assert len(lines(page)) == 20
    assert "6 less urgent ones are left out" in page.content.decode()


def test_who_is_not_asked_decides_none_of_many(refunds: Any, sign_in: Any) -> None:
    asked = refunds(2)
    items = [{"id": str(each.uid), "request_sha256": each.request_sha256} for each in asked]

    for name, status in (("daniel", 403), ("lukas", 404)):
        body = sign_in(name).call("post", "escalations/decide", {"items": items, "answer": "approved"}).json()
        assert [each["http_status"] for each in body["items"]] == [status, status]
        assert body["partial"] is False
    assert Escalation.objects.open().count() == 2


# --- saved views -------------------------------------------------------------------------------------------------
def test_priya_saves_a_view_and_begins_with_it(refunds: Any, robot: Any, sign_in: Any) -> None:
    high, priya = ask_to_pay(robot, "2026-1"), sign_in("priya")
    refunds(2)

    saved = priya.post("/escalations/views", {"name": "Only high", "query": "tab=teams&risk=3&unfold=x"})

    view = SavedView.objects.get(name="Only high")
    assert saved["Location"] == f"/escalations?view={view.uid}"
    assert view.query == {"tab": "teams", "risk": "3"}
    assert titles(priya, f"?view={view.uid}") == {high.title}
    assert titles(priya) == {high.title}, "this session remembers it"
    assert len(titles(priya, "?tab=me")) == 3
    assert len(titles(priya)) == 3, "and forgets it with another choice"
    priya.post(reverse("escalations-view-begin", args=[view.uid]))
    assert titles(priya) == {high.title}
    priya.post("/escalations/views/begin")
    assert len(titles(priya)) == 3


def test_a_shared_view_is_found_by_the_unit_and_begins_its_list(robot: Any, sign_in: Any, halden: Any) -> None:
    ask_to_pay(robot, "2026-1")
    maria, finance = sign_in("maria"), halden.units["finance"]
    shared = {"name": "Late", "query": "age=late", "unit": finance.pk, "is_team_default": "on"}

    maria.post("/escalations/views", shared)

    view = SavedView.objects.get(name="Late", owner__username="maria")
    assert titles(sign_in("priya")) == set(), "her unit begins with what is late"
    assert view in listed(sign_in("priya"))["views"]
    assert view not in listed(sign_in("lukas"))["views"]
    assert sign_in("lukas").get(f"/escalations?view={view.uid}").status_code == 404
    assert sign_in("priya").post(reverse("escalations-view-drop", args=[view.uid])).status_code == 403


def test_views_of_the_system_stay_as_they_are(sign_in: Any) -> None:
    priya, view = sign_in("priya"), SavedView.objects.get(name="Late", owner=None)
    path = f"escalation-views/{view.uid}"
    read = priya.call("get", path)
    body = {"name": "Mine", "query": {}, "unit": "", "is_team_default": False}

    changed = priya.call("patch", path, body, match=read["ETag"])
    dropped = priya.call("post", f"{path}/drop", {}, match=read["ETag"])

    assert read.json()["is_system"] is True
    assert {changed.json()["code"], dropped.json()["code"]} == {"system_view"}
    assert "It comes with the system" in priya.get(f"/escalations/views/{view.uid}").content.decode()


def test_a_view_keeps_only_what_the_list_knows(sign_in: Any) -> None:
    priya = sign_in("priya")
    for query in ({"password": "x"}, {"q": "x" * 201}):
        wrong = priya.call("post", "escalation-views", {"name": "A", "query": query})
        assert wrong.status_code == 400, query
    unit = priya.call("post", "escalation-views", {"name": "A", "query": {}, "unit": "supply-chain"})
    assert unit.status_code == 400
    twice = [priya.call("post", "escalation-views", {"name": "A", "query": {}}).status_code for _ in range(2)]
    assert twice == [201, 400]
    assert (
        sign_in("sofia").call("post", "escalation-views", {"name": "A", "query": {}, "unit": "finance"}).status_code
        == 403
    )


def test_a_view_is_changed_and_dropped_by_who_saved_it(sign_in: Any) -> None:
    priya, body = sign_in("priya"), {"name": "A", "query": {"risk": "3"}, "unit": "", "is_team_default": False}
    made = priya.call("post", "escalation-views", body).json()
    path = f"escalation-views/{made['id']}"

    changed = priya.call("patch", path, body | {"name": "B"}, match=priya.call("get", path)["ETag"])

    assert (changed.json()["name"], changed.json()["edition"]) == ("B", 2)
    page = {"name": "C", "edition": "1"}
    assert priya.post(f"/escalations/views/{made['id']}", page).status_code == 412, "somebody changed it meanwhile"
    assert priya.post(f"/escalations/views/{made['id']}", page | {"edition": "2"}).status_code == 302
    assert priya.call("post", f"{path}/drop", {}, match=priya.call("get", path)["ETag"]).status_code == 200
    assert priya.call("get", path).status_code == 404


# --- a flood -----------------------------------------------------------------------------------------------------
@pytest.fixture
def flood(halden: Any, now: datetime) -> Iterator[Any]:
    """`flood(1000)` are that many questions of one agent to the rules, each about another invoice."""

    def asked(count: int, *, first: int = 0) -> list[Any]:
        clerk = halden.agents["AP-04"]
        known = {"seller": "Kessler", "order_matched": True, "findings": 0, "bank_changed_days": 412}
        return [
            governance.decide(
                governance.Question(
                    request_key=f"flood-{first + number}", action="invoice.pay",
                    resource={"type": "invoice", "id": f"F-{first + number}", "properties": known},
                    context={"amount": Decimal(9000), "currency": "EUR"},
                ),
                agent=clerk, at=now,
            )
            for number in range(count)
        ]  # fmt: skip

    yield asked


def test_an_agent_that_floods_is_turned_away_and_told_once(
    flood: Any, sign_in: Any, settings: Any, now: datetime
) -> None:
    settings.OPEN_QUESTIONS_PER_AGENT = 5

    decisions = flood(9)

    assert [each.effect for each in decisions] == ["escalate"] * 5 + ["deny"] * 4
    denied = decisions[-1]
    assert denied.rule == "too-many-open-questions"
    assert "AP-04 has 5 open questions, as many as an agent may have." in denied.reason
    assert "in about 15 minutes" in denied.reason
    assert Event.objects.filter(verb="agent.flooded").count() == 1
    assert (
        "AP-04 has as many open questions as an agent may have" in sign_in("priya").get("/escalations").content.decode()
    )
    Escalation.objects.filter(pk=Escalation.objects.earliest("pk").pk).update(status="approved", settled_at=now)
    assert [each.effect for each in flood(2, first=50)] == ["escalate", "deny"]


def test_a_step_of_a_flooding_agent_goes_back_to_the_queue(robot: Any, settings: Any) -> None:
    settings.OPEN_QUESTIONS_PER_AGENT = 1
    ask_to_pay(robot, "2026-1")

    with pytest.raises(TypeError):  # nobody was asked, so there is no question in the answer
        ask_to_pay(robot, "2026-2", amount="7000.00")

    assert Escalation.objects.open().count() == 1
    assert robot("AP-04").claim() is None, "it is handed out again later"


def test_a_flood_of_a_thousand_leaves_the_first_page_to_the_others(
    refunds: Any, flood: Any, robot: Any, sign_in: Any, settings: Any, halden: Any, now: datetime
) -> None:
    settings.OPEN_QUESTIONS_PER_AGENT = 2000
    other = ask_to_pay(robot, "2026-1", amount="48200.00")
    agents.activate(halden.agents["CS-02"], by=ledger.SYSTEM, at=now)
    mine = refunds(5, code="AP-02", amount=30, seconds=3 * 3600)
    refunds(500, seconds=600)  # alike, low risk, and due first
    for number in range(500):  # high risk stands alone
        refunds(1, risk=3, amount=10 + number, seconds=600)
    priya = sign_in("priya")

    page = listed(priya)

    assert count_of(priya, "me") == 1006
    assert len(page["entries"]) <= 50
    (pile,) = [each.pile for each in page["entries"] if each.pile and each.pile.count == 500]
    assert pile.about.agent.code == "AP-04"
    assert [each.pile.count for each in page["entries"] if each.pile and each.pile.about.agent.code == "AP-02"] == [5]
    of_flood = [each for each in page["entries"] if each.row and each.row.agent and each.row.agent.code == "AP-04"]
    assert len(of_flood) <= 10
    (rest,) = [each.rest for each in page["entries"] if each.rest]
    assert (rest.agent.code, rest.count) == ("AP-04", 1001 - 500 - len(of_flood))
    assert len(listed(priya, "?agent=AP-04")["entries"]) == 50
    assert other.pk and mine
