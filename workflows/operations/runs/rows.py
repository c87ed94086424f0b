"""A run's row: lock it first, and check what is put into its variables."""

from collections.abc import Mapping
from typing import Any

from governance.language import RequestInvalid
from observability import ledger
from observability.prepared import Prepared
from workflows.models import Run
from workflows.operations.definitions import graph_of
from workflows.operations.schemas import too_large, wrong_with_values
from workflows.plan import plain


def locked(run_id: int) -> Run:
    """The run, locked until the transaction ends: the first line of everything that touches its steps."""
    run = _LOCKED.first(pk=run_id)
    if run is None:
        raise Run.DoesNotExist(f"There is no run {run_id}.")
    return run


# Without its key: a called run that ends names its caller in the outbox, and must not wait for whoever holds that one.
_LOCKED = Prepared(
    lambda pk: (
        Run.objects.select_for_update(of=("self",), no_key=True)
        .select_related("workflow", "unit", "version")
        .defer("version__bpmn", "version__graph")
        .filter(pk=pk)
    ),
    pk=int,
)


def checked_values(version_id: int, element: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What an element leaves behind (the start node takes in), checked against its declared types, as JSON keeps it."""
    detail, graph = "The values do not fit what the workflow declares; nothing was changed.", graph_of(version_id)
    wrong = too_large(values, root="output")
    wrong = wrong or wrong_with_values(values, graph.nodes[element].output_schema, root="output")
    if wrong:
        raise ledger.Invalid(detail, fields=wrong)
    try:
        checked = graph.outputs_schema(element).coerce(values)
    except RequestInvalid as invalid:
        raise ledger.Invalid(detail, fields=dict(invalid.errors)) from invalid
    return {name: plain(value) for name, value in checked.items()}
