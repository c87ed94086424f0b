"""Access reviews for programs: start one, read it, answer for a right."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents import operations
from agents.api.access import AFTER, IF_MATCH, page_after
from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from agents.api.inputs import CertifyInput, ReasonInput, ReviewInput
from agents.api.versions import etag, require_match
from agents.models import Principal, Review, ReviewItem, Unit
from observability import ledger
from observability.ledger import database_now

Answer = tuple[int, Mapping[str, Any]]


def found(uid: UUID, viewer: Principal) -> Review:
    """The review, if this viewer may see a right in it; not found otherwise."""
    review = Review.objects.visible_to(viewer).select_related("started_by", "named").filter(uid=uid).first()
    if review is None:
        raise ledger.NotFound
    return review


class ReviewsView(ActingDoor):
    """Access reviews: those one may see, and a new one."""

    permission_classes = [PeopleOnly]

    @extend_schema(responses=dict, parameters=[AFTER], summary="List access reviews", operation_id="v1_reviews_list")
    def get(self, request: Request) -> Response:
        visible = Review.objects.visible_to(self.principal).select_related("started_by")
        rows, following = page_after(visible, request)
        return Response({"results": [review_of(row) for row in rows], "next": following})

    @extend_schema(request=ReviewInput, responses=dict, parameters=[IDEMPOTENCY], summary="Start an access review")
    def post(self, request: Request) -> Response:
        given = self.read(ReviewInput, request.data)

        def act(key: str) -> Answer:
            review = operations.start_review(self.scope(given), by=self.principal, at=database_now())
            return 201, review_of(review)

        return self.answer_once(request, act)

    def scope(self, given: Mapping[str, Any]) -> operations.Scope:
        """What the body asks for. Raises Invalid that names an unknown unit or person."""
        units = list(Unit.objects.visible_to(self.principal).filter(code__in=given["units"]))
        if len(units) < len(set(given["units"])):
            raise ledger.Invalid(fields={"units": "Name codes of units that you may see."})
        named = Principal.objects.people().visible_to(self.principal).filter(username=given["named"]).first()
        if given["named"] and named is None:
            raise ledger.Invalid(fields={"named": "There is no active person of this name, or you may not see them."})
        return operations.Scope(
            name=given["name"], due_at=given["due_at"], kinds=tuple(given["kinds"]), units=tuple(units),
            answered_by=given["answered_by"], named=named,
        )  # fmt: skip


class ReviewView(Door):
    """One access review with its rights, as far as one may see them."""

    permission_classes = [PeopleOnly]

    @extend_schema(responses=dict, parameters=[AFTER], summary="Show an access review")
    def get(self, request: Request, uid: UUID) -> Response:
        review = found(uid, self.principal)
        items = review.items.all().visible_to(self.principal)
        counts = items.order_by().values_list("status").annotate(Count("pk"))
        rows, following = page_after(items.select_related("unit", "reviewer", "answered_by"), request)
        body = review_of(review) | {
            "totals": dict.fromkeys(ReviewItem.Status.values, 0) | dict(counts),
            "results": [item_of(row) for row in rows], "next": following,
        }  # fmt: skip
        return Response(body, headers={"ETag": etag(body)})


class AnswerItemView(ActingDoor):
    """Answer for one right of a review."""

    permission_classes = [PeopleOnly]
    answer = ReviewItem.Status.CERTIFIED

    @extend_schema(
        request=ReasonInput, responses=dict, parameters=[IDEMPOTENCY, IF_MATCH], summary="Answer for a right"
    )
    def post(self, request: Request, uid: UUID, pk: int) -> Response:
        certifies = self.answer == ReviewItem.Status.CERTIFIED
        given = self.read(CertifyInput if certifies else ReasonInput, request.data)

        def act(key: str) -> Answer:
            review = found(uid, self.principal)
            Review.objects.select_for_update().get(pk=review.pk)
            item = review.items.all().visible_to(self.principal).filter(pk=pk).first()
            if item is None:
                raise ledger.NotFound
            require_match(request, item_tag(item))
            at = database_now()
            if certifies:
                operations.certify(review, [pk], by=self.principal, at=at)
            else:
                operations.revoke_item(review, pk, by=self.principal, at=at, why=given["reason"])
            return 200, item_of(review.items.select_related("unit", "reviewer", "answered_by").get(pk=pk))

        return self.answer_once(request, act)


def review_of(review: Review) -> dict[str, Any]:
    """A review as the API shows it."""
    return {
        "id": review.uid, "name": review.name, "kinds": review.kinds, "status": review.status,
        "answered_by": review.answered_by, "started_by": str(review.started_by), "started_at": review.started_at,
        "due_at": review.due_at, "closed_at": review.closed_at, "sha256": review.sha256,
    }  # fmt: skip


def item_of(item: ReviewItem) -> dict[str, Any]:
    """One right of a review as the API shows it."""
    return item.as_evidence() | {"etag": item_tag(item)}


def item_tag(item: ReviewItem) -> str:
    """The entity tag of an item: it changes once, with the answer."""
    return etag(item.pk, item.status, item.answered_at)
