"""Reasons, as the API takes them."""

from typing import Any, ClassVar

from agents.api.doors import StrictSerializer, Text


class NothingInput(StrictSerializer):
    """An empty object: the address says everything."""

    example: ClassVar[dict[str, Any]] = {}


class ReasonInput(StrictSerializer):
    """Why it is done."""

    example: ClassVar[dict[str, Any]] = {"why": "The invoices of this month are under review."}

    why = Text(max_length=2000)


class WhyInput(StrictSerializer):
    """Why it is done, if there is something to say."""

    example: ClassVar[dict[str, Any]] = {"why": "The review is over."}

    why = Text(max_length=2000, allow_blank=True, default="")
