"""The questions that people answer, and their votes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from agents.models import Agent, Principal, Unit
from governance.models.decisions import Decision
from governance.models.inquiries import HandOver
from governance.models.paths import Delegation, EscalationPath, PathStep, Risk, Training
from governance.models.queue import Snooze
from governance.rules.queueing import BACK_BEFORE
from observability.ledger import Subject
from observability.models import Event, Reader

WORDS_AT_MOST = 8

# Approved, and its run failed or was cancelled afterwards. That there is a run is said twice, so that the database may
# use the index of events that have one.
_ENDED_BADLY = Event.objects.exclude(run="").filter(run=OuterRef("run"), verb__in=("run.failed", "run.cancelled"))
WAS_UNDONE = Case(
    When(Q(status="approved") & ~Q(run="") & Exists(_ENDED_BADLY.filter(at__gte=OuterRef("settled_at"))), then=True),
    default=False, output_field=BooleanField(),
)  # fmt: skip


def _asks(person: Principal) -> Q:
    """Questions that are put to this person: on the level that is asked now, on any level where all are asked at once,
    or by somebody who handed it over."""
    levels = PathStep.objects.filter(Q(people=person) | Q(group__user=person))
    at_once = EscalationPath.objects.filter(mode=EscalationPath.Mode.PARALLEL, steps__in=levels)
    handed = HandOver.objects.holding().filter(Q(to_person=person) | Q(to_group__user=person)).values("escalation")
    return Q(asked__in=levels) | Q(path__in=at_once) | Q(pk__in=handed)


def _excludes(person: Principal) -> Q:
    """Questions that this person must not decide, whoever asks: it is about their own, or their second yes."""
    named = Escalation.not_by.through.objects.filter(principal=person).values("escalation")
    of_run = Escalation.objects.exclude(run="").filter(run=OuterRef("run")).exclude(pk=OuterRef("pk"))
    yes = Q(status="approved") | Q(status="held", held_answer="approved")
    settled = of_run.filter(yes, settled_by=person)
    voted = of_run.filter(Exists(Vote.objects.filter(escalation=OuterRef("pk"), person=person)))
    return Q(pk__in=named) | (Q(path__bars_previous=True) & (Q(Exists(settled)) | Q(Exists(voted))))


def _unfit(person: Principal) -> Q:
    """Questions for which this person lacks the training that their path wants, or is away: somebody stands in."""
    trained = Training.objects.filter(person=person, valid_until__gt=Now()).values("name")
    untrained = ~Q(path__training="") & ~Q(path__training__in=trained)
    away = Delegation.objects.now().filter(person=person, risk_at_most__gte=OuterRef("risk"))
    away = away.annotate(where=ExpressionWrapper(OuterRef("unit__path"), output_field=CharField()))
    away = away.filter(Q(unit=None) | Q(where__startswith=F("unit__path")))
    limited = Delegation.paths.through.objects.filter(delegation=OuterRef("pk"))
    named = limited.filter(escalationpath=OuterRef(OuterRef("path")))
    return untrained | Q(Exists(away.filter(~Exists(limited) | Exists(named))))


def of_teams_of(person: Principal) -> Q:
    """The questions of a person's teams, for `EscalationQuerySet.of_teams_of`."""
    levels = PathStep.objects.filter(Q(people=person) | Q(group__user=person))
    return Q(unit=person.unit_id) | Q(path__in=levels.values("path"))


def _put_aside(person: Principal) -> Q:
    # Whatever happened to a deadline meanwhile, a question comes back before it.
    aside = Snooze.objects.filter(person=person, until__gt=Now(), escalation__due_at__gt=Now() + BACK_BEFORE)
    return Q(pk__in=aside.values("escalation"))


def claim_lasts() -> timedelta:
    """For how long somebody looks at a question before it counts as left alone again."""
    return timedelta(minutes=settings.CLAIM_MINUTES)


def standing_in(person: Principal) -> list[Delegation]:
    """The delegations under which this person decides now, of people who may still decide themselves. Mostly there is
    none, so that one small query tells that nothing else has to be asked."""
    held = Delegation.objects.now().filter(delegate=person).select_related("person", "delegate", "unit")
    held = held.prefetch_related("paths").order_by("pk")
    return [each for each in held if each.person.may("governance.settle_escalation")]


