"""The vendor master: which account each supplier is paid to, and since when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from autonomy_client.examples.invoices.invoice import Party, plain_account, plain_id


@dataclass(frozen=True)
class Vendor:
    """A supplier as the buyer's own books know it."""

    id: str
    name: str
    vat: str
    account: str
    account_since: date


class VendorMaster:
    """All vendors by VAT number; an empty master knows nobody and accuses nobody."""

    def __init__(self, vendors: Mapping[str, Vendor]) -> None:
        self.vendors = vendors

    @classmethod
    def from_json(cls, text: str) -> VendorMaster:
        """The master in a JSON list of objects with id, name, vat, iban and iban_since."""
        vendors = (
            Vendor(
                id=row["id"],
                name=row["name"],
                vat=plain_id(row["vat"]),
                account=plain_account(row["iban"]),
                account_since=date.fromisoformat(row["iban_since"]),
            )
            for row in json.loads(text)
        )
        return cls({vendor.vat: vendor for vendor in vendors})

    def find(self, seller: Party) -> Vendor | None:
        """The vendor with this seller's VAT number."""
        return self.vendors.get(plain_id(seller.vat_id)) if seller.vat_id else None
