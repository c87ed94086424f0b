"""What becomes of an agent whose sponsor left or whose last day has passed."""

from datetime import date, datetime, timedelta
from enum import StrEnum


class Watch(StrEnum):
    """What the watch does with one agent now."""

    NOTHING = "nothing"
    ALERT = "alert"
    PAUSE = "pause"
    END = "end"
    CLEAR = "clear"


def watch(
    *, sponsor_is_there: bool, missing_since: datetime | None, ends_on: date | None, at: datetime, grace: timedelta
) -> Watch:
    """Its last day passed: it ends now. The sponsor left: alert once, pause after the grace. Back again: clear."""
    if ends_on is not None and at.date() > ends_on:
        return Watch.END
    if sponsor_is_there:
        return Watch.NOTHING if missing_since is None else Watch.CLEAR
    if missing_since is None:
        return Watch.ALERT
    return Watch.PAUSE if at >= missing_since + grace else Watch.NOTHING
