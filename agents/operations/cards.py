"""Agent cards (A2A): publish and sign the card of an agent here; pin one from elsewhere, and see it change."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from agents.models import Agent, ForeignCard, Principal, Unit
from agents.operations.access import require
from agents.operations.reasons import check_length
from agents.operations.signing import sign_detached
from agents.rules.cards import BadCard, Read, read_card, read_of, signed_part
from observability import ledger


class CardChanged(ledger.Refused):
    """The card changed since you read it. Nothing was accepted; read it again."""

    code = "card_changed"


def signed_card(card: dict[str, Any], *, keys_at: str) -> dict[str, Any]:
    """The card with the server's signature; `keys_at` is where its public key stands."""
    protected, signature = sign_detached(signed_part(card), typ="JOSE", jku=keys_at)
    return {**card, "signatures": [{"protected": protected, "signature": signature}]}


@transaction.atomic
def publish_card(agent: Agent, *, published: bool, by: ledger.Acts, at: datetime) -> None:
    """Show the agent's card to everybody, or only to those who may see the agent."""
    require(by, "agents.change_agent", agent)
    changed = Agent.objects.filter(pk=agent.pk, card_published=not published).update(card_published=published)
    if not changed:
        raise ledger.WrongStatus(f"The card of {agent} is {'published' if published else 'not published'} already.")
    agent.card_published = published
    ledger.record("agent.card_published" if published else "agent.card_hidden", agent, by=by, at=at)


def import_card(file: bytes, *, unit: Unit, by: ledger.Acts, at: datetime) -> ForeignCard:
    """Pin the card of an agent elsewhere for a unit. A card that is there already must be the same, byte for canonical
    byte; when it is not, its status is drifted until a person accepts or withdraws it."""
    require(by, "agents.add_agent", unit)
    try:
        read = read_card(file)
    except BadCard as wrong:
        raise ledger.Invalid(str(wrong), fields={"card": str(wrong)}) from wrong
    try:
        return _imported(read, unit, by, at)
    except IntegrityError:
        return _imported(read, unit, by, at)  # somebody imported it at the same moment: now it is there


@transaction.atomic
def _imported(read: Read, unit: Unit, by: ledger.Acts, at: datetime) -> ForeignCard:
    known: ForeignCard | None = (
        ForeignCard.objects.select_for_update(of=("self",)).filter(unit=unit, url=read.url).first()
    )
    if known is None:
        return _pinned(read, unit, by, at)
    if read.sha256 == known.sha256:
        _came_back(known, by, at)
    else:
        ledger.move(
            known, ForeignCard.Status.DRIFTED, by=by, verb="card.drifted", at=at, seen=read.card,
            seen_sha256=read.sha256, seen_at=at, data={"pinned_sha256": known.sha256, "seen_sha256": read.sha256},
        )  # fmt: skip
    return known


def _pinned(read: Read, unit: Unit, by: ledger.Acts, at: datetime) -> ForeignCard:
    card = ForeignCard.objects.create(
        unit=unit, name=read.name, provider=read.provider, url=read.url, version=read.version, skills=read.skills,
        card=read.card, sha256=read.sha256, seen_at=at, pinned_at=at,
        pinned_by=by if isinstance(by, Principal) else None,
    )  # fmt: skip
    ledger.record("card.pinned", card, by=by, at=at, after=card.status, data={"sha256": card.sha256})
    return card


def _came_back(card: ForeignCard, by: ledger.Acts, at: datetime) -> None:
    if card.status == ForeignCard.Status.PINNED:
        ForeignCard.objects.filter(pk=card.pk).update(seen_at=at)
        card.seen_at = at
        return
    verb = "card.restored" if card.status == ForeignCard.Status.DRIFTED else "card.pinned"
    ledger.move(
        card, ForeignCard.Status.PINNED, by=by, verb=verb, at=at, seen=None, seen_sha256="", seen_at=at,
        data={"sha256": card.sha256},
    )  # fmt: skip


@transaction.atomic
def accept_card(card: ForeignCard, *, sha256: str, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Pin the card that came in last, as a person read it: `sha256` is its fingerprint."""
    require(by, "agents.change_agent", card.unit)
    check_length(why)
    card = ForeignCard.objects.select_for_update(of=("self",)).select_related("unit").get(pk=card.pk)
    if card.status != ForeignCard.Status.DRIFTED:
        raise ledger.WrongStatus(f"{card.as_subject().name} is {card.status}; there is nothing to accept.")
    if card.seen_sha256 != sha256:
        raise CardChanged
    read = read_of(card.newest)
    ledger.move(
        card, ForeignCard.Status.PINNED, by=by, verb="card.accepted", at=at, why=why,
        data={"before_sha256": card.sha256, "sha256": read.sha256},
        name=read.name, provider=read.provider, version=read.version, skills=read.skills, card=read.card,
        sha256=read.sha256, seen=None, seen_sha256="", pinned_at=at,
        pinned_by=by if isinstance(by, Principal) else None,
    )  # fmt: skip


def withdraw_card(card: ForeignCard, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Trust the card no longer."""
    require(by, "agents.change_agent", card.unit)
    check_length(why)
    ledger.move(card, ForeignCard.Status.WITHDRAWN, by=by, verb="card.withdrawn", at=at, why=why)
