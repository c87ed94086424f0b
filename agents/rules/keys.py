"""What a secret looks like, and how two are compared."""

import hashlib
import hmac
import re

KEY_START = "aos_live_"
_KEY = re.compile(rf"{KEY_START}(?P<prefix>[0-9a-f]{{12}})_(?P<secret>[A-Za-z0-9_-]{{32,64}})")


def split_key(text: str) -> tuple[str, str] | None:
    """(prefix, secret) of a key as it stands in the Authorization header, or None when it cannot be one."""
    parts = _KEY.fullmatch(text)
    return (parts["prefix"], parts["secret"]) if parts else None


def secret_digest(secret: str) -> str:
    """The SHA-256 of a secret, hex. A 256-bit random secret needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same_digest(left: str, right: str) -> bool:
    """Whether two digests are equal, in constant time."""
    return hmac.compare_digest(left, right)
