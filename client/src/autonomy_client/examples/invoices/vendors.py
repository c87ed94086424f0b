"""The vendor master: which account each supplier is paid to, and since when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from autonomy_client.examples.invoices.invoice import Party, plain_account, plain_id


@dataclass(frozen=True)
class Vendor:
    """A supplier as the buyer's own books know it."""

    id: str
    name: str
    vat: str
    account: str
    account_since: date


class BrokenMaster(Exception):
    """The vendor master cannot be read; the text says which entry is wrong."""


class VendorMaster:
    """All vendors by VAT number; an empty master knows nobody and accuses nobody."""

    def __init__(self, vendors: Mapping[str, Vendor]) -> None:
        self.vendors = vendors

    @classmethod
    def from_json(cls, text: str) -> VendorMaster:
        """The master in a JSON list of objects with id, name, vat, iban and iban_since; raises BrokenMaster."""
        try:
            rows = json.loads(text)
        except ValueError as broken:
            raise BrokenMaster(f"The vendor master is not JSON: {broken}.") from broken
        if not isinstance(rows, list):
            raise BrokenMaster("The vendor master must be a list of vendors.")
        vendors = [_vendor(number, row) for number, row in enumerate(rows, start=1)]
        return cls({vendor.vat: vendor for vendor in vendors})

    def find(self, seller: Party) -> Vendor | None:
        """The vendor with this seller's VAT number."""
        return self.vendors.get(plain_id(seller.vat_id)) if seller.vat_id else None


def _vendor(number: int, row: Any) -> Vendor:
    try:
        return Vendor(
            id=row["id"],
            name=row["name"],
            vat=plain_id(row["vat"]),
            account=plain_account(row["iban"]),
            account_since=date.fromisoformat(row["iban_since"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as wrong:
        said = f"{wrong} is missing" if isinstance(wrong, KeyError) else str(wrong)
        raise BrokenMaster(f"Entry {number} of the vendor master is wrong: {said}.") from wrong
