"""Policies, their versions, and the edition of what decides."""

from collections.abc import Mapping
from typing import ClassVar, Self

from django.db import models
from django.db.models import OuterRef, Q, Subquery

from agents.models import Principal, SharedQuerySet, Unit
from observability.ledger import Subject


class PolicyQuerySet(SharedQuerySet):
    """Reading phrases for policies."""

    def with_standing(self) -> Self:
        """Each policy with the numbers of the version `in_force` (None without one) and of the `newest`."""
        versions = PolicyVersion.objects.filter(policy=OuterRef("pk")).order_by("-number").values("number")
        return self.select_related("unit", "owner").annotate(
            in_force=Subquery(versions.filter(status=PolicyVersion.Status.ACTIVE)[:1]), newest=Subquery(versions[:1])
        )


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


class PolicyVersion(models.Model):
    """One edition of a policy's document; the document never changes, only its status does."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        SHADOW = "shadow", "Shadow"
        RETIRED = "retired", "Retired"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.DRAFT: (Status.ACTIVE, Status.SHADOW, Status.RETIRED),
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
    activated_at = models.DateTimeField(null=True)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="one_policy_version_per_number"),
            models.UniqueConstraint(
                fields=["policy"], condition=Q(status="active"), name="one_active_version_per_policy"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy.key}, version {self.number}"

    def as_subject(self) -> Subject:
        """How the ledger names this version."""
        return Subject(kind="policy", id=self.policy.key, name=str(self), unit=str(self.policy.unit_id))


class RuleBook(models.Model):
    """One row whose edition rises with every change of what decides, so that each process sees it at once."""

    edition = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"Edition {self.edition}"
