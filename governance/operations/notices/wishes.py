"""What a person wants to be told of, when, and where: only the person's own affair."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from agents.models import Principal
from governance.models import NoticePlace, NoticeWish
from governance.operations.notices.devices import application_key
from governance.operations.notices.ways import NoAddress, checked_address, masked
from governance.operations.sealing import seal
from governance.rules.notifying import Happening, Rhythm
from observability import ledger
from observability.operations import Resolve, looked_up

__all__ = ["NoAddress", "add_place", "kinds_for", "places_of", "remove_place", "save_wish", "wish_of"]
PLACES_AT_MOST = 10
NO_MAIL = "django.core.mail.backends.dummy.EmailBackend"


def wish_of(person: Principal) -> NoticeWish:
    """What this person wants; everything at once, by the company's clock, until they say otherwise."""
    return NoticeWish.objects.filter(person=person).first() or NoticeWish(person=person, zone=settings.TIME_ZONE)


def places_of(person: Principal) -> list[NoticePlace]:
    """Where this person is told."""
    return list(NoticePlace.objects.filter(person=person))


def kinds_for(person: Principal, *, device: bool = False) -> list[str]:
    """The kinds of places that this installation has for this person; with `device` also the browser that asks."""
    kinds = [NoticePlace.Kind.SLACK, NoticePlace.Kind.TEAMS, NoticePlace.Kind.WEBHOOK]
    has_mail = bool(person.email) and settings.EMAIL_BACKEND != NO_MAIL
    pushes = device and application_key()
    return [*([NoticePlace.Kind.EMAIL] if has_mail else []), *kinds, *([NoticePlace.Kind.DEVICE] if pushes else [])]


@transaction.atomic
def save_wish(
    *,
    happenings: Sequence[str],
    rhythm: str,
    zone: str,
    daily_at: time,
    quiet_from: time | None,
    quiet_until: time | None,
    by: Principal,
    at: datetime,
) -> NoticeWish:
    """Keep what the person wants from now on. Raises Invalid for half of a quiet time."""
    if (quiet_from is None) != (quiet_until is None):
        raise ledger.Invalid(fields={"quiet_until" if quiet_from else "quiet_from": "Name both ends, or none."})
    columns: dict[str, Any] = {
        "happenings": [str(Happening(each)) for each in happenings], "rhythm": str(Rhythm(rhythm)), "zone": zone,
        "daily_at": daily_at, "quiet_from": quiet_from, "quiet_until": quiet_until,
    }  # fmt: skip
    wish, _ = NoticeWish.objects.update_or_create(person=by, defaults=columns)
    ledger.record("person.notices_changed", by, by=by, at=at)
    return wish


def add_place(
    kind: str, address: str, *, base: str, by: Principal, at: datetime, resolve: Resolve = looked_up
) -> NoticePlace:
    """One more place where the person is told; an e-mail goes to the address of the account. Raises Invalid."""
    if kind not in kinds_for(by, device=True):
        raise ledger.Invalid(fields={"kind": "Choose one of the kinds of places that there are."})
    if len(places_of(by)) >= PLACES_AT_MOST:
        raise ledger.Invalid(fields={"kind": f"You have {PLACES_AT_MOST} places already. Remove one first."})
    try:
        address = by.email if kind == NoticePlace.Kind.EMAIL else checked_address(kind, address.strip(), resolve)
    except NoAddress as wrong:
        raise ledger.Invalid(fields={"address": str(wrong)}) from wrong
    digest = hashlib.sha256(f"{kind}\0{address}".encode()).hexdigest()
    place = NoticePlace(
        person=by, kind=kind, sealed=seal(address), address_sha256=digest, shown=masked(kind, address), base=base,
        added_at=at,
    )  # fmt: skip
    try:
        with transaction.atomic():
            place.save(force_insert=True)
            ledger.record("person.notice_place_added", by, by=by, at=at, data={"place": str(place)})
    except IntegrityError as twice:
        raise ledger.Invalid(fields={"address": "You are told there already."}) from twice
    return place


@transaction.atomic
def remove_place(place: NoticePlace, *, by: Principal, at: datetime) -> None:
    """The person is told there no longer; what waits to be told there is dropped with it. Raises NotFound."""
    if place.person_id != by.pk:
        raise ledger.NotFound
    ledger.record("person.notice_place_removed", by, by=by, at=at, data={"place": str(place)})
    place.delete()


def forget_place(place: NoticePlace, *, at: datetime, why: str) -> None:
    """The place itself says that it wants nothing more."""
    told = {"place": str(place)}
    ledger.record("person.notice_place_removed", place.person, by=ledger.SYSTEM, at=at, why=why, data=told)
    place.delete()
