"""What becomes of an event log of manual work: the manual baseline of a workflow, and a first drawing."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from agents.models import Principal
from observability import ledger
from observability.eventlog.figures import Figures
from observability.models import Baseline, EventLog
from observability.operations import may_upload
from observability.operations.event_logs import RIGHT
from workflows.models import Workflow, WorkflowDraft
from workflows.operations.drafting import NewWorkflow, begin_workflow
from workflows.plan.discovering import Found, drawing_of

LEAST = Decimal("0.0001")


@dataclass(frozen=True)
class ByHand:
    """What a person adds to the figures of a log: what an hour of work costs, in the company's currency, how many
    minutes of work a case takes, which share of cases went wrong, where it all comes from, and why it is kept."""

    cost_per_hour: Decimal
    minutes_per_case: Decimal
    error_share: Decimal
    source: str
    why: str


def may_keep(by: Principal, workflow: Workflow) -> bool:
    """Whether this one may say how the workflow did by hand: the council, and who manages its unit."""
    return by.may(RIGHT, workflow)


def figures_of(log: EventLog) -> Figures:
    """The figures of a log that was read. Raises WrongStatus for another."""
    if not log.figures:
        raise ledger.WrongStatus("The log was not read yet. Say which column is what, and wait for the result.")
    return Figures.of(log.figures)


def cost_of(cost_per_hour: Decimal, minutes_per_case: Decimal) -> Decimal:
    """What one case costs: hours of work times the cost of an hour."""
    return (cost_per_hour * minutes_per_case / 60).quantize(LEAST)


@transaction.atomic
def keep_baseline(workflow: Workflow, log: EventLog, given: ByHand, *, by: Principal, at: datetime) -> Baseline:
    """Hold the workflow from now on against what the log tells; the ledger keeps the baseline that was there before."""
    _require_log(by, log)
    if not may_keep(by, workflow):
        raise ledger.NotAllowed("How a workflow did by hand is said by the council, and by whoever manages its unit.")
    if not given.why.strip():
        raise ledger.Invalid("Nothing was saved.", fields={"why": "A reason is needed."})
    found = figures_of(log)
    former = Baseline.objects.select_for_update().filter(workflow=workflow.code).first()
    values = {
        "cycle_seconds": Decimal(str(found.duration.median)), "error_share": given.error_share.quantize(LEAST),
        "cost": cost_of(given.cost_per_hour, given.minutes_per_case), "source": given.source[:300],
        "runs_per_day": Decimal(str(found.cases_per_day)).quantize(Decimal("0.01")),
    }  # fmt: skip
    kept, _ = Baseline.objects.update_or_create(workflow=workflow.code, defaults=values)
    data = {
        "log": str(log.uid), "sha256": log.sha256, "cost_per_hour": str(given.cost_per_hour),
        "minutes_per_case": str(given.minutes_per_case), "now": _told(values),
        "former": _told({name: getattr(former, name) for name in values}) if former else None,
    }  # fmt: skip
    ledger.record("baseline.kept", _Yardstick(workflow), by=by, at=at, why=given.why.strip(), data=data)
    return kept


def _told(values: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


@dataclass(frozen=True)
class _Yardstick:
    workflow: Workflow

    def as_subject(self) -> ledger.Subject:
        """How the ledger names the baseline of a workflow."""
        named = self.workflow.as_subject()
        return ledger.Subject(
            "baseline", self.workflow.code, named.name, unit=str(self.workflow.unit_id), workflow=self.workflow.code
        )


def _require_log(by: Principal, log: EventLog) -> None:
    if not EventLog.objects.visible_to(by).filter(pk=log.pk).exists():
        raise ledger.NotFound("There is no such event log, or you may not see it.")
    if not may_upload(by, log.unit_id):
        raise ledger.NotAllowed("What a log tells is kept by whoever manages its unit, and by the council.")


def found_in(log: EventLog, *, share: float, name: str) -> Found:
    """The drawing of the ways that `share` of the cases of a log took."""
    figures = figures_of(log)
    names = [each.name for each in figures.activities]
    ways = [([names[at] for at in each.path], each.share) for each in figures.variants if min(each.path) >= 0]
    when = f"{figures.first[:10]} to {figures.last[:10]}"
    about = f"Drawn from the event log “{log.name}”, {figures.cases:,} cases from {when}."
    return drawing_of(ways, name=name, share=share, about=about)


def draft_from_log(
    log: EventLog, terms: NewWorkflow, *, share: float, by: Principal, at: datetime
) -> tuple[WorkflowDraft, Found]:
    """A new workflow whose draft shows the ways that `share` (0 to 1) of the cases took."""
    _require_log(by, log)
    found = found_in(log, share=share, name=terms.name)
    return begin_workflow(terms, bpmn=found.bpmn, by=by, at=at), found
