"""What belongs to a unit and can be granted one by one, and the systems that agents act upon."""

from typing import Any, Self

from django.db import models
from django.db.models import Q

from agents.models.principals import Principal, Unit
from observability.ledger import Subject


class SharedQuerySet(models.QuerySet[Any]):
    """Rows that belong to a unit and can also be granted one by one."""

    def visible_to(self, user: Principal) -> Self:
        """Rows of the user's units, and rows granted to the user directly."""
        permission = f"{self.model._meta.app_label}.view_{self.model._meta.model_name}"
        if user.has_perm(permission):
            return self
        return self.filter(Q(unit__in=user.unit_ids()) | Q(pk__in=user.granted(permission, self.model)))


class System(models.Model):
    """Something that agents act upon, with the actions it offers and the typed facts that come with a request.

    `actions`: [{"name": "invoice.pay", "label": "Pay an invoice", "risk": 2, "effect": "Money leaves the company"}];
    `fields`: [{"path": "context.amount", "kind": "decimal", "label": "Amount", "unit": ""}]; a list also has
    the kind of its `item`s (text without one) and how many there may be at `most`.
    """

    class Verb(models.TextChoices):
        READ = "read", "read"
        CREATE = "create", "create"
        CHANGE = "change", "change"
        PAY = "pay", "pay"
        SEND = "send", "send"

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="systems")
    resource = models.CharField(max_length=60)
    actions = models.JSONField(default=list)
    fields = models.JSONField(default=list)

    objects = SharedQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [
            (f"{verb}_in_system", f"Can {verb} in the system") for verb in ("read", "create", "change", "pay", "send")
        ]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this system."""
        return Subject(kind="system", id=self.code, name=self.name, unit=str(self.unit_id))
