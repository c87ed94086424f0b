"""What a secret looks like, and how two are compared."""

import hashlib
import hmac
import re

KEY_START = "aos_live_"
CONSENT_START = "aos_for_"
_SECRET = re.compile(r"(?P<prefix>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{32,64})")


def split_key(text: str, start: str = KEY_START) -> tuple[str, str] | None:
    """(prefix, secret) of a key as it stands in the Authorization header, or of a consent as it is exchanged; None when
    it cannot be one."""
    parts = _SECRET.fullmatch(text[len(start) :]) if text.startswith(start) else None
    return (parts["prefix"], parts["secret"]) if parts else None


def secret_digest(secret: str) -> str:
    """The SHA-256 of a secret, hex. A 256-bit random secret needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same_digest(left: str, right: str) -> bool:
    """Whether two digests are equal, in constant time."""
    return hmac.compare_digest(left, right)
