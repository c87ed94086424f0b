"""What a span of an agent means: many emitters' names in, one set of words out."""

from observability.rules.genai.kinds import CALLS, Kind
from observability.rules.genai.meaning import Meaning, NotPlausible, understood
from observability.rules.genai.reported import Figure, figure_of
from observability.rules.genai.safe import kept, safe_text

__all__ = [
    "CALLS", "Figure", "Kind", "Meaning", "NotPlausible", "figure_of", "kept", "safe_text", "understood",
]  # fmt: skip
