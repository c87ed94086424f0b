"""How lengths are kept so that days add up: counts in bins whose bounds grow by a constant factor (DDSketch).

Source: Masson, Rim and Lee, DDSketch (VLDB 2019); keys and values are those of the library `ddsketch`. Bins add up in
any order to the same sketch, so that what was counted again gives the same figures to the last digit."""

from array import array
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from ddsketch.mapping import LogarithmicMapping

ACCURACY = 0.01
"""A quantile of a sketch lies at most this share above or below the exact one."""
FORM = 1
NOTHING = -32_768
"""The bin of what took less than a millisecond."""
_BINS = LogarithmicMapping(ACCURACY)

Sketch = dict[int, int]
"""Bin -> how many milliseconds fell into it."""


class UnknownForm(ValueError):
    """These bytes are no sketch of a form that is read here."""


def key_of(milliseconds: int) -> int:
    """The bin of a length."""
    return int(_BINS.key(milliseconds)) if milliseconds > 0 else NOTHING


def add_all(sketch: Sketch, other: Sketch) -> None:
    """Add what the other sketch holds to the first."""
    for key, count in other.items():
        sketch[key] = sketch.get(key, 0) + count


def packed(sketch: Sketch) -> bytes:
    """The sketch as the database keeps it: a byte for the form, then bins (2 bytes each) and counts (8 bytes each),
    little-endian; nothing for an empty one."""
    if not sketch:
        return b""
    keys, counts = array("h", sorted(sketch)), array("q", [sketch[key] for key in sorted(sketch)])
    return bytes([FORM]) + _little(keys).tobytes() + _little(counts).tobytes()


def unpacked_into(sketch: Sketch, stored: bytes | memoryview) -> None:
    """Add what is stored to the sketch. Raises UnknownForm."""
    stored = bytes(stored)
    if not stored:
        return
    bins, rest = divmod(len(stored) - 1, 10)
    if stored[0] != FORM or rest:
        raise UnknownForm(f"A sketch of the form {stored[0]} with {len(stored)} bytes cannot be read.")
    keys, counts = array("h"), array("q")
    keys.frombytes(stored[1 : 1 + 2 * bins])
    counts.frombytes(stored[1 + 2 * bins :])
    for key, count in zip(_little(keys), _little(counts), strict=True):
        sketch[key] = sketch.get(key, 0) + count


def _little(values: "array[int]") -> "array[int]":
    if array("H", [1]).tobytes()[0] != 1:
        values = array(values.typecode, values)
        values.byteswap()
    return values


def quantiles(sketch: Sketch, shares: Iterable[Fraction]) -> list[Decimal | None]:
    """The seconds below which each share of the lengths lies, between two of them in proportion; None for none."""
    total = sum(sketch.values())
    if not total:
        return [None for _ in shares]
    ordered = sorted(sketch.items())
    return [_at(ordered, (total - 1) * share) for share in shares]


def _at(ordered: list[tuple[int, int]], place: Fraction) -> Decimal:
    whole = place.numerator // place.denominator
    lower = _ranked(ordered, whole)
    if place == whole:
        return _seconds(lower)
    return _seconds(lower + (_ranked(ordered, whole + 1) - lower) * float(place - whole))


def _ranked(ordered: list[tuple[int, int]], rank: int) -> float:
    seen = 0
    for key, count in ordered:
        seen += count
        if rank < seen:
            return 0.0 if key == NOTHING else float(_BINS.value(key))
    return 0.0


def _seconds(milliseconds: float) -> Decimal:
    return Decimal(round(milliseconds)) / 1000
