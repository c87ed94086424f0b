"""What both readers share: values made storable and short, attributes counted."""

import math
import re
from collections.abc import Iterable
from typing import Any

from observability.rules.otlp.records import ATTRIBUTES_AT_MOST, NAME_AT_MOST, TEXT_AT_MOST

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def text(value: str, at_most: int = TEXT_AT_MOST) -> str:
    """The text without what no database stores, cut where it is too long."""
    if len(value) > at_most:
        value = f"{value[: at_most - 1]}…"
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value) if UNSTORABLE.search(value) else value


def number(value: float) -> Any:
    """The number; as text where JSON has none for it."""
    return value if math.isfinite(value) else str(value)


def attributes(pairs: Iterable[tuple[str, Any]]) -> tuple[dict[str, Any], int]:
    """The first attributes by name, and how many are left out: too many, nameless, or a name again."""
    found: dict[str, Any] = {}
    left_out = 0
    for name, value in pairs:
        if not name or len(name) > NAME_AT_MOST or name in found or len(found) >= ATTRIBUTES_AT_MOST:
            left_out += 1
        else:
            found[text(name)] = value
    return found, left_out
