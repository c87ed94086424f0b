"""Rules of observability: where this server may send something, how telemetry is read, how what happened is counted."""

from observability.rules.addresses import NotReachable, Target, is_public, target_of
from observability.rules.sketching import ACCURACY, Sketch, UnknownForm, key_of, packed, quantiles, unpacked_into
from observability.rules.walking import (
    AGENT,
    REVIEWER,
    REWORK,
    STEP,
    SUMS,
    WHOLE,
    Counts,
    Happened,
    Parts,
    milliseconds,
    walk,
)

__all__ = [
    "ACCURACY", "AGENT", "REVIEWER", "REWORK", "STEP", "SUMS", "WHOLE", "Counts", "Happened", "NotReachable", "Parts",
    "Sketch", "Target", "UnknownForm", "is_public", "key_of", "milliseconds", "packed", "quantiles", "target_of",
    "unpacked_into", "walk",
]  # fmt: skip
