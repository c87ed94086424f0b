"""Budgets: limits for scopes of work, what is spent and reserved in each period, and the rows behind."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from agents.models import Agent, Principal, Unit
from governance.models.decisions import Decision
from governance.models.paths import EscalationPath
from governance.rules.budgeting import said
from observability.ledger import Subject

if TYPE_CHECKING:
    WholeField = models.BigIntegerField[Any, Any]
else:
    WholeField = models.BigIntegerField

MICRO = 1_000_000
AT_MOST = Decimal(10) ** 12


class ExactField(WholeField):
    """A number with six places, kept as whole millionths: both databases add and compare it exactly."""

    _pyi_private_set_type: Any  # the plugin of mypy reads what may be assigned here

    def from_db_value(self, value: int | None, *_: object) -> Decimal | None:
        """The number."""
        return None if value is None else Decimal(value) / MICRO

    def to_python(self, value: Any) -> Decimal | None:
        """The number."""
        return None if value is None else Decimal(str(value))

    def get_prep_value(self, value: Any) -> Any:
        """Millionths, rounded up: what is used is never counted as less."""
        if value is None or hasattr(value, "resolve_expression"):
            return value
        return int((Decimal(str(value)) * MICRO).to_integral_value(ROUND_CEILING))


class BudgetQuerySet(models.QuerySet["Budget"]):
    """Reading phrases for budgets."""

    def active(self) -> Self:
        """Those that hold."""
        return self.filter(status=Budget.Status.ACTIVE)

    def visible_to(self, user: Principal) -> Self:
        """Budgets of the units that the user may see."""
        return self if user.sees_all_units else self.filter(unit__in=user.unit_ids())

    def binding(self, agent: Agent | None, units: Iterable[str], *, workflow: str, run: str) -> Self:
        """Active ones that bind this agent (None: a person) at this place; `units` are the paths of the unit that the
        work is done for and of all above it."""
        scope = Budget.Scope
        binds = Q(scope__in=(scope.EVERYTHING, scope.UNIT), unit__path__in=units)
        if agent is not None:
            binds |= Q(scope=scope.AGENT, about=agent.code)
            binds |= Q(scope=scope.ROLE, about=agent.role.code, unit__path__in=units)
        if workflow:
            binds |= Q(scope=scope.WORKFLOW, about=workflow)
        if workflow and run:
            binds |= Q(scope=scope.RUN, about=workflow) | Q(scope=scope.RUN, about="", unit__path__in=units)
        return self.active().filter(binds).order_by("pk")

    def with_names(self) -> Self:
        """With everything that a list shows, in one query."""
        return self.select_related("unit", "path", "created_by", "changed_by")


class Budget(models.Model):
    """How much of one thing may be used in each period: above the soft limit a person decides, above the hard one
    nothing is allowed. `about` is the code of the agent, role or workflow."""

    class Scope(models.TextChoices):
        EVERYTHING = "everything", "Everything"
        UNIT = "unit", "Unit"
        ROLE = "role", "Role"
        AGENT = "agent", "Agent"
        WORKFLOW = "workflow", "Workflow"
        RUN = "run", "Each run"

    class Metric(models.TextChoices):
        MONEY = "money", "Money"
        TOKENS = "tokens", "Tokens"
        CALLS = "calls", "Calls"
        RUNS = "runs", "Runs"
        SECONDS = "seconds", "Seconds of work"

    class Period(models.TextChoices):
        DAY = "day", "A day"
        MONTH = "month", "A month"
        TOTAL = "total", "In total"

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        CLOSED = "closed", "Closed"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.ACTIVE: (Status.CLOSED,)}

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=120)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="budgets")
    scope = models.CharField(max_length=10, choices=Scope.choices)
    about = models.CharField(max_length=80, blank=True)
    metric = models.CharField(max_length=10, choices=Metric.choices)
    currency = models.CharField(max_length=3, blank=True)
    period = models.CharField(max_length=10, choices=Period.choices)
    hard_limit = ExactField()
    soft_limit = ExactField(null=True)
    path = models.ForeignKey(EscalationPath, on_delete=models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    why = models.TextField(blank=True)
    edition = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    changed_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = BudgetQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(hard_limit__gte=0), name="budget_is_not_negative"),
            models.CheckConstraint(
                condition=Q(soft_limit=None) | Q(soft_limit__gte=0, soft_limit__lte=F("hard_limit")),
                name="budget_asks_before_it_denies",
            ),
            models.CheckConstraint(
                condition=Q(soft_limit=None) | Q(path__isnull=False), name="budget_that_asks_names_whom"
            ),
            models.CheckConstraint(
                condition=Q(~Q(currency=""), metric="money") | Q(~Q(metric="money"), currency=""),
                name="budget_of_money_has_a_currency",
            ),
            models.CheckConstraint(
                condition=~Q(scope="run") | Q(~Q(metric="runs"), period="total"), name="budget_of_each_run_is_a_total"
            ),
        ]
        indexes = [models.Index(fields=["scope", "about"], name="budget_binding", condition=Q(status="active"))]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this budget."""
        workflow = self.about if self.scope in (self.Scope.WORKFLOW, self.Scope.RUN) else ""
        return Subject(kind="budget", id=str(self.uid), name=self.name, unit=str(self.unit_id), workflow=workflow)

    @property
    def is_active(self) -> bool:
        """Whether it holds."""
        return self.status == self.Status.ACTIVE

    @property
    def fact_period(self) -> str:
        """The word under which rules read it: day, month, total or run."""
        return "run" if self.scope == self.Scope.RUN else self.period

    def say(self, amount: Decimal | None) -> str:
        """An amount in its unit."""
        return "" if amount is None else said(amount, self)


