"""Several questions at once with one answer: each is settled on its own, and what fails is told for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from agents.models import Principal
from governance import operations as governance
from governance.models import Escalation
from governance.rules.queueing import HIGH_RISK
from observability import ledger
from workflows.operations.people import settle

TOGETHER_AT_MOST = 20


class NotTogether(ledger.Refused):
    """Questions of high risk are decided one by one. Open it and decide it there."""

    code = "not_together"


@dataclass(frozen=True)
class Item:
    """A question and the SHA-256 of the request that was read."""

    uid: UUID
    request_sha256: str


@dataclass(frozen=True)
class Outcome:
    """What became of one of them: the question as it stands now if one may see it, or what was refused."""

    uid: UUID
    escalation: Escalation | None = None
    refused: ledger.Refused | None = None

    @property
    def is_done(self) -> bool:
        """Whether the answer was taken."""
        return self.refused is None


def settle_together(
    items: Sequence[Item], answer: str, *, reviewer: Principal, at: datetime, reason: str = "", reason_code: str = "",
    undo: timedelta = governance.AT_ONCE,
) -> list[Outcome]:  # fmt: skip
    """The same answer to each of at most 20 questions, in their order; one that cannot be taken changes nothing for the
    others. Raises Invalid for none, too many, or one that is named twice."""
    if not 0 < len(items) <= TOGETHER_AT_MOST:
        raise ledger.Invalid("Nothing was decided.", fields={"items": f"Name 1 to {TOGETHER_AT_MOST} questions."})
    if len({item.uid for item in items}) < len(items):
        raise ledger.Invalid("Nothing was decided.", fields={"items": "A question is named twice."})
    seen = Escalation.objects.visible_to(reviewer).filter(uid__in=[item.uid for item in items])
    known = {uid: (risk, run) for uid, risk, run in seen.values_list("uid", "risk", "run")}
    outcomes = {}
    # One run after the other in the same order for everybody: two who answer the same at once wait and do not lock up.
    for item in sorted(items, key=lambda each: (known.get(each.uid, (0, ""))[1], each.uid)):
        try:
            if known.get(item.uid, (0, ""))[0] >= HIGH_RISK:
                raise NotTogether
            settled = settle(
                item.uid, answer, reviewer=reviewer, at=at, request_sha256=item.request_sha256, reason=reason,
                reason_code=reason_code, undo=undo,
            )  # fmt: skip
            outcomes[item.uid] = Outcome(item.uid, settled)
        except ledger.Refused as refused:
            ledger.record_refusal(refused, by=reviewer)
            outcomes[item.uid] = Outcome(item.uid, refused=refused)
    return [outcomes[item.uid] for item in items]
