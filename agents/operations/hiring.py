"""Hiring an agent from a blueprint, and changing what is written about it; each change is a version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from lucide import IconDoesNotExist
from lucide.templatetags.lucide import lucide

from agents.models import Agent, Blueprint, Principal, Unit, Version
from agents.operations.access import drop, endow, endow_new, require
from agents.operations.naming import Naming, checked_changes
from agents.operations.versions import NothingChanged, keep_change, keep_first, require_reason, version_of
from agents.rules import AGENT_CODE, RESERVED_CODES, HoursInvalid, read_hours
from observability import ledger

REFUSED = "The agent cannot be kept like this."
TAKEN = "There is an agent {} already; choose another code."


@dataclass(frozen=True)
class Hired:
    """What hiring an agent asks for; its role and risk class are those of the blueprint. `ends_on` is its last day, if
    it has one, `hours` are its working hours as `agents.rules.read_hours` takes them, empty for always."""

    code: str
    name: str
    purpose: str
    unit: Unit
    blueprint: Blueprint
    accountable: Principal
    stand_in: Principal | None = None
    autonomy_level: int = 0
    runtime: str = ""
    environment: str = Agent.Environment.PRODUCTION
    starts_on: date | None = None
    ends_on: date | None = None
    hours: Mapping[str, Any] = field(default_factory=dict)
    icon: str = "bot"


def hire(job: Hired, *, by: ledger.Acts, at: datetime) -> Agent:
    """A new agent in draft, with its account and the right to see its own unit, as its first version. Raises Invalid
    that names each wrong field."""
    require(by, "agents.add_agent", job.unit)
    creator = by if isinstance(by, Principal) else None
    wrong = _wrong_code(job.code)
    if job.blueprint.status == Blueprint.Status.DISABLED:
        wrong["blueprint"] = f"The blueprint {job.blueprint} is disabled; nobody is hired from it."
    _check(job, at, creator, wrong)
    try:
        with transaction.atomic():
            return _hire(job, creator, by, at)
    except IntegrityError as meanwhile:  # somebody else was faster with the same code
        raise ledger.Invalid(REFUSED, fields={"code": TAKEN.format(job.code)}) from meanwhile


def _hire(job: Hired, creator: Principal | None, by: ledger.Acts, at: datetime) -> Agent:
    account = Principal(
        kind=Principal.Kind.AGENT, username=f"agent:{job.code}", name=_account_name(job.code, job.name), unit=job.unit
    )
    account.set_unusable_password()
    account.save(force_insert=True)
    agent = Agent.objects.create(
        **vars(job) | {"runtime": job.runtime or job.blueprint.runtime}, role=job.blueprint.role,
        risk_class=job.blueprint.risk_class, principal=account, created_by=creator, created_at=at,
    )  # fmt: skip
    endow_new("agents.view_unit", account, job.unit, by=by, at=at, reason="It came with being hired.")
    keep_first(agent, by=by, at=at, why="Hired.")
    ledger.record("agent.hired", agent, by=by, at=at, after=agent.status)
    return agent


@transaction.atomic
def change_agent(agent: Agent, changes: Mapping[str, Any], *, by: ledger.Acts, at: datetime, why: str) -> Version:
    """The agent with some fields of its document changed, as its next version. A level rises here only in draft; later
    it is earned. Raises Invalid that names each wrong field."""
    require(by, "agents.change_agent", agent)
    require_reason(why, "the agent is changed")
    lock_agent(agent)
    _refuse_settled(agent)
    before = agent.as_document()
    wanted = checked_changes(before, changes)
    if wanted == before:
        raise NothingChanged
    job = _job(agent.code, wanted)
    _check(job, at, agent.created_by, _wrong_moves(agent, job), known_end=agent.ends_on)
    if job.unit != agent.unit:
        require(by, "agents.add_agent", job.unit)
    _write(agent, job, by, at)
    version, told = keep_change(agent, before, by=by, at=at, why=why)
    ledger.record("agent.changed", agent, by=by, at=at, why=why, data={"version": version.number, "changes": told})
    return version


@transaction.atomic
def roll_back_agent(agent: Agent, number: int, *, by: ledger.Acts, at: datetime, why: str) -> Version:
    """The agent as one of its versions says, as a new change that is checked like any other. Its autonomy level does
    not rise by that: it is earned, not restored."""
    lock_agent(agent)
    document = version_of(agent, number).document
    level = document["autonomy_level"]
    if agent.status != Agent.Status.DRAFT:
        level = min(level, agent.autonomy_level)
    return change_agent(agent, {**document, "autonomy_level": level}, by=by, at=at, why=why)


def lock_agent(agent: Agent) -> None:
    """Lock the agent until the transaction ends, and read it as it stands now."""
    # Not its key: a row that points to it may be written meanwhile, and whoever does so waits for nobody.
    rows = Agent.objects.select_for_update(of=("self",), no_key=True).with_people()
    agent.refresh_from_db(from_queryset=rows.select_related("blueprint__role", "created_by"))


def _refuse_settled(agent: Agent) -> None:
    if agent.status == Agent.Status.RETIRED:
        raise ledger.WrongStatus(f"{agent} is retired and is not changed any more.")
    if agent.status == Agent.Status.IN_REVIEW:
        raise ledger.WrongStatus(f"{agent} is in review. Send it back before you change it.")


def _job(code: str, document: Mapping[str, Any]) -> Hired:
    named = Naming(document)
    rows = {
        "blueprint": named.blueprint(), "unit": named.unit(), "accountable": named.person("accountable"),
        "stand_in": named.person("stand_in"), "starts_on": named.day("starts_on"), "ends_on": named.day("ends_on"),
    }  # fmt: skip
    named.require("Nothing was changed.")
    return Hired(code=code, **{**document, **rows})


def _write(agent: Agent, job: Hired, by: ledger.Acts, at: datetime) -> None:
    columns = {**vars(job), "role": job.blueprint.role, "risk_class": job.blueprint.risk_class}
    if job.accountable.is_active:
        columns["sponsor_missing_since"] = None
    del columns["code"]
    account, old_unit = agent.principal, agent.unit
    for name, value in columns.items():
        setattr(agent, name, value)
    agent.save(update_fields=list(columns))
    account.name, account.unit = _account_name(agent.code, job.name), job.unit
    account.save(update_fields=["name", "unit"])
    if old_unit != job.unit:
        drop("agents.view_unit", account, old_unit)
        endow("agents.view_unit", account, job.unit, by=by, at=at, reason="It came with the move.")


def _account_name(code: str, name: str) -> str:
    return f"{code} {name}"[:200]


def _wrong_code(code: str) -> dict[str, str]:
    if not AGENT_CODE.fullmatch(code) or code.lower() in RESERVED_CODES:
        return {"code": "A code has 1 to 20 letters, digits, dots, hyphens or underscores, as in AP-04."}
    if Agent.objects.filter(code=code).exists():
        return {"code": TAKEN.format(code)}
    return {}


def _wrong_moves(agent: Agent, job: Hired) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if agent.status != Agent.Status.DRAFT and job.autonomy_level > agent.autonomy_level:
        wrong["autonomy_level"] = "A higher level is earned by a promotion, not written down."
    if job.blueprint != agent.blueprint and job.blueprint.status != Blueprint.Status.ACTIVE:
        wrong["blueprint"] = f"The blueprint {job.blueprint} is not active."
    return wrong


def _check(
    job: Hired, at: datetime, creator: Principal | None, wrong: dict[str, str], *, known_end: date | None = None
) -> None:
    wrong |= {**_wrong_texts(job), **_wrong_people(job, creator), **_wrong_times(job, at, known_end)}
    ceiling = job.blueprint.autonomy_ceiling
    if not (type(job.autonomy_level) is int and 0 <= job.autonomy_level <= 4):
        wrong["autonomy_level"] = "The autonomy level is a whole number from 0 to 4."
    elif job.autonomy_level > ceiling and "autonomy_level" not in wrong:
        wrong["autonomy_level"] = f"The blueprint {job.blueprint} allows at most level {ceiling}."
    if job.environment not in Agent.Environment.values:
        wrong["environment"] = "The environment is production or test."
    if not job.unit.path.startswith(job.blueprint.unit.path):
        wrong["unit"] = f"The blueprint is for {job.blueprint.unit} and the units below it."
    if wrong:
        raise ledger.Invalid(REFUSED, fields=wrong)


def _wrong_texts(job: Hired) -> dict[str, str]:
    wrong: dict[str, str] = {}
    for name, most in (("name", 200), ("purpose", 600)):
        text = getattr(job, name)
        if not (isinstance(text, str) and text.strip()):
            wrong[name] = f"Say the agent's {name}."
        elif len(text) > most:
            wrong[name] = f"This has at most {most} characters."
    if not (isinstance(job.runtime, str) and len(job.runtime) <= 200):
        wrong["runtime"] = "This has at most 200 characters."
    if not (isinstance(job.icon, str) and _is_icon(job.icon)):
        wrong["icon"] = "There is no such icon; take a name from lucide.dev, as in bot."
    return wrong


def _wrong_people(job: Hired, creator: Principal | None) -> dict[str, str]:
    wrong: dict[str, str] = {}
    for name, person in (("accountable", job.accountable), ("stand_in", job.stand_in)):
        if person is not None and not (person.is_person and person.is_active):
            wrong[name] = "Name an active person, not an agent."
    if job.stand_in is not None and job.stand_in == job.accountable:
        wrong["stand_in"] = "The stand-in is somebody else than the accountable person."
    if job.blueprint.risk_class == Blueprint.Risk.HIGH and job.accountable == creator:
        wrong["accountable"] = "Who creates an agent of risk class 3 does not answer for it; name somebody else."
    return wrong


def _wrong_times(job: Hired, at: datetime, known_end: date | None) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if job.ends_on is not None and job.ends_on <= at.date() and job.ends_on != known_end:
        wrong["ends_on"] = "The end date lies in the past; choose a later day."
    elif job.ends_on is not None and job.starts_on is not None and job.ends_on < job.starts_on:
        wrong["ends_on"] = "The last day comes before the first one."
    try:
        if job.hours:
            read_hours(job.hours)
    except HoursInvalid as invalid:
        wrong["hours"] = str(invalid)
    return wrong


def _is_icon(name: str) -> bool:
    try:
        lucide(name)
    except IconDoesNotExist:
        return False
    return True
