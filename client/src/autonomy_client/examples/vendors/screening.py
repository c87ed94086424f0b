"""Whether a name is on a list although it is written in another way: normalised and compared; no network, no clock."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from autonomy_client.examples.vendors.papers import Listed

HIT_FROM = 0.88
# What a company is, not what it is called.
LEGAL_FORMS = frozenset(
    (
        "ab", "ag", "aps", "as", "asa", "bv", "co", "company", "corp", "doo", "gmbh", "inc", "kg", "limited", "llc",
        "ltd", "nv", "oao", "ood", "oou", "ou", "oy", "oyj", "plc", "sa", "sarl", "se", "sl", "sp", "spa", "srl", "sro",
        "zoo", "ooo", "jsc",
    )
)  # fmt: skip
LETTERS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "&": " and "})


@dataclass(frozen=True)
class Hit:
    """A listed name that is like the vendor's, and how much, from 0 to 1."""

    listed: Listed
    likeness: float


def plain(name: str) -> str:
    """A name without accents, signs, legal form and order of words."""
    folded = unicodedata.normalize("NFKD", name.casefold().translate(LETTERS))
    letters = "".join(letter for letter in folded if not unicodedata.combining(letter))
    # S.r.l. and A/S are one word each.
    words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=\b[a-z])[./](?=[a-z]\b)|(?<=[a-z])\.(?=\s|$)", "", letters))
    named = [word for word in words if word not in LEGAL_FORMS] or words
    return " ".join(sorted(named))


def likeness(one: str, other: str) -> float:
    """How alike two names are once they are plain, from 0 to 1."""
    first, second = sorted((plain(one), plain(other)))  # the matcher's answer depends on the order
    return SequenceMatcher(None, first, second, autojunk=False).ratio() if first and second else 0.0


def hits(name: str, listed: Iterable[Listed]) -> list[Hit]:
    """The listed names that this one is too like to be let pass, the likest first."""
    found = [Hit(each, likeness(name, each.name)) for each in listed]
    return sorted((hit for hit in found if hit.likeness >= HIT_FROM), key=lambda hit: (-hit.likeness, hit.listed.name))
