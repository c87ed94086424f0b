"""What can be done with identities, in the order of their life: admit, hire, activate, key, pause, retire."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from guardian.shortcuts import assign_perm
from lucide import IconDoesNotExist
from lucide.templatetags.lucide import lucide

from agents.models import Agent, Key, Principal, Role, System, Unit
from agents.rules import AGENT_CODE, KEY_START, PEOPLE_ROLES, same_digest, secret_digest, split_key
from observability import ledger

KEY_DAYS = 90
LONGEST_KEY_DAYS = 366
WHY_AT_MOST = 2000
USE_IS_NOTED_EVERY = timedelta(seconds=60)


class UnknownKey(ledger.Refused):
    """This key is unknown, revoked or expired. Ask IT for a new one."""

    status = 401
    code = "unknown_key"


class AgentNotActive(ledger.Refused):
    """This agent is not active and gets no work."""

    status = 403
    code = "agent_not_active"


@dataclass(frozen=True)
class Hired:
    """What hiring an agent asks for; `ends_on` is its last day, if it has one."""

    code: str
    name: str
    purpose: str
    unit: Unit
    role: Role
    accountable: Principal
    stand_in: Principal | None = None
    autonomy_level: int = 0
    risk_class: int = Agent.Risk.LOW
    runtime: str = ""
    ends_on: date | None = None
    icon: str = "bot"


def require(by: ledger.Acts, permission: str, row: Any = None) -> None:
    """Raise NotAllowed unless `by` is the system itself or holds the permission for the row."""
    if by is ledger.SYSTEM:
        return
    holder = by.principal if isinstance(by, Agent) else by
    if not (isinstance(holder, Principal) and holder.is_active and holder.may(permission, row)):
        raise ledger.NotAllowed(f"{by.as_actor().name} may not do this ({permission}).")


def define_people_roles() -> None:
    """Create the groups for people's roles with exactly the permissions that the rules give them."""
    for role in PEOPLE_ROLES:
        group, _ = Group.objects.get_or_create(name=role.name)
        group.permissions.set([_permission(name) for name in role.permissions])


def _permission(name: str) -> Permission:
    app, _, codename = name.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


@transaction.atomic
def add_unit(code: str, name: str, *, parent: Unit | None, by: ledger.Acts, at: datetime) -> Unit:
    """A new unit below `parent`, or at the top."""
    require(by, "agents.add_unit")
    unit = Unit.objects.create(code=code, name=name, parent=parent)
    unit.path = f"{parent.path if parent else ''}{unit.pk}/"
    unit.save(update_fields=["path"])
    ledger.record("unit.added", unit, by=by, at=at)
    return unit


@transaction.atomic
def admit_person(
    username: str, name: str, *, unit: Unit, roles: list[str], password: str, by: ledger.Acts, at: datetime,
    title: str = "", email: str = "",
) -> Principal:  # fmt: skip
    """A person who can sign in, with roles (group names), seeing their own unit and everything below it."""
    require(by, "agents.add_principal")
    groups = list(Group.objects.filter(name__in=roles))
    person = Principal(
        kind=Principal.Kind.PERSON, username=username, name=name, unit=unit, title=title, email=email
    )  # fmt: skip
    _check_person(person, password, unknown=set(roles) - {group.name for group in groups})
    person.set_password(password)
    person.save()
    person.groups.set(groups)
    grant("agents.view_unit", person, unit, by=by, at=at)
    if "unit_owner" in roles:
        grant("agents.manage_unit", person, unit, by=by, at=at)
    ledger.record("person.admitted", person, by=by, at=at, data={"roles": sorted(roles)})
    return person


def _check_person(person: Principal, password: str, *, unknown: set[str]) -> None:
    wrong: dict[str, str] = {}
    if Principal.objects.filter(username=person.username).exists():
        wrong["username"] = f"{person.username} is taken; choose another name."
    if unknown:
        wrong["roles"] = f"There is no role {', '.join(sorted(unknown))}."
    try:
        validate_password(password, person)
    except ValidationError as weak:
        wrong["password"] = " ".join(weak.messages)
    if wrong:
        raise ledger.Invalid("The person cannot be admitted like this.", fields=wrong)


