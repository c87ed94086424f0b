"""The public keys with which agents prove who they are at the token endpoint: register, revoke."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from joserfc.jwk import JWKRegistry

from agents.models import Agent, ClientKey, Principal
from agents.operations.access import require
from agents.operations.keys import LONGEST_KEY_DAYS, checked_scopes
from agents.operations.reasons import check_length
from agents.rules import ALL_SCOPES
from agents.rules.tokens import KID, BadKey, public_key
from observability import ledger

CLIENT_KEY_DAYS = 365


def register_client_key(
    agent: Agent, jwk: Mapping[str, Any], *, by: ledger.Acts, at: datetime, scopes: Sequence[str] = ALL_SCOPES,
    days: int = CLIENT_KEY_DAYS,
) -> ClientKey:  # fmt: skip
    """Keep the public half of an agent's key pair (JWK). Its kid is the one in the key, or else the thumbprint."""
    require(by, "agents.key_agent", agent)
    if agent.status == Agent.Status.RETIRED:
        raise ledger.WrongStatus(f"{agent} is retired and gets no key any more.")
    if not 1 <= days <= LONGEST_KEY_DAYS:
        raise ledger.Invalid(fields={"days": f"A key is valid for 1 to {LONGEST_KEY_DAYS} days."})
    plain, kid = _read(jwk)
    try:
        with transaction.atomic():
            key = ClientKey.objects.create(
                agent=agent, kid=kid, jwk=plain, scopes=checked_scopes(scopes), created_at=at,
                created_by=by if isinstance(by, Principal) else None, expires_at=at + timedelta(days=days),
            )  # fmt: skip
            ledger.record("client_key.registered", key, by=by, at=at, after=key.status, data={"scopes": key.scopes})
    except IntegrityError as taken:
        raise ledger.Invalid(
            fields={"jwk": f"{agent.code} has a key {kid} already; a kid is never used twice."}
        ) from taken
    return key


def _read(jwk: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    try:
        plain = public_key(jwk)
    except BadKey as wrong:
        raise ledger.Invalid(fields={"jwk": str(wrong)}) from wrong
    kid = jwk.get("kid") or JWKRegistry.import_key(plain).thumbprint()
    if not isinstance(kid, str) or not KID.fullmatch(kid):
        raise ledger.Invalid(fields={"jwk": "The kid must have 1 to 100 letters, digits and . _ ~ : @ = -."})
    return plain, kid


def revoke_client_key(key: ClientKey, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Make a public key, and every token that was had with it, open nothing from the next request on."""
    require(by, "agents.key_agent", key.agent)
    check_length(why)
    ledger.move(key, ClientKey.Status.REVOKED, by=by, verb="client_key.revoked", at=at, why=why)
