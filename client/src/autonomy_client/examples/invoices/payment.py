"""Payment: whether a transfer can settle an invoice, and the ISO 20022 pain.001 file that does it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import sepaxml
from lxml import etree
from sepaxml import transfer as sepa

from autonomy_client.examples.invoices.invoice import Invoice, Kind
from autonomy_client.examples.invoices.xml import open_document

# The library carries no types.
SepaTransfer: Any = sepa.SepaTransfer

SCHEMA = "pain.001.001.03"
NAMES = {"p": f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"}
IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)
BIC = re.compile(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?", re.ASCII)
# UNTDID 4461: the seller collects by direct debit or was paid by card; a transfer would pay twice.
COLLECTED = frozenset({"48", "49", "54", "55", "59"})
LARGEST = Decimal("999999999.99")


class InvalidPayment(Exception):
    """The bank's schema refuses the file; the text says where."""


@dataclass(frozen=True)
class Debtor:
    """The account that pays."""

    name: str
    iban: str
    bic: str


@dataclass(frozen=True)
class Transfer:
    """One credit transfer in euro; `key` names it once and for all."""

    key: str
    amount: Decimal
    creditor: str
    iban: str
    bic: str
    reference: str
    on: date


def why_not_payable(invoice: Invoice) -> str:
    """Why no transfer can settle this invoice; empty when one can."""
    payable = invoice.totals.payable
    if invoice.kind is Kind.CREDIT_NOTE:
        return "Credit note: booked against the account."
    if payable is None:
        return "The invoice states no amount to pay."
    if payable <= 0:
        return f"Nothing is left to pay: the amount due is {payable} {invoice.currency}."
    if payable > LARGEST or payable != payable.quantize(Decimal("0.01")):
        return f"{payable} {invoice.currency} is no amount that a bank transfers."
    if invoice.payment.means in COLLECTED:
        return f"The seller collects the amount itself (payment means {invoice.payment.means})."
    if invoice.currency != "EUR":
        return f"Only euro can be paid by SEPA transfer, the invoice is in {invoice.currency or 'no currency'}."
    return _why_no_account(invoice)


def _why_no_account(invoice: Invoice) -> str:
    if not invoice.payment.account:
        return "The invoice names no bank account."
    if not iban_is_valid(invoice.payment.account):
        return f"{invoice.payment.account} is not a valid IBAN."
    if not invoice.seller.display_name:
        return "The invoice names no seller."
    return ""


def iban_is_valid(iban: str) -> bool:
    """Whether the form and the check digits (ISO 7064 mod 97-10) are right."""
    if not IBAN.fullmatch(iban):
        return False
    digits = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    return int(digits) % 97 == 1


def transfer_for(invoice: Invoice, key: str, today: date) -> Transfer:
    """The transfer that pays a payable invoice on its due date, or today when that has passed."""
    payable = invoice.totals.payable
    if payable is None:
        raise ValueError("An invoice without an amount to pay has no transfer.")
    return Transfer(
        key=key,
        amount=payable,
        creditor=invoice.seller.display_name,
        iban=invoice.payment.account,
        bic=invoice.payment.bic if BIC.fullmatch(invoice.payment.bic) else "",
        reference=invoice.payment.reference or invoice.number,
        on=max(invoice.due_date or today, today),
    )


def message_id(key: str) -> str:
    """The bank's message id for this key: always the same, so that a repeat is known as one."""
    return f"AOS-{hashlib.sha256(key.encode()).hexdigest()[:28]}"


def write_pain(transfer: Transfer, debtor: Debtor) -> bytes:
    """The pain.001.001.03 file of one transfer, checked against the schema of the standard."""
    config = {"name": debtor.name, "IBAN": debtor.iban, "BIC": debtor.bic, "batch": True, "currency": "EUR"}
    pain = SepaTransfer(config, schema=SCHEMA, clean=True)
    payment = {
        "name": transfer.creditor,
        "IBAN": transfer.iban,
        "amount": int(transfer.amount * 100),
        "execution_date": transfer.on,
        "description": transfer.reference,
        "endtoend_id": message_id(transfer.key),
    }
    pain.add_payment(payment | ({"BIC": transfer.bic} if transfer.bic else {}))
    root = _with_lasting_ids(pain.export(validate=False), message_id(transfer.key))
    try:
        _schema().assertValid(root)
    except etree.DocumentInvalid as broken:
        raise InvalidPayment(str(broken)) from broken
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(Path(sepaxml.__file__).parent / "schemas" / f"{SCHEMA}.xsd"))


def _with_lasting_ids(data: bytes, lasting: str) -> etree._Element:
    # The library draws new ids each time; a bank would take a repeat for a second payment.
    root = open_document(data).element
    for path in ("p:CstmrCdtTrfInitn/p:GrpHdr/p:MsgId", "p:CstmrCdtTrfInitn/p:PmtInf/p:PmtInfId"):
        for element in root.iterfind(path, NAMES):
            element.text = lasting
    return root