class BudgetPeriod(models.Model):
    """What is spent and reserved of a budget in one day, month or run, or in all. `hard_limit` is the budget's, so that
    a reservation above it is refused by this row alone; only what really happened may go over it."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="periods")
    key = models.CharField(max_length=40)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    hard_limit = ExactField()
    spent = ExactField(default=0)
    reserved = ExactField(default=0)
    overspent = models.BooleanField(default=False)
    told_percent = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["budget", "key"], name="one_row_per_budget_and_period"),
            models.CheckConstraint(condition=Q(spent__gte=0, reserved__gte=0), name="nothing_is_used_backwards"),
            models.CheckConstraint(
                condition=Q(hard_limit__gte=F("spent") + F("reserved")) | Q(overspent=True),
                name="no_reservation_above_the_limit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.budget} {self.key}"

    @property
    def used(self) -> Decimal:
        """Spent and reserved together."""
        return self.spent + self.reserved

    @property
    def left(self) -> Decimal:
        """What may still be reserved; negative when it is overspent."""
        return self.hard_limit - self.used


class ReservationQuerySet(models.QuerySet["Reservation"]):
    """Reading phrases for reservations."""

    def held(self) -> Self:
        """Those whose outcome is not known yet, in the order in which all lock them."""
        return self.filter(status=Reservation.Status.HELD).order_by("period_id", "pk")

    def overdue(self, at: datetime) -> Self:
        """Held ones whose outcome nobody reported in time."""
        return self.held().filter(expires_at__lte=at)

    def with_names(self) -> Self:
        """With everything that a list shows, in one query."""
        return self.select_related("period__budget", "agent", "decision")


class Reservation(models.Model):
    """What one allowed action holds of a budget until its outcome is known; or, already spent, what was used without a
    decision."""

    class Status(models.TextChoices):
        HELD = "held", "Reserved"
        SETTLED = "settled", "Settled"
        RELEASED = "released", "Released"
        EXPIRED = "expired", "Expired"
        SPENT = "spent", "Spent"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.HELD: (Status.SETTLED, Status.RELEASED, Status.EXPIRED),
        Status.RELEASED: (Status.SETTLED,),
        Status.EXPIRED: (Status.SETTLED, Status.RELEASED),
    }

    period = models.ForeignKey(BudgetPeriod, on_delete=models.CASCADE, related_name="reservations")
    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, null=True, related_name="reservations")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="reservations")
    what = models.CharField(max_length=300)
    run = models.CharField(max_length=40, blank=True)
    step = models.CharField(max_length=40, blank=True)
    amount = ExactField()
    settled_amount = ExactField(null=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.HELD)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "period"], name="one_reservation_per_decision_and_period"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="reservation_is_not_negative"),
            models.CheckConstraint(
                condition=Q(status__in=("settled", "spent"), settled_amount__gte=0)
                | Q(status__in=("held", "released", "expired"), settled_amount=None),
                name="what_was_used_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["step"], name="reservation_step", condition=Q(status="held") & ~Q(step="")),
            models.Index(fields=["expires_at"], name="reservation_due", condition=Q(status="held")),
            models.Index(fields=["period", "-id"], name="reservation_period"),
        ]

    def __str__(self) -> str:
        return f"{self.what} from {self.period}"

    def as_subject(self) -> Subject:
        """How the ledger names this reservation: with the budget that it is of."""
        budget = self.period.budget
        return Subject(
            kind="reservation", id=str(self.pk), name=f"{budget.say(self.amount)} of {budget.name}",
            unit=str(budget.unit_id), run=self.run,
        )  # fmt: skip

    @property
    def counts(self) -> Decimal:
        """What it takes from its budget now."""
        if self.status == self.Status.HELD:
            return self.amount
        return self.settled_amount or Decimal(0)
