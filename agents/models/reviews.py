"""Access reviews: at a day everybody's rights are listed, and for each one a person says that it is still needed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from uuid_utils.compat import uuid7

from agents.models.principals import Principal, Unit
from observability.ledger import Subject


class ReviewQuerySet(models.QuerySet["Review"]):
    """Reading phrases for access reviews."""

    def open(self) -> Self:
        """Those in which rights still wait for an answer."""
        return self.filter(status=Review.Status.OPEN)

    def due(self, at: datetime) -> Self:
        """Open ones whose last day has passed."""
        return self.open().filter(due_at__lte=at)

    def visible_to(self, user: Principal) -> Self:
        """Reviews that list a right which the user may see."""
        if user.sees_all_units:
            return self
        return self.filter(Exists(ReviewItem.objects.visible_to(user).filter(review=OuterRef("pk"))))


class Review(models.Model):
    """One access review: what it covers, who answers, until when; closed once and for all with its evidence."""

    class Status(models.TextChoices):
        OPEN = "open", "Under way"
        CLOSED = "closed", "Closed"

    class AnsweredBy(models.TextChoices):
        ACCOUNTABLE = "accountable", "The accountable person of the agent; for people and roles the unit's owner"
        OWNER = "owner", "The owner of the unit that the object belongs to"
        NAMED = "named", "One person"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.OPEN: (Status.CLOSED,)}

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=200)
    kinds = models.JSONField(default=list)
    units = models.ManyToManyField(Unit, blank=True, related_name="+")
    answered_by = models.CharField(max_length=12, choices=AnsweredBy.choices)
    named = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    started_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    reminded_days = models.PositiveSmallIntegerField(null=True)
    closed_at = models.DateTimeField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["due_at"], name="review_due", condition=Q(status="open"))]
        permissions = [("start_review", "Can start access reviews")]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this review; it belongs to no single unit, its items do."""
        return Subject(kind="review", id=str(self.uid), name=self.name)

    @property
    def is_open(self) -> bool:
        """Whether rights still wait for an answer."""
        return self.status == self.Status.OPEN


class ReviewItemQuerySet(models.QuerySet["ReviewItem"]):
    """Reading phrases for the rights that a review lists."""

    def waiting(self) -> Self:
        """Those that nobody has answered yet, in reviews that are open."""
        return self.filter(status=ReviewItem.Status.WAITING, review__status=Review.Status.OPEN)

    def waiting_for(self, person: Principal) -> Self:
        """Those that wait for this person's answer."""
        return self.waiting().filter(reviewer=person)

    def visible_to(self, user: Principal) -> Self:
        """Those on objects of the user's units, and those that the user answers for."""
        return self if user.sees_all_units else self.filter(Q(unit__in=user.unit_ids()) | Q(reviewer=user))


class ReviewItem(models.Model):
    """One right as it was when the review began, the person who answers for it, and the answer."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waits for an answer"
        CERTIFIED = "certified", "Still needed"
        REVOKED = "revoked", "Taken away"
        LAPSED = "lapsed", "Taken away, nobody answered"
        GONE = "gone", "Ended by itself"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.WAITING: (Status.CERTIFIED, Status.REVOKED, Status.LAPSED, Status.GONE)
    }

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="items")
    grant = models.UUIDField()
    kind = models.CharField(max_length=20)
    row_id = models.CharField(max_length=80)
    row_name = models.CharField(max_length=300)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    permission = models.CharField(max_length=100)
    holder_kind = models.CharField(max_length=10)
    holder_id = models.CharField(max_length=150)
    holder_name = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    granted_by = models.CharField(max_length=200, blank=True)
    granted_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    reviewer = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    answered_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    why = models.TextField(blank=True)

    objects = ReviewItemQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["review", "grant"], name="one_item_per_right_in_a_review")]
        indexes = [
            models.Index(fields=["review", "id"], name="review_items"),
            models.Index(fields=["reviewer"], name="review_waits", condition=Q(status="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.holder_name}: {self.permission} {self.row_name}"

    def as_subject(self) -> Subject:
        """How the ledger names this item: the review's answer about one right, in the unit of the object."""
        return Subject(kind="review", id=str(self.review.uid), name=self.review.name, unit=str(self.unit_id))

    def as_evidence(self) -> dict[str, Any]:
        """The item as the evidence of the review holds it: text and null only, names as they were at the start."""
        return {
            "id": self.pk, "object_kind": self.kind, "object": self.row_id, "object_name": self.row_name,
            "unit": self.unit.code, "right": self.permission, "holder_kind": self.holder_kind,
            "holder": self.holder_id, "holder_name": self.holder_name, "reason": self.reason,
            "granted_by": self.granted_by, "granted_at": _text(self.granted_at), "expires_at": _text(self.expires_at),
            "reviewer": self.reviewer.username, "answer": self.status,
            "answered_by": self.answered_by.username if self.answered_by else None,
            "answered_at": _text(self.answered_at), "why": self.why,
        }  # fmt: skip


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="microseconds") if moment else None