def grant(permission: str, to: Principal, row: Any, *, by: ledger.Acts, at: datetime) -> None:
    """Give a principal one permission on one row, and record who gave it."""
    require(by, "agents.change_principal")
    assign_perm(permission, to, row)
    to.forget_grants()
    ledger.record("grant.given", to, by=by, at=at, data={"permission": permission, "on": row.as_subject().name})


@transaction.atomic
def hire(job: Hired, *, by: ledger.Acts, at: datetime) -> Agent:
    """A new agent in draft, with its account and the right to see its own unit."""
    require(by, "agents.add_agent", job.unit)
    _check(job, at)
    account = Principal(
        kind=Principal.Kind.AGENT, username=f"agent:{job.code}", name=f"{job.code} {job.name}", unit=job.unit
    )
    account.set_unusable_password()
    account.save()
    agent = Agent.objects.create(principal=account, created_at=at, **vars(job))
    assign_perm("agents.view_unit", account, job.unit)
    ledger.record("agent.hired", agent, by=by, at=at, after=agent.status)
    return agent


def _check(job: Hired, at: datetime) -> None:
    wrong: dict[str, str] = {}
    if not AGENT_CODE.fullmatch(job.code):
        wrong["code"] = "A code has 1 to 20 letters, digits, dots, hyphens or underscores, as in AP-04."
    elif Agent.objects.filter(code=job.code).exists():
        wrong["code"] = f"There is an agent {job.code} already; choose another code."
    for field in ("name", "purpose"):
        if not getattr(job, field).strip():
            wrong[field] = f"Say the agent's {field}."
    for field, person in (("accountable", job.accountable), ("stand_in", job.stand_in)):
        if person is not None and not (person.is_person and person.is_active):
            wrong[field] = "Name an active person, not an agent."
    if job.ends_on is not None and job.ends_on <= at.date():
        wrong["ends_on"] = "The end date lies in the past; choose a later day."
    if not 0 <= job.autonomy_level <= 4:
        wrong["autonomy_level"] = "The autonomy level is a whole number from 0 to 4."
    if job.risk_class not in Agent.Risk.values:
        wrong["risk_class"] = "The risk class is 1 (low), 2 (medium) or 3 (high)."
    if not _is_icon(job.icon):
        wrong["icon"] = "There is no such icon; take a name from lucide.dev, as in bot."
    if wrong:
        raise ledger.Invalid("The agent cannot be hired like this.", fields=wrong)


def _is_icon(name: str) -> bool:
    try:
        lucide(name)
    except IconDoesNotExist:
        return False
    return True


def activate(agent: Agent, *, by: ledger.Acts, at: datetime) -> None:
    """Let a draft agent begin to work."""
    require(by, "agents.change_agent", agent)
    ledger.move(agent, Agent.Status.ACTIVE, by=by, verb="agent.activated", at=at)


