"""Reading an invoice file: any supported syntax in, one Invoice out, or the reason why not."""

from __future__ import annotations

from autonomy_client.examples.invoices import cii, ubl
from autonomy_client.examples.invoices.invoice import Invoice, Line
from autonomy_client.examples.invoices.xml import Node, Unreadable, open_document

__all__ = ["Invoice", "Line", "Unreadable", "read_invoice"]

UBL_INVOICES = frozenset({"Invoice", "CreditNote"})


def read_invoice(data: bytes) -> Invoice:
    """The invoice in a UBL 2.1 or CII file; raises Unreadable with a reason for anything else."""
    root = open_document(data)
    if root.namespace == cii.ROOT:
        return cii.read_cii_invoice(root)
    if root.name in UBL_INVOICES and root.namespace == ubl.DOCUMENT.format(name=root.name):
        return ubl.read_ubl_invoice(root)
    raise Unreadable(_what_it_is(root))


def _what_it_is(root: Node) -> str:
    if root.namespace == ubl.DOCUMENT.format(name=root.name):
        return f"The file is a UBL {root.name}, not an invoice."
    name = f"{root.name} of namespace {root.namespace[:120]}" if root.namespace else root.name
    return f"The file is no invoice: its root element is {name}, not UBL 2.1 Invoice or CreditNote, and not CII."
