"""Rows of coordination: the spaces of shared memory and the facts in them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import F, Func, OuterRef, Q
from uuid_utils.compat import uuid7

from agents.models import Agent, Principal, SharedQuerySet, Unit
from observability.ledger import Subject
from workflows.models.work import Run, Step
from workflows.models.workflows import Workflow
from workflows.rules.memory import words_in

CURATE, WRITE, VIEW = "workflows.curate_space", "workflows.write_space", "workflows.view_space"


class SpaceQuerySet(SharedQuerySet):
    """Reading phrases for spaces."""

    def visible_to(self, user: Principal) -> Self:
        """Spaces that the user may look into: granted ones, and by their scope those of its agent, of its workflows, of
        its units, of the company."""
        if user.has_perm(VIEW):
            return self
        wider = Q(scope=Space.Scope.COMPANY) if user.is_active else Q(pk__in=())
        units = Q(scope=Space.Scope.UNIT, unit__in=user.unit_ids())
        workflows = Q(scope=Space.Scope.WORKFLOW, workflow__in=Workflow.objects.visible_to(user))
        own = Q(scope=Space.Scope.AGENT, agent__principal=user.pk)
        if user.is_person:  # people see what the agents of their units keep for themselves
            own = Q(scope=Space.Scope.AGENT, unit__in=user.unit_ids())
        return self.filter(wider | units | workflows | own | Q(pk__in=user.granted(VIEW, Space)))

    def curated_by(self, user: Principal) -> Self:
        """Spaces whose facts the user may confirm and invalidate."""
        if user.has_perm(CURATE):
            return self
        manages = user.granted("agents.manage_unit", Unit)
        return self.filter(Q(pk__in=user.granted(CURATE, Space)) | Q(unit__in=manages))

    def open_to(self, user: Principal) -> Self:
        """Spaces whose confidential facts the user may read: to put facts into, and to look after."""
        if user.has_perm(CURATE):
            return self
        held = [*user.granted(WRITE, Space), *user.granted(CURATE, Space)]
        return self.filter(Q(pk__in=held) | Q(unit__in=user.granted("agents.manage_unit", Unit)))


class Space(models.Model):
    """A part of shared memory, with its own readers and writers."""

    class Scope(models.TextChoices):
        AGENT = "agent", "One agent"
        WORKFLOW = "workflow", "A workflow"
        UNIT = "unit", "A unit"
        COMPANY = "company", "The company"

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    purpose = models.CharField(max_length=400, blank=True)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="spaces")
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.UNIT)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="spaces")
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, null=True, related_name="spaces")
    schema = models.JSONField(default=dict)  # JSON Schema of the values; empty takes every object

    objects = SpaceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [
            ("write_space", "Can put facts into the space"),
            ("curate_space", "Can confirm and invalidate facts of the space"),
            ("purge_space", "Can purge what an author put into shared memory"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(scope="agent") | Q(agent__isnull=False), name="space_of_agent_names_the_agent"
            ),
            models.CheckConstraint(
                condition=~Q(scope="workflow") | Q(workflow__isnull=False), name="space_of_workflow_names_the_workflow"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this space."""
        return Subject(kind="space", id=self.code, name=self.name, unit=str(self.unit_id))

    def is_visible_to(self, user: Principal) -> bool:
        """Whether the user may look into it: of its unit known without a question to the database."""
        if self.scope == Space.Scope.UNIT and self.unit_id in user.unit_ids():
            return True
        return Space.objects.visible_to(user).filter(pk=self.pk).exists()


class _Says(Func):
    """Whether a fact says every one of the words, and a word that begins like the last one: read from the index of
    words."""

    output_field = models.BooleanField()

    def __init__(self, words: list[str]) -> None:
        self.words = words
        super().__init__(F("pk"))

    def as_sql(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, Any]:  # type: ignore[override]
        key, params = compiler.compile(self.source_expressions[0])
        asked = " ".join(f'"{word}"' for word in self.words) + "*"
        sql = f"{key} IN (SELECT rowid FROM workflows_fact_words WHERE workflows_fact_words MATCH %s)"  # noqa: S608
        return sql, [*params, asked]

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, list[Any]]:
        # The index first, whatever the order of the list: else the planner walks the newest rows and reads each.
        key, params = compiler.compile(self.source_expressions[0])
        asked = " & ".join(f"'{word}'" for word in self.words) + ":*"
        said = "array_to_tsvector(string_to_array(said.words, ' ')) @@ %s::tsquery"
        sql = f"{key} = ANY(ARRAY(SELECT said.id FROM workflows_fact said WHERE {said}))"  # noqa: S608
        return sql, [*params, asked]


