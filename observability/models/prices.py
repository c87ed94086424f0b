"""The table of prices for calls of models. Rows are added and never changed; their number is the table's version."""

from typing import Self

from django.db import models
from django.db.models import Q

from observability.rules.pricing import Price


class ModelPriceQuerySet(models.QuerySet["ModelPrice"]):
    """Reading phrases for prices."""

    def newest_first(self) -> Self:
        """The latest change on top."""
        return self.order_by("-version")


class ModelPrice(models.Model):
    """What a million tokens of one kind cost at a model from a moment on; without an amount the price ends there.
    `model` may end in *, an empty `provider` is any."""

    class TokenKind(models.TextChoices):
        INPUT = "input", "Input"
        OUTPUT = "output", "Output"
        CACHED = "cached", "Input from a cache"
        WRITTEN = "written", "Input written to a cache"

    version = models.PositiveIntegerField(unique=True)
    provider = models.CharField(max_length=60, blank=True)
    model = models.CharField(max_length=200)
    kind = models.CharField(max_length=7, choices=TokenKind.choices)
    per_million = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    currency = models.CharField(max_length=3)
    valid_from = models.DateTimeField()
    set_at = models.DateTimeField()
    set_by = models.CharField(max_length=200)
    why = models.CharField(max_length=2000)

    objects = ModelPriceQuerySet.as_manager()

    class Meta:
        permissions = [("set_prices", "Can set the prices of models")]
        constraints = [
            models.CheckConstraint(
                condition=Q(per_million=None) | Q(per_million__gte=0), name="price_of_a_model_is_not_negative"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.model}"

    def as_price(self) -> Price:
        """The row as the rules read it."""
        return Price(
            self.version, self.provider, self.model, self.kind, self.per_million, self.currency, self.valid_from
        )  # fmt: skip
