"""Access reviews: what they list, who answers, what is taken away, what reminds, and the evidence that stays."""

import csv
import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group

from agents import operations
from agents.models import Grant, Principal, Review, ReviewItem, RoleGrant
from agents.models.access import unit_of
from agents.tasks import attend_reviews
from observability import ledger
from observability.models import Event

DAY = timedelta(days=1)


def started(halden: Any, now: Any, **more: Any) -> Review:
    """A review of everything in finance, started by Daniel, for ten days."""
    scope = {"name": "Winter review", "due_at": now + 10 * DAY, "units": (halden.units["finance"],), **more}
    return operations.start_review(operations.Scope(**scope), by=halden.people["daniel"], at=now)


def late(review: Review, now: Any, days: float = 0) -> None:
    """Move the last day to `days` from now."""
    Review.objects.filter(pk=review.pk).update(due_at=now + days * DAY)


def answer(person: Any, review: Review, item: ReviewItem, how: str, **body: Any) -> Any:
    shown = person.call("get", f"reviews/{review.uid}/items?limit=200").json().get("results", [])
    tag = next((each["etag"] for each in shown if each["id"] == item.pk), "*")
    return person.post(
        f"/api/v1/reviews/{review.uid}/items/{item.pk}/{how}", json.dumps(body), content_type="application/json",
        headers={"Idempotency-Key": f"{item.pk}{how}", "If-Match": tag},
    )  # fmt: skip


def test_a_review_lists_every_right_with_one_person_to_ask(halden: Any, now: Any) -> None:
    member = Group.objects.get(name="member")
    operations.grant("agents.view_agent", member, halden.agents["AP-04"], by=ledger.SYSTEM, at=now, reason="Curious")
    review = started(halden, now)

    items = {(item.holder_id, item.permission, item.row_id): item for item in review.items.select_related("reviewer")}

    finance = halden.units["finance"].pk
    assert len(items) == 1 + sum(unit_of(each.row) == finance for each in Grant.objects.in_force(now))
    by = {key: item.reviewer.username for key, item in items.items()}
    assert by["agent:AP-04", "agents.pay_in_system", "payables"] == "maria", "who is accountable for the agent"
    assert by["agent:RK-01", "agents.read_in_system", "payables"] == "daniel"
    assert by["sofia", "agents.view_unit", "finance"] == "maria", "the owner of the unit"
    assert by["maria", "agents.manage_unit", "finance"] == "daniel", "nobody reviews a right of their own"
    role = items["member", "agents.view_agent", "AP-04"]
    assert (role.holder_kind, role.reason, role.reviewer.username) == ("role", "Curious", "maria")


@pytest.mark.parametrize(
    "how, key, asked",
    [
        ("owner", ("agent:RK-01", "agents.read_in_system", "payables"), "maria"),
        ("named", ("agent:AP-04", "agents.pay_in_system", "payables"), "edith"),
        ("named", ("maria", "agents.view_unit", "finance"), "edith"),
    ],
)
def test_who_answers_is_chosen(how: str, key: Any, asked: str, halden: Any, now: Any) -> None:
    named = halden.people["edith"] if how == "named" else None

    review = started(halden, now, answered_by=how, named=named)

    item = review.items.get(holder_id=key[0], permission=key[1], row_id=key[2])
    assert item.reviewer.username == asked


STARTERS: list[tuple[str, dict[str, Any], int, str]] = [
    ("daniel", {}, 201, ""),
    ("ingrid", {"kinds": ["space"]}, 201, ""),
    ("jonas", {"units": []}, 201, ""),
    ("maria", {}, 403, ""),
    ("edith", {}, 403, ""),
    ("daniel", {"name": " "}, 400, "name"),
    ("daniel", {"due_at": "2020-01-01T00:00:00Z"}, 400, "due"),
    ("daniel", {"due_at": "2999-01-01T00:00:00Z"}, 400, "due"),
    ("daniel", {"kinds": ["run"]}, 400, "kinds"),
    ("daniel", {"units": ["none"]}, 400, "units"),
    ("daniel", {"answered_by": "named"}, 400, "named"),
    ("daniel", {"named": "edith"}, 400, "named"),
    ("daniel", {"answered_by": "named", "named": "agent:AP-04"}, 400, "named"),
    ("daniel", {"kinds": ["policy"], "units": ["procurement"]}, 400, "nothing_to_review"),
    ("daniel", {"status": "closed"}, 400, "status"),
]


