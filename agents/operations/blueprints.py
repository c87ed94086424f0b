"""Blueprints: write a job description, change it, put it in force, disable it. Each governs all its agents at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from agents.models import Blueprint, Principal, Role, System, Unit, Version
from agents.operations.access import require
from agents.operations.naming import Naming, checked_changes
from agents.operations.versions import NothingChanged, keep_change, keep_first, require_reason, version_of
from agents.rules import (
    BLUEPRINT_CODE,
    RESERVED_CODES,
    wrong_with_actions,
    wrong_with_capabilities,
    wrong_with_rates,
    wrong_with_work_limit,
)
from observability import ledger

REFUSED = "The job description cannot be kept like this."
TAKEN = "There is a blueprint {} already; choose another code."


@dataclass(frozen=True)
class JobDescription:
    """What a blueprint says; `actions` and `rates` as the rows keep them."""

    name: str
    purpose: str
    role: Role
    unit: Unit
    owner: Principal
    actions: list[dict[str, Any]] = field(default_factory=list)
    autonomy_ceiling: int = 0
    risk_class: int = Blueprint.Risk.LOW
    model: str = ""
    runtime: str = ""
    rates: Mapping[str, str] = field(default_factory=dict)
    currency: str = "EUR"
    capabilities: list[str] = field(default_factory=list)
    work_limit: int = 0


def draft_blueprint(code: str, job: JobDescription, *, by: ledger.Acts, at: datetime) -> Blueprint:
    """A new blueprint in draft, as its first version. Raises Invalid that names each wrong field."""
    require(by, "agents.add_blueprint", job.unit)
    _check(job, _wrong_code(code))
    try:
        with transaction.atomic():
            return _drafted(code, job, by, at)
    except IntegrityError as meanwhile:  # somebody else was faster with the same code
        raise ledger.Invalid(REFUSED, fields={"code": TAKEN.format(code)}) from meanwhile


def _drafted(code: str, job: JobDescription, by: ledger.Acts, at: datetime) -> Blueprint:
    author = by if isinstance(by, Principal) else None
    blueprint = Blueprint.objects.create(code=code, created_by=author, created_at=at, **vars(job))
    keep_first(blueprint, by=by, at=at, why="First version.")
    ledger.record("blueprint.drafted", blueprint, by=by, at=at, after=blueprint.status)
    return blueprint


@transaction.atomic
def change_blueprint(
    blueprint: Blueprint, changes: Mapping[str, Any], *, by: ledger.Acts, at: datetime, why: str
) -> Version:
    """The blueprint with some fields of its document changed, as its next version; its agents follow at once."""
    require(by, "agents.change_blueprint", blueprint)
    require_reason(why, "the job description changes")
    lock_blueprint(blueprint)
    before = blueprint.as_document()
    wanted = checked_changes(before, changes)
    if wanted == before:
        raise NothingChanged
    job = _job(wanted)
    _check(job, {})
    if job.unit != blueprint.unit:
        require(by, "agents.add_blueprint", job.unit)
    _write(blueprint, job)
    version, told = keep_change(blueprint, before, by=by, at=at, why=why)
    ledger.record(
        "blueprint.changed", blueprint, by=by, at=at, why=why, data={"version": version.number, "changes": told}
    )  # fmt: skip
    return version


def roll_back_blueprint(blueprint: Blueprint, number: int, *, by: ledger.Acts, at: datetime, why: str) -> Version:
    """The blueprint as one of its versions says, as a new change that is checked like any other."""
    return change_blueprint(blueprint, version_of(blueprint, number).document, by=by, at=at, why=why)


def activate_blueprint(blueprint: Blueprint, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Let agents be hired from it and work, for the first time or again."""
    require(by, "agents.change_blueprint", blueprint)
    ledger.move(blueprint, Blueprint.Status.ACTIVE, by=by, verb="blueprint.activated", at=at, why=why)


def disable_blueprint(blueprint: Blueprint, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Refuse all its agents from their next request on."""
    require(by, "agents.change_blueprint", blueprint)
    require_reason(why, "the blueprint is disabled")
    ledger.move(blueprint, Blueprint.Status.DISABLED, by=by, verb="blueprint.disabled", at=at, why=why)


def lock_blueprint(blueprint: Blueprint) -> None:
    """Lock the blueprint until the transaction ends, and read it as it stands now."""
    rows = Blueprint.objects.select_for_update(of=("self",), no_key=True).select_related("role", "unit", "owner")
    blueprint.refresh_from_db(from_queryset=rows)


def _job(document: Mapping[str, Any]) -> JobDescription:
    named = Naming(document)
    rows = {"role": named.role(), "unit": named.unit(), "owner": named.person("owner")}
    named.require(REFUSED)
    return JobDescription(**{**document, **rows})


def _write(blueprint: Blueprint, job: JobDescription) -> None:
    for name, value in vars(job).items():
        setattr(blueprint, name, value)
    blueprint.save(update_fields=list(vars(job)))
    blueprint.agents.update(role=job.role, risk_class=job.risk_class)


def _wrong_code(code: str) -> dict[str, str]:
    if not BLUEPRINT_CODE.fullmatch(code) or code in RESERVED_CODES:
        return {"code": "A code has 1 to 60 small letters, digits or hyphens, as in payments-clerk; not new or chart."}
    if Blueprint.objects.filter(code=code).exists():
        return {"code": TAKEN.format(code)}
    return {}


def _check(job: JobDescription, wrong: dict[str, str]) -> None:
    for name, most in (("name", 200), ("purpose", 600)):
        if not (isinstance(getattr(job, name), str) and getattr(job, name).strip() and len(getattr(job, name)) <= most):
            wrong[name] = f"Say its {name}, in at most {most} characters."
    for name in ("model", "runtime"):
        if not (isinstance(getattr(job, name), str) and len(getattr(job, name)) <= 200):
            wrong[name] = "This has at most 200 characters."
    if not (job.owner.is_person and job.owner.is_active):
        wrong["owner"] = "Name an active person, not an agent."
    if not (type(job.autonomy_ceiling) is int and 0 <= job.autonomy_ceiling <= 4):
        wrong["autonomy_ceiling"] = "The ceiling is a whole number from 0 to 4."
    if job.risk_class not in Blueprint.Risk.values:
        wrong["risk_class"] = "The risk class is 1 (low), 2 (medium) or 3 (high)."
    if not (isinstance(job.currency, str) and len(job.currency) == 3 and job.currency.isupper()):
        wrong["currency"] = "The currency is three capital letters, as in EUR."
    said = {"actions": wrong_with_actions(job.actions, _offered()), "rates": wrong_with_rates(job.rates)}
    said |= {
        "capabilities": wrong_with_capabilities(job.capabilities), "work_limit": wrong_with_work_limit(job.work_limit)
    }  # fmt: skip
    wrong |= {name: text for name, text in said.items() if text}
    if wrong:
        raise ledger.Invalid(REFUSED, fields=wrong)


def _offered() -> dict[str, list[str]]:
    return {code: [item["name"] for item in actions] for code, actions in System.objects.values_list("code", "actions")}
