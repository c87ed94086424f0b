"""Rows of coordination: runs, their steps, and the moments that they wait for."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q, Window
from django.db.models.functions import RowNumber
from uuid_utils.compat import uuid7

from agents.models import Agent, Principal, Unit
from governance.models import Escalation
from observability.ledger import Subject
from workflows.models.workflows import Workflow, WorkflowVersion
from workflows.plan import Node

if TYPE_CHECKING:
    from workflows.models.handing import HandOff


class RunQuerySet(models.QuerySet["Run"]):
    """Reading phrases for runs."""

    def visible_to(self, user: Principal) -> Self:
        """Runs of the workflows that the user may see."""
        if user.has_perm("workflows.view_workflow"):
            return self
        return self.filter(workflow__in=Workflow.objects.visible_to(user))

    def under_way(self) -> Self:
        """Runs that have not ended."""
        return self.filter(status__in=Run.UNDER_WAY)

    def over_time(self, began_before: datetime) -> Self:
        """Runs under way that began before this moment and do not stand still yet, the oldest first."""
        return self.under_way().filter(started_at__lte=began_before, over_limit="").order_by("started_at")

    def with_waiting(self) -> Self:
        """Each run with `waits` = whether it waits for a person now, and `sleeps` = whether only for a clock."""
        asked = Exists(Step.objects.for_people().filter(run=OuterRef("pk")))
        return self.annotate(waits=asked, sleeps=Run.only_a_clock())

    def waiting(self) -> Self:
        """Runs that wait for a person now."""
        return self.under_way().filter(pk__in=Step.objects.for_people().run_ids())

    def sleeping(self) -> Self:
        """Runs in which nobody has anything to do until a clock runs out."""
        return self.filter(Run.only_a_clock(), status=Run.Status.RUNNING)

    def stuck(self) -> Self:
        """Runs in which work failed that nobody has put right yet."""
        return self.under_way().filter(pk__in=Step.objects.stuck().run_ids())

    def newest_first(self) -> Self:
        """Newest first."""
        return self.order_by("-id")

    def as_told(self) -> Self:
        """With what the API tells of a run, and nothing of the drawing that its version carries."""
        own = ("uid", "key", "status", "outcome", "variables", "started_at", "ended_at", "cost")
        return self.select_related("workflow", "version").only(*own, "workflow__code", "version__number")


class Run(models.Model):
    """One piece of work on its way through a workflow version."""

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.RUNNING: (Status.PAUSED, Status.DONE, Status.FAILED, Status.CANCELLED),
        Status.PAUSED: (Status.RUNNING, Status.DONE, Status.FAILED, Status.CANCELLED),
    }

    ENDS: ClassVar[tuple[Status, ...]] = (Status.DONE, Status.FAILED, Status.CANCELLED)
    UNDER_WAY: ClassVar[tuple[str, ...]] = (Status.RUNNING, Status.PAUSED)

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    key = models.CharField(max_length=200)
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="runs")
    version = models.ForeignKey(WorkflowVersion, on_delete=models.PROTECT, related_name="runs")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="runs")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    outcome = models.CharField(max_length=200, blank=True)
    marking = models.JSONField(default=dict)
    variables = models.JSONField(default=dict)
    started_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    repeats = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="repeated_by")
    cost = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    people_asked = models.PositiveSmallIntegerField(default=0)
    works_anew = models.BooleanField(default=False)  # does not take what shared memory knows
    # a called run tells the call activity of its parent how it ended
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    parent_token = models.PositiveIntegerField(default=0)
    depth = models.PositiveSmallIntegerField(default=0)
    # a limit that it passed: it stands still, and what happens to it meanwhile is kept until a person lets it go on
    over_limit = models.CharField(max_length=20, blank=True)
    kept = models.JSONField(default=list)
    allowance = models.PositiveSmallIntegerField(default=1)
    priority = models.SmallIntegerField(default=0, db_default=0)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "key"], name="one_run_per_workflow_and_key"),
            models.UniqueConstraint(
                fields=["parent", "parent_token"],
                name="one_run_per_call",
                condition=Q(parent__isnull=False, status__in=("running", "paused")),
            ),
        ]
        indexes = [
            models.Index(fields=["-id"], name="run_under_way", condition=Q(status__in=("running", "paused"))),
            models.Index(fields=["status", "-id"], name="run_status"),
            models.Index(fields=["workflow", "-id"], name="run_workflow"),
        ]

    def __str__(self) -> str:
        return self.key

    @staticmethod
    def only_a_clock() -> Q:
        """Whether nothing of a run is open but a clock."""
        busy = Step.objects.unsettled().filter(run=OuterRef("pk"))
        clock = Timer.objects.filter(run=OuterRef("pk"), status=Timer.Status.SET)
        return Q(Exists(clock)) & ~Q(Exists(busy))

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended; it may be paused."""
        return self.status in self.UNDER_WAY

    @property
    def stands_still(self) -> bool:
        """Whether nothing goes on in it now: it is paused, or passed a limit."""
        return self.is_paused or bool(self.over_limit)

    @property
    def is_paused(self) -> bool:
        """Whether somebody paused it."""
        return self.status == self.Status.PAUSED

    def as_subject(self) -> Subject:
        """How the ledger names this run."""
        return Subject(
            kind="run", id=str(self.uid), name=self.key, unit=str(self.unit_id), run=str(self.uid),
            workflow=self.workflow.code,
        )  # fmt: skip


