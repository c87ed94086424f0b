"""Shapes of incidents, the limits of safeguards and the circuit breakers of systems."""

from collections.abc import Iterable
from typing import Any, ClassVar

from rest_framework import serializers

from agents.models import System
from governance.models import FUSE, LIMITS, Decision, Incident, SafeguardRule, SystemGuard
from governance.operations.safeguards import AT_MOST, FUSE_BOUNDS
from governance.rules.breaking import Limits
from observability.api.tags import etag
from observability.serializers import PageQuery, StrictSerializer, Text, Whole, YesNo

EVERYBODY = "everybody"
"""How addresses name the limits of all roles without limits of their own."""


# --- incidents ------------------------------------------------------------------------------------------------------
class IncidentsQuery(PageQuery):
    """Which incidents."""

    status = serializers.ChoiceField(Incident.Status.choices, default="", help_text="Only incidents in this status.")
    kind = serializers.ChoiceField(Incident.Kind.choices, default="", help_text="Only incidents of this kind.")
    agent = Text(max_length=60, default="", help_text="Only incidents about the agent with this code.")
    unit = Text(max_length=60, default="", help_text="Only incidents in the unit with this code.")


class IncidentOutput(serializers.Serializer[Any]):
    """What a safeguard stopped and why, and what a person made of it. `etag` for If-Match."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Incident.Kind.choices)
    status = serializers.ChoiceField(Incident.Status.choices)
    unit = serializers.CharField()
    agent = serializers.CharField(allow_null=True)
    system = serializers.CharField(allow_null=True)
    run = serializers.CharField(allow_null=True)
    why = serializers.CharField()
    opened_at = serializers.DateTimeField()
    outcome = serializers.ChoiceField(Incident.Outcome.choices, allow_null=True)
    reason = serializers.CharField(allow_null=True)
    resolved_by = serializers.CharField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)
    etag = serializers.CharField()


class LeadingDecisionOutput(serializers.Serializer[Any]):
    """A decision that led to an incident."""

    decision = serializers.UUIDField()
    at = serializers.DateTimeField()
    agent = serializers.CharField()
    action = serializers.CharField()
    resource = serializers.CharField()
    effect = serializers.ChoiceField(Decision.Effect.choices)
    rule = serializers.CharField(allow_null=True)
    reason = serializers.CharField()


class IncidentDetail(IncidentOutput):
    """An incident with the decisions that led to it, as far as the caller may see them, and whether the caller may
    resolve it."""

    evidence = LeadingDecisionOutput(many=True)
    may_resolve = serializers.BooleanField()


def incident_tag(incident: Incident) -> str:
    """The entity tag of an incident as people resolve it."""
    return etag(incident.uid, incident.status, incident.outcome)


def incident_of(incident: Incident) -> dict[str, Any]:
    """An incident as the API lists it."""
    by = incident.resolved_by
    return {
        "id": incident.uid, "kind": incident.kind, "status": incident.status, "unit": incident.unit.code,
        "agent": incident.agent.code if incident.agent else None,
        "system": incident.system.code if incident.system else None, "run": incident.run or None, "why": incident.why,
        "opened_at": incident.opened_at, "outcome": incident.outcome or None, "reason": incident.reason or None,
        "resolved_by": by.username if by else None, "resolved_at": incident.resolved_at, "etag": incident_tag(incident),
    }  # fmt: skip


def incident_with(incident: Incident, evidence: Iterable[Decision], *, may_resolve: bool) -> dict[str, Any]:
    """An incident as the API shows it alone."""
    led = [
        {
            "decision": each.uid, "at": each.at, "agent": each.agent.code, "action": each.action,
            "resource": each.resource_id, "effect": each.effect, "rule": each.rule or None, "reason": each.reason,
        }
        for each in evidence
    ]  # fmt: skip
    return {**incident_of(incident), "evidence": led, "may_resolve": may_resolve}


# --- limits ---------------------------------------------------------------------------------------------------------
def _limit(name: str, **more: Any) -> Whole:
    least = 2 if name == "rate_factor" else 1
    return Whole(min_value=least, max_value=1440 if name == "window_minutes" else AT_MOST, **more)


def _limits(**more: Any) -> dict[str, Any]:
    return {name: _limit(name, allow_null=name != "window_minutes", **more) for name in LIMITS}


class _SafeguardChange(StrictSerializer):
    example: ClassVar[dict[str, Any]] = {"repeats": 10, "rate_factor": None, "why": "Agreed in the council."}

    why = Text(max_length=2000)


class _Safeguard(serializers.Serializer[Any]):
    role = serializers.CharField(help_text="The code of a role, or everybody.")
    is_own = serializers.BooleanField(help_text="Whether these were set for the role itself.")
    changed_by = serializers.CharField(allow_null=True)
    changed_at = serializers.DateTimeField(allow_null=True)
    etag = serializers.CharField()


SafeguardChangeInput = type(
    "SafeguardChangeInput", (_SafeguardChange,),
    {**_limits(required=False), "__doc__": "Other limits, and why; null is no limit, and what is left out stays."},
)  # fmt: skip
SafeguardOutput = type(
    "SafeguardOutput", (_Safeguard,),
    {
        **{name: serializers.IntegerField(allow_null=name != "window_minutes") for name in LIMITS},
        "__doc__": "At which limits agents of a role are stopped; null is no limit. `etag` for If-Match.",
    },
)  # fmt: skip


def safeguard_tag(role: str, rule: SafeguardRule | None) -> str:
    """The entity tag of what was set for a role; of nothing, if nothing was."""
    return etag(role, *((*(getattr(rule, name) for name in LIMITS), rule.changed_at) if rule else ("not set",)))


def safeguard_of(role: str, rule: SafeguardRule | None, limits: Limits) -> dict[str, Any]:
    """The limits that hold for a role as the API shows them; `rule` is the role's own."""
    by = rule.changed_by if rule else None
    return {
        "role": role or EVERYBODY, "is_own": rule is not None, "changed_by": by.username if by else None,
        "changed_at": rule.changed_at if rule else None, "etag": safeguard_tag(role, rule),
        **{name: getattr(limits, name) for name in LIMITS},
    }  # fmt: skip


