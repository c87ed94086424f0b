"""The values of the invoice agents: an invoice in the terms of EN 16931, whatever syntax it came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)

# UNTDID 1001: the type codes with which a seller gives money back.
CREDIT_TYPE_CODES = frozenset({"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532"})


class Kind(StrEnum):
    """Which way the money goes."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True)
class Party:
    """A seller, buyer or tax representative; `name` is the registered name."""

    name: str = ""
    trade_name: str = ""
    identifier: str = ""
    legal_id: str = ""
    vat_id: str = ""
    country: str = ""
    has_address: bool = False

    @property
    def display_name(self) -> str:
        return self.name or self.trade_name

    @property
    def key(self) -> str:
        """What tells this party from all others, best identifier first."""
        return plain_id(self.vat_id or self.legal_id or self.identifier or self.display_name)


@dataclass(frozen=True)
class Adjustment:
    """A discount or an extra charge without tax."""

    is_charge: bool
    amount: Decimal
    reason: str = ""


@dataclass(frozen=True)
class Tax:
    """One row of the VAT breakdown; the rate is in per cent."""

    category: str
    rate: Decimal | None
    taxable: Decimal | None
    amount: Decimal | None


@dataclass(frozen=True)
class Line:
    """One invoiced item; `price` is the net price of `price_base` units."""

    id: str = ""
    name: str = ""
    item_id: str = ""
    order_line: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    price: Decimal | None = None
    price_base: Decimal = Decimal(1)
    net: Decimal | None = None
    tax_category: str = ""
    tax_rate: Decimal | None = None
    adjustments: tuple[Adjustment, ...] = ()


@dataclass(frozen=True)
class Totals:
    """The sums as the seller stated them; None where the document is silent."""

    lines: Decimal | None = None
    allowances: Decimal = ZERO
    charges: Decimal = ZERO
    net: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None
    prepaid: Decimal = ZERO
    rounding: Decimal = ZERO
    payable: Decimal | None = None


@dataclass(frozen=True)
class Payment:
    """How the seller wants to be paid; `means` is a code of UNTDID 4461."""

    means: str = ""
    accounts: tuple[str, ...] = ()
    bic: str = ""
    reference: str = ""
    terms: str = ""

    @property
    def account(self) -> str:
        return self.accounts[0] if self.accounts else ""


@dataclass(frozen=True)
class Invoice:
    """An invoice or credit note with exact amounts."""

    syntax: str
    profile: str
    number: str
    type_code: str
    kind: Kind
    issue_date: date | None
    due_date: date | None
    delivery_date: date | None
    currency: str
    buyer_reference: str
    order_reference: str
    preceding_invoice: str
    note: str
    seller: Party
    buyer: Party
    tax_representative: Party | None
    payment: Payment
    totals: Totals
    adjustments: tuple[Adjustment, ...]
    taxes: tuple[Tax, ...]
    lines: tuple[Line, ...]


def plain_id(text: str) -> str:
    """An identifier without the dots, blanks and dashes that people put into it."""
    return "".join(character for character in text.upper() if character.isalnum())


def plain_account(text: str) -> str:
    """An account number as banks compare it: no blanks, capital letters."""
    return "".join(text.split()).upper()
