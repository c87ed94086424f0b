"""Which questions are alike, what a search looks through, when a question may come back, what a saved view keeps."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

PILE_FROM = 3
"""From how many on questions that are alike are one row of the list."""
HIGH_RISK = 3
BACK_BEFORE = timedelta(minutes=15)
"""How long before its deadline a question that somebody put aside comes back at the latest."""
SOUGHT_AT_MOST = 1000
STEPS = (Decimal(1), Decimal(2), Decimal(5))
LARGEST = Decimal(10) ** 15
VIEW_FIELDS = {
    "escalations": (
        "tab", "q", "workflow", "risk", "agent", "path", "kind", "age", "claimed", "action", "answer", "from", "to",
    ),
    "runs": (
        "q", "state", "workflow", "version", "step", "unit", "outcome", "agent", "touchless", "from", "to", "age",
        "value", "sort",
    ),
}  # fmt: skip
"""What a saved view of each list may keep: what the address of that list says."""
VIEW_TEXT_AT_MOST = {"escalations": 200, "runs": 500}


@dataclass(frozen=True)
class Likeness:
    """What makes questions alike: the same agent asks for the same kind of thing, for the same reason, along the same
    path, at the same risk, about an amount in the same band."""

    agent: str
    kind: str
    path: str
    risk: int
    currency: str = ""
    below: Decimal | None = None

    @property
    def key(self) -> str:
        """The same for all that are alike, and for nothing else; "" where no agent asks."""
        if not self.agent:
            return ""
        parts = (self.agent, self.kind, self.path, str(self.risk), self.currency, f"{self.below or ''}")
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def band_of(amount: object) -> Decimal | None:
    """The smallest of 1, 2, 5, 10, 20, 50 ... that is above the amount; None for what is no amount."""
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        return None
    if not value.is_finite() or value < 0 or value >= LARGEST:
        return None
    scale = Decimal(1)
    while True:
        for step in STEPS:
            if value < step * scale:
                return step * scale
        scale *= 10


def sought_in(*texts: str) -> str:
    """The text that a search looks through: small letters, one space between words, not too long."""
    return " ".join(" ".join(texts).casefold().split())[:SOUGHT_AT_MOST]


def latest_return(due_at: datetime) -> datetime:
    """The latest moment at which a question that was put aside comes back."""
    return due_at - BACK_BEFORE


def kept_view(query: Mapping[str, object], table: str) -> dict[str, str]:
    """The query of a saved view of a list without what is empty. Raises ValueError that says what cannot be kept."""
    unknown = sorted(set(query) - set(VIEW_FIELDS[table]))
    if unknown:
        raise ValueError(f"A view cannot be narrowed by {', '.join(unknown)}.")
    kept = {}
    for name, value in query.items():
        if not isinstance(value, str) or len(value) > VIEW_TEXT_AT_MOST[table]:
            raise ValueError(f"{name} has to be text of {VIEW_TEXT_AT_MOST[table]} characters at most.")
        if value.strip():
            kept[name] = value.strip()
    return kept
