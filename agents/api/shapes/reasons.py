"""Reasons, as the API takes them."""

from agents.api.doors import StrictSerializer, Text


class ReasonInput(StrictSerializer):
    """Why it is done."""

    why = Text(max_length=2000)


class WhyInput(StrictSerializer):
    """Why it is done, if there is something to say."""

    why = Text(max_length=2000, allow_blank=True, default="")
