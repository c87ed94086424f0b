"""The keys of agents: issue, revoke, sign in."""

import secrets
from datetime import datetime, timedelta

from django.db import transaction

from agents.models import Agent, Key, Principal
from agents.operations.access import require
from agents.operations.agents import AgentNotActive, require_active
from agents.operations.reasons import check_length
from agents.rules import KEY_START, same_digest, secret_digest, split_key
from observability import ledger

KEY_DAYS = 90
LONGEST_KEY_DAYS = 366
USE_IS_NOTED_EVERY = timedelta(seconds=60)


class UnknownKey(ledger.Refused):
    """This key is unknown, revoked or expired. Ask IT for a new one."""

    status = 401
    code = "unknown_key"


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
    check_length(why)
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
