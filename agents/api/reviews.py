"""Access reviews for programs: start one, read it, answer for a right."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents import operations
from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly
from agents.api.shapes.access import (
    ReviewDetail,
    ReviewInput,
    ReviewItemOutput,
    ReviewOutput,
    RevokeInput,
    item_tag,
)
from agents.api.shapes.reasons import NothingInput
from agents.api.versions import IF_MATCH, require_match
from agents.models import Principal, Review, ReviewItem, Unit
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of

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
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(ReviewOutput), summary="List access reviews, newest first")
    def get(self, request: Request) -> Response:
        return self.page(Review.objects.visible_to(self.principal).select_related("started_by"), ReviewOutput, by="-pk")

    @extend_schema(
        request=ReviewInput, responses={201: ReviewOutput}, parameters=[IDEMPOTENCY], summary="Start an access review"
    )
    def post(self, request: Request) -> Response:
        given = self.read(ReviewInput, request.data)

        def act(key: str) -> Answer:
            review = operations.start_review(self.covered(given), by=self.principal, at=database_now())
            return 201, ReviewOutput(review).data

        return self.answer_once(request, act)

    def covered(self, given: Mapping[str, Any]) -> operations.Scope:
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
    """One access review, and how far it is."""

    permission_classes = [PeopleOnly]
    shows_one = True

    @extend_schema(responses=ReviewDetail, summary="Show an access review")
    def get(self, request: Request, uid: UUID) -> Response:
        review = found(uid, self.principal)
        items = review.items.all().visible_to(self.principal).order_by()
        counts = items.values_list("status").annotate(Count("pk"))
        totals = dict.fromkeys(ReviewItem.Status.values, 0) | dict(counts)
        return self.tagged({**ReviewOutput(review).data, "totals": totals})


class ReviewItemsView(Door):
    """The rights of one access review, as far as one may see them."""

    permission_classes = [PeopleOnly]
    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(ReviewItemOutput), summary="List the rights of an access review"
    )
    def get(self, request: Request, uid: UUID) -> Response:
        items = found(uid, self.principal).items.all().visible_to(self.principal)
        return self.page(items.select_related("unit", "reviewer", "answered_by"), ReviewItemOutput, by="pk")


class ItemDoor(ActingDoor):
    """What the answers for one right of a review share."""

    permission_classes = [PeopleOnly]

    def answer(self, request: Request, uid: UUID, item: int, act: Callable[[Review], object]) -> Response:
        """Answer once, if the right still stands in the review as the caller read it."""

        def answered(key: str) -> Answer:
            review = found(uid, self.principal)
            Review.objects.select_for_update().get(pk=review.pk)
            row = review.items.all().visible_to(self.principal).filter(pk=item).first()
            if row is None:
                raise ledger.NotFound
            require_match(request, item_tag(row))
            act(review)
            now = review.items.select_related("unit", "reviewer", "answered_by").get(pk=item)
            return 200, ReviewItemOutput(now).data

        return self.answer_once(request, answered)


class CertifyView(ItemDoor):
    """The right is still needed."""

    @extend_schema(
        request=NothingInput, responses=ReviewItemOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Say that a right is still needed",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID, item: int) -> Response:
        self.read(NothingInput, request.data)
        by, at = self.principal, database_now()
        return self.answer(request, uid, item, lambda review: operations.certify(review, [item], by=by, at=at))


class RevokeView(ItemDoor):
    """The right is not needed any more and is taken away."""

    @extend_schema(
        request=RevokeInput, responses=ReviewItemOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Take away a right that is not needed",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID, item: int) -> Response:
        why, by, at = self.read(RevokeInput, request.data)["reason"], self.principal, database_now()
        return self.answer(
            request, uid, item, lambda review: operations.revoke_item(review, item, by=by, at=at, why=why)
        )
