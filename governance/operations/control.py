"""The control state: normal, restricted or paused, read from the database at every decision and every claim."""

from datetime import datetime

from django.db import transaction

from agents.models import Principal
from agents.operations import require
from governance.models import ControlState
from observability import ledger
from observability.prepared import Prepared

EVERYTHING = "everything"
STRICTNESS = {ControlState.Status.NORMAL: 0, ControlState.Status.RESTRICTED: 1, ControlState.Status.PAUSED: 2}


class Paused(ledger.Refused):
    """All work is paused. Nothing is handed out until it is resumed."""

    status = 409
    code = "paused"


def control_now() -> ControlState:
    """The control state of everything at this moment."""
    return _CONTROL.first(scope=EVERYTHING) or ControlState(scope=EVERYTHING)


_CONTROL: Prepared[ControlState] = Prepared(lambda scope: ControlState.objects.filter(scope=scope), "scope")


def loosens(to: str) -> bool:
    """Whether this state would allow more than the one that holds now."""
    return STRICTNESS.get(ControlState.Status(to), 0) < STRICTNESS[ControlState.Status(control_now().status)]


def require_running() -> None:
    """Raise Paused while all work is paused."""
    control = control_now()
    if control.status == ControlState.Status.PAUSED:
        raise Paused(f"All work is paused: {control.why}")


@transaction.atomic
def change_control(to: str, *, by: Principal, at: datetime, why: str) -> ControlState:
    """Set the control state of everything; effective at the next decision and claim in every process."""
    require(by, "governance.set_control")
    if to not in ControlState.Status.values:
        raise ledger.Invalid(fields={"state": f"Choose one of {', '.join(ControlState.Status.values)}."})
    if not why.strip():
        raise ledger.Invalid("Say why the control state changes.", fields={"why": "A reason is needed."})
    control, _ = ControlState.objects.get_or_create(scope=EVERYTHING)
    ledger.move(control, to, by=by, verb="control.changed", at=at, why=why, changed_by=by, changed_at=at)
    ControlState.objects.filter(pk=control.pk).update(why=why)
    control.why = why
    return control
