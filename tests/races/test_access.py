"""Many hands on rights at the same moment, on PostgreSQL: one taker, one right, one answer, and never a ring."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from agents import operations
from agents.models import Grant, Principal, Review, ReviewItem
from agents.operations.holdings import find_object
from governance import operations as governance
from governance.models import Delegation
from observability import ledger
from observability.models import Event

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
ROUNDS = 20
DAY = timedelta(days=1)


def given(halden: Any, now: Any, **more: Any) -> Any:
    sofia, agent = halden.people["sofia"], halden.agents["AP-04"]
    return operations.grant("agents.pause_agent", sofia, agent, by=ledger.SYSTEM, at=now, **more)


def of_sofia(halden: Any) -> Any:
    return Grant.objects.filter(user=halden.people["sofia"], permission__codename="pause_agent")


def test_two_who_give_the_same_right_make_one(halden: Any, now: Any, together: Any) -> None:
    for _ in range(ROUNDS):
        results = together(4, lambda number: given(halden, now, reason=f"{number}"))

        assert all(isinstance(result, Grant) for result in results), results
        assert of_sofia(halden).count() == 1
        of_sofia(halden).delete()


def test_of_two_who_take_a_right_away_one_is_told_so(halden: Any, now: Any, together: Any) -> None:
    for _ in range(ROUNDS):
        pk = given(halden, now).pk

        def take(number: int, pk: int = pk) -> str:
            grant = Grant.objects.get(pk=pk)
            by = Principal.objects.get(username=("maria", "jonas")[number])
            operations.revoke(grant, by=by, at=now, why="x")
            return "taken"

        results = together(2, take)

        won = [result for result in results if result == "taken"]
        late = [result for result in results if isinstance(result, ledger.TooLate | Grant.DoesNotExist)]
        assert (len(won), len(late)) == (1, 1), results
    assert Event.objects.filter(verb="grant.revoked").count() == ROUNDS


def test_a_right_that_ends_while_it_is_prolonged_holds(halden: Any, now: Any, together: Any) -> None:
    for _ in range(ROUNDS):
        pk = given(halden, now, expires_at=now + timedelta(seconds=1)).pk
        later = now + timedelta(seconds=2)
        acts = (
            lambda pk=pk, at=later: operations.end_grant(Grant.objects.with_names().get(pk=pk), at=at),
            lambda at=later: given(halden, at, expires_at=at + DAY),
        )

        together(2, lambda number, acts=acts: acts[number]())

        held = of_sofia(halden).get()
        assert held.expires_at == later + DAY
        of_sofia(halden).delete()


def test_a_right_is_used_until_its_last_moment_and_not_after(
    halden: Any, together: Any, bring: Any, robot: Any, question: Any
) -> None:
    bring()
    clerk = robot("AP-04")
    work = clerk.claim()
    pay = Grant.objects.filter(user=halden.agents["AP-04"].principal, permission__codename="pay_in_system")
    answers: list[tuple[Any, Any]] = []

    def act(number: int) -> None:
        if number == 0:
            pay.update(expires_at=ledger.database_now())
            answers.append(("ended", ledger.database_now()))
        else:
            before = ledger.database_now()
            told = robot("AP-04").call("post", "actions", question(work, amount=f"9{number}.00")).json()
            answers.append((told["effect"], before))

    together(4, act)

    ended = next(at for effect, at in answers if effect == "ended")
    for effect, asked_at in answers:
        if effect != "ended" and asked_at > ended:
            assert effect == "deny"
    assert clerk.call("post", "actions", question(work, amount="77.00")).json()["effect"] == "deny"


def test_an_item_has_one_answer(halden: Any, now: Any, together: Any) -> None:
    daniel = halden.people["daniel"]
    scope = operations.Scope(name="R", due_at=now + DAY, units=(halden.units["finance"],))
    review = operations.start_review(scope, by=daniel, at=now)
    for item in review.items.filter(reviewer__username="maria")[:8]:
        maria = Principal.objects.get(username="maria")
        acts = (
            lambda item=item, by=maria: operations.certify(review, [item.pk], by=by, at=now),
            lambda item=item, by=maria: operations.revoke_item(review, item.pk, by=by, at=now, why="x"),
        )

        results = together(2, lambda number, acts=acts: acts[number]())

        late = [result for result in results if isinstance(result, ledger.TooLate)]
        assert len(late) == 1, results
        status = ReviewItem.objects.get(pk=item.pk).status
        assert Grant.objects.filter(uid=item.grant).exists() == (status == "certified")


def test_an_answer_and_the_last_day_at_once_make_one_end(halden: Any, now: Any, together: Any) -> None:
    daniel = halden.people["daniel"]
    for number in range(4):
        scope = operations.Scope(name=f"R{number}", due_at=now + DAY, kinds=("space",))
        review = operations.start_review(scope, by=daniel, at=now)
        item = review.items.select_related("reviewer").first()
        assert item is not None

        acts = (
            lambda review=review, item=item: operations.certify(review, [item.pk], by=item.reviewer, at=now),
            lambda review=review: operations.close_overdue(review, at=now + DAY),
        )
        together(2, lambda number, acts=acts: acts[number]())

        review = Review.objects.get(pk=review.pk)
        item.refresh_from_db()
        assert review.status == "closed"
        assert Grant.objects.filter(uid=item.grant).exists() == (item.status == "certified")
        for space in ("orders", "invoices-seen"):
            row = find_object("space", space, viewer=daniel)
            to = halden.agents["AP-02"].principal
            operations.grant("workflows.write_space", to, row, by=ledger.SYSTEM, at=now)


def test_two_delegations_at_once_close_no_ring(halden: Any, now: Any, together: Any) -> None:
    sides = (("maria", "priya"), ("priya", "maria"))
    for _ in range(ROUNDS):

        def hand_over(number: int) -> Delegation:
            person, delegate = (Principal.objects.get(username=name) for name in sides[number])
            terms = governance.Terms(person=person, delegate=delegate, ends_at=now + DAY, reason="x")
            return governance.delegate(terms, by=person, at=now)

        results = together(2, hand_over)

        refused = [result for result in results if isinstance(result, governance.Circular)]
        assert (len(refused), Delegation.objects.count()) == (1, 1), results
        Delegation.objects.all().delete()
