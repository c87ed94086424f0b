"""Which values of a series are more than chance: control limits, and the place from which values lie outside.

Sources: NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.3.2 (p chart) and 6.3.2.2 (individuals and moving range)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

POINTS_AT_LEAST = 8
"""With fewer values there are no limits: chance alone would set them."""
SIGMAS = 3
OF_MOVING_RANGE = 2.66  # 3 / d2, with d2 = 1.128 for ranges of two


@dataclass(frozen=True)
class Limits:
    """The middle of a series and for each of its values the limits, within which chance alone explains it."""

    middle: float
    lower: tuple[float, ...]
    upper: tuple[float, ...]

    def outside(self, values: Sequence[float]) -> list[int]:
        """The places of the values that lie outside."""
        three = zip(values, self.lower, self.upper, strict=True)
        return [place for place, (value, low, high) in enumerate(three) if not low <= value <= high]


def limits_of_shares(parts: Sequence[int], wholes: Sequence[int]) -> Limits | None:
    """The p chart of shares `parts` of `wholes`, none of them 0: three standard deviations of the binomial distribution
    around the share of all together, wider where there is little. None for too few values."""
    if len(parts) < POINTS_AT_LEAST:
        return None
    middle = sum(parts) / sum(wholes)
    width = [SIGMAS * sqrt(middle * (1 - middle) / whole) for whole in wholes]
    return Limits(
        middle, tuple(max(0.0, middle - each) for each in width), tuple(min(1.0, middle + each) for each in width)
    )


def limits_of_values(values: Sequence[float]) -> Limits | None:
    """The chart of individual values (XmR): 2.66 times the mean difference of neighbours around the mean, never below 0.
    None for too few values."""
    if len(values) < POINTS_AT_LEAST:
        return None
    middle = sum(values) / len(values)
    width = OF_MOVING_RANGE * sum(abs(b - a) for a, b in pairwise(values)) / (len(values) - 1)
    count = len(values)
    return Limits(middle, (max(0.0, middle - width),) * count, (middle + width,) * count)
