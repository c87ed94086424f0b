"""What the card of a question tells of learning: planted cases that are over, the work of a check, a suggestion."""

from dataclasses import dataclass
from datetime import datetime

from agents.models import Principal
from governance.models import Decision, Escalation, LearntRule, PlantedCase
from governance.operations.autonomy import may_demote
from governance.operations.learning.drafting import may_revoke
from governance.operations.learning.insights import VIEW
from governance.operations.learning.planting import may_plant, to_tell
from governance.operations.learning.suggesting import Offer, offer_for


@dataclass(frozen=True)
class Told:
    """What one person is told on one card: planted cases that they answered (`told`), that this very one was `planted`,
    the decision that a check is about with what may be done about it, and the `offer` of a rule."""

    told: tuple[PlantedCase, ...] = ()
    planted: PlantedCase | None = None
    tells_answer: bool = False
    sampled: Decision | None = None
    learnt: LearntRule | None = None
    may_demote: bool = False
    offer: Offer | None = None


def told_on_card(escalation: Escalation, viewer: Principal, *, may_answer: bool, at: datetime) -> Told:
    """What the card tells this person. Of a planted case nothing differs before its answer is final."""
    told = tuple(to_tell(viewer))
    if escalation.kind == Escalation.Kind.REVIEW:
        return _of_check(escalation, viewer, told)
    if not escalation.is_open:
        return _of_planted(escalation, viewer, told)
    return Told(told, offer=offer_for(viewer, escalation, at=at) if may_answer else None)


def _of_check(escalation: Escalation, viewer: Principal, told: tuple[PlantedCase, ...]) -> Told:
    work = Decision.objects.visible_to(viewer).select_related("agent__unit").filter(sampled__escalation=escalation)
    decision = work.first()
    if decision is None:
        return Told(told)
    learnt = LearntRule.objects.standing().visible_to(viewer).with_names()
    found = learnt.filter(policy__key=decision.policy, rule=decision.rule).first()
    allowed = found is not None and may_revoke(viewer, found)
    return Told(
        told, sampled=decision, learnt=found if allowed else None, may_demote=may_demote(viewer, decision.agent)
    )


def _of_planted(escalation: Escalation, viewer: Principal, told: tuple[PlantedCase, ...]) -> Told:
    # Whose card it is knows the case; the sweep that puts it on record has seen that the answer is final.
    case = PlantedCase.objects.filter(escalation=escalation).exclude(noted_at=None).first()
    if case is None:
        return Told(told)
    tells = viewer.pk == escalation.settled_by_id or may_plant(viewer) or viewer.may(VIEW)
    return Told(told, planted=case, tells_answer=tells)