def test_who_starts_which_review(sign_in: Any, now: Any) -> None:
    browsers = {name: sign_in(name) for name in {who for who, *_ in STARTERS}}
    for who, change, status, field in STARTERS:
        body = {"name": "Winter", "due_at": (now + 10 * DAY).isoformat(), "units": ["finance"], **change}

        told = browsers[who].call("post", "reviews", body)

        assert told.status_code == status, (who, change, told.content)
        assert field in told.content.decode(), (who, change)
        assert Review.objects.all().delete()[1].get("agents.Review", 0) == (status == 201)


def test_each_right_is_answered_for_once_and_by_the_one_who_is_asked(halden: Any, sign_in: Any, now: Any) -> None:
    review = started(halden, now)
    maria, priya = sign_in("maria"), sign_in("priya")
    mine = review.items.filter(reviewer__username="maria", holder_kind="agent").order_by("pk")
    kept, gone = mine[0], mine.get(permission="agents.pay_in_system")

    assert answer(priya, review, kept, "certify").status_code == 403
    assert answer(sign_in("tomasz"), review, kept, "certify").status_code == 404
    assert answer(maria, review, kept, "certify").json()["answer"] == "certified"
    assert answer(maria, review, kept, "revoke", reason="x").status_code == 409
    assert answer(maria, review, gone, "revoke", reason=" ").status_code == 400
    assert answer(maria, review, gone, "revoke", reason="It pays nothing").json()["answer"] == "revoked"
    path = f"/api/v1/reviews/{review.uid}/items/{mine[1].pk}/certify"
    assert maria.post(path, "{}", content_type="application/json", headers={"Idempotency-Key": "k"}).status_code == 428
    stale = {"Idempotency-Key": "k", "If-Match": '"old"'}
    assert maria.post(path, "{}", content_type="application/json", headers=stale).status_code == 412

    assert not Grant.objects.filter(uid=gone.grant).exists()
    assert Grant.objects.filter(uid=kept.grant).exists()
    verbs = Event.objects.filter(actor_id="maria").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["review.certified", "review.revoked", "grant.revoked"]


def test_a_right_that_became_ones_own_is_not_reviewed_by_oneself(halden: Any, now: Any) -> None:
    member, maria = Group.objects.get(name="member"), halden.people["maria"]
    operations.grant("agents.view_agent", member, halden.agents["AP-04"], by=ledger.SYSTEM, at=now)
    review = started(halden, now)
    item = review.items.get(holder_kind="role")
    maria.groups.add(member)

    with pytest.raises(operations.NotYours, match="their own"):
        operations.certify(review, [item.pk], by=Principal.objects.get(pk=maria.pk), at=now)


def test_what_nobody_answered_for_is_taken_away_on_the_last_day(halden: Any, now: Any, sign_in: Any) -> None:
    review = started(halden, now)
    items = list(review.items.filter(holder_kind="agent", reviewer__username="maria").order_by("pk"))
    operations.certify(review, [items[0].pk], by=halden.people["maria"], at=now)
    operations.revoke(Grant.objects.get(uid=items[1].grant), by=halden.people["maria"], at=now, why="Earlier")
    late(review, now)

    with pytest.raises(ledger.TooLate, match="over"):
        operations.certify(review, [items[2].pk], by=halden.people["maria"], at=now)
    assert (attend_reviews(), attend_reviews()) == (1, 0)

    review.refresh_from_db()
    states = dict(review.items.values_list("pk", "status"))
    assert [states[item.pk] for item in items[:3]] == ["certified", "gone", "lapsed"]
    assert (review.status, len(review.sha256)) == ("closed", 64)
    finance = halden.units["finance"]
    assert list(Grant.objects.in_force(now).on(finance).values_list("user__username", flat=True)) == (
        [items[0].holder_id] if items[0].kind == "unit" else []
    )
    assert sign_in("sofia").call("get", "agents").json()["results"] == [], "she does not see finance any more"
    lapsed = Event.objects.filter(verb="review.lapsed").count()
    assert lapsed == Event.objects.filter(verb="grant.revoked", actor_id="autonomy-os").count() > 5


def test_a_role_loses_its_right_as_well(halden: Any, now: Any) -> None:
    member = Group.objects.get(name="member")
    operations.grant("agents.view_agent", member, halden.agents["AP-04"], by=ledger.SYSTEM, at=now)
    review = started(halden, now, kinds=("agent",))
    late(review, now)

    attend_reviews()

    assert not RoleGrant.objects.exists()


def test_a_review_closes_with_its_last_answer(halden: Any, now: Any) -> None:
    review = started(halden, now, kinds=("space",))

    for item in review.items.select_related("reviewer"):
        operations.certify(review, [item.pk], by=item.reviewer, at=now)

    review.refresh_from_db()
    assert review.status == "closed"