def _instead(delegation: Delegation) -> Q:
    # Within the limits, asked of the absent person, who sees its unit, is not excluded, and for whom nobody approved.
    absent = delegation.person
    voted = Vote.objects.filter(Q(person=absent, instead_of=None) | Q(instead_of=absent), escalation=OuterRef("pk"))
    within = Q(risk__lte=delegation.risk_at_most) & _asks(absent) & ~_excludes(absent) & ~Q(Exists(voted))
    if not absent.sees_all_units:
        within &= Q(unit__in=absent.unit_ids())
    if delegation.unit is not None:
        within &= Q(unit__path__startswith=delegation.unit.path)
    paths = [path.pk for path in delegation.paths.all()]
    return within & Q(path__in=paths) if paths else within


class EscalationQuerySet(models.QuerySet["Escalation"]):
    """Reading phrases for escalations."""

    def open(self) -> Self:
        """Those that wait for a person."""
        return self.filter(status=Escalation.Status.OPEN)

    def pending(self) -> Self:
        """Those whose answer has not taken effect: nobody answered, or the answer can still be undone."""
        return self.filter(status__in=Escalation.PENDING)

    def taking_effect(self, at: datetime) -> Self:
        """Answered ones that can no longer be undone, the first answered first."""
        return self.filter(status=Escalation.Status.HELD, effect_at__lte=at).order_by("effect_at", "id")

    def undoable_by(self, person: Principal) -> Self:
        """Those that this person answered and whose answer has not taken effect, the newest answer first."""
        return self.filter(status=Escalation.Status.HELD, settled_by=person).order_by("-settled_at", "-id")

    def done(self) -> Self:
        """Those that were answered or ended, newest first."""
        return self.exclude(status=Escalation.Status.OPEN).order_by("-settled_at", "-id")

    def visible_to(self, user: Reader) -> Self:
        """Escalations of the units that the user may see; an agent's account sees neither planted cases, which nobody
        asked, nor what of its work is looked at again."""
        seen = self if user.sees_all_units else self.filter(unit__in=user.unit_ids())
        is_agent = isinstance(user, Principal) and not user.is_person
        return seen.real().exclude(kind=Escalation.Kind.REVIEW) if is_agent else seen

    def decided(self) -> Self:
        """Questions of agents that a person answered."""
        answers = (Escalation.Status.APPROVED, Escalation.Status.REJECTED)
        return self.real().filter(kind=Escalation.Kind.ACTION, status__in=answers)

    def real(self) -> Self:
        """Those that were really asked: no planted cases. What counts, learns or allows reads these."""
        return self.filter(is_planted=False)

    def overruled(self) -> Self:
        """Decided ones that were rejected, or undone later."""
        return self.decided().filter(Q(status=Escalation.Status.REJECTED) | Q(WAS_UNDONE))

    def asked_of(self, person: Principal) -> Self:
        """Those that put their question to this person or to somebody whom the person stands in for, whether or not
        the person approved already."""
        asked = _asks(person)
        for delegation in standing_in(person):
            asked |= _instead(delegation)
        return self.visible_to(person).filter(asked).exclude(_excludes(person)).exclude(_unfit(person))

    def asked_of_oneself(self, person: Principal) -> Self:
        """Those that put their question to this very person."""
        return self.visible_to(person).filter(_asks(person)).exclude(_excludes(person)).exclude(_unfit(person))

    def naming(self, person: Principal) -> Self:
        """Those whose path or a hand-over names this person now, whatever else keeps the person from deciding."""
        return self.filter(_asks(person))

    def decidable_by(self, person: Principal) -> Self:
        """Those that nothing keeps this person from deciding, if only the person is asked."""
        return self.exclude(_excludes(person)).exclude(_unfit(person))

    def for_person(self, person: Principal) -> Self:
        """Those that wait for this person: asked of somebody who may decide, for whom nobody has approved yet, and who
        did not hand it over."""
        if not person.may("governance.settle_escalation"):
            return self.none()
        voted = Vote.objects.filter(Q(person=person) | Q(instead_of=person), escalation=OuterRef("pk"))
        handed = HandOver.objects.holding().filter(by=person, returned=False, escalation=OuterRef("pk"))
        return self.asked_of(person).exclude(Exists(voted)).exclude(Exists(handed)).exclude(_put_aside(person))

    def of_teams_of(self, person: Principal) -> Self:
        """Those of the person's own unit and those along a path on which the person is asked at any level: also what
        others look at, what the person approved or put aside, and what has come to another level."""
        return self.filter(of_teams_of(person)) if person.may("governance.settle_escalation") else self.none()

    def claimed(self, at: datetime) -> Self:
        """Those that somebody looks at."""
        return self.filter(claimed_at__gt=at - claim_lasts())

    def sought(self, words: str) -> Self:
        """Those in which each word stands: in the title, the agent, the run's key or the resource."""
        found = self
        for word in words.casefold().split()[:WORDS_AT_MOST]:
            found = found.filter(sought__contains=word)
        return found

    def asked_under(self, delegation: Delegation) -> Self:
        """Those that put their question to the delegate in place of the person who is away."""
        delegate = delegation.delegate
        asked = self.visible_to(delegate).filter(_instead(delegation))
        return asked.exclude(_excludes(delegate)).exclude(_unfit(delegate))

    def overdue(self, at: datetime) -> Self:
        """Open ones whose deadline has passed."""
        return self.open().filter(due_at__lte=at)

    def to_remind(self, at: datetime) -> Self:
        """Open ones whose people are to be reminded by now."""
        return self.open().filter(remind_at__lte=at, due_at__gt=at)

    def most_urgent_first(self, at: datetime | None = None) -> Self:
        """Late ones first, then by risk and time left at `at` or now: at three times the risk a question may have three
        times as long and still come first; of late ones three times the risk weighs like three times the delay."""
        left = ExpressionWrapper(F("due_at") - (Now() if at is None else Value(at)), output_field=DurationField())
        risk = ExpressionWrapper(F("risk"), output_field=IntegerField())
        is_late = Q(left__lte=timedelta(0))
        weighed = Case(When(is_late, then=left * risk), default=left / risk, output_field=DurationField())
        late = Case(When(is_late, then=Value(0)), default=Value(1), output_field=IntegerField())
        return self.annotate(left=left, late=late, weighed=weighed).order_by("late", "weighed", "id")

    def most_urgent_after(self, pk: int, at: datetime) -> Self:
        """Those that come after this one in the order of `at`; the database compares what it worked out for both."""
        here = Escalation.objects.filter(pk=pk).most_urgent_first(at)
        late, weighed = (Subquery(here.values(name)[:1]) for name in ("late", "weighed"))
        later = Q(weighed__gt=weighed) | Q(weighed=weighed, pk__gt=pk)
        return self.most_urgent_first(at).filter(Q(late__gt=late) | Q(later, late=late))

    def like(self, other: "Escalation") -> Self:
        """Settled ones that asked the same kind of thing for the same reason."""
        return self.done().real().filter(likeness=other.likeness).exclude(pk=other.pk)


