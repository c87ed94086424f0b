"""What a session knows about how its person signed in, and the end of sessions."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F

from agents.models import Principal
from agents.rules import SECOND_FACTOR_ROLES
from observability import ledger

SECOND_FACTOR = "second_factor"
NEEDED, NOT_NEEDED = "needed", "not_needed"


class SecondFactorNeeded(ledger.Refused):
    """Your role needs a second factor. Sign in on the pages and set one up; until then nothing else is open to you."""

    status = 403
    code = "second_factor_needed"


class SignInAgain(ledger.Refused):
    """You signed in some time ago. Confirm on the pages that it is you, then repeat this. Nothing was changed."""

    status = 403
    code = "sign_in_again"


def needs_second_factor(person: Principal) -> bool:
    """Whether a role of this person needs a second factor."""
    return not SECOND_FACTOR_ROLES.isdisjoint(person.role_names)


def passed_second_factor(session: Mapping[str, Any]) -> bool:
    """Whether a second factor was shown in this session; the sessions of older versions have no record."""
    return any(record.get("method") == "mfa" for record in _records(session))


def lacks_second_factor(session: Any, person: Principal) -> bool:
    """Whether this session must set up a second factor first. Asked once for each session and then kept in it."""
    known = session.get(SECOND_FACTOR)
    if known == NOT_NEEDED or passed_second_factor(session):
        return False
    if known is None:
        known = session[SECOND_FACTOR] = NEEDED if needs_second_factor(person) else NOT_NEEDED
    return bool(known == NEEDED)


def signed_in_at(session: Mapping[str, Any]) -> datetime | None:
    """When the person last showed who it is, with a password, a second factor or single sign-on."""
    times = [record["at"] for record in _records(session) if "at" in record]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def is_recent(session: Mapping[str, Any], at: datetime) -> bool:
    """Whether the person showed who it is recently enough for an act that loosens something."""
    last = signed_in_at(session)
    return last is not None and at - last < timedelta(seconds=settings.REAUTHENTICATE_AFTER_SECONDS)


def require_recent(session: Mapping[str, Any], *, at: datetime) -> None:
    """Raise SignInAgain unless the person showed recently who it is."""
    if not is_recent(session, at):
        raise SignInAgain


def _records(session: Mapping[str, Any]) -> list[dict[str, Any]]:
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY)
    return records if isinstance(records, list) else []


@transaction.atomic
def end_sessions(person: Principal, *, keep: str | None = None) -> int:
    """End all sessions of a person; how many were listed. `keep` is the key of one that goes on: its owner gives it the
    new digest. Sockets close within seconds, because they look at the same digest."""
    listed = UserSession.objects.filter(user_id=person.pk)
    if keep is not None:
        listed = listed.exclude(session_key=keep)
    keys = list(listed.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    listed.delete()
    Principal.objects.filter(pk=person.pk).update(sessions_ended=F("sessions_ended") + 1)
    person.refresh_from_db(fields=["sessions_ended"])
    return len(keys)


@transaction.atomic
def end_session(key: str, *, by: Principal, at: datetime) -> None:
    """End one of one's own sessions, on another device for example."""
    found = UserSession.objects.filter(user_id=by.pk, session_key=key).first()
    if found is None:
        raise ledger.NotFound("This session is over already.")
    Session.objects.filter(session_key=key).delete()
    found.delete()
    ledger.record("session.ended", by, by=by, at=at, data={"sessions": 1})


@transaction.atomic
def end_other_sessions(person: Principal, *, at: datetime, keep: str) -> int:
    """End all of one's own sessions but this one; how many were listed."""
    ended = end_sessions(person, keep=keep)
    ledger.record("session.ended", person, by=person, at=at, data={"sessions": ended})
    return ended
