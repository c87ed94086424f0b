"""What the ledger keeps of people who come and go: signed in, failed, locked, signed out, factors added and removed.

Never a password, a code or what was typed as a name: people type passwords there by mistake."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from agents.models import BreakGlass, Principal
from agents.operations.sessions import end_sessions
from observability import ledger

NOBODY = ledger.Subject(kind="person", id="unknown", name="an unknown name")


class Stranger:
    """Whoever typed a name that nobody here has."""

    def as_subject(self) -> ledger.Subject:
        """How the ledger names somebody unknown."""
        return NOBODY


def refusal(person: Principal, *, at: datetime) -> str:
    """Why this principal may not come in, empty when it may: agents never, people who were disabled neither."""
    if not person.is_person:
        return "an agent's account"
    if not person.is_active:
        return "disabled"
    latest = BreakGlass.objects.filter(account=person).order_by("-armed_at").first()
    if latest is not None and not (latest.is_open and at < latest.expires_at):
        return "the emergency account is closed"
    return ""


def named(username: str) -> Principal | None:
    """The person of this name, None for an unknown one and for agents."""
    return Principal.objects.all_people().filter(username=username[:80]).first()


def record_sign_in(person: Principal, *, at: datetime, method: str, address: str) -> None:
    """A person came in; `method` says how, as in "password, code"."""
    ledger.record("person.signed_in", person, by=person, at=at, data={"method": method, "address": address})


def record_failed_sign_in(person: Principal | None, *, at: datetime, method: str, address: str, why: str = "") -> None:
    """Somebody did not come in, known or not."""
    data = {"method": method, "address": address, **({"reason": why} if why else {})}
    ledger.record("person.sign_in_failed", person or Stranger(), by=ledger.SYSTEM, at=at, data=data)


def record_lock_out(person: Principal | None, *, at: datetime, address: str) -> None:
    """A name was locked after too many wrong passwords, whether somebody has it or not."""
    ledger.record("person.locked_out", person or Stranger(), by=ledger.SYSTEM, at=at, data={"address": address})


def record_sign_out(person: Principal, *, at: datetime) -> None:
    """A person signed out."""
    ledger.record("person.signed_out", person, by=person, at=at)


def record_confirmation(person: Principal, *, at: datetime, method: str, address: str) -> None:
    """A person who is signed in showed again who it is."""
    ledger.record("person.confirmed", person, by=person, at=at, data={"method": method, "address": address})


def record_factor(verb: str, person: Principal, *, at: datetime, kind: str) -> None:
    """A second factor was added, removed or made anew: `verb` says which, `kind` what, never the secret."""
    ledger.record(verb, person, by=person, at=at, data={"kind": kind})


@transaction.atomic
def change_password(person: Principal, *, at: datetime, keep: str, data: Mapping[str, Any] | None = None) -> None:
    """What follows one's own new password: all other sessions end, and it is told."""
    ended = end_sessions(person, keep=keep)
    ledger.record("person.password_changed", person, by=person, at=at, data={**(data or {}), "sessions": ended})
