"""What is known in a live run is changed by hand: typed as drawn, old and new in the ledger, questions asked anew."""

from datetime import datetime
from typing import Any

from django.db import transaction

from governance.models import Escalation
from observability import ledger
from workflows.models import Run, Step
from workflows.operations import questions
from workflows.operations.definitions import graph_of
from workflows.operations.intervening.entering import entered, withdraw_question
from workflows.operations.runs import checked_values, happen
from workflows.plan import INPUT, VariablesChanged

UNSEEN: Any = object()


@transaction.atomic
def change_variable(
    run: Run, name: str, value: Any, *, by: ledger.Acts, at: datetime, why: str, before: Any = UNSEEN
) -> Run:
    """Change `element.name` (of the inputs `input.name`) to a value of its declared type; with `before` only if that is
    what it holds now. Whoever is asked about what the run knows is asked anew, by what it knows now."""
    run = entered(run, by=by, why=why)
    element, _, field = name.partition(".")
    group = run.variables.get(element)
    if not isinstance(group, dict) or field not in group:
        raise ledger.Invalid(fields={"variable": f"This run knows no {name}. Name one that it shows."})
    old = group[field]
    if before is not UNSEEN and before != old:
        raise ledger.TooLate(f"{name} was changed meanwhile: it is {old} now. Nothing was changed.")
    new = _checked(run, element, field, value)
    if new == old:
        raise ledger.Invalid(fields={"value": f"{name} is {old} already."})
    run.variables[element] = {**group, field: new}
    told = {"variable": name, "before": old, "after": new}
    ledger.record("run.variable_changed", run, by=by, at=at, why=why, data=told)
    happen(run, VariablesChanged(), by=by, at=at)
    _ask_anew(run, by=by, at=at, why=f"{name} was changed: {why}")
    return run


def _checked(run: Run, element: str, field: str, value: Any) -> Any:
    graph = graph_of(run.version_id)
    node = graph.start if element == INPUT else graph.nodes.get(element)
    declared = {output.name for output in node.outputs} if node else set()
    if node is None or field not in declared:
        raise ledger.Invalid(fields={"variable": f"{element}.{field} is not declared as a value that can be changed."})
    known = {name: old for name, old in run.variables[element].items() if name in declared}
    try:
        return checked_values(run.version_id, node.id, {**known, field: value})[field]
    except ledger.Invalid as wrong:
        raise ledger.Invalid(fields={"value": "; ".join(wrong.fields.values()) or wrong.detail}) from wrong


def _ask_anew(run: Run, *, by: ledger.Acts, at: datetime, why: str) -> None:
    asked = run.steps.select_for_update(of=("self",)).select_related("escalation").filter(
        status=Step.Status.WAITING, escalation__kind=Escalation.Kind.STEP,
        escalation__status__in=Escalation.PENDING,
    )  # fmt: skip
    for step in asked.order_by("id"):
        step.run = run
        withdraw_question(step, by=by, at=at, why=why)
        questions.ask_about_step(step, at=at)
