"""Named lists of values that rules read, such as the countries under sanctions, and what they held before."""

from typing import Self

from django.db import models

from agents.models import Principal, Unit
from observability.ledger import Subject


class ValueListQuerySet(models.QuerySet["ValueList"]):
    """Reading phrases for lists."""

    def visible_to(self, user: Principal) -> Self:
        """Lists of the units whose policies the user may see; all for those who may see all policies."""
        if user.sees_all_units or user.has_perm("governance.view_policy"):
            return self
        return self.filter(unit__in=user.unit_ids())


class ValueList(models.Model):
    """A list that rules read as `lists.name`: the items that hold now and the number of their edition."""

    name = models.CharField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="value_lists")
    edition = models.PositiveIntegerField(default=1)
    items = models.JSONField(default=list)

    objects = ValueListQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.title

    @property
    def path(self) -> str:
        """How rules name it."""
        return f"lists.{self.name}"

    def as_subject(self) -> Subject:
        """How the ledger names this list."""
        return Subject(kind="list", id=self.name, name=self.title, unit=str(self.unit_id))


class ListEdition(models.Model):
    """What a list held from one change to the next, who changed it and why."""

    list = models.ForeignKey(ValueList, on_delete=models.CASCADE, related_name="editions")
    number = models.PositiveIntegerField()
    items = models.JSONField()
    reason = models.TextField()
    author = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["list", "number"], name="one_list_edition_per_number")]

    def __str__(self) -> str:
        return f"{self.list.name}, edition {self.number}"
