"""Agent cards (A2A 1.0): what one says about an agent here, and what one from elsewhere must be like to be kept."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import rfc8785

CARD_BYTES = 256 * 1024
LISTED_SKILLS = 100
DEPTH_AT_MOST = 32
BINDING = "urn:autonomy-os:binding:work-api"
BINDING_VERSION = "1"


class BadCard(ValueError):
    """A card that is not kept; its argument says why."""


@dataclass(frozen=True)
class Skill:
    """Something that an agent can be asked for."""

    id: str
    name: str
    description: str
    tags: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The skill as it stands in a card."""
        return {"id": self.id, "name": self.name, "description": self.description or self.name, "tags": list(self.tags)}


@dataclass(frozen=True)
class Published:
    """What a card tells of an agent here."""

    name: str
    description: str
    version: str
    organisation: str
    server: str
    scopes: Mapping[str, str]
    skills: Sequence[Skill]


def agent_card(told: Published) -> dict[str, Any]:
    """The card, still unsigned."""
    flow = {"clientCredentials": {"tokenUrl": f"{told.server}/oauth/token", "scopes": dict(told.scopes)}}
    metadata = f"{told.server}/.well-known/oauth-authorization-server"
    return {
        "name": told.name,
        "description": told.description,
        "version": told.version,
        "provider": {"organization": told.organisation, "url": told.server},
        "supportedInterfaces": [
            {"url": f"{told.server}/api/v1", "protocolBinding": BINDING, "protocolVersion": BINDING_VERSION}
        ],
        "capabilities": {},
        "securitySchemes": {"oauth2": {"oauth2SecurityScheme": {"flows": flow, "oauth2MetadataUrl": metadata}}},
        "securityRequirements": [{"schemes": {"oauth2": {"list": ["work"]}}}],
        "defaultInputModes": ["application/json"],
        "defaultOutputModes": ["application/json"],
        "skills": [skill.as_json() for skill in told.skills],
    }


def signed_part(card: Mapping[str, Any]) -> bytes:
    """The bytes that a card's signature is over: canonical JSON (RFC 8785) without signatures and empty values."""
    return rfc8785.dumps(_filled({name: value for name, value in card.items() if name != "signatures"}))


def _filled(value: Any) -> Any:
    if isinstance(value, Mapping):
        left = {name: _filled(inner) for name, inner in value.items()}
        return {name: inner for name, inner in left.items() if inner not in ("", None, [], {})}
    if isinstance(value, list):
        return [inner for inner in map(_filled, value) if inner not in ("", None, [], {})]
    return value


@dataclass(frozen=True)
class Read:
    """A card from elsewhere: what is listed of it, all of it, and its fingerprint."""

    name: str
    provider: str
    url: str
    version: str
    skills: list[dict[str, str]]
    card: dict[str, Any]
    sha256: str


def read_card(file: bytes) -> Read:
    """A foreign card as it came in (A2A 1.0 or 0.3). Raises BadCard that says what is wrong with it."""
    if len(file) > CARD_BYTES:
        raise BadCard(f"The card is larger than {CARD_BYTES // 1024} KB.")
    try:
        card = json.loads(file.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except BadCard:
        raise
    except (ValueError, RecursionError) as wrong:
        raise BadCard("The file is not JSON.") from wrong
    if not isinstance(card, dict):
        raise BadCard("A card is a JSON object.")
    return read_of(card)


def read_of(card: dict[str, Any]) -> Read:
    """The same for a card that was opened before."""
    _check_depth(card, DEPTH_AT_MOST)
    if "\\u0000" in json.dumps(card):
        raise BadCard("The card holds a character that cannot be kept.")
    provider = card.get("provider")
    return Read(
        name=_text(card, "name", 200), version=_text(card, "version", 60), url=_address(card),
        provider=_text(provider, "organization", 200) if isinstance(provider, dict) else "",
        skills=_skills(card), card=card, sha256=fingerprint(card),
    )  # fmt: skip


def fingerprint(card: Mapping[str, Any]) -> str:
    """The SHA-256 of a card's canonical JSON. Raises BadCard when it has no canonical form."""
    try:
        return hashlib.sha256(rfc8785.dumps(dict(card))).hexdigest()
    except (rfc8785.CanonicalizationError, ValueError, RecursionError) as wrong:
        raise BadCard("The card holds a number or a text that has no exact form in JSON.") from wrong


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise BadCard(f"The card is nested more than {DEPTH_AT_MOST} levels deep.")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_depth(inner, left - 1)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise BadCard("A name stands twice in the card.")
    return names


def _no_number(text: str) -> float:
    raise BadCard(f"{text} is no number here.")


def _text(card: Mapping[str, Any], name: str, at_most: int) -> str:
    value = card.get(name)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= at_most:
        raise BadCard(f"The card needs {name}, a text of 1 to {at_most} characters.")
    return value.strip()


def _address(card: Mapping[str, Any]) -> str:
    interfaces = card.get("supportedInterfaces")
    first = interfaces[0] if isinstance(interfaces, list) and interfaces else card
    url = _text(first, "url", 500) if isinstance(first, dict) else ""
    try:
        parts = urlsplit(url)
    except ValueError as wrong:
        raise BadCard("The card's url cannot be read.") from wrong
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadCard("The card's url must begin with https:// or http://.")
    return url


def _skills(card: Mapping[str, Any]) -> list[dict[str, str]]:
    skills = card.get("skills")
    if not isinstance(skills, list) or not skills or not all(isinstance(each, dict) for each in skills):
        raise BadCard("The card needs skills, at least one.")
    return [{name: str(each.get(name, ""))[:400] for name in ("id", "name", "description")} for each in skills][
        :LISTED_SKILLS
    ]


def differences(before: Any, after: Any) -> list[dict[str, str | None]]:
    """What differs between two cards, place by place, for people to read: {"field", "before", "after"}."""
    old, new = dict(_places(before)), dict(_places(after))
    places = [*old, *(place for place in new if place not in old)]
    return [
        {"field": place, "before": old.get(place), "after": new.get(place)}
        for place in places
        if old.get(place) != new.get(place)
    ]


def _places(value: Any, place: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _places(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value, 1):
            yield from _places(inner, f"{place}[{number}]")
    else:
        yield place, value if isinstance(value, str) else json.dumps(value)
