"""Safe XML: opens a document from a stranger, or says in one sentence why it will not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from lxml import etree

LARGEST_BYTES = 10_000_000
NAMESPACES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
DOCTYPE_REFUSED = "The file carries a document type declaration (DOCTYPE), which can hide an attack."
# What may stand before the root element or the DOCTYPE, and how each ends.
SKIPPED = ((b"<?", b"?>"), (b"<!--", b"-->"))
NUMBER = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d{0,10})?|\.\d{1,10})", re.ASCII)


class Unreadable(Exception):
    """This document cannot be read as an invoice; the text says why."""


class Node:
    """One element with reading by path; what is absent reads as empty."""

    def __init__(self, element: etree._Element) -> None:
        self.element = element

    @property
    def name(self) -> str:
        return etree.QName(self.element).localname

    @property
    def namespace(self) -> str:
        return etree.QName(self.element).namespace or ""

    def all(self, path: str) -> Iterator[Node]:
        """Every element at this path."""
        return (Node(element) for element in self.element.iterfind(path, NAMESPACES))

    def first(self, path: str) -> Node | None:
        """The first element at this path."""
        element = self.element.find(path, NAMESPACES)
        return None if element is None else Node(element)

    def text(self, path: str) -> str:
        """The text at this path in one line; empty when it is not there."""
        return " ".join(self.element.findtext(path, "", NAMESPACES).split())

    def attribute(self, path: str, name: str) -> str:
        """An attribute of the element at this path."""
        node = self.first(path)
        return "" if node is None else (node.element.get(name) or "").strip()

    def amount(self, path: str) -> Decimal | None:
        """The exact number at this path."""
        text = self.text(path)
        return exact(text, path) if text else None

    def day(self, path: str) -> date | None:
        """The date at this path, in ISO 8601 or in the form YYYYMMDD."""
        text = self.text(path)
        return calendar_day(text, path) if text else None


def open_document(data: bytes) -> Node:
    """The root of a well-formed, harmless XML document; raises Unreadable."""
    if not data.strip():
        raise Unreadable("The file is empty.")
    if len(data) > LARGEST_BYTES:
        raise Unreadable(f"The file is too large: {len(data):,} bytes, at most {LARGEST_BYTES:,} are read.")
    # Looked for in the raw bytes first, so that no entity is ever expanded; NULs go because of UTF-16.
    if _opens_with_doctype(data.replace(b"\0", b"")):
        raise Unreadable(DOCTYPE_REFUSED)
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as broken:
        raise Unreadable(f"The file is not well-formed XML: {broken.msg}") from broken
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(DOCTYPE_REFUSED)
    return Node(root)


def _opens_with_doctype(data: bytes) -> bool:
    start = data.find(b"<")
    while start >= 0:
        ending = next((end for opening, end in SKIPPED if data.startswith(opening, start)), None)
        if ending is None:
            return data[start : start + 9].upper() == b"<!DOCTYPE"
        over = data.find(ending, start)
        start = data.find(b"<", over) if over >= 0 else -1
    return False


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def exact(text: str, where: str) -> Decimal:
    """The decimal that this text writes; raises Unreadable for anything else, NaN and exponents too."""
    if not NUMBER.fullmatch(text):
        raise Unreadable(f"{_last(where)} says {text[:40]!r}, which is not a number.")
    return Decimal(text)


def calendar_day(text: str, where: str) -> date:
    """The day that this text writes, without its time zone; raises Unreadable."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError as broken:
        raise Unreadable(f"{_last(where)} says {text[:40]!r}, which is not a date.") from broken


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