class StepQuerySet(models.QuerySet["Step"]):
    """Reading phrases for steps."""

    def visible_to(self, user: Principal) -> Self:
        """Steps of the runs that the user may see."""
        if user.has_perm("workflows.view_workflow"):
            return self
        return self.filter(run__workflow__in=Workflow.objects.visible_to(user))

    def as_told(self) -> Self:
        """With what the API tells of a step."""
        return self.select_related("run__workflow", "agent", "assigned_to", "escalation")

    def ready(self, role: str, capabilities: list[str], agent: int, at: datetime) -> Self:
        """Steps that agents of this role who are able to all this may take now: the highest priority first, then in
        turn of the units, then the longest waiting. What was given to one agent is no other's while that lasts and the
        agent is at work."""
        free = Q(assigned_to=None) | Q(assigned_to=agent) | Q(assigned_until__lte=at)
        free |= ~Q(assigned_to__status=Agent.Status.ACTIVE)
        going = {"run__status": Run.Status.RUNNING, "run__over_limit": ""}
        found = self.filter(free, status=Step.Status.READY, role=role, capability__in=capabilities, **going)
        return found.filter(available_at__lte=at).order_by("-priority", "turn", "id")

    def ready_for(self, agent: Agent, at: datetime) -> Self:
        """Those of them that this agent may take."""
        ready = self.ready(agent.role.code, ["", *agent.blueprint.capabilities], agent.pk, at)
        return ready.filter(run__workflow__in=Workflow.objects.worked_by(agent))

    def overdue(self, at: datetime) -> Self:
        """Steps that agents should have finished by now and about which nobody was told yet."""
        open_ones = Q(status__in=(Step.Status.READY, Step.Status.WORKING, Step.Status.WAITING))
        return self.filter(open_ones, due_at__lte=at, overdue_at=None)

    def abandoned(self, at: datetime) -> Self:
        """Steps whose agent has not been heard of until its lease ran out."""
        return self.filter(status=Step.Status.WORKING, leased_until__lte=at)

    def for_people(self) -> Self:
        """Steps that wait for a person: one of theirs, an agent's question, work that failed."""
        return self.filter(escalation__status__in=Escalation.PENDING)

    def stuck(self) -> Self:
        """Steps that failed, or cannot go on by themselves, until a person has put them right."""
        asked = Q(escalation__kind=Escalation.Kind.INCIDENT, escalation__status__in=Escalation.PENDING)
        return self.filter(asked, status__in=(Step.Status.FAILED, Step.Status.WAITING))

    def run_ids(self) -> list[int]:
        """The keys of their runs, read at once: before the database has counted the open questions anew, it would
        try each run against each of them."""
        return list(self.order_by().values_list("run", flat=True).distinct())

    def worked_on_since(self, at: datetime) -> Self:
        """Steps that an agent began or ended since then."""
        return self.filter(Q(started_at__gte=at) | Q(ended_at__gte=at), agent__isnull=False)

    def in_hand(self) -> Self:
        """Steps that an agent works on, or for which it waits for a person."""
        return self.filter(status__in=Step.IN_HAND)

    def open(self) -> Self:
        """Steps that have not ended."""
        return self.filter(status__in=(Step.Status.READY, Step.Status.WORKING, Step.Status.WAITING))

    def unsettled(self) -> Self:
        """Steps that have not ended, and failed ones about which a person is still asked."""
        asked = Q(status=Step.Status.FAILED, escalation__status__in=Escalation.PENDING)
        return self.filter(asked | Q(status__in=(Step.Status.READY, Step.Status.WORKING, Step.Status.WAITING)))


