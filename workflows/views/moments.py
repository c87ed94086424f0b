"""Days and moments in the addresses of lists: 2026-11-22, or 2026-11-22T14:05:00 in the company's time zone."""

from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

from observability.kpis import midnight

DAY_LENGTH = len("2026-11-22")


def begin_in(text: str) -> datetime | None:
    """The moment at which the named day begins, or the named moment; None for no text. Raises ValueError."""
    return _moment(text, timedelta(0))


def end_in(text: str) -> datetime | None:
    """The moment at which the named day is over, or the named moment; None for no text. Raises ValueError."""
    return _moment(text, timedelta(days=1))


def _moment(text: str, day_adds: timedelta) -> datetime | None:
    text = text.strip()
    if not text:
        return None
    try:
        if len(text) <= DAY_LENGTH:
            return midnight(date.fromisoformat(text) + day_adds)
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else timezone.make_aware(found)).astimezone(UTC)
    except OverflowError as beyond:
        raise ValueError(text) from beyond
