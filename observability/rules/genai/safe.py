"""Which attributes are kept: numbers, flags and short names; not what people wrote or read, nor what opens a door."""

import re
from collections.abc import Mapping
from typing import Any

from observability.rules.genai.names import CONTENT

SHORT = 200  # characters of a text; longer ones are somebody's words
LISTED = 20
_CONTENT = frozenset(CONTENT)
SECRET = re.compile(
    r"aos_live_\w+|\b(?:sk|pk|rk|ghp|gho|xox[abp]|glpat)[-_][\w-]{12,}|\bAKIA[A-Z0-9]{16}\b"
    r"|\bey[\w-]{8,}\.[\w-]{8,}\.[\w-]+|(?i:bearer|basic)\s+[\w.~+/=-]{8,}"
    r"|-----BEGIN [A-Z ]*KEY-----|[\w.+-]+@[\w-]+\.[\w.]+"
)
MASK = "…"


def safe_text(text: str, at_most: int = SHORT) -> str:
    """The text without keys, tokens and mail addresses, cut to its length."""
    return SECRET.sub(MASK, text[: at_most * 2])[:at_most]


def kept(attributes: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """What is kept of a record's attributes, and how many are not."""
    found = {name: safe for name, value in attributes.items() if (safe := _safe(name, value)) is not None}
    return found, len(attributes) - len(found)


def is_content(name: str) -> bool:
    """Whether an attribute of this name holds what people wrote or read."""
    while name:
        if name in _CONTENT:
            return True
        name = name.rpartition(".")[0]
    return False


def _safe(name: str, value: Any) -> Any:
    if is_content(name):
        return None
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return SECRET.sub(MASK, value) if len(value) <= SHORT else None
    if isinstance(value, list) and len(value) <= LISTED and all(isinstance(each, str | int | float) for each in value):
        return [safe_text(each) if isinstance(each, str) else each for each in value]
    return None
