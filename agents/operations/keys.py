"""The keys of agents: issue, rotate, revoke, sign in."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from agents.models import KEY_BY_PREFIX, Agent, Key, Principal
from agents.operations.access import require
from agents.operations.agents import require_working
from agents.operations.reasons import check_length
from agents.rules import ALL_SCOPES, KEY_START, same_digest, secret_digest, split_key
from agents.rules.scopes import UnknownScope, ordered
from observability import ledger

KEY_DAYS = 90
LONGEST_KEY_DAYS = 366
KEY_NAME_AT_MOST = 80
OVERLAP_HOURS = 24
LONGEST_OVERLAP_HOURS = 7 * 24
USE_IS_NOTED_EVERY = timedelta(seconds=60)


class UnknownKey(ledger.Refused):
    """This key is unknown, revoked or expired. Ask IT for a new one."""

    status = 401
    code = "unknown_key"


class RotationUnderWay(ledger.Refused):
    """The key that this one replaces is still valid, and two are the most. Wait until it ends, or revoke it first."""

    code = "rotation_under_way"


@transaction.atomic
def issue_key(
    agent: Agent, *, by: ledger.Acts, at: datetime, days: int = KEY_DAYS, scopes: Sequence[str] = ALL_SCOPES,
    name: str = "",
) -> str:  # fmt: skip
    """A new key for the agent that opens the doors of these scopes for `days`. This is the only time that its text is
    known."""
    require(by, "agents.key_agent", agent)
    if agent.status == Agent.Status.RETIRED:
        raise ledger.WrongStatus(f"{agent} is retired and gets no key any more.")
    if not 1 <= days <= LONGEST_KEY_DAYS:
        raise ledger.Invalid(fields={"days": f"A key is valid for 1 to {LONGEST_KEY_DAYS} days."})
    if len(name) > KEY_NAME_AT_MOST:
        raise ledger.Invalid(fields={"name": f"The name is longer than {KEY_NAME_AT_MOST} characters."})
    key, text = _new_key(agent, by=by, at=at, days=days, scopes=checked_scopes(scopes), name=name.strip())
    ledger.record("key.issued", key, by=by, at=at, after=key.status, data={"scopes": key.scopes})
    return text


def checked_scopes(scopes: Sequence[str]) -> list[str]:
    """The scopes in their order. Raises Invalid for an unknown one and for none."""
    try:
        known = ordered(scopes)
    except UnknownScope as wrong:
        raise ledger.Invalid(
            fields={"scopes": f"There is no scope {wrong}; there are {', '.join(ALL_SCOPES)}."}
        ) from wrong
    if not known:
        raise ledger.Invalid(fields={"scopes": "Choose at least one scope."})
    return known


def rotate_key(key: Key, *, by: ledger.Acts, at: datetime, overlap_hours: int = OVERLAP_HOURS) -> str:
    """A new key with the same name and scopes, while the old one opens its doors for `overlap_hours` more. Two are the
    most: a successor that was never used is replaced, since its text may have got lost. An agent may rotate the key it
    came in with."""
    if not (isinstance(by, Agent) and by.pk == key.agent_id):
        require(by, "agents.key_agent", key.agent)
    return _rotate(key, by=by, at=at, overlap_hours=overlap_hours)


@transaction.atomic
def _rotate(key: Key, *, by: ledger.Acts, at: datetime, overlap_hours: int) -> str:
    key = Key.objects.select_for_update(of=("self",)).select_related("agent").get(pk=key.pk)
    _check_rotation(key, at, overlap_hours)
    _revoke_unused_successor(key, by=by, at=at)
    new, text = _new_key(key.agent, by=by, at=at, days=KEY_DAYS, scopes=key.scopes, name=key.name, replaces=key)
    ends_at = min(key.expires_at, at + timedelta(hours=overlap_hours))
    Key.objects.filter(pk=key.pk).update(expires_at=ends_at)
    ledger.record(
        "key.rotated",
        new,
        by=by,
        at=at,
        after=new.status,
        data={"replaces": key.prefix, "old_ends_at": ends_at.isoformat()},
    )
    return text


def _check_rotation(key: Key, at: datetime, overlap_hours: int) -> None:
    if not 0 <= overlap_hours <= LONGEST_OVERLAP_HOURS:
        raise ledger.Invalid(
            fields={"overlap_hours": f"The old key stays valid for 0 to {LONGEST_OVERLAP_HOURS} hours more."}
        )
    if key.agent.status == Agent.Status.RETIRED:
        raise ledger.WrongStatus(f"{key.agent} is retired and gets no key any more.")
    if not key.opens(at):
        raise ledger.WrongStatus(f"The key {key} opens nothing any more; issue a new one.")
    if key.replaces is not None and key.replaces.opens(at):
        raise RotationUnderWay


def _revoke_unused_successor(key: Key, *, by: ledger.Acts, at: datetime) -> None:
    successor = Key.objects.select_related("agent").filter(replaces=key).first()
    if successor is None:
        return
    if successor.opens(at):
        if successor.last_used_at is not None:
            raise RotationUnderWay("This key was replaced, and the new one is in use. Rotate that one.")
        ledger.move(
            successor, Key.Status.REVOKED, by=by, verb="key.revoked", at=at, why="It was never used.", replaces=None
        )
    else:
        Key.objects.filter(pk=successor.pk).update(replaces=None)


def _new_key(
    agent: Agent, *, by: ledger.Acts, at: datetime, days: int, scopes: list[str], name: str, replaces: Key | None = None
) -> tuple[Key, str]:
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = Key.objects.create(
        agent=agent, prefix=prefix, secret_sha256=secret_digest(secret), created_at=at, scopes=scopes, name=name,
        created_by=by if isinstance(by, Principal) else None, expires_at=at + timedelta(days=days), replaces=replaces,
    )  # fmt: skip
    return key, f"{KEY_START}{prefix}_{secret}"


def revoke_key(key: Key, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Make a key open nothing from the next request on."""
    require(by, "agents.key_agent", key.agent)
    check_length(why)
    ledger.move(key, Key.Status.REVOKED, by=by, verb="key.revoked", at=at, why=why)


def sign_in_with_key(text: str, *, at: datetime) -> Agent:
    """The active agent whose key this is, with the key's scopes. Raises UnknownKey for anything but an active,
    unexpired key, AgentNotActive for an agent that is in draft, paused, retired, before its first day, past its last,
    or of a disabled blueprint."""
    parts = split_key(text)
    if parts is None:
        raise UnknownKey
    key = KEY_BY_PREFIX.first(prefix=parts[0])
    # The digest is compared for an unknown prefix too, so that the time tells nothing.
    right = same_digest(key.secret_sha256 if key else "0" * 64, secret_digest(parts[1]))
    if key is None or not right or key.status != Key.Status.ACTIVE or key.expired(at):
        raise UnknownKey
    agent = key.agent
    require_working(agent, at)
    _note_use(key, at)
    agent.scopes = frozenset(key.scopes)
    agent.caller = ledger.Caller(credential=f"key:{key.prefix}")
    return agent


def _note_use(key: Key, at: datetime) -> None:
    if key.last_used_at is None or at - key.last_used_at > USE_IS_NOTED_EVERY:
        Key.objects.filter(pk=key.pk).update(last_used_at=at)
        Agent.objects.filter(pk=key.agent_id).update(last_seen_at=at)
