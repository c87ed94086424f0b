"""A person lets one agent act for the person: consent, withdraw."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from agents.models import Agent, Consent, Principal
from agents.operations.agents import require_working
from agents.operations.keys import checked_scopes
from agents.rules import ALL_SCOPES
from agents.rules.keys import CONSENT_START, secret_digest
from observability import ledger

CONSENT_MINUTES = 15


@transaction.atomic
def give_consent(
    agent: Agent, *, by: Principal, at: datetime, scopes: Sequence[str] = ALL_SCOPES, minutes: int = CONSENT_MINUTES
) -> tuple[Consent, str]:
    """Let the agent act for the person: the consent, and the text that the agent exchanges for a token, once. This is
    the only time that it is known."""
    if not by.is_person or not by.is_active:
        raise ledger.NotAllowed("Only a person can let an agent act for the person.")
    if not 1 <= minutes <= CONSENT_MINUTES:
        raise ledger.Invalid(fields={"minutes": f"An agent acts for you for 1 to {CONSENT_MINUTES} minutes."})
    require_working(agent, at)
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    consent = Consent.objects.create(
        person=by, agent=agent, prefix=prefix, secret_sha256=secret_digest(secret), scopes=checked_scopes(scopes),
        created_at=at, expires_at=at + timedelta(minutes=minutes),
    )  # fmt: skip
    ledger.record("consent.given", consent, by=by, at=at, after=consent.status, data={"scopes": consent.scopes})
    return consent, f"{CONSENT_START}{prefix}_{secret}"


def withdraw_consent(consent: Consent, *, by: Principal, at: datetime) -> None:
    """Let the agent act for the person no longer, from its next request on; only the person who gave it."""
    if by.pk != consent.person_id:
        raise ledger.NotAllowed("Only who gave a consent can withdraw it.")
    ledger.move(consent, Consent.Status.WITHDRAWN, by=by, verb="consent.withdrawn", at=at)