class Escalation(models.Model):
    """A question that a person has to answer, bound to exactly one request."""

    class Status(models.TextChoices):
        OPEN = "open", "Waits for a person"
        HELD = "held", "Answered, can be undone"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        EXPIRED = "expired", "Expired"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Kind(models.TextChoices):
        ACTION = "action", "An agent asks"
        STEP = "step", "A step for a person"
        INCIDENT = "incident", "Work that failed"
        REVIEW = "review", "Work to look at again"

    class ReasonCode(models.TextChoices):
        WRONG_DATA = "wrong_data", "The data is wrong"
        MISSING_EVIDENCE = "missing_evidence", "Evidence is missing"
        NOT_PERMITTED = "not_permitted", "Our rules do not permit it"
        TOO_RISKY = "too_risky", "Too risky"
        DUPLICATE = "duplicate", "Done before"
        OTHER = "other", "Another reason"

    MOVES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        Status.OPEN: (
            Status.OPEN, Status.HELD, Status.APPROVED, Status.REJECTED, Status.EXPIRED, Status.WITHDRAWN,
        ),
        Status.HELD: (Status.OPEN, Status.APPROVED, Status.REJECTED, Status.WITHDRAWN),
    }  # fmt: skip
    PENDING = (Status.OPEN, Status.HELD)

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    title = models.CharField(max_length=300)
    risk = models.PositiveSmallIntegerField(choices=Risk.choices, default=Risk.MEDIUM)
    effect = models.CharField(max_length=200, blank=True)
    path = models.ForeignKey(EscalationPath, on_delete=models.PROTECT, related_name="escalations")
    asked = models.ForeignKey(PathStep, on_delete=models.PROTECT, related_name="+")
    approvals_needed = models.PositiveSmallIntegerField(default=1)
    approvals_asked = models.PositiveSmallIntegerField(default=1, db_default=1)  # by the policy, without the path's
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
    on_timeout = models.CharField(max_length=10, default="deny", db_default="deny")
    reach = models.CharField(max_length=200, blank=True, default="", db_default="")
    reversible = models.CharField(max_length=200, blank=True, default="", db_default="")
    amendable = models.JSONField(default=list, db_default=Value([], models.JSONField()))
    confirm = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    original = models.JSONField(null=True)  # the request as the agent asked it, once somebody amended it
    amended_decision = models.OneToOneField(Decision, on_delete=models.PROTECT, null=True, related_name="amended")
    amended_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    remind_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="settled")
    settled_for = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    held_answer = models.CharField(
        max_length=10, choices=[("approved", "Approved"), ("rejected", "Rejected")], blank=True, default="",
        db_default="",
    )  # fmt: skip
    effect_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    reason_code = models.CharField(max_length=30, choices=ReasonCode.choices, blank=True)
    approved_until = models.DateTimeField(null=True)
    claimed_by = models.ForeignKey(Principal, on_delete=models.SET_NULL, null=True, related_name="+")
    claimed_at = models.DateTimeField(null=True)
    claims = models.PositiveIntegerField(default=0, db_default=0)  # how often this changed hands
    alike = models.CharField(max_length=32, default="", db_default="", blank=True)  # the same for all of one kind
    currency = models.CharField(max_length=3, default="", db_default="", blank=True)
    amount_below = models.DecimalField(max_digits=20, decimal_places=0, null=True)
    sought = models.TextField(default="", db_default="", blank=True)  # what a search looks through
    is_planted = models.BooleanField(default=False, db_default=False)

    objects = EscalationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="escalation_due", condition=Q(status="open")),
            models.Index(fields=["remind_at"], name="escalation_remind", condition=Q(status="open")),
            models.Index(fields=["effect_at"], name="escalation_effect", condition=Q(status="held")),
            models.Index(fields=["alike", "due_at"], name="escalation_alike", condition=Q(status="open")),
            models.Index(fields=["risk", "due_at"], name="escalation_urgent", condition=Q(status="open")),
            models.Index(fields=["agent", "risk", "due_at"], name="escalation_open_agent", condition=Q(status="open")),
            models.Index(
                fields=["unit", "asked", "path", "alike", "risk", "due_at", "agent"],
                name="escalation_queue",
                condition=Q(status="open"),
            ),
            models.Index(fields=["settled_by", "settled_at"], name="escalation_by"),
            models.Index(fields=["run"], name="escalation_run"),
            models.Index(fields=["request_sha256"], name="escalation_request"),
            models.Index(fields=["likeness", "-settled_at", "-id"], name="escalation_like"),
            models.Index(fields=["-settled_at", "-id"], name="escalation_done", condition=~Q(status="open")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="held") | Q(held_answer__in=("approved", "rejected"), effect_at__isnull=False),
                name="a_held_answer_takes_effect",
            )
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

    @property
    def ruling(self) -> Decision | None:
        """The decision whose rules ask: about the amended request once somebody amended it."""
        return self.amended_decision if self.amended_decision_id else self.decision

    @property
    def amended(self) -> dict[str, Any]:
        """The values that a person changed in the request, by the name of their field; empty when nobody did."""
        if self.original is None:
            return {}
        was, now = self.original.get("context", {}), self.request.get("context", {})
        return {name: value for name, value in now.items() if was.get(name) != value}

    @property
    def is_pending(self) -> bool:
        """Whether no answer has taken effect: nobody answered, or the answer can still be undone."""
        return self.status in self.PENDING

    def looker(self, at: datetime) -> Principal | None:
        """Who looks at it; nobody once their time for it has run out."""
        held = self.is_open and self.claimed_at is not None and self.claimed_at > at - claim_lasts()
        return self.claimed_by if held else None


class Vote(models.Model):
    """One person's approval where a policy asks for more than one."""

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="votes")
    person = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="+")
    instead_of = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    level = models.ForeignKey(PathStep, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["escalation", "person"], name="one_vote_per_person"),
            models.UniqueConstraint(fields=["escalation", "instead_of"], name="one_vote_instead_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person} on {self.escalation}"
