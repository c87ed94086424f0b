"""What can be chosen beside a step of an ad-hoc sub-process: by the agent that works on it, or by who looks after the
run."""

from observability import ledger
from workflows.models import Step
from workflows.operations.definitions import graph_of
from workflows.plan import AdHoc, Marking, StaleHappening, Task, ad_hoc_around

OVER = "The run waits for “{}” no longer."


def ad_hoc_of(step: Step) -> AdHoc:
    """The ad-hoc sub-process around the open step. Raises WrongStatus for a step in none, or of which the run does not
    wait any more."""
    run = step.run
    try:
        found = ad_hoc_around(graph_of(run.version_id), Marking.from_json(run.marking), step.token)
    except StaleHappening as stale:
        raise ledger.WrongStatus(OVER.format(step.name)) from stale
    if found is None:
        raise ledger.WrongStatus(f"“{step.name}” lies in no ad-hoc sub-process: nothing can be chosen beside it.")
    return found


def task_in(around: AdHoc, element: str) -> Task:
    """The task of this element. Raises Invalid that names those that can be chosen."""
    chosen = next((each for each in around.tasks if each.node_id == element), None)
    if chosen is None:
        names = ", ".join(each.node_id for each in around.tasks)
        raise ledger.Invalid("Nothing was chosen.", fields={"task": f"Choose one of {names}."})
    return chosen
