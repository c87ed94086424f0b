"""Answers what the desks ask as their people would: for a demo that runs to its end with nobody there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from autonomy_site.demo.desks.plan import WORKFLOWS
from governance.models import Escalation
from governance.models.escalations import EscalationQuerySet
from observability import ledger
from workflows import operations
from workflows.models import Run

# More than this is too dear for the freight of one morning.
FREIGHT_AT_MOST = 3000
UNCLEAR_BELOW = 0.5
# What failed, and what is only looked at again, waits for people who are there.
ANSWERED = (Escalation.Kind.STEP, Escalation.Kind.ACTION)
APPROVED, REJECTED = "approved", "rejected"


def answer_all(at: datetime) -> int:
    """Answer everything that waits in the four workflows; how many answers that were."""
    return sum(_answer(each, at) for each in waiting().select_related("asked").order_by("id"))


def waiting() -> EscalationQuerySet:
    """The questions that are answered here."""
    return Escalation.objects.open().real().filter(workflow__in=WORKFLOWS, kind__in=ANSWERED)


def _answer(asked: Escalation, at: datetime) -> bool:
    reviewer = asked.asked.people.order_by("username").first()
    if reviewer is None:
        return False
    answer, reason = _answer_to(asked)
    code = "" if answer == APPROVED else Escalation.ReasonCode.OTHER
    try:
        operations.settle(
            asked.uid, answer, reviewer=reviewer, at=at, request_sha256=asked.request_sha256, reason=reason,
            reason_code=code,
        )  # fmt: skip
    except ledger.Refused:
        return False  # it changed meanwhile; the next look sees what it is now
    return True


def _answer_to(asked: Escalation) -> tuple[str, str]:
    if asked.kind != Escalation.Kind.STEP:
        return APPROVED, ""
    known = Run.objects.values_list("variables", flat=True).get(uid=asked.run)
    reason = _objection(asked.workflow, known)
    return (REJECTED, reason) if reason else (APPROVED, "")


def _objection(workflow: str, known: Mapping[str, Any]) -> str:
    """What a person has against it; nothing where it is fine."""
    if workflow == "customer-support" and float(known["analyse"]["sure"]) < UNCLEAR_BELOW:
        return "I answer this one myself."
    if workflow == "supply-chain-watch" and float(known["propose"]["costs"]) > FREIGHT_AT_MOST:
        return "Too dear for one morning."
    if workflow != "vendor-onboarding":
        return ""
    if not known["gather"]["complete"]:
        return "The papers did not come in."
    return "" if known["screen"]["hits"] == 0 and known["bank"]["matches"] else "Not before this is cleared up."
