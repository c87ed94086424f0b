"""Lists about access cost the same number of queries with 10 rows and with 1,000."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Grant, Principal, Review, ReviewItem, System, Unit
from governance.models import Delegation

DAY = timedelta(days=1)


def queries(browser: Any, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert browser.get(path).status_code == 200, path
    return len(asked)


def add(many: int, halden: Any, now: Any, batch: str) -> None:
    """So many people, systems, rights, delegations and reviews of finance more."""
    finance, maria, priya = halden.units["finance"], halden.people["maria"], halden.people["priya"]
    people = [Principal(username=f"{batch}{n}", name=f"Person {n}", unit=finance) for n in range(many)]
    Principal.objects.bulk_create(people)
    systems = [System(code=f"{batch}-{n}", name=f"System {n}", unit=finance, resource="x") for n in range(many)]
    System.objects.bulk_create(systems)
    see = Permission.objects.get(codename="view_system")
    kind = ContentType.objects.get_for_model(System)
    shared = {"permission": see, "content_type": kind, "granted_by": maria, "granted_at": now, "reason": "x"}
    payables = System.objects.get(code="payables")
    rights = [Grant(user=person, object_pk=str(payables.pk), **shared) for person in people]
    rights += [Grant(user=priya, object_pk=str(system.pk), **shared) for system in systems]
    Grant.objects.bulk_create(rights)
    Delegation.objects.bulk_create(
        Delegation(
            person=maria, delegate=priya, starts_at=now, ends_at=now + DAY, reason="x", created_at=now,
            unit=finance, created_by=maria,
        )
        for _ in range(many)
    )  # fmt: skip
    reviews = [Review(name=f"R{n}", answered_by="owner", started_at=now, due_at=now + DAY) for n in range(many)]
    Review.objects.bulk_create(reviews)
    one = Review.objects.order_by("pk").first()
    shown = {"kind": "system", "row_id": "payables", "row_name": "Payables", "unit": finance, "reviewer": maria}
    shown |= {"permission": "agents.view_system", "holder_kind": "person", "holder_id": "x", "holder_name": "X"}
    ReviewItem.objects.bulk_create(
        ReviewItem(review=review, grant=right.uid, **shown)
        for review, right in [*zip(reviews, rights, strict=False), *((one, right) for right in rights[many:])]
    )


def test_lists_cost_the_same_number_of_queries_with_10_and_with_1000_rows(halden: Any, now: Any, sign_in: Any) -> None:
    add(10, halden, now, "few")
    review = Review.objects.order_by("pk").first()
    assert review is not None
    paths = [
        "/access?kind=system", "/access?kind=unit", "/access/objects/system/payables", "/access/objects/unit/finance",
        "/access/principals", "/access/principals/priya", "/access/delegations", "/access/reviews",
        f"/access/reviews/{review.uid}", f"/access/reviews/{review.uid}?show=all", "/", "/escalations",
        "/api/v1/access/objects/system/payables", "/api/v1/access/principals/priya", "/api/v1/delegations",
        "/api/v1/reviews", f"/api/v1/reviews/{review.uid}",
    ]  # fmt: skip
    browsers = [sign_in("maria"), sign_in("daniel")]
    for browser in browsers:
        for path in paths:
            browser.get(path)  # what is remembered from the first request on is remembered now
    few = [[queries(browser, path) for path in paths] for browser in browsers]

    add(1000, halden, now, "many")

    many = [[queries(browser, path) for path in paths] for browser in browsers]
    # One query for each kind of object on the page: a page full of one kind may cost fewer.
    for before, after in zip(few, many, strict=True):
        grown = {path: (now, then) for path, now, then in zip(paths, after, before, strict=True) if now > then}
        assert grown == {}
        assert max(before) < 45, before


def test_long_lists_are_read_page_by_page(halden: Any, now: Any, sign_in: Any) -> None:
    add(120, halden, now, "many")
    maria = sign_in("maria")

    for path in ("/access/objects/system/payables", "/access/principals/priya", "/access/delegations"):
        page, rows, pages = path, 0, 0
        while page:
            shown = maria.get(page).context["page"]
            rows, pages, page = rows + len(shown.rows), pages + 1, shown.older and f"{path}{shown.older}"
        assert rows >= 120 and pages >= 3, path
    names, following = set(), "/api/v1/access/objects/system/payables"
    while following:
        told = maria.get(following).json()
        names |= {row["holder"]["id"] for row in told["results"]}
        following = told["next"]
    assert len(names) > 120
    assert Unit.objects.visible_to(halden.people["maria"]).count() == 1
