"""Whether an account can be the vendor's, and how risky the vendor is; no network, no clock."""

from __future__ import annotations

from dataclasses import dataclass

from autonomy_client.examples.vendors.papers import Application
from autonomy_client.examples.vendors.screening import likeness

SAME_NAME_FROM = 0.80
HIGH_FROM, MEDIUM_FROM = 60, 30
LENGTHS = {
    "AT": 20, "BE": 16, "CH": 21, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22,
    "IE": 22, "IR": 26, "IT": 27, "LT": 20, "LU": 20, "LV": 21, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25,
    "SE": 24, "TR": 26,
}  # fmt: skip
UNION = frozenset(
    ("AT", "BE", "CH", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "IE", "IT", "LT", "LU", "LV", "NL", "NO", "PL", "PT",
     "SE")
)  # fmt: skip
# The same as the company's list; the policy has the last word.
UNDER_SANCTIONS = frozenset(("BY", "IR", "KP", "RU", "SY"))
RISKY_TRADES = frozenset(("arms", "chemicals", "scrap", "cash handling"))


@dataclass(frozen=True)
class Account:
    """Whether the account can be the vendor's, and why not."""

    matches: bool
    note: str


@dataclass(frozen=True)
class Rating:
    """A risk from 0 to 100, and what it is made of."""

    score: int
    reasons: tuple[str, ...]

    @property
    def word(self) -> str:
        """The risk in the words of the policies."""
        return "high" if self.score >= HIGH_FROM else "medium" if self.score >= MEDIUM_FROM else "low"


def iban_is_sound(iban: str) -> bool:
    """Whether the number has the length of its country and the right check digits (ISO 13616)."""
    if not (iban.isascii() and iban.isalnum() and LENGTHS.get(iban[:2]) == len(iban)):
        return False
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def check_account(application: Application) -> Account:
    """Check digits, country and holder of the account against the application."""
    iban = application.iban
    if not iban_is_sound(iban):
        return Account(False, f"{iban or 'No account'}: the check digits or the length are wrong.")
    if iban[:2] != application.country:
        return Account(False, f"The account is in {iban[:2]}, the vendor in {application.country}.")
    if likeness(application.holder, application.vendor) < SAME_NAME_FROM:
        return Account(False, f"The account belongs to {application.holder}, not to {application.vendor}.")
    return Account(True, f"Check digits, country and holder of {iban[:4]}…{iban[-4:]} are right.")


def rate(application: Application) -> Rating:
    """The risk of a vendor: where it is, what it trades in, how long it has been there."""
    points = []
    if application.country in UNDER_SANCTIONS:
        points.append((70, f"{application.country} is under sanctions"))
    elif application.country not in UNION:
        points.append((25, f"{application.country} is outside the single market"))
    if application.trade in RISKY_TRADES:
        points.append((30, f"it trades in {application.trade}"))
    if application.age_years < 2:
        points.append((20, f"it is {application.age_years} years old"))
    reasons = tuple(words for _, words in points) or ("nothing speaks against it",)
    return Rating(min(100, 5 + sum(point for point, _ in points)), reasons)
