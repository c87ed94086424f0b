"""What a run knows, value by value, each with its history from the ledger."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from observability.models import Event
from observability.templatetags.ledger import inert
from workflows.models import Run
from workflows.operations.definitions import graph_of
from workflows.plan import INPUT

EVENTS_AT_MOST = 500
LEFT = ("step.finished", "step.skipped")
CHANGED = "run.variable_changed"


def known_values(run: Run, may_change: bool) -> list[dict[str, Any]]:
    """The values of a run in groups, one for each element that left some; `change` names one that can be changed."""
    graph, history = graph_of(run.version_id), _history(run)
    found = []
    for element, values in run.variables.items():
        node = graph.start if element == INPUT else graph.nodes.get(element)
        labels = {output.name: output.label for output in node.outputs} if node else {}
        rows = [
            {
                "label": labels.get(name) or name.replace("_", " ").capitalize(), "value": plain(value),
                "change": f"{element}.{name}" if may_change and name in labels else "",
                "history": history.get(f"{element}.{name}", []),
            }
            for name, value in values.items()
        ]  # fmt: skip
        title = "Given at the start" if element == INPUT else (node.name if node else "") or element
        found.append({"name": title, "rows": rows})
    return found


def _history(run: Run) -> Mapping[str, list[dict[str, Any]]]:
    # Newest first; a value that was left only once has no history to tell.
    told = Event.objects.filter(run=str(run.uid), verb__in=(*LEFT, CHANGED)).order_by("-id")[:EVENTS_AT_MOST]
    elements = {str(uid): element for uid, element in run.steps.values_list("uid", "element")}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in told:
        for name, value in _left_by(event, elements.get(event.subject_id, "")):
            found[name].append({"value": plain(value), "by": event.actor_name, "at": event.at, "why": inert(event.why)})
            if event.verb == CHANGED and name.startswith(f"{INPUT}."):
                found[name].append({"value": plain(event.data["before"]), "by": "", "at": None, "why": ""})
    return {name: entries for name, entries in found.items() if len(entries) > 1}


def _left_by(event: Event, element: str) -> list[tuple[str, Any]]:
    if event.verb == CHANGED:
        return [(event.data["variable"], event.data["after"])]
    return [(f"{element}.{name}", value) for name, value in (event.data.get("output") or {}).items()]


def plain(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return inert(", ".join(map(str, value)) if isinstance(value, list) else value)
