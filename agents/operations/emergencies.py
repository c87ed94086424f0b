"""The emergency account ("break glass"): opened at the console for a while, closed by itself, reviewed by people."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import Group
from django.db import transaction
from guardian.shortcuts import assign_perm

from agents.models import BreakGlass, Principal, Unit
from agents.operations.reasons import check_length
from agents.operations.sessions import end_sessions
from agents.rules import COUNCIL, IT, REVIEWING_ROLES, RISK
from observability import ledger

ACCOUNT = "break-glass"
MINUTES, MINUTES_AT_MOST = 60, 240
ROLES = (COUNCIL, IT, RISK)


class AlreadyOpen(ledger.Refused):
    """The emergency account is open already; it closes by itself."""

    code = "already_open"


@dataclass(frozen=True)
class Opened:
    """What the console shows once: password and the secret of the second factor are stored nowhere in the clear."""

    use: BreakGlass
    password: str = field(repr=False)
    secret: str = field(repr=False)


@transaction.atomic
def open_break_glass(*, why: str, opened_by: str, at: datetime, minutes: int = MINUTES) -> Opened:
    """Open the emergency account with the rights of council, IT and risk for at most `minutes`. Only the console calls
    this: whoever can is at the server already."""
    _check(why, minutes)
    account = _account()
    if BreakGlass.objects.filter(account=account, status=BreakGlass.Status.ARMED).exists():
        raise AlreadyOpen
    password, secret = secrets.token_urlsafe(18), generate_totp_secret()
    account.set_password(password)
    account.is_active = True
    account.save(update_fields=["password", "is_active"])
    account.groups.set(Group.objects.filter(name__in=ROLES))
    end_sessions(account)
    Authenticator.objects.filter(user_id=account.pk).delete()
    TOTP.activate(account, secret)
    use = BreakGlass.objects.create(
        account=account, opened_by=opened_by[:120], why=why, armed_at=at, expires_at=at + timedelta(minutes=minutes)
    )
    told = {"minutes": minutes, "opened_by": opened_by[:120]}
    ledger.record("break_glass.opened", use, by=ledger.SYSTEM, at=at, why=why, after=use.status, data=told)
    return Opened(use, password, secret)


def _check(why: str, minutes: int) -> None:
    wrong = {}
    if not why.strip():
        wrong["reason"] = "Say why the emergency account is opened."
    if not 1 <= minutes <= MINUTES_AT_MOST:
        wrong["minutes"] = f"It can be open for 1 to {MINUTES_AT_MOST} minutes."
    if wrong:
        raise ledger.Invalid("The emergency account was not opened.", fields=wrong)
    check_length(why)


def _account() -> Principal:
    account = Principal.objects.select_for_update().filter(username=ACCOUNT).first()
    if account is not None:
        return account
    top = Unit.objects.filter(parent=None).order_by("pk").first()
    if top is None:
        raise ledger.NotFound("There is no unit yet; build the company first.")
    account = Principal(kind=Principal.Kind.PERSON, username=ACCOUNT, name="Emergency account", unit=top)
    account.set_unusable_password()
    account.save()
    assign_perm("agents.view_unit", account, top)
    return account


def end_overdue(*, at: datetime) -> int:
    """Close the emergency account when its time has passed; how many uses were closed."""
    overdue = list(BreakGlass.objects.over(at).select_related("account"))
    for use in overdue:
        _close(use, by=ledger.SYSTEM, at=at, why="Its time has passed.")
    return len(overdue)


def close_break_glass(use: BreakGlass, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Close the emergency account before its time."""
    if not (isinstance(by, Principal) and REVIEWING_ROLES & by.role_names) and by is not ledger.SYSTEM:
        raise ledger.NotAllowed("Only the governance council and risk close the emergency account.")
    check_length(why)
    _close(use, by=by, at=at, why=why)


@transaction.atomic
def _close(use: BreakGlass, *, by: ledger.Acts, at: datetime, why: str) -> None:
    ledger.move(use, BreakGlass.Status.EXPIRED, by=by, verb="break_glass.closed", at=at, why=why, ended_at=at)
    account = use.account
    account.set_unusable_password()
    account.is_active = False
    account.save(update_fields=["password", "is_active"])
    Authenticator.objects.filter(user_id=account.pk).delete()
    end_sessions(account)


@transaction.atomic
def review_break_glass(use: BreakGlass, *, by: Principal, at: datetime, review: str) -> None:
    """Close the review of one use with what was found; council and risk do, and never the account itself."""
    if not REVIEWING_ROLES & by.role_names or by.pk == use.account_id:
        raise ledger.NotAllowed("Only the governance council and risk review a use of the emergency account.")
    if len(review.strip()) < 20:
        raise ledger.Invalid(fields={"review": "Say in a sentence or two what was done and whether it was right."})
    check_length(review)
    ledger.move(
        use, BreakGlass.Status.REVIEWED, by=by, verb="break_glass.reviewed", at=at, why=review, reviewed_by=by,
        reviewed_at=at, review=review,
    )  # fmt: skip
