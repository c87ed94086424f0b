"""What agents' programs say they did: spans of traces, and figures from metrics and logs."""

from collections.abc import Iterable
from typing import Any, Self

from django.db import models
from django.db.models import Q

from observability.models.events import Reader
from observability.rules.genai import CALLS


class ToldQuerySet(models.QuerySet[Any]):
    """Reading phrases for both."""

    def visible_to(self, reader: Reader) -> Self:
        """What the agents of the units told that the reader may see."""
        if reader.sees_all_units:
            return self
        return self.filter(unit__in=[str(pk) for pk in reader.unit_ids()])

    def of_run(self, run: str, traces: Iterable[str] = ()) -> Self:
        """What belongs to a run: by its own word, or by one of these traces where it says none."""
        return self.filter(Q(run=run) | Q(run="", trace_id__in=list(traces)))

    def of_agent(self, code: str) -> Self:
        """What this agent told, the newest first."""
        return self.filter(agent=code).order_by("-id")


class Told(models.Model):
    """What spans and figures share: who told it by its credential, for which unit, and what it belongs to.

    `claim` is the agent that the program names when that is not the agent of the credential; `claims` says whether
    another agent has that name or nobody here."""

    class Claims(models.TextChoices):
        NOTHING = "", "Names itself, or nobody"
        OTHER = "other", "Names another agent"
        UNKNOWN = "unknown", "Names an agent that is not registered"

    trace_id = models.CharField(max_length=32, blank=True)
    span_id = models.CharField(max_length=16, blank=True)
    agent = models.CharField(max_length=20)
    agent_name = models.CharField(max_length=230)
    unit = models.CharField(max_length=20)
    claim = models.CharField(max_length=200, blank=True)
    claims = models.CharField(max_length=7, choices=Claims.choices, blank=True)
    service = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, blank=True)
    tool = models.CharField(max_length=200, blank=True)
    conversation = models.CharField(max_length=200, blank=True)
    error = models.CharField(max_length=200, blank=True)
    input_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    cached_tokens = models.BigIntegerField(null=True)
    written_tokens = models.BigIntegerField(null=True)
    cost = models.DecimalField(max_digits=22, decimal_places=12, null=True)
    currency = models.CharField(max_length=3, blank=True)
    run = models.CharField(max_length=40, blank=True)
    step = models.CharField(max_length=40, blank=True)
    attributes = models.JSONField(default=dict)
    left_out = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField()

    objects = ToldQuerySet.as_manager()

    class Meta:
        abstract = True


class Span(Told):
    """One span of a trace. Times are the program's own; `nanoseconds` is how long it took. Input includes cached
    tokens, output includes reasoning; `cost_source` is emitter, provider, local or price (then with its version)."""

    parent_id = models.CharField(max_length=16, blank=True)
    name = models.CharField(max_length=300)
    kind = models.CharField(max_length=10)
    started_at = models.DateTimeField()
    nanoseconds = models.BigIntegerField()
    message = models.CharField(max_length=300, blank=True)
    provider = models.CharField(max_length=60, blank=True)
    workflow = models.CharField(max_length=200, blank=True)
    reasoning_tokens = models.BigIntegerField(null=True)
    cost_source = models.CharField(max_length=20, blank=True)
    price_version = models.PositiveIntegerField(null=True)
    evaluations = models.JSONField(default=list)
    events = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trace_id", "span_id"], name="one_span_per_trace_and_id")]
        indexes = [
            models.Index(fields=["run", "id"], name="span_run", condition=~Q(run="")),
            models.Index(fields=["agent", "-id"], name="span_agent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def is_call(self) -> bool:
        """Whether it is a call of a model: only those cost."""
        return self.kind in CALLS


class Reported(Told):
    """One figure from a metric or an event of a log. It stands beside the spans and is never added to them: both tell
    of the same calls. `digest` is the same for a figure that is sent again."""

    digest = models.CharField(max_length=64, unique=True)
    signal = models.CharField(max_length=7)
    what = models.CharField(max_length=60)
    kind = models.CharField(max_length=40, blank=True)
    amount = models.DecimalField(max_digits=30, decimal_places=9, null=True)
    measure = models.CharField(max_length=60, blank=True)
    is_total = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["agent", "-id"], name="reported_agent"),
            models.Index(fields=["run", "id"], name="reported_run", condition=~Q(run="")),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.amount if self.amount is not None else ''}".strip()
