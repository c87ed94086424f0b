"""Safeguards: the council says at which limits agents are stopped, and when a system is left alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from agents.models import Principal, Role, System
from agents.operations import require
from governance.models import FUSE, LIMITS, SafeguardRule, SystemGuard
from governance.rules.breaking import Fuse, Limits
from observability import ledger

RIGHT = "governance.set_safeguards"
AT_MOST = 1_000_000
REASON_AT_MOST = 2000
FUSE_BOUNDS: Mapping[str, tuple[int, int]] = {
    "percent": (1, 100), "at_least": (1, AT_MOST), "window_minutes": (1, 1440), "cool_down_seconds": (1, 86_400),
    "trials": (1, 1000),
}  # fmt: skip


@dataclass(frozen=True)
class SafeguardChange:
    """Which limits shall hold; `role` is the code of a role, empty for all that have no rule of their own."""

    role: str
    limits: Limits


@dataclass(frozen=True)
class CircuitChange:
    """When a system shall be left alone, and whether what comes from it is to be trusted."""

    system: System
    fuse: Fuse
    is_untrusted: bool


def lock_safeguards(role: str) -> SafeguardRule | None:
    """The rule of the role, if it has one, locked until the transaction ends."""
    return SafeguardRule.objects.select_for_update().filter(role=role).first()


def lock_circuit(system: System) -> SystemGuard:
    """The circuit breaker of the system, locked until the transaction ends; one with the usual settings if it has
    none yet."""
    System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    return SystemGuard.objects.filter(system=system).first() or SystemGuard(system=system)


@transaction.atomic
def set_safeguards(change: SafeguardChange, *, by: ledger.Acts, at: datetime, why: str) -> SafeguardRule:
    """Say at which limits agents of a role are stopped, from the next question on."""
    require(by, RIGHT)
    reason = _reason(why)
    _check(change)
    said = {name: getattr(change.limits, name) for name in LIMITS}
    rule, _ = SafeguardRule.objects.update_or_create(
        role=change.role, defaults={**said, "changed_by": _person(by), "changed_at": at}
    )
    ledger.record("safeguard.set", rule, by=by, at=at, why=reason, data=said)
    return rule


def _check(change: SafeguardChange) -> None:
    wrong = {}
    for name in LIMITS:
        value, least = getattr(change.limits, name), 2 if name == "rate_factor" else 1
        if value is None and name != "window_minutes":
            continue
        if not (type(value) is int and least <= value <= AT_MOST):
            wrong[name] = f"A whole number from {least} to {AT_MOST:,}."
    if "window_minutes" not in wrong and change.limits.window_minutes > 1440:
        wrong["window_minutes"] = "At most 1,440 minutes: a day."
    if change.role and not Role.objects.filter(code=change.role).exists():
        wrong["role"] = f"There is no role {change.role}."
    if wrong:
        raise ledger.Invalid("The limits cannot be like this.", fields=wrong)


@transaction.atomic
def drop_safeguards(rule: SafeguardRule, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Let the rule hold no more; agents of the role follow the rule for all others, or the usual limits."""
    require(by, RIGHT)
    ledger.record("safeguard.dropped", rule, by=by, at=at, why=_reason(why))
    rule.delete()


@transaction.atomic
def set_circuit(change: CircuitChange, *, by: ledger.Acts, at: datetime, why: str) -> SystemGuard:
    """Say when the system is left alone and whether it is to be trusted, from the next question on."""
    require(by, RIGHT)
    reason = _reason(why)
    wrong = {
        name: f"A whole number from {low:,} to {high:,}."
        for name, (low, high) in FUSE_BOUNDS.items()
        if not (type(getattr(change.fuse, name)) is int and low <= getattr(change.fuse, name) <= high)
    }
    if wrong:
        raise ledger.Invalid("The circuit breaker cannot be like this.", fields=wrong)
    said = {name: getattr(change.fuse, name) for name in FUSE} | {"is_untrusted": change.is_untrusted}
    guard, _ = SystemGuard.objects.update_or_create(system=change.system, defaults=said)
    ledger.record("circuit.set", guard, by=by, at=at, why=reason, data=said)
    return guard


def _person(by: ledger.Acts) -> Principal | None:
    return by if isinstance(by, Principal) else None


def _reason(text: str) -> str:
    said = text.strip()
    if not said or len(said) > REASON_AT_MOST:
        told = f"At most {REASON_AT_MOST:,} characters." if said else "A reason is needed."
        raise ledger.Invalid("Say why the safeguards change.", fields={"why": told})
    return said
