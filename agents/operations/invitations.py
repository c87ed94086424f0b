"""Invitations: a signed link with which a person sets a password, once, within three days."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.encoding import force_bytes, force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from agents.models import Principal
from agents.operations.movers import NotOneself, require_over
from agents.operations.people import require_council_for
from agents.operations.sessions import end_sessions
from observability import ledger


class InvitationOver(ledger.Refused):
    """This invitation was used, is too old, or a newer one was sent. Ask IT for a new one."""

    status = 410
    code = "invitation_over"


class _Tokens(PasswordResetTokenGenerator):
    """Signs the person's password as it is now, so that setting one uses the link up; sessions_ended, so that a newer
    invitation does."""

    key_salt = "agents.invitation"

    def _make_hash_value(self, user: Principal, timestamp: int) -> str:
        return f"{user.pk}:{user.password}:{user.sessions_ended}:{user.is_active}:{timestamp}"


_tokens = _Tokens()


def invitation_for(person: Principal) -> tuple[str, str]:
    """(who, token) of the link for a person who has no password yet. It is not stored anywhere."""
    return urlsafe_base64_encode(force_bytes(person.pk)), _tokens.make_token(person)


@transaction.atomic
def invite_again(person: Principal, *, by: ledger.Acts, at: datetime) -> tuple[str, str]:
    """A new link for a person who lost the password or the first link; the old password and links are void from now."""
    require_over(person, by=by)
    if isinstance(by, Principal) and by.pk == person.pk:
        raise NotOneself(about=person)
    require_council_for(person.role_names, by=by)
    if not person.is_active:
        raise ledger.WrongStatus(f"{person} is disabled and gets no invitation.")
    person.set_unusable_password()
    person.save(update_fields=["password"])
    end_sessions(person)
    ledger.record("person.invited", person, by=by, at=at)
    return invitation_for(person)


def invited(who: str, token: str) -> Principal:
    """The person whom a link invites. Raises InvitationOver."""
    try:
        pk = int(force_str(urlsafe_base64_decode(who)))
    except (ValueError, OverflowError) as wrong:
        raise InvitationOver from wrong
    person = Principal.objects.people().filter(pk=pk).first() if 0 < pk < 2**63 else None
    if person is None or not _tokens.check_token(person, token):
        raise InvitationOver
    return person


@transaction.atomic
def accept_invitation(who: str, token: str, *, password: str, at: datetime) -> Principal:
    """Set the password that the invited person chose; the link is used up."""
    person = invited(who, token)
    Principal.objects.select_for_update().get(pk=person.pk)
    person.refresh_from_db()
    if not _tokens.check_token(person, token):
        raise InvitationOver
    try:
        validate_password(password, person)
    except ValidationError as weak:
        raise ledger.Invalid(fields={"password": " ".join(weak.messages)}) from weak
    person.set_password(password)
    person.save(update_fields=["password"])
    ledger.record("person.joined", person, by=person, at=at)
    return person
