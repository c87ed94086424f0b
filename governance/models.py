"""Rows of governance: policies and their versions, decisions, escalation paths, escalations, votes, control states,
delegations."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import (
    Case,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from agents.models import Agent, Principal, SharedQuerySet, Unit
from governance.rights import delegated_questions, delegations_deciding
from observability.ledger import Subject


class Risk(models.IntegerChoices):
    """How much harm a wrong decision can do."""

    LOW = 1, "Low risk"
    MEDIUM = 2, "Medium risk"
    HIGH = 3, "High risk"


class Policy(models.Model):
    """A named set of rules; what it says stands in its versions."""

    key = models.CharField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="policies")
    owner = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="policies")

    objects = SharedQuerySet.as_manager()

    class Meta:
        ordering = ["key"]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.title

    def as_subject(self) -> Subject:
        """How the ledger names this policy."""
        return Subject(kind="policy", id=self.key, name=self.title, unit=str(self.unit_id))


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    """Reading phrases for policy versions."""

    def active(self) -> Self:
        """The versions that decide now, at most one of each policy."""
        return self.filter(status=PolicyVersion.Status.ACTIVE)


class PolicyVersion(models.Model):
    """One edition of a policy's document; the document never changes, only its status does."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.DRAFT: (Status.ACTIVE, Status.RETIRED),
        Status.ACTIVE: (Status.RETIRED,),
    }

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    author = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="one_policy_version_per_number"),
            models.UniqueConstraint(
                fields=["policy"], condition=Q(status="active"), name="one_active_version_per_policy"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy.key}, version {self.number}"

    def as_subject(self) -> Subject:
        """How the ledger names this version."""
        return Subject(kind="policy", id=self.policy.key, name=str(self), unit=str(self.policy.unit_id))


class RuleBook(models.Model):
    """One row whose edition rises with every change of what decides, so that each process sees it at once."""

    edition = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"Edition {self.edition}"


class EscalationPathQuerySet(models.QuerySet["EscalationPath"]):
    """Reading phrases for escalation paths."""

    def visible_to(self, user: Principal) -> Self:
        """Paths of the units that the user may see."""
        return self if user.sees_all_units else self.filter(unit__in=user.unit_ids())


class EscalationPath(models.Model):
    """Who is asked, and who is asked next when nobody decides in time. At the end of a path the answer is no."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="escalation_paths")

    objects = EscalationPathQuerySet.as_manager()

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return self.name

    def as_subject(self) -> Subject:
        """How the ledger names this path."""
        return Subject(kind="path", id=self.key, name=self.name, unit=str(self.unit_id))


class PathStep(models.Model):
    """One level of a path: these people, or the members of this group who may see the unit, within `seconds`."""

    path = models.ForeignKey(EscalationPath, on_delete=models.CASCADE, related_name="steps")
    level = models.PositiveSmallIntegerField()
    people = models.ManyToManyField(Principal, blank=True, related_name="+")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, related_name="+")
    seconds = models.PositiveIntegerField()

    class Meta:
        ordering = ["path", "level"]
        constraints = [models.UniqueConstraint(fields=["path", "level"], name="one_path_step_per_level")]

    def __str__(self) -> str:
        return f"{self.path.key} {self.level}"

    def who(self) -> str:
        """The people or the group, as a sentence names them."""
        names = sorted(str(person) for person in self.people.all())
        return ", ".join(names) or (self.group.name if self.group else "nobody")


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Reading phrases for decisions."""

    def visible_to(self, user: Principal) -> Self:
        """Decisions about agents of the units that the user may see."""
        return self if user.sees_all_units else self.filter(agent__unit__in=user.unit_ids())


