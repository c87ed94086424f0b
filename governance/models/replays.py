"""Replays of a policy's version over recorded decisions, the decisions that would differ, and rulings in shadow."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Count, Q
from uuid_utils.compat import uuid7

from agents.models import Principal
from governance.models.decisions import Decision
from governance.models.policies import PolicyVersion
from governance.rules.replaying import BAND_WORDS, Cell, Effort, effort, from_data
from observability.ledger import Subject
from observability.models import Reader

BANDS = tuple(BAND_WORDS.items())


class ReplayQuerySet(models.QuerySet["Replay"]):
    """Reading phrases for replays."""

    def under_way(self) -> Self:
        """Those that wait for their turn or run."""
        return self.filter(status__in=Replay.UNDER_WAY)

    def standing_still(self, since: datetime) -> Self:
        """Running ones that have told nothing since then: whoever worked on them is gone."""
        return self.filter(status=Replay.Status.RUNNING, seen_at__lt=since)

    def looked_at(self, version: PolicyVersion) -> bool:
        """Whether somebody opened the finished result of a replay of this version."""
        return self.filter(version=version, status=Replay.Status.DONE, looked_at__isnull=False).exists()


class Replay(models.Model):
    """The recorded decisions of some days, decided again as if this version were in force."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Waits for its turn"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    UNDER_WAY: ClassVar[tuple[str, ...]] = (Status.QUEUED, Status.RUNNING)
    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.QUEUED: (Status.RUNNING, Status.FAILED, Status.CANCELLED),
        Status.RUNNING: (Status.DONE, Status.FAILED, Status.CANCELLED),
    }

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="replays")
    since = models.DateTimeField()
    until = models.DateTimeField()
    recounts = models.BooleanField("works budgets out again", default=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    asked_by = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    not_ruled = models.PositiveIntegerField(default=0)
    rules_before = models.CharField(max_length=64, blank=True)
    rules_after = models.CharField(max_length=64, blank=True)
    result = models.JSONField(default=dict)
    failure = models.TextField(blank=True)
    looked_at = models.DateTimeField(null=True)
    looked_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")

    objects = ReplayQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["status"], condition=Q(status="running"), name="one_replay_runs_at_a_time"),
            models.UniqueConstraint(
                fields=["version"], condition=Q(status__in=("queued", "running")), name="one_open_replay_per_version"
            ),
            models.CheckConstraint(condition=Q(since__lt=models.F("until")), name="replay_is_about_some_time"),
        ]

    def __str__(self) -> str:
        return f"Replay of {self.version}"

    def as_subject(self) -> Subject:
        """How the ledger names this replay."""
        return Subject(kind="replay", id=str(self.uid), name=str(self.version), unit=str(self.version.policy.unit_id))

    @property
    def is_under_way(self) -> bool:
        """Whether it waits for its turn or runs."""
        return self.status in self.UNDER_WAY

    @property
    def days(self) -> int:
        """How many days it is about."""
        return max(round((self.until - self.since).total_seconds() / 86_400), 1)

    @property
    def counts(self) -> dict[Cell, int]:
        """What was counted, empty before it is done."""
        return from_data(self.result.get("cells", ()))

    def effort_of(self, counts: Mapping[Cell, int]) -> Effort:
        """What people would have more to do, by the medians of when it ran."""
        return effort(counts, self.result.get("medians", {}))


class Compared(models.Model):
    """One decision as it is under the rules in force and as it would be with the version."""

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="+")
    band = models.CharField(max_length=4, choices=BANDS)
    before = models.CharField(max_length=10, choices=Decision.Effect.choices)
    after = models.CharField(max_length=10, choices=Decision.Effect.choices, blank=True)
    rule_before = models.CharField(max_length=200, blank=True)
    rule_after = models.CharField(max_length=200, blank=True)
    path_before = models.CharField(max_length=80, blank=True)
    path = models.CharField(max_length=80, blank=True)
    moved = models.BooleanField(default=False)

    class Meta:
        abstract = True


class ComparedQuerySet(models.QuerySet[Any]):
    """Reading phrases for compared decisions."""

    def visible_to(self, reader: Reader) -> Self:
        """Decisions about agents of the units that the reader may see."""
        return self if reader.sees_all_units else self.filter(decision__agent__unit__in=reader.unit_ids())

    def differing(self) -> Self:
        """Those whose answer, rule or terms differ."""
        return self.filter(~Q(before=models.F("after")) | Q(moved=True))

    def counts(self) -> dict[Cell, int]:
        """How many of each kind."""
        names = ("decision__agent", *Cell._fields[1:])
        rows = self.order_by().values_list(*names).annotate(Count("pk"))
        return {Cell(*row[:-1]): row[-1] for row in rows}


class ReplayFlip(Compared):
    """A recorded decision that the version would have answered differently; `budgets` are the facts about budgets under
    the rules in force and with the version, where the replay worked them out again."""

    replay = models.ForeignKey(Replay, on_delete=models.CASCADE, related_name="flips")
    budgets = models.JSONField(default=list, encoder=DjangoJSONEncoder)

    objects = ComparedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["replay", "decision"], name="one_flip_per_replay_and_decision")]

    def __str__(self) -> str:
        return f"{self.decision_id}: {self.before} to {self.after}"


class ShadowRuling(Compared):
    """What a version in shadow would have decided, kept beside the decision; the agent never sees it."""

    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="shadow_rulings")
    at = models.DateTimeField()
    failure = models.TextField(blank=True)

    objects = ComparedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["decision", "version"], name="one_shadow_ruling_per_version"),
        ]
        indexes = [models.Index(fields=["version", "at"], name="shadow_version_at")]

    def __str__(self) -> str:
        return f"{self.decision_id}: {self.before}, in shadow {self.after or 'not known'}"
