"""Rules of observability: the events of an XES log (IEEE 1849), read trace by trace; a DTD is refused."""

import re
from collections.abc import Iterator, Mapping
from typing import IO

from lxml import etree

from observability.eventlog.opening import HEAD_BYTES, LogUnreadable, Plain

NO_DTD = "The file has a document type declaration, which an event log never needs. Remove it and send the log again."
_ROOT = re.compile(rb"<(?![?!])")
_DTD = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
Values = Mapping[str, str]


def traces(plain: Plain) -> Iterator[tuple[Values, list[tuple[int, Values]]]]:
    """(attributes, events with their lines) of each trace. Raises LogUnreadable for what is no XES."""
    head = plain.peek(HEAD_BYTES).replace(b"\0", b"")
    root = _ROOT.search(head)
    if _DTD.search(head[: root.start()] if root else head):
        raise LogUnreadable(NO_DTD)
    events: list[tuple[int, Values]] = []
    is_first = True
    try:
        for _, element in _parsed(plain):
            if is_first:
                _require_no_dtd(element)
                is_first = False
            if _is(element, "event"):
                events.append((element.sourceline or 0, _values(element)))  # type: ignore[arg-type]
                element.clear()
                continue
            yield _values(element), events
            events = []
            _forget(element)
    except etree.XMLSyntaxError as broken:
        raise LogUnreadable(f"The file is no sound XML: {str(broken)[:200]}. Export the log again.") from broken


def _parsed(plain: IO[bytes]) -> Iterator[tuple[str, etree._Element]]:
    found = etree.iterparse(
        plain, events=("end",), tag=("{*}event", "{*}trace"), resolve_entities=False, load_dtd=False, no_network=True,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    yield from found
    if found.root is not None and not _is(found.root, "log"):
        raise LogUnreadable("This XML is no event log: its first element is not <log>. Send XES or CSV.")


def _require_no_dtd(element: etree._Element) -> None:
    if element.getroottree().docinfo.internalDTD is not None:
        raise LogUnreadable(NO_DTD)


def _values(element: etree._Element) -> dict[str, str]:
    return {
        key: value
        for child in element
        if (key := child.get("key")) is not None and (value := child.get("value")) is not None
    }


def _is(element: etree._Element, name: str) -> bool:
    tag = element.tag
    return isinstance(tag, str) and (tag == name or tag.endswith(f"}}{name}"))


def _forget(element: etree._Element) -> None:
    # What was read leaves the tree, so that memory stays that of one trace.
    element.clear()
    parent = element.getparent()
    while parent is not None and (before := element.getprevious()) is not None:
        parent.remove(before)