# --- circuits -------------------------------------------------------------------------------------------------------
class CircuitChangeInput(StrictSerializer):
    """When a system is left alone and whether it is to be trusted, and why; what is left out stays."""

    example: ClassVar[dict[str, Any]] = {"percent": 30, "is_untrusted": True, "why": "It reads the open web."}

    percent = Whole(min_value=1, max_value=100, required=False)
    at_least = Whole(min_value=1, max_value=AT_MOST, required=False)
    window_minutes = Whole(min_value=1, max_value=FUSE_BOUNDS["window_minutes"][1], required=False)
    cool_down_seconds = Whole(min_value=1, max_value=FUSE_BOUNDS["cool_down_seconds"][1], required=False)
    trials = Whole(min_value=1, max_value=FUSE_BOUNDS["trials"][1], required=False)
    is_untrusted = YesNo(required=False)
    why = Text(max_length=2000)


class CircuitOutput(serializers.Serializer[Any]):
    """The circuit breaker of a system: its state and settings; a system of which nothing is known yet works. `incident`
    is the open one about it. `etag` for If-Match."""

    system = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    status = serializers.ChoiceField(SystemGuard.Status.choices)
    since = serializers.DateTimeField(allow_null=True)
    retry_at = serializers.DateTimeField(allow_null=True, help_text="When trials are let through; null while it works.")
    trials_left = serializers.IntegerField()
    incident = serializers.UUIDField(allow_null=True)
    percent = serializers.IntegerField()
    at_least = serializers.IntegerField()
    window_minutes = serializers.IntegerField()
    cool_down_seconds = serializers.IntegerField()
    trials = serializers.IntegerField()
    is_untrusted = serializers.BooleanField()
    etag = serializers.CharField()


def circuit_tag(guard: SystemGuard) -> str:
    """The entity tag of what people set of a circuit breaker; its state changes none."""
    return etag(guard.system.code, *(getattr(guard, name) for name in FUSE), guard.is_untrusted)


def circuits_of(systems: Iterable[System]) -> list[dict[str, Any]]:
    """The circuit breakers of these systems as the API shows them."""
    rows = list(systems)
    guards = {guard.system_id: guard for guard in SystemGuard.objects.filter(system__in=rows)}
    found = Incident.objects.open().filter(kind=Incident.Kind.CIRCUIT, system__in=rows)
    incidents = dict(found.values_list("system", "uid"))
    return [circuit_of(guards.get(each.pk), each, incidents.get(each.pk)) for each in rows]


def circuit_of(guard: SystemGuard | None, system: System, incident: Any) -> dict[str, Any]:
    """The circuit breaker of one system, with the usual settings if it has none yet."""
    guard = guard or SystemGuard(system=system)
    guard.system = system
    return {
        "system": system.code, "name": system.name, "unit": system.unit.code, "status": guard.status,
        "since": guard.since, "retry_at": None if guard.status == SystemGuard.Status.CLOSED else guard.retry_at,
        "trials_left": guard.trials_left, "incident": incident, **{name: getattr(guard, name) for name in FUSE},
        "is_untrusted": guard.is_untrusted, "etag": circuit_tag(guard),
    }  # fmt: skip
