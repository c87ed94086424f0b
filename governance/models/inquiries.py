"""What people do with a question beside answering it: ask the agent something, or hand it over to somebody else."""

from typing import ClassVar, Self

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from agents.models import Principal
from governance.models.paths import PathStep

TEXT_AT_MOST = 4000


class InquiryQuerySet(models.QuerySet["Inquiry"]):
    """Reading phrases for questions to agents."""

    def unanswered(self) -> Self:
        """Those that wait for the agent while no answer to their escalation has taken effect."""
        return self.filter(answered_at=None, escalation__status__in=("open", "held"))

    def put_to(self, principal: Principal) -> Self:
        """Those that are put to this agent, about what it really asked."""
        return self.filter(escalation__agent__principal=principal, escalation__is_planted=False)


class Inquiry(models.Model):
    """A question that a person who decides puts to the agent; while the clock stands still `due_after` is the deadline
    at the latest."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    escalation = models.ForeignKey("governance.Escalation", on_delete=models.CASCADE, related_name="inquiries")
    asked_by = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    asked_at = models.DateTimeField()
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True)
    due_after = models.DateTimeField(null=True)

    objects = InquiryQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["escalation"], condition=Q(answered_at=None), name="one_unanswered_inquiry_per_escalation"
            )
        ]

    def __str__(self) -> str:
        return self.text[:60]


class HandOverQuerySet(models.QuerySet["HandOver"]):
    """Reading phrases for hand-overs."""

    def holding(self) -> Self:
        """Those on the level that is asked now; what came to another level afterwards is for the people of that one.
        Where all levels are asked at once, each of them is."""
        return self.filter(Q(level=F("escalation__asked")) | Q(escalation__path__mode="parallel"))


class HandOver(models.Model):
    """Somebody who was asked hands a question to another person or a group, who is asked as well on that `level` from
    then on; it leaves the list of whoever handed it over until it is `returned`."""

    escalation = models.ForeignKey("governance.Escalation", on_delete=models.CASCADE, related_name="handed_over")
    by = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="+")
    to_person = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    to_group = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, related_name="+")
    level = models.ForeignKey(PathStep, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(blank=True)
    at = models.DateTimeField()
    returned = models.BooleanField(default=False)

    objects = HandOverQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(to_person=None, to_group__isnull=False) | Q(to_person__isnull=False, to_group=None),
                name="handed_over_to_a_person_or_a_group",
            )
        ]

    def __str__(self) -> str:
        return f"{self.by} to {self.receiver}"

    @property
    def receiver(self) -> str:
        """Who is asked as well, as a sentence names them."""
        return str(self.to_person or (self.to_group.name if self.to_group else "nobody"))
