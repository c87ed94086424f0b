"""Input shapes of governance."""

from agents.api.doors import StrictSerializer, Text, Whole


class PolicyTextInput(StrictSerializer):
    """A policy as text, YAML or JSON."""

    text = Text(max_length=400_000, trim_whitespace=False)


class PolicyInput(PolicyTextInput):
    """A policy to keep as a draft; `unit` is the code of the unit a new policy belongs to, by default one's own."""

    unit = Text(max_length=60, allow_blank=True, default="")


class ActivateInput(StrictSerializer):
    """Which version shall decide from now on."""

    version = Whole(min_value=1)
