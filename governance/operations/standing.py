"""Standing: who may decide a question now. One function says so, and every way to an answer asks it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from agents.models import Principal
from governance.models import Delegation, Escalation, HandOver, PathStep, Training, standing_in
from observability import ledger
from observability.prepared import Prepared

SETTLE = "governance.settle_escalation"


class NotAReviewer(ledger.NotAllowed):
    """You are not asked to decide this."""

    code = "not_a_reviewer"


@dataclass(frozen=True)
class Standing:
    """How somebody may decide a question: in person, or under a delegation."""

    delegation: Delegation | None = None

    @property
    def instead_of(self) -> Principal | None:
        """For whom the answer is given, if not for oneself."""
        return self.delegation.person if self.delegation else None

    def is_on(self, level: PathStep, reviewer: Principal) -> bool:
        """Whether this level asks the reviewer, or the one for whom the reviewer decides."""
        asked = self.instead_of or reviewer
        group = level.group_id is not None and asked.groups.filter(pk=level.group_id).exists()
        return group or level.people.filter(pk=asked.pk).exists()


def may_settle(person: Principal, escalation: Escalation) -> bool:
    """Whether this person is asked now: active, a reviewer, on the current level, sees the unit, not excluded; or
    decides for somebody of whom all this holds."""
    return standing_of(person, escalation) is not None


def standing_of(person: Principal, escalation: Escalation) -> Standing | None:
    """How this person may decide the question now, None for somebody who is not asked. To be asked in person comes
    first, and is all that is looked up then."""
    if not (person.is_active and person.is_person and person.may("governance.settle_escalation")):
        return None
    if escalation.is_visible_to(person) and _ASKED.exists(person=person.pk, escalation=escalation.pk):
        return Standing()
    this = Escalation.objects.filter(pk=escalation.pk)
    under = (each for each in standing_in(person) if this.asked_under(each).exists())
    return next(map(Standing, under), None)


def _asked(person: int, escalation: int) -> "QuerySet[Escalation]":
    anybody = Principal(pk=person)
    anybody.sees_all_units = True  # whether the unit may be seen is asked of the row
    return Escalation.objects.asked_of_oneself(anybody).filter(pk=escalation)


_ASKED = Prepared(_asked, person=int, escalation=int)


def require_standing(person: Principal, escalation: Escalation, *, at: datetime) -> Standing:
    """How this person may act on an open question. Raises TooLate for one that is settled or late, or NotAReviewer."""
    standing = standing_of(person, escalation) if escalation.is_open else None
    if escalation.is_open and standing is None:
        raise NotAReviewer(about=escalation)
    if standing is None or at >= escalation.due_at:
        raise ledger.TooLate("This is settled or its time is over. Nothing was changed.")
    return standing


def handed_on(escalation: Escalation, person: Principal) -> set[int]:
    """The levels on which it was handed over to this person or to a role of theirs."""
    to = Q(to_person=person) | Q(to_group__in=person.groups.all())
    return set(HandOver.objects.filter(to, escalation=escalation).values_list("level", flat=True))


def could_decide(person: Principal, escalation: Escalation) -> bool:
    """Whether this person could decide if asked: the same conditions as for whoever is."""
    is_able = person.is_active and person.is_person and person.may(SETTLE) and escalation.is_visible_to(person)
    return is_able and Escalation.objects.filter(pk=escalation.pk).decidable_by(person).exists()


def why_not(person: Principal, escalation: Escalation) -> str:
    """Why this person does not decide the question now, in one sentence; empty for somebody who does."""
    if may_settle(person, escalation):
        return ""
    if not person.may(SETTLE):
        return "You have no right to decide escalations."
    if escalation.not_by.filter(pk=person.pk).exists():
        return "You asked for this yourself, or answer for it: somebody else decides."
    if not _asked_of(person, escalation):
        return ""
    wanted = escalation.path.training
    if wanted and not Training.objects.filter(person=person, name=wanted, valid_until__gt=ledger.database_now()):
        return f"This wants the training “{wanted}”, and yours does not hold now."
    if Delegation.objects.now().filter(person=person).exists():
        return "You are away: whom you let decide is asked instead. End the delegation to decide yourself."
    return "You approved something else of this run: somebody else decides here."


def _asked_of(person: Principal, escalation: Escalation) -> bool:
    return Escalation.objects.filter(pk=escalation.pk).naming(person).exists()