class Decision(models.Model):
    """One answered question: may this agent do this? With everything that made the answer."""

    class Effect(models.TextChoices):
        ALLOW = "allow", "Allowed"
        DENY = "deny", "Denied"
        ESCALATE = "escalate", "Asked"

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    at = models.DateTimeField()
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="decisions")
    request_key = models.CharField(max_length=200)
    action = models.CharField(max_length=80)
    resource_kind = models.CharField(max_length=60)
    resource_id = models.CharField(max_length=200)
    request = models.JSONField()
    request_sha256 = models.CharField(max_length=64)
    facts = models.JSONField()
    effect = models.CharField(max_length=10, choices=Effect.choices)
    reason = models.TextField()
    policy = models.CharField(max_length=80, blank=True)
    policy_version = models.PositiveIntegerField(null=True)
    rule = models.CharField(max_length=80, blank=True)
    because = models.JSONField(default=list)
    missing = models.JSONField(default=list)
    obligations = models.JSONField(default=list)
    rule_set = models.CharField(max_length=64)
    microseconds = models.PositiveIntegerField()
    statement = models.TextField(blank=True)
    confidence = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    run = models.CharField(max_length=40, blank=True)
    step = models.CharField(max_length=40, blank=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["agent", "request_key"], name="one_decision_per_request_key")]
        indexes = [
            models.Index(fields=["run", "id"], name="decision_run"),
            models.Index(fields=["at"], name="decision_at"),
        ]

    def __str__(self) -> str:
        return f"{self.agent.code} {self.action} {self.resource_id}: {self.effect}"

    def as_subject(self) -> Subject:
        """How the ledger names this decision."""
        run = {"run": self.run, "workflow": str(self.request.get("workflow", ""))}
        return Subject(
            kind="decision", id=str(self.uid), name=f"{self.action} {self.resource_id}",
            unit=str(self.agent.unit_id), **run
        )  # fmt: skip


def _asks(person: Principal) -> Q:
    return Q(asked__in=PathStep.objects.filter(Q(people=person) | Q(group__user=person)))


def _excludes(person: Principal) -> Q:
    return Q(pk__in=Escalation.not_by.through.objects.filter(principal=person).values("escalation"))


def _delegated_to(person: Principal) -> Q:
    return Q(pk__in=RawSQL(delegated_questions(), [person.pk]))  # noqa: S611 (no text of anybody in it)


class EscalationQuerySet(models.QuerySet["Escalation"]):
    """Reading phrases for escalations."""

    def open(self) -> Self:
        """Those that wait for a person."""
        return self.filter(status=Escalation.Status.OPEN)

    def done(self) -> Self:
        """Those that are settled, newest first."""
        return self.exclude(status=Escalation.Status.OPEN).order_by("-settled_at", "-id")

    def visible_to(self, user: Principal) -> Self:
        """Escalations of the units that the user may see."""
        return self if user.sees_all_units else self.filter(unit__in=user.unit_ids())

    def asked_of(self, person: Principal) -> Self:
        """Those that put their question to this person or to somebody whom the person stands in for, whether or not
        the person approved already."""
        return self.visible_to(person).filter(_asks(person) | _delegated_to(person)).exclude(_excludes(person))

    def asked_of_oneself(self, person: Principal) -> Self:
        """Those that put their question to this very person."""
        return self.visible_to(person).filter(_asks(person)).exclude(_excludes(person))

    def for_person(self, person: Principal) -> Self:
        """Those that wait for this person: asked of somebody who may decide and for whom nobody has approved yet."""
        if not person.may("governance.settle_escalation"):
            return self.none()
        voted = Vote.objects.filter(Q(person=person) | Q(instead_of=person), escalation=OuterRef("pk"))
        return self.asked_of(person).exclude(Exists(voted))

    def overdue(self, at: datetime) -> Self:
        """Open ones whose deadline has passed."""
        return self.open().filter(due_at__lte=at)

    def most_urgent_first(self, at: datetime | None = None) -> Self:
        """Late ones first, then by risk and time left at `at` or now: at three times the risk a question may have three
        times as long and still come first; of late ones three times the risk weighs like three times the delay."""
        left = ExpressionWrapper(F("due_at") - (Now() if at is None else Value(at)), output_field=DurationField())
        risk = ExpressionWrapper(F("risk"), output_field=IntegerField())
        is_late = Q(left__lte=timedelta(0))
        weighed = Case(When(is_late, then=left * risk), default=left / risk, output_field=DurationField())
        late = Case(When(is_late, then=Value(0)), default=Value(1), output_field=IntegerField())
        return self.annotate(left=left, late=late, weighed=weighed).order_by("late", "weighed", "id")

    def like(self, other: "Escalation") -> Self:
        """Settled ones that asked the same kind of thing for the same reason."""
        return self.done().filter(likeness=other.likeness).exclude(pk=other.pk)