def pause(agent: Agent, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Stop the agent: it gets no work and no yes from the next request on."""
    require(by, "agents.pause_agent", agent)
    if not why.strip():
        raise ledger.Invalid("Say why the agent is paused.", fields={"why": "A reason is needed."})
    _check_length(why)
    ledger.move(agent, Agent.Status.PAUSED, by=by, verb="agent.paused", at=at, why=why)


def resume(agent: Agent, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Let a paused agent work again."""
    require(by, "agents.pause_agent", agent)
    _check_length(why)
    if agent.status != Agent.Status.PAUSED:
        raise ledger.WrongStatus(f"{agent} is {agent.status}; only a paused agent can be resumed.")
    ledger.move(agent, Agent.Status.ACTIVE, by=by, verb="agent.resumed", at=at, why=why)


def _check_length(why: str) -> None:
    if len(why) > WHY_AT_MOST:
        raise ledger.Invalid(fields={"why": f"The reason is longer than {WHY_AT_MOST} characters."})


@transaction.atomic
def retire(agent: Agent, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """End the agent's work for good and revoke its keys."""
    require(by, "agents.change_agent", agent)
    _check_length(why)
    ledger.move(agent, Agent.Status.RETIRED, by=by, verb="agent.retired", at=at, why=why)
    for key in agent.keys.filter(status=Key.Status.ACTIVE):
        ledger.move(key, Key.Status.REVOKED, by=by, verb="key.revoked", at=at, why="The agent retired.")


@transaction.atomic
def issue_key(agent: Agent, *, by: ledger.Acts, at: datetime, days: int = KEY_DAYS) -> str:
    """A new key for the agent, valid for `days`. This is the only time that its text is known."""
    require(by, "agents.key_agent", agent)
    if agent.status == Agent.Status.RETIRED:
        raise ledger.WrongStatus(f"{agent} is retired and gets no key any more.")
    if not 1 <= days <= LONGEST_KEY_DAYS:
        raise ledger.Invalid(fields={"days": f"A key is valid for 1 to {LONGEST_KEY_DAYS} days."})
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = Key.objects.create(
        agent=agent, prefix=prefix, secret_sha256=secret_digest(secret), created_at=at,
        created_by=by if isinstance(by, Principal) else None, expires_at=at + timedelta(days=days),
    )  # fmt: skip
    ledger.record("key.issued", key, by=by, at=at, after=key.status)
    return f"{KEY_START}{prefix}_{secret}"


def revoke_key(key: Key, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Make a key open nothing from the next request on."""
    require(by, "agents.key_agent", key.agent)
    _check_length(why)
    ledger.move(key, Key.Status.REVOKED, by=by, verb="key.revoked", at=at, why=why)


def sign_in_with_key(text: str, *, at: datetime) -> Agent:
    """The active agent whose key this is. Raises UnknownKey for anything but an active, unexpired key, AgentNotActive
    for an agent that is in draft, paused, retired or past its last day."""
    parts = split_key(text)
    if parts is None:
        raise UnknownKey
    key = Key.objects.select_related("agent__principal", "agent__role", "agent__unit").filter(prefix=parts[0]).first()
    # The digest is compared for an unknown prefix too, so that the time tells nothing.
    right = same_digest(key.secret_sha256 if key else "0" * 64, secret_digest(parts[1]))
    if key is None or not right or key.status != Key.Status.ACTIVE or key.expired(at):
        raise UnknownKey
    require_active(key.agent)
    if key.agent.ends_on is not None and at.date() > key.agent.ends_on:
        raise AgentNotActive(f"{key.agent} worked until {key.agent.ends_on} and gets no work any more.")
    _note_use(key, at)
    return key.agent


def _note_use(key: Key, at: datetime) -> None:
    if key.last_used_at is None or at - key.last_used_at > USE_IS_NOTED_EVERY:
        Key.objects.filter(pk=key.pk).update(last_used_at=at)
        Agent.objects.filter(pk=key.agent_id).update(last_seen_at=at)


def require_active(agent: Agent) -> None:
    """Raise AgentNotActive unless the agent may work right now."""
    if agent.status != Agent.Status.ACTIVE:
        raise AgentNotActive(f"{agent} is {agent.status} and gets no work.")
    if not agent.principal.is_active:
        raise AgentNotActive(f"The account of {agent} is closed; it gets no work.")


@transaction.atomic
def add_system(
    code: str, name: str, *, unit: Unit, resource: str, actions: list[dict[str, Any]], fields: list[dict[str, Any]],
    by: ledger.Acts, at: datetime,
) -> System:  # fmt: skip
    """Register a system that agents act upon, with its actions and the typed fields of its requests."""
    require(by, "agents.add_system", unit)
    system = System.objects.create(code=code, name=name, unit=unit, resource=resource, actions=actions, fields=fields)
    ledger.record("system.added", system, by=by, at=at)
    return system
