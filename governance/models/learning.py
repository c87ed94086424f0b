"""What is learnt from answers: rules that came from them, work that is looked at again, planted cases, alerts."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from agents.models import Principal
from governance.models.decisions import Decision
from governance.models.escalations import Escalation
from governance.models.paths import EscalationPath
from governance.models.policies import Policy, PolicyVersion
from governance.models.replays import Replay
from observability.ledger import Subject
from observability.models import Reader


class LearntRuleQuerySet(models.QuerySet["LearntRule"]):
    """Reading phrases for learnt rules."""

    def standing(self) -> Self:
        """Those that nobody revoked."""
        return self.filter(revoked_at=None)

    def visible_to(self, user: Principal) -> Self:
        """Those of the policies that the user may see."""
        return self.filter(policy__in=Policy.objects.visible_to(user).order_by())

    def with_names(self) -> Self:
        """With everything that a list shows, in one query."""
        return self.select_related("policy__unit", "version", "replay", "created_by", "revoked_by")


class LearntRule(models.Model):
    """A rule that came from people's answers: which questions they were, who answered, and the version it stands in."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    group = models.CharField(max_length=64)
    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="learnt_rules")
    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="learnt_rules")
    replay = models.ForeignKey(Replay, on_delete=models.SET_NULL, null=True, related_name="+")
    rule = models.CharField(max_length=80)
    asked_by_rule = models.CharField(max_length=80)
    action = models.CharField(max_length=80)
    role = models.CharField(max_length=60)
    criteria = models.JSONField()
    figures = models.JSONField()
    undo = models.JSONField()
    questions = models.ManyToManyField(Escalation, related_name="+")
    reviewers = models.ManyToManyField(Principal, related_name="+")
    created_by = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    revoked_by = models.ForeignKey(Principal, on_delete=models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    revoked_why = models.TextField(blank=True)

    objects = LearntRuleQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["group"], condition=Q(revoked_at=None), name="one_learnt_rule_per_group_of_answers"
            )
        ]

    def __str__(self) -> str:
        return f"{self.policy.key}#{self.rule}"

    def as_subject(self) -> Subject:
        """How the ledger names this rule."""
        return Subject(kind="learnt", id=str(self.uid), name=str(self), unit=str(self.policy.unit_id))


class TurnedDown(models.Model):
    """Somebody does not want a group of answers to become a rule: it is not offered again for a while."""

    group = models.CharField(max_length=64, db_index=True)
    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="+")
    rule = models.CharField(max_length=80)
    by = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    until = models.DateTimeField()
    why = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.policy.key}#{self.rule}"

    def as_subject(self) -> Subject:
        """How the ledger names this answer: as something about the rule that asks."""
        return Subject(kind="suggestion", id=self.group, name=str(self), unit=str(self.policy.unit_id))


class Sampler(models.Model):
    """One row: up to which moment the decisions were looked through for the sample."""

    looked_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"Sampled until {self.looked_until:%Y-%m-%d %H:%M}"


class SampledCheckQuerySet(models.QuerySet["SampledCheck"]):
    """Reading phrases for sampled checks."""

    def visible_to(self, reader: Reader) -> Self:
        """Checks of the work of agents whose units the reader may see."""
        return self if reader.sees_all_units else self.filter(escalation__unit__in=reader.unit_ids())

    def unread(self) -> Self:
        """Those that a person answered and whose answer was not noted yet."""
        answered = (Escalation.Status.APPROVED, Escalation.Status.REJECTED)
        return self.filter(outcome="", escalation__status__in=answered)


class SampledCheck(models.Model):
    """A touchless decision that came back to be looked at again; what was found changes nothing about it."""

    class Outcome(models.TextChoices):
        RIGHT = "right", "Was right"
        WRONG = "wrong", "Was wrong"

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="sampled")
    escalation = models.OneToOneField(Escalation, on_delete=models.PROTECT, related_name="sampled")
    opened_at = models.DateTimeField(db_index=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)

    objects = SampledCheckQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Check of {self.decision}"

    def as_subject(self) -> Subject:
        """How the ledger names this check: the decision that was looked at."""
        named = self.decision.as_subject()
        return Subject(kind="sample", id=named.id, name=named.name, unit=named.unit)