class Step(models.Model):
    """One activity of a run, done by an agent under a lease or by a person through an escalation."""

    class Status(models.TextChoices):
        READY = "ready", "Ready"
        WORKING = "working", "Working"
        WAITING = "waiting", "Waits for a person"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        SKIPPED = "skipped", "Skipped"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.READY: (Status.WORKING, Status.DONE, Status.CANCELLED, Status.FAILED, Status.SKIPPED),
        Status.WORKING: (
            Status.READY, Status.WAITING, Status.DONE, Status.FAILED, Status.CANCELLED, Status.SKIPPED,
        ),
        Status.WAITING: (Status.READY, Status.DONE, Status.CANCELLED, Status.SKIPPED),
        Status.FAILED: (Status.READY, Status.CANCELLED, Status.SKIPPED),
    }  # fmt: skip

    IN_HAND: ClassVar[tuple[str, ...]] = (Status.WORKING, Status.WAITING)

    PRIORITY_AT_MOST: ClassVar[int] = 1_000

    class Kind(models.TextChoices):
        AGENT = "agent", "Agent"
        PERSON = "person", "Person"

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    element = models.CharField(max_length=120)
    token = models.PositiveIntegerField()
    # of one among many instances: its place from 0 on, and the element of the list that it is about
    index = models.PositiveIntegerField(null=True)
    item = models.JSONField(null=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    role = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.READY)
    priority = models.SmallIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="steps")
    assigned_to = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="assigned_steps")
    lease_token = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    available_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    output = models.JSONField(default=dict)
    note = models.TextField(blank=True)
    cost = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    error = models.TextField(blank=True)
    escalation = models.ForeignKey(Escalation, on_delete=models.PROTECT, null=True, related_name="steps")
    memory_key = models.CharField(max_length=300, blank=True)  # under which its output is kept in shared memory
    # who may take it and when: what else its agent has to be able to, whose it is for a time, its unit's turn
    capability = models.CharField(max_length=60, blank=True, default="", db_default="")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, related_name="+")
    turn = models.FloatField(default=0.0, db_default=0.0)
    ranked_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    overdue_at = models.DateTimeField(null=True)
    assigned_until = models.DateTimeField(null=True)
    hand_offs = models.PositiveSmallIntegerField(default=0, db_default=0)
    # what its agent said about the result
    tokens = models.BigIntegerField(null=True)
    seconds = models.DecimalField(max_digits=18, decimal_places=3, null=True)
    confidence = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    evidence = models.JSONField(default=list, db_default=[])

    handed: "HandOff | None" = None  # what came with it, for who has just claimed it
    objects = StepQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "token"], name="one_open_step_per_token",
                condition=Q(status__in=("ready", "working", "waiting")) & Q(token__gt=0),
            )
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["role", "-priority", "turn", "id"], name="step_ready", condition=Q(status="ready")),
            models.Index(fields=["role", "unit", "priority", "-turn"], name="step_turn", condition=Q(status="ready")),
            models.Index(fields=["ranked_at"], name="step_ranked", condition=Q(status="ready")),
            models.Index(fields=["due_at"], name="step_due", condition=Q(due_at__isnull=False, overdue_at=None)),
            models.Index(fields=["leased_until"], name="step_leased", condition=Q(status="working")),
            models.Index(fields=["agent", "-id"], name="step_agent"),
            models.Index(fields=["agent"], name="step_in_hand", condition=Q(status__in=("working", "waiting"))),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.run.key})"

    def kept_for(self, at: datetime) -> Agent | None:
        """For which agent alone it stands ready at this moment."""
        over = self.assigned_until is not None and self.assigned_until <= at
        return None if over else self.assigned_to

    def rank(self, node: Node) -> None:
        """Say who may take it, how important it is and when it is due, as the drawing and its run want it."""
        self.capability, self.unit_id, self.ranked_at = node.capability, self.run.unit_id, self.opened_at
        most = self.PRIORITY_AT_MOST
        self.priority = max(-most, min(node.priority + self.run.priority, most))
        self.due_at = self.opened_at + timedelta(seconds=node.due_seconds) if node.due_seconds else None

    def as_subject(self) -> Subject:
        """How the ledger names this step."""
        return Subject(
            kind="step", id=str(self.uid), name=self.name, unit=str(self.run.unit_id), run=str(self.run.uid),
            workflow=self.run.workflow.code,
        )  # fmt: skip


class TimerQuerySet(models.QuerySet["Timer"]):
    """Reading phrases for timers."""

    def due(self, at: datetime) -> Self:
        """Timers that should have fired by `at`, the oldest first; those of runs that stand still wait."""
        return (
            self.filter(status=Timer.Status.SET, due_at__lte=at, run__over_limit="")
            .exclude(run__status=Run.Status.PAUSED)
            .order_by("due_at", "id")
        )

    def in_turns(self) -> Self:
        """The same, the units in turn: many timers of one unit do not keep those of another waiting."""
        place = Window(RowNumber(), partition_by="run__unit", order_by=["due_at", "id"])
        return self.annotate(place=place).order_by("place", "due_at", "id")

    def of_settled_runs(self) -> Self:
        """Those of runs in which no answer of a person can still be undone: one that was given in time is not taken
        away by a timer before it takes effect."""
        return self.exclude(run__in=Step.objects.filter(escalation__status="held").order_by().values("run"))


class Timer(models.Model):
    """A moment that the run waits for."""

    class Status(models.TextChoices):
        SET = "set", "Set"
        FIRED = "fired", "Fired"
        STOPPED = "stopped", "Stopped"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.SET: (Status.FIRED, Status.STOPPED)}

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="timers")
    element = models.CharField(max_length=120)
    token = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SET)
    due_at = models.DateTimeField()

    objects = TimerQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="timer_due", condition=Q(status="set"))]
        constraints = [models.UniqueConstraint(fields=["run", "token"], name="one_timer_per_token")]

    def __str__(self) -> str:
        return f"{self.element} at {self.due_at:%Y-%m-%d %H:%M}"

    def as_subject(self) -> Subject:
        """How the ledger names this timer."""
        return Subject(
            kind="timer", id=str(self.pk), name=self.element, unit=str(self.run.unit_id), run=str(self.run.uid),
            workflow=self.run.workflow.code,
        )  # fmt: skip