class FactQuerySet(models.QuerySet["Fact"]):
    """Reading phrases for facts."""

    def visible_to(self, user: Principal) -> Self:
        """Facts of the spaces that the user may see; confidential ones only of those that are open to it. To an agent
        no fact of others that nobody has confirmed."""
        seen = self.filter(space__in=Space.objects.visible_to(user))
        own = Q(author__principal=user.pk)
        if not user.has_perm(CURATE):
            closed = Q(sensitivity=Fact.Sensitivity.CONFIDENTIAL) & ~Q(space__in=Space.objects.open_to(user)) & ~own
            seen = seen.exclude(closed)
        return seen if user.is_person else seen.filter(own | ~Q(trust=Fact.Trust.LOW))

    def kept(self) -> Self:
        """Facts that were neither replaced nor found to be wrong."""
        return self.filter(superseded_at__isnull=True, invalidated_at__isnull=True)

    def valid(self, at: datetime) -> Self:
        """Facts that hold at this moment."""
        begun = Q(valid_from__isnull=True) | Q(valid_from__lte=at)
        return self.kept().filter(begun, Q(expires_at__isnull=True) | Q(expires_at__gt=at))

    def believed(self) -> Self:
        """Facts that are served to others than their author."""
        return self.exclude(trust=Fact.Trust.LOW)

    def to_confirm(self) -> Self:
        """Facts that wait for a second opinion."""
        return self.kept().filter(trust=Fact.Trust.LOW)

    def saying(self, text: str) -> Self:
        """Facts with all these words in key or content, the last of which may be the beginning of one; all without
        a word."""
        words = words_in(text)
        return self.filter(_Says(words)) if words else self


class Fact(models.Model):
    """A result that was found once, for all who need it later."""

    class Kind(models.TextChoices):
        JSON = "json", "Values"
        TEXT = "text", "Text"
        FILE = "file", "File"

    class Trust(models.TextChoices):
        LOW = "low", "Not confirmed"
        USUAL = "usual", "As its author"
        CONFIRMED = "confirmed", "Confirmed"

    class Sensitivity(models.TextChoices):
        PUBLIC = "public", "Public"
        INTERNAL = "internal", "Internal"
        CONFIDENTIAL = "confidential", "Confidential"

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="facts")
    key = models.CharField(max_length=300)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.JSON)
    value = models.JSONField(default=dict)
    text = models.TextField(blank=True)
    words = models.TextField(blank=True)
    value_sha256 = models.CharField(max_length=64)
    author = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="facts")
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, related_name="facts")
    step = models.ForeignKey(Step, on_delete=models.SET_NULL, null=True, related_name="facts")
    sources = models.ManyToManyField("self", symmetrical=False, related_name="derived")
    evidence = models.JSONField(default=list)
    confidence = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    trust = models.CharField(max_length=10, choices=Trust.choices, default=Trust.USUAL)
    marks = models.JSONField(default=list)  # why it was not believed when it came
    sensitivity = models.CharField(max_length=12, choices=Sensitivity.choices, default=Sensitivity.INTERNAL)
    cost = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    seconds = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    at = models.DateTimeField()
    valid_from = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    superseded_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    invalidated_at = models.DateTimeField(null=True)
    invalid_why = models.CharField(max_length=2000, blank=True)
    purged_at = models.DateTimeField(null=True)
    reused = models.PositiveIntegerField(default=0)

    objects = FactQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["space", "key", "-id"], name="fact_key"),
            models.Index(
                fields=["space", "-id"],
                name="fact_kept",
                condition=Q(superseded_at__isnull=True, invalidated_at__isnull=True),
            ),
            models.Index(fields=["-id"], name="fact_invalid", condition=Q(invalidated_at__isnull=False)),
            models.Index(
                fields=["trust", "-id"],
                name="fact_trust",
                condition=Q(superseded_at__isnull=True, invalidated_at__isnull=True) & ~Q(trust="usual"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["space", "key"], name="one_current_fact_per_key",
                condition=Q(superseded_at__isnull=True, invalidated_at__isnull=True, trust__in=("usual", "confirmed")),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.space.code}/{self.key}"

    def as_subject(self) -> Subject:
        """How the ledger names this fact."""
        run = str(self.run.uid) if self.run else ""
        workflow = self.run.workflow.code if self.run else ""
        return Subject(
            kind="fact", id=str(self.uid), name=str(self), unit=str(self.space.unit_id), run=run, workflow=workflow
        )

    def holds(self, at: datetime) -> bool:
        """Whether it has begun to hold, and has not expired."""
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.expires_at is None or self.expires_at > at)

    @property
    def saved(self) -> dict[str, Any]:
        """What its reuse has saved so far: seconds and cost."""
        return {"seconds": self.seconds * self.reused, "cost": self.cost * self.reused}

    @property
    def is_low(self) -> bool:
        """Whether nobody but its author is served this."""
        return self.trust == Fact.Trust.LOW

    def state(self, at: datetime) -> str:
        """What has become of it: purged, invalid, superseded, expired, later, low or current."""
        ended = {
            "purged": self.purged_at, "invalid": self.invalidated_at, "superseded": self.superseded_at,
            "expired": self.expires_at if self.expires_at and self.expires_at <= at else None,
            "later": self.valid_from if self.valid_from and self.valid_from > at else None,
        }  # fmt: skip
        return next((name for name, moment in ended.items() if moment), "low" if self.is_low else "current")

    @property
    def content(self) -> Mapping[str, Any] | str:
        """What it says: the values, or the text."""
        return self.value if self.kind == Fact.Kind.JSON else self.text


