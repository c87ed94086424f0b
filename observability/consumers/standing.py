"""Who may still listen: the sessions and rights behind many sockets, read for all of them at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.db.models.functions import Now

SESSION_ENDED, RIGHT_LOST = 4401, 4403
AT_ONCE = 400  # sessions or people in one statement


@dataclass(frozen=True)
class Reach:
    """What somebody may hear of now: events of these units, with `everything` also those of none."""

    units: frozenset[int] = frozenset()
    everything: bool = False


@dataclass(frozen=True)
class Listener:
    """The session behind one socket, whose it is, and the digest that it carries."""

    session_key: str
    person: int
    digest: str


def listener_of(scope: Mapping[str, Any]) -> Listener | None:
    """Who opened a socket: a signed-in person, or nobody."""
    user, session = scope.get("user"), scope.get("session")
    if user is None or not user.is_authenticated or not user.is_person or session is None:
        return None
    return Listener(session.session_key or "", user.pk, str(session.get(HASH_SESSION_KEY, "")))


def standing_of(listeners: Iterable[Listener]) -> dict[Listener, Reach]:
    """What each of them may hear of now; who is missing has no session any more."""
    asked = set(listeners)
    signed_in = set(_in_parts(_sessions, sorted({each.session_key for each in asked})))
    people = {each.pk: each for each in _in_parts(_people, sorted({each.person for each in asked}))}
    reaches = {pk: Reach(frozenset(person.unit_ids()), person.sees_all_units) for pk, person in people.items()}
    # All sessions of a person end by a new digest, with none of them looked for.
    digests = {pk: person.get_session_auth_hash() for pk, person in people.items()}
    return {
        each: reaches[each.person]
        for each in asked
        if each.session_key in signed_in and digests.get(each.person) == each.digest
    }


def _in_parts(read: Any, keys: list[Any]) -> Iterable[Any]:
    for start in range(0, len(keys), AT_ONCE):
        yield from read(keys[start : start + AT_ONCE])


def _sessions(keys: list[str]) -> Iterable[str]:
    alive = Session.objects.filter(session_key__in=keys, expire_date__gt=Now())
    return alive.values_list("session_key", flat=True)


def _people(pks: list[int]) -> Iterable[Any]:
    found: Iterable[Any] = get_user_model()._default_manager.with_reach(pks)
    return found
