"""Rules of governance, retrying: when something that somebody outside did not take is tried again, and for how long."""

from datetime import datetime, timedelta

FIRST, LONGEST, FACTOR = timedelta(seconds=10), timedelta(hours=2), 3
FOR = timedelta(days=1)


def next_try(attempts: int, at: datetime) -> datetime:
    """When it is tried again after so many attempts: soon at first, then ever later."""
    wait: timedelta = FIRST * FACTOR ** min(max(attempts, 1) - 1, 20)
    return at + min(LONGEST, wait)


def is_given_up(since: datetime, at: datetime) -> bool:
    """Whether it was tried for long enough: a day."""
    return at - since >= FOR