class ReuseDay(models.Model):
    """How often facts of a space were reused on one day, and what that saved: counted from the ledger."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="reuse_days")
    day = models.DateField()
    uses = models.PositiveBigIntegerField(default=0)
    seconds = models.DecimalField(max_digits=24, decimal_places=3, default=0)
    cost = models.DecimalField(max_digits=24, decimal_places=6, default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["space", "day"], name="one_reuse_row_per_space_and_day")]

    def __str__(self) -> str:
        return f"{self.space_id} on {self.day}"


class ReuseMark(models.Model):
    """Up to which position the ledger was read for what reuse saved; there is one."""

    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"up to {self.position}"


KNOWN_AT_MOST = 10_000


class FewKept(Func):
    """How many facts of a space hold or wait, counted up to one more than KNOWN_AT_MOST."""

    template = "(SELECT COUNT(*) FROM %(expressions)s few)"
    output_field = models.IntegerField()

    def __init__(self) -> None:
        kept = Fact.objects.kept().filter(space=OuterRef("pk")).order_by().values("pk")
        super().__init__(models.Subquery(kept[: KNOWN_AT_MOST + 1]))


class FactFile(models.Model):
    """The bytes of a fact that is a file. They stand in the database: they come and go with the fact, in one
    transaction, and every process reads the same."""

    fact = models.OneToOneField(Fact, on_delete=models.CASCADE, related_name="file")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    content = models.BinaryField()

    def __str__(self) -> str:
        return self.name


class Flight(models.Model):
    """Somebody finds out what stands under a key right now; all others who ask wait for it. Held by a step of a run as
    long as that is open, or by an agent until its lease is over; by nobody while those who waited are told."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="flights")
    key = models.CharField(max_length=300)
    step = models.ForeignKey(Step, on_delete=models.CASCADE, null=True, related_name="flights")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, null=True, related_name="flights")
    token = models.PositiveIntegerField(default=1)
    leased_until = models.DateTimeField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["space", "key"], name="one_flight_per_key")]

    def __str__(self) -> str:
        return f"{self.space_id}/{self.key}"

    def is_held(self, at: datetime) -> bool:
        """Whether somebody is still at it."""
        if self.step is not None:
            return self.step.status in (Step.Status.READY, Step.Status.WORKING, Step.Status.WAITING)
        return self.agent_id is not None and self.leased_until is not None and self.leased_until > at


class Waiter(models.Model):
    """A step that waits for a flight to land."""

    flight = models.ForeignKey(Flight, on_delete=models.CASCADE, related_name="waiters")
    step = models.OneToOneField(Step, on_delete=models.CASCADE, related_name="waits_for")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.step_id} for {self.flight_id}"