class Escalation(models.Model):
    """A question that a person has to answer, bound to exactly one request."""

    class Status(models.TextChoices):
        OPEN = "open", "Waits for a person"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        EXPIRED = "expired", "Expired"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Kind(models.TextChoices):
        ACTION = "action", "An agent asks"
        STEP = "step", "A step for a person"
        INCIDENT = "incident", "Work that failed"

    class ReasonCode(models.TextChoices):
        WRONG_DATA = "wrong_data", "The data is wrong"
        MISSING_EVIDENCE = "missing_evidence", "Evidence is missing"
        NOT_PERMITTED = "not_permitted", "Our rules do not permit it"
        TOO_RISKY = "too_risky", "Too risky"
        DUPLICATE = "duplicate", "Done before"
        OTHER = "other", "Another reason"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.OPEN: (Status.OPEN, Status.APPROVED, Status.REJECTED, Status.EXPIRED, Status.WITHDRAWN)
    }

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    title = models.CharField(max_length=300)
    risk = models.PositiveSmallIntegerField(choices=Risk.choices, default=Risk.MEDIUM)
    effect = models.CharField(max_length=200, blank=True)
    path = models.ForeignKey(EscalationPath, on_delete=models.PROTECT, related_name="escalations")
    asked = models.ForeignKey(PathStep, on_delete=models.PROTECT, related_name="+")
    approvals_needed = models.PositiveSmallIntegerField(default=1)
    not_by = models.ManyToManyField(Principal, blank=True, related_name="+")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="escalations")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="escalations")
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, null=True, related_name="escalation")
    likeness = models.CharField(max_length=250)
    workflow = models.CharField(max_length=80, blank=True)
    workflow_name = models.CharField(max_length=200, blank=True)
    run = models.CharField(max_length=40, blank=True)
    run_key = models.CharField(max_length=200, blank=True)
    request = models.JSONField()
    request_sha256 = models.CharField(max_length=64)
    reason_asked = models.TextField(blank=True)
    policy = models.CharField(max_length=80, blank=True)
    policy_version = models.PositiveIntegerField(null=True)
    conditions = models.JSONField(default=list)
    shown = models.JSONField(default=list)
    changes = models.JSONField(default=list)
    evidence = models.JSONField(default=list)
    statement = models.TextField(blank=True)
    confidence = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    if_approved = models.CharField(max_length=300, blank=True)
    if_rejected = models.CharField(max_length=300, blank=True)
    if_nobody = models.CharField(max_length=300, blank=True)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="settled")
    settled_for = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    reason_code = models.CharField(max_length=30, choices=ReasonCode.choices, blank=True)
    approved_until = models.DateTimeField(null=True)

    objects = EscalationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="escalation_due", condition=Q(status="open")),
            models.Index(fields=["run"], name="escalation_run"),
            models.Index(fields=["request_sha256"], name="escalation_request"),
            models.Index(fields=["likeness", "-settled_at", "-id"], name="escalation_like"),
            models.Index(fields=["-settled_at", "-id"], name="escalation_done", condition=~Q(status="open")),
        ]
        permissions = [
            ("settle_escalation", "Can decide escalations"),
            ("set_control", "Can change the control state"),
        ]

    def __str__(self) -> str:
        return self.title

    def as_subject(self) -> Subject:
        """How the ledger names this escalation."""
        return Subject(
            kind="escalation", id=str(self.uid), name=self.title, unit=str(self.unit_id), run=self.run,
            workflow=self.workflow,
        )  # fmt: skip

    def is_visible_to(self, user: Principal) -> bool:
        """Whether the user may see it: the same rule as `visible_to` of many."""
        return user.sees_all_units or self.unit_id in user.unit_ids()

    @property
    def is_open(self) -> bool:
        """Whether it waits for a person."""
        return self.status == self.Status.OPEN


