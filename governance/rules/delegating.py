"""When one person may decide for another: never in a ring, never for too long. Plain values in, plain values out."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

LONGEST = timedelta(days=90)


def leads_back(edges: Iterable[tuple[int, int]], *, person: int, delegate: int) -> bool:
    """Whether delegations that hold at the same time, as (person, delegate), lead from the delegate back to the
    person: then everybody in the ring would be away, and each would count on the next."""
    onward: dict[int, set[int]] = defaultdict(set)
    for absent, deciding in edges:
        onward[absent].add(deciding)
    seen, ahead = {delegate}, [delegate]
    while ahead:
        for following in onward[ahead.pop()] - seen:
            seen.add(following)
            ahead.append(following)
    return person in seen


def wrong_period(starts_at: datetime, ends_at: datetime, at: datetime) -> dict[str, str]:
    """What is wrong with the period of a delegation, by field."""
    wrong: dict[str, str] = {}
    if starts_at < at:
        wrong["starts_at"] = "The beginning lies in the past; choose a later moment or leave it out to begin now."
    if ends_at <= at:
        wrong["ends_at"] = "The end lies in the past; choose a later moment."
    elif ends_at <= starts_at:
        wrong["ends_at"] = "The end must come after the beginning."
    elif ends_at - starts_at > LONGEST:
        wrong["ends_at"] = f"A delegation lasts {LONGEST.days} days at most; choose an earlier end."
    return wrong
