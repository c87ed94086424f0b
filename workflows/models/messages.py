"""Rows of coordination: what runs wait for, what is on its way to them, and which workflows know which name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from uuid_utils.compat import uuid7

from agents.models import Principal, Unit
from observability.ledger import Subject
from workflows.models.work import Run
from workflows.models.workflows import Workflow


class Listener(models.Model):
    """A message or signal that the newest version of a workflow knows: it begins a run, or a run may wait for it."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="listeners")
    element = models.CharField(max_length=120)
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=200)
    starts = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["kind", "name"], name="listener_name")]
        constraints = [models.UniqueConstraint(fields=["workflow", "element"], name="one_listener_per_element")]

    def __str__(self) -> str:
        return f"{self.workflow}: {self.name}"


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Reading phrases for subscriptions."""

    def open(self) -> Self:
        """Those that still wait."""
        return self.filter(status=Subscription.Status.OPEN)

    def for_message(self, name: str, key: str) -> Self:
        """Open ones that a message of this name and key is meant for, the longest waiting first."""
        keyed = self.open().filter(kind="message", name=name, key__in={key, ""})
        return keyed.filter(run__status=Run.Status.RUNNING, run__over_limit="").order_by("id")

    def for_signal(self, name: str, *, after: int, upto: int) -> Self:
        """Open ones that a signal of this name is meant for, numbered after `after` and not later than `upto`."""
        return self.open().filter(kind="signal", name=name, id__gt=after, id__lte=upto).order_by("id")


class Subscription(models.Model):
    """A run waits for a message or signal of this name; a message must carry the key, if there is one."""

    class Status(models.TextChoices):
        OPEN = "open", "Waits"
        CAUGHT = "caught", "Caught"
        CLOSED = "closed", "No longer waits"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.OPEN: (Status.CAUGHT, Status.CLOSED)}

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="subscriptions")
    token = models.PositiveIntegerField()
    element = models.CharField(max_length=120)
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "token"], name="one_subscription_per_token")]
        indexes = [
            models.Index(fields=["kind", "name", "key", "id"], name="subscription_open", condition=Q(status="open"))
        ]

    def __str__(self) -> str:
        return f"{self.name} for {self.run.key}"

    def as_subject(self) -> Subject:
        """How the ledger names this subscription."""
        return Subject(
            kind="subscription", id=str(self.pk), name=self.name, unit=str(self.run.unit_id), run=str(self.run.uid),
            workflow=self.run.workflow.code,
        )  # fmt: skip


class MessageQuerySet(models.QuerySet["Message"]):
    """Reading phrases for what is on its way."""

    def on_its_way(self) -> Self:
        """Those that nobody has taken."""
        return self.filter(status=Message.Status.SENT)

    def due(self, at: datetime) -> Self:
        """Those to be tried now, the oldest first."""
        return self.on_its_way().filter(due_at__lte=at).order_by("due_at", "id")

    def awaited(self) -> Self:
        """Messages for which a run waits now."""
        same = Subscription.objects.open().filter(kind="message", name=OuterRef("name"))
        waits = same.filter(Q(key=OuterRef("key")) | Q(key=""), run__over_limit="")
        return self.on_its_way().filter(Exists(waits), kind=Message.Kind.MESSAGE).order_by("id")

    def visible_to(self, user: Principal) -> Self:
        """What the user sent, and what was taken by a run or sent by one that the user may see."""
        seen = Run.objects.visible_to(user).values("pk")
        return self.filter(Q(principal=user) | Q(receiver__in=seen) | Q(sender__in=seen))


class Message(models.Model):
    """The outbox: something on its way to a run, kept until it is taken or its time is over."""

    class Kind(models.TextChoices):
        MESSAGE = "message", "Message"
        SIGNAL = "signal", "Signal"
        CALL = "call", "Call of a workflow"
        ENDED = "ended", "End of a called run"
        START = "start", "Start of a run"

    class Status(models.TextChoices):
        SENT = "sent", "On its way"
        TAKEN = "taken", "Taken"
        DROPPED = "dropped", "Dropped"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.SENT: (Status.TAKEN, Status.DROPPED)}

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, blank=True)
    # the sender's own number: the same message sent twice is one
    ref = models.CharField(max_length=200, blank=True)
    payload = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SENT)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    principal = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    # the only workflow that it is meant for, if there is one
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, null=True, related_name="messages")
    sender = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, related_name="sent")
    receiver = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, related_name="received")
    # of a call and its end: the token in the calling run; of a signal: the last subscription that it is meant for
    token = models.PositiveBigIntegerField(default=0)
    depth = models.PositiveSmallIntegerField(default=0)
    element = models.CharField(max_length=120, blank=True)
    sent_at = models.DateTimeField()
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    trouble = models.TextField(blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "name", "key", "ref"], condition=~Q(ref=""), name="one_message_per_reference"
            )
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["due_at", "id"], name="message_due", condition=Q(status="sent")),
            models.Index(fields=["kind", "name", "key"], name="message_kept", condition=Q(status="sent")),
            models.Index(fields=["sender", "token"], name="message_of_call", condition=Q(kind="call")),
            models.Index(fields=["receiver", "token"], name="message_of_end", condition=Q(kind="ended")),
        ]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this message."""
        run = self.receiver or self.sender
        return Subject(
            kind="message", id=str(self.uid), name=self.name, unit=str(self.unit_id), run=str(run.uid) if run else "",
            workflow=run.workflow.code if run else self.workflow.code if self.workflow else "",
        )  # fmt: skip

    @property
    def values(self) -> Mapping[str, Any]:
        """What it carries."""
        return dict(self.payload)
