"""Rules of governance, intake: from a question in AuthZEN form to the nested facts that rules read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from governance.language import Field, Kind, RequestInvalid

# the fields that every question has or may have, whatever it is about; "fact" fields are never taken from the caller
STANDARD_FIELDS: tuple[Field, ...] = (
    Field("subject.type", Kind.STRING, "Kind of subject", source="fact"),
    Field("subject.id", Kind.STRING, "Agent", source="fact"),
    Field("subject.role", Kind.STRING, "Role", source="fact"),
    Field("subject.team", Kind.STRING, "Unit", source="fact"),
    Field("subject.autonomy_level", Kind.INT, "Autonomy level", source="fact"),
    Field("subject.status", Kind.STRING, "State of the agent", source="fact"),
    Field("subject.on_behalf_of", Kind.STRING, "On behalf of", source="fact"),
    Field("action.name", Kind.STRING, "Action", required=True),
    Field("resource.type", Kind.STRING, "Kind of thing"),
    Field("resource.id", Kind.STRING, "Thing"),
    Field("context.time", Kind.TIMESTAMP, "Time", source="fact"),
    Field("context.hour", Kind.INT, "Hour of the day (UTC)", source="fact"),
    Field("context.workflow", Kind.STRING, "Workflow", source="fact"),
    Field("context.environment", Kind.STRING, "Environment", source="fact"),
    Field("approval.id", Kind.STRING, "Approval", source="fact"),
    Field("approval.paths", Kind.LIST, "Approved paths", source="fact", item=Kind.STRING),
    Field("approval.rules", Kind.LIST, "Approved rules", source="fact", item=Kind.STRING),
)

# dict stands first because asking for it costs a tenth of asking for any mapping
_MAPPINGS = (dict, Mapping)
_NAMED = ("subject", "action", "resource")


def flatten(request: Mapping[str, Any]) -> dict[str, Any]:
    """Give the nested facts of a question `{subject, action, resource, context, facts}`, properties lifted one level.

    Raise RequestInvalid when a part is no object or a property hides the name beside it, such as a second `id`.
    """
    errors: list[tuple[str, str]] = []
    facts: dict[str, Any] = {}
    for name, part in request.items():
        if not isinstance(part, Mapping):
            errors.append((str(name), "must be an object."))
        elif name in _NAMED:
            facts[name] = _lifted(name, part, errors)
        elif name != "facts":
            facts[name] = dict(part)
    errors += _add_facts(facts, request.get("facts"))
    if errors:
        raise RequestInvalid(errors)
    return facts


def _lifted(name: str, part: Mapping[str, Any], errors: list[tuple[str, str]]) -> dict[str, Any]:
    properties = part.get("properties") or {}
    if not isinstance(properties, Mapping):
        errors.append((f"{name}.properties", "must be an object."))
        return {}
    own = {key: value for key, value in part.items() if key != "properties"}
    errors += [(f"{name}.properties.{key}", f"stands beside {name}.{key} already.") for key in properties if key in own]
    return {**own, **properties}


def _add_facts(facts: dict[str, Any], given: object) -> list[tuple[str, str]]:
    if not isinstance(given, Mapping):
        return []
    errors = [(f"facts.{name}", "stands in the question already.") for name in given if name in facts]
    facts.update(given)
    return errors


def derive(facts: dict[str, Any]) -> dict[str, Any]:
    """Give the typed facts with what follows from them: `context.hour` (UTC) from `context.time`."""
    context = facts.get("context")
    time = context.get("time") if isinstance(context, _MAPPINGS) else None
    if not isinstance(context, _MAPPINGS) or not isinstance(time, datetime):
        return facts
    hour = time.hour if time.tzinfo is UTC else time.astimezone(UTC).hour
    return {**facts, "context": {**context, "hour": hour}}