class PlantedCaseQuerySet(models.QuerySet["PlantedCase"]):
    """Reading phrases for planted cases."""

    def due(self, at: datetime) -> Self:
        """Those whose moment has come."""
        return self.filter(escalation=None, withdrawn_at=None, ask_at__lte=at)

    def waiting(self) -> Self:
        """Those that nobody was asked yet."""
        return self.filter(escalation=None, withdrawn_at=None)

    def unnoted(self) -> Self:
        """Those that are over and of which the ledger does not tell yet."""
        return self.filter(noted_at=None, escalation__status__in=FINAL)

    def over(self) -> Self:
        """Those that a person answered."""
        return self.filter(escalation__status__in=ANSWERED)

    def caught(self) -> Self:
        """Those whose right answer was given."""
        return self.filter(escalation__status=F("right_answer"))

    def visible_to(self, user: Principal) -> Self:
        """Those of the policies that the user may see."""
        return self.filter(policy__in=Policy.objects.visible_to(user).order_by())

    def to_tell(self, person: Principal) -> Self:
        """Those that this person answered for good and was not told about."""
        return self.over().exclude(noted_at=None).filter(escalation__settled_by=person, told_at=None)


ANSWERED = (Escalation.Status.APPROVED, Escalation.Status.REJECTED)
FINAL = (*ANSWERED, Escalation.Status.EXPIRED, Escalation.Status.WITHDRAWN)


class PlantedCase(models.Model):
    """A case with a known answer, asked once like any other question; whoever answers is told afterwards."""

    class Answer(models.TextChoices):
        APPROVED = "approved", "Approve"
        REJECTED = "rejected", "Reject"

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="planted_cases")
    like = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="+")
    path = models.ForeignKey(EscalationPath, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=300)
    request = models.JSONField()
    shown = models.JSONField(default=list)
    statement = models.TextField(blank=True)
    right_answer = models.CharField(max_length=10, choices=Answer.choices)
    why = models.TextField()
    ask_at = models.DateTimeField()
    planted_by = models.ForeignKey(Principal, on_delete=models.PROTECT, related_name="+")
    planted_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    escalation = models.OneToOneField(Escalation, on_delete=models.PROTECT, null=True, related_name="planted_case")
    noted_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    objects = PlantedCaseQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        permissions = [("plant_case", "Can plant cases with a known answer among the questions to people")]
        indexes = [models.Index(fields=["ask_at"], name="planted_due", condition=Q(escalation=None))]

    def __str__(self) -> str:
        return self.title

    def as_subject(self) -> Subject:
        """How the ledger names this case: not by its title, which who reads the ledger would know again when asked."""
        return Subject(kind="planted", id=str(self.uid), name="a planted case")

    @property
    def is_waiting(self) -> bool:
        """Whether nobody was asked yet."""
        return self.escalation_id is None and self.withdrawn_at is None

    @property
    def was_caught(self) -> bool | None:
        """Whether the right answer was given; None before an answer, and without one."""
        if self.escalation is None or self.escalation.status not in ANSWERED:
            return None
        return bool(self.escalation.status == self.right_answer)


class ReviewerAlert(models.Model):
    """What is unusual about how somebody decides, from when it was seen until it was so no more."""

    class Kind(models.TextChoices):
        QUICK = "quick", "Decides very quickly"
        ALWAYS_YES = "always_yes", "Approves everything"
        MISSES = "misses", "Misses planted cases"
        LOAD = "load", "Has too many open"

    person = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="reviewer_alerts")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    words = models.CharField(max_length=300)
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind"], condition=Q(ended_at=None), name="one_standing_alert_of_a_kind"
            )
        ]
        permissions = [("view_reviewers", "Can see how reviewers decide")]

    def __str__(self) -> str:
        return f"{self.person}: {self.words}"

    def as_subject(self) -> Subject:
        """How the ledger names it. It has no unit: how somebody decides is no matter of colleagues."""
        return Subject(kind="reviewer", id=self.person.username, name=str(self.person))
