"""The leaf of an entry: what of it is proved for ever, and what can be erased without breaking a proof.

The envelope says who did what to what, when and in which version; the payload is what may hold personal content. The
envelope holds only a salted digest of the payload, so that erasing payload and salt leaves every proof valid."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import rfc8785

from observability.merkle.tree import leaf_hash

PAYLOAD = ("subject_name", "why", "data", "address")
TEXTS = (
    "verb", "actor_kind", "actor_id", "actor_name", "subject_kind", "subject_id", "before", "after", "run", "workflow",
    "unit", "credential", "actor_version", "trace",
)  # fmt: skip
EXACT_UP_TO = 2**53 - 1
_plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False).encode


@dataclass(frozen=True)
class Leaf:
    """What of an entry goes into the tree: the canonical envelope, and its leaf hash."""

    envelope: bytes
    hash: bytes


def payload_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What of the entry can be erased."""
    return {name: entry[name] for name in PAYLOAD}


def digest_of(salt: bytes, payload: Mapping[str, Any]) -> bytes:
    """SHA-256 of the salt and the canonical payload, 32 bytes."""
    return sha256(salt + canonical(payload)).digest()


def envelope_of(entry: Mapping[str, Any], *, position: int, digest: bytes) -> dict[str, Any]:
    """What of the entry is proved for ever: all values are text, numbers and times too."""
    return {
        **{name: entry[name] for name in TEXTS},
        "id": str(entry["uid"]),
        "at": moment(entry["at"]),
        "cost": exact(entry["cost"], 6),
        "seconds": exact(entry["seconds"], 3),
        "on_behalf_of": entry["on_behalf_of"],
        "position": str(position),
        "payload_digest": digest.hex(),
    }


def leaf_of(entry: Mapping[str, Any], *, position: int, digest: bytes) -> Leaf:
    """The leaf of the entry at this position (from 1), whose payload has this digest."""
    envelope = envelope_of(entry, position=position, digest=digest)
    # Without anybody acted for all of it is text, which JSON has only one way to tell once the names are in order.
    told = canonical(envelope) if envelope["on_behalf_of"] else _plain(envelope).encode()
    return Leaf(told, leaf_hash(told))


def moment(at: datetime) -> str:
    """The time in UTC, always with microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def exact(number: Decimal | None, places: int) -> str | None:
    """The number with this many decimal places as text, None for none."""
    return None if number is None else f"{number:.{places}f}"


def canonical(value: Any) -> bytes:
    """The value as RFC 8785 tells it; a number that it cannot tell exactly becomes text."""
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError:
        return rfc8785.dumps(_tellable(value))


def _tellable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _tellable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_tellable(inner) for inner in value]
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and abs(value) <= EXACT_UP_TO:
        return value
    if isinstance(value, float) and abs(value) < float("inf"):
        return value
    return str(value)
