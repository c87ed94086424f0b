"""Shapes of the API: what every shape is built on, and those about events."""

from observability.serializers.events import EntryOutput, EventOutput, EventsOutput, EventsQuery
from observability.serializers.strict import (
    Digits,
    NoQuery,
    PageQuery,
    StrictSerializer,
    Text,
    Whole,
    YesNo,
    page_of,
)

__all__ = [
    "Digits", "EntryOutput", "EventOutput", "EventsOutput", "EventsQuery", "NoQuery", "PageQuery", "StrictSerializer",
    "Text", "Whole",
    "YesNo", "page_of",
]  # fmt: skip
