"""Policies, their versions, what people say about them, and the edition of what decides."""

from collections.abc import Mapping
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery

from agents.models import Principal, SharedQuerySet, Unit
from observability.ledger import Subject


class PolicyQuerySet(SharedQuerySet):
    """Reading phrases for policies."""

    def with_standing(self) -> Self:
        """Each policy with the numbers of its versions: the one `in_force`, `in_shadow`, `in_review` (None without one)
        and the `newest`."""
        return self.select_related("unit", "owner").annotate(
            in_force=_newest(PolicyVersion.Status.ACTIVE), in_shadow=_newest(PolicyVersion.Status.SHADOW),
            in_review=_newest(PolicyVersion.Status.IN_REVIEW), newest=_newest(*PolicyVersion.Status),
        )  # fmt: skip


def _newest(*statuses: str) -> Subquery:
    versions = PolicyVersion.objects.filter(policy=OuterRef("pk"), status__in=statuses).order_by("-number")
    return Subquery(versions.values("number")[:1])


class Policy(models.Model):
    """A named set of rules; what it says stands in its versions."""

    key = models.CharField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="policies")
    owner = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="policies")

    objects = PolicyQuerySet.as_manager()

    class Meta:
        ordering = ["key"]
        verbose_name_plural = "policies"
        permissions = [("approve_policy", "Can approve versions of policies that somebody else wrote")]

    def __str__(self) -> str:
        return self.title

    def as_subject(self) -> Subject:
        """How the ledger names this policy."""
        return Subject(kind="policy", id=self.key, name=self.title, unit=str(self.unit_id))


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    """Reading phrases for policy versions."""

    def active(self) -> Self:
        """The versions that decide now, at most one of each policy."""
        return self.filter(status=PolicyVersion.Status.ACTIVE)

    def shadow(self) -> Self:
        """The versions that are evaluated beside those that decide, at most one of each policy."""
        return self.filter(status=PolicyVersion.Status.SHADOW)

    def for_person(self, person: Principal) -> Self:
        """Those in review that this person may approve: with the right, and written by somebody else."""
        if not person.is_person:
            return self.none()
        waiting = self.filter(status=PolicyVersion.Status.IN_REVIEW).exclude(author=person)
        waiting = waiting.filter(policy__in=Policy.objects.visible_to(person).order_by())
        if person.may("governance.approve_policy"):
            return waiting
        return waiting.filter(policy__in=person.granted("governance.approve_policy", Policy))

    def with_people(self) -> Self:
        """With everything that a list shows, in one query."""
        return self.select_related("policy__unit", "policy__owner", "author", "asked_by", "approved_by")


class PolicyVersion(models.Model):
    """One edition of a policy's document. While it is a draft its author may rewrite it; after that the document never
    changes, only its status does."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved", "Approved"
        ACTIVE = "active", "Active"
        SHADOW = "shadow", "Shadow"
        RETIRED = "retired", "Retired"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.DRAFT: (Status.IN_REVIEW, Status.RETIRED),
        Status.IN_REVIEW: (Status.APPROVED, Status.DRAFT),
        Status.APPROVED: (Status.ACTIVE, Status.SHADOW, Status.RETIRED),
        Status.SHADOW: (Status.ACTIVE, Status.RETIRED),
        Status.ACTIVE: (Status.RETIRED,),
    }

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    author = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    asked_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    activated_at = models.DateTimeField(null=True)
    shadowed_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="one_policy_version_per_number"),
            models.UniqueConstraint(
                fields=["policy"], condition=Q(status="active"), name="one_active_version_per_policy"
            ),
            models.UniqueConstraint(
                fields=["policy"], condition=Q(status="shadow"), name="one_shadow_version_per_policy"
            ),
            models.CheckConstraint(
                condition=Q(author=None) | Q(approved_by=None) | ~Q(approved_by=F("author")),
                name="no_author_approves_their_own_version",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy.key}, version {self.number}"

    def as_subject(self) -> Subject:
        """How the ledger names this version."""
        return Subject(kind="policy", id=self.policy.key, name=str(self), unit=str(self.policy.unit_id))


class PolicyComment(models.Model):
    """What somebody said about a version: a remark, or the note that came with a step of its life."""

    class Kind(models.TextChoices):
        COMMENT = "comment", "Comment"
        ASKED = "asked", "Asked for review"
        WITHDRAWN = "withdrawn", "Withdrew it from review"
        APPROVED = "approved", "Approved it"
        SENT_BACK = "sent_back", "Sent it back"
        ACTIVATED = "activated", "Put it in force"
        SHADOWED = "shadowed", "Put it in shadow"
        RETIRED = "retired", "Took it out"

    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="comments")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.COMMENT)
    author = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.author or 'Autonomy OS'} on {self.version}"

    def as_subject(self) -> Subject:
        """How the ledger names this comment: as something about its version."""
        return self.version.as_subject()


class RuleBook(models.Model):
    """One row whose edition rises with every change of what decides, so that each process sees it at once."""

    edition = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"Edition {self.edition}"