class Vote(models.Model):
    """One person's approval where a policy asks for more than one."""

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="votes")
    person = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="+")
    instead_of = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["escalation", "person"], name="one_vote_per_person"),
            models.UniqueConstraint(fields=["escalation", "instead_of"], name="one_vote_instead_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person} on {self.escalation}"


class ControlState(models.Model):
    """Whether work goes on: the switch that stops everything."""

    class Status(models.TextChoices):
        NORMAL = "normal", "Normal operation"
        RESTRICTED = "restricted", "Restricted"
        PAUSED = "paused", "Paused"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.NORMAL: (Status.RESTRICTED, Status.PAUSED),
        Status.RESTRICTED: (Status.NORMAL, Status.PAUSED),
        Status.PAUSED: (Status.NORMAL, Status.RESTRICTED),
    }

    scope = models.CharField(max_length=40, unique=True, default="everything")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.NORMAL)
    why = models.TextField(blank=True)
    changed_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.scope}: {self.status}"

    def as_subject(self) -> Subject:
        """How the ledger names the switch."""
        return Subject(kind="control", id=self.scope, name=f"Control state of {self.scope}")

    def as_facts(self) -> dict[str, Any]:
        """What pages show about it."""
        return {
            "state": self.status,
            "label": self.get_status_display(),
            "why": self.why,
            "at": self.changed_at,
        }


class DelegationQuerySet(models.QuerySet["Delegation"]):
    """Reading phrases for delegations."""

    def holding(self, since: datetime, until: datetime) -> Self:
        """Those that were not ended and hold at some moment of the period."""
        return self.filter(status=Delegation.Status.ACTIVE, starts_at__lt=until, ends_at__gt=since)

    def over(self, at: datetime) -> Self:
        """Those whose time has run out and that nobody ended."""
        return self.filter(status=Delegation.Status.ACTIVE, ends_at__lte=at)

    def deciding(self, escalation: Escalation, delegate: Principal) -> Self:
        """Those under which this person decides an open question now, the oldest first."""
        found = RawSQL(delegations_deciding(), [delegate.pk, escalation.pk])  # noqa: S611 (no text of anybody in it)
        return self.filter(pk__in=found).order_by("pk")

    def visible_to(self, user: Principal) -> Self:
        """Those of people in the user's units, those that the user gave and those that let the user decide."""
        if user.sees_all_units:
            return self
        return self.filter(Q(person__unit__in=user.unit_ids()) | Q(person=user) | Q(delegate=user))

    def with_names(self) -> Self:
        """With everything that a list shows of them, in two queries."""
        related = self.select_related("person__unit", "delegate", "unit", "created_by", "ended_by")
        return related.prefetch_related("paths__unit")


class Delegation(models.Model):
    """One person decides for another for a while, within limits. What is delegated is not delegated on."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        ENDED = "ended", "Ended"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {Status.ACTIVE: (Status.ENDED,)}

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    person = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="delegations")
    delegate = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="delegated")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    paths = models.ManyToManyField(EscalationPath, blank=True, related_name="+")
    risk_at_most = models.PositiveSmallIntegerField(choices=Risk.choices, default=Risk.HIGH)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    created_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    ended_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(person=F("delegate")), name="nobody_delegates_to_themselves"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="delegation_ends_after_it_starts"),
        ]
        indexes = [
            models.Index(fields=["delegate"], name="delegation_to", condition=Q(status="active")),
            models.Index(fields=["ends_at"], name="delegation_end", condition=Q(status="active")),
        ]

    def __str__(self) -> str:
        return f"{self.delegate} for {self.person}"

    def as_subject(self) -> Subject:
        """How the ledger names this delegation: as something about the person for whom another one decides."""
        return Subject(
            kind="delegation", id=str(self.uid), name=str(self.person), unit=str(self.person.unit_id or "")
        )  # fmt: skip

    def concerns(self, person: Principal) -> bool:
        """Whether it is this person's own, on either side."""
        return person.pk in (self.person_id, self.delegate_id)