def test_reminders_come_seven_days_and_one_day_before_once_each(halden: Any, now: Any, sign_in: Any) -> None:
    review = started(halden, now)
    assert attend_reviews() == 0, "ten days are left"

    for days, reminded in ((6.9, 7), (3, 7), (0.9, 1), (0.5, 1)):
        late(review, now, days)
        attend_reviews()
        attend_reviews()
        review.refresh_from_db()
        assert review.reminded_days == reminded

    told = Event.objects.filter(verb="review.reminded")
    asked = review.items.values("reviewer").distinct().count()
    assert told.count() == 2 * asked
    assert {event.data["days"] for event in told} == {7, 1}
    page = sign_in("maria").get("/").content.decode()
    assert "ends soon" in page and "Winter review" in page
    assert "Winter review" not in sign_in("priya").get("/").content.decode()


def test_a_short_review_begins_without_the_reminder_that_is_past(halden: Any, now: Any) -> None:
    started(halden, now, due_at=now + 3 * DAY)

    attend_reviews()

    assert not Event.objects.filter(verb="review.reminded").exists()


def test_the_evidence_can_be_checked_by_anybody_who_has_it(halden: Any, now: Any, sign_in: Any) -> None:
    member = halden.people["sofia"]
    operations.grant("agents.view_agent", member, halden.agents["AP-04"], by=ledger.SYSTEM, at=now, reason="=1+1")
    review = started(halden, now, kinds=("agent", "space"))
    edith, path = sign_in("edith"), f"/access/reviews/{review.uid}"
    assert edith.get(f"{path}/evidence.json").status_code == 404, "it is not closed yet"
    late(review, now)
    attend_reviews()
    review.refresh_from_db()

    body = edith.get(f"{path}/evidence.json").content

    assert hashlib.sha256(body).hexdigest() == review.sha256
    assert len(json.loads(body)["items"]) == review.items.count()
    rows = list(csv.DictReader(io.StringIO(edith.get(f"{path}/evidence.csv").content.decode())))
    assert len(rows) == review.items.count()
    assert [row["reason"] for row in rows if row["holder"] == "sofia"] == ["'=1+1"], "no cell is a formula"
    assert {row["answer"] for row in rows} == {"lapsed"}
    assert "Unchanged since it was closed" in edith.get(path).content.decode()
    ReviewItem.objects.filter(review=review, holder_id="sofia").update(status="certified")
    assert "Does not match its digest" in edith.get(path).content.decode()
    assert sign_in("maria").get(f"{path}/evidence.json").status_code == 404, "she does not see all of it"
    assert Event.objects.filter(verb="review.exported", actor_id="edith").count() == 2


def test_a_review_is_answered_on_its_page(halden: Any, now: Any, sign_in: Any) -> None:
    daniel, form = sign_in("daniel"), {"name": "Winter review", "last": (now + 9 * DAY).date(), "units": ["finance"]}
    assert daniel.get("/access/reviews/new").status_code == 200
    assert sign_in("maria").get("/access/reviews/new").status_code == 403
    assert daniel.post("/access/reviews/new", {**form, "answered_by": "named"}).status_code == 400
    page = daniel.post("/access/reviews/new", {**form, "answered_by": "accountable"})["Location"]
    maria, review = sign_in("maria"), Review.objects.get()

    shown = maria.get(page).content.decode()
    assert "Certify all" in shown and '<span class="vh"> may see Finance</span>' in shown
    assert "Certify all" not in sign_in("priya").get(page).content.decode()
    assert "Winter review" in maria.get("/access/reviews").content.decode()
    assert "Winter review" not in sign_in("tomasz").get("/access/reviews").content.decode()
    assert sign_in("tomasz").get(page).status_code == 404
    assert maria.post(f"{page}/answer", {}).status_code == 400
    first, second, third = review.items.filter(reviewer__username="maria").order_by("pk")[:3]
    assert maria.post(f"{page}/answer", {"item": [first.pk, second.pk]}).status_code == 302
    assert "no longer needed?" in maria.get(f"{page}?revoke={third.pk}").content.decode()
    refused = maria.post(f"{page}/items/{third.pk}/revoke", {"why": " "})
    assert (refused.status_code, "A reason is needed." in refused.content.decode()) == (400, True)
    assert maria.post(f"{page}/items/{third.pk}/revoke", {"why": "Left"}).status_code == 302
    rest = list(review.items.filter(status="waiting", reviewer__username="maria").values_list("pk", flat=True))
    assert maria.post(f"{page}/answer", {"all": "1", "page": rest[:25]}).status_code == 302
    assert maria.post(f"{page}/answer", {"item": [first.pk]}).status_code == 409
    assert "“Left”" in maria.get(f"{page}?show=revoked").content.decode()
    assert maria.get(f"{page}?show=nonsense").status_code == 404
