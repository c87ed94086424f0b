"""Workflows, rules: from the bytes of a BPMN file to its elements, safely; small questions to them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from lxml import etree

from workflows.plan.problems import BpmnInvalid, ElementProblem, ProblemKind

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
AOS = "https://autonomy-os.org/bpmn/1"
CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
MOST_BYTES = 2_000_000

# what may stand before the first element; possessive, so that a hostile prolog costs one pass
DOCTYPE = re.compile(rb"[^<]{0,4}(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)


def parse(xml: bytes) -> etree._Element:
    """The root element of a BPMN 2.0 document.

    Raises `BpmnInvalid` for what is no XML (with the line), too large, no BPMN, or declares a document type.
    """
    root = read_xml(xml)
    if root.tag != f"{{{MODEL}}}definitions":
        raise _unreadable(f"The file is not BPMN 2.0: its first element is {root.tag}.")
    return root


def read_xml(xml: bytes) -> etree._Element:
    """The root element of a document, read without entities or network.

    Raises `BpmnInvalid` for what is no XML (with the line), too large, or declares a document type.
    """
    if len(xml) > MOST_BYTES:
        raise _unreadable(f"The file is larger than {MOST_BYTES // 1_000_000} MB.")
    if DOCTYPE.match(xml.replace(b"\0", b"")):
        raise _unreadable("The file declares a document type (DOCTYPE), which is refused for safety.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        reason = str(error).removesuffix(f" (<string>, line {getattr(error, 'lineno', 0)})")
        raise _unreadable(f"The file is not well-formed XML: {reason}.") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _unreadable("The file declares a document type (DOCTYPE), which is refused for safety.")
    return root


def _unreadable(reason: str) -> BpmnInvalid:
    return BpmnInvalid((ElementProblem("document", "", reason),))


def children(element: etree._Element, *tags: str) -> Iterator[etree._Element]:
    """The BPMN elements directly below, of these tags or of any."""
    for child in element.iterchildren(etree.Element):
        if etree.QName(child).namespace == MODEL and (not tags or tag_of(child) in tags):
            yield child


def extensions(element: etree._Element) -> Iterator[etree._Element]:
    """The elements of our own namespace among the extension elements."""
    for box in children(element, "extensionElements"):
        yield from (child for child in box.iterchildren(etree.Element) if etree.QName(child).namespace == AOS)


def tag_of(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def id_of(element: etree._Element) -> str:
    """The id, or for an element without one its tag and line, so that it can be named."""
    return element.get("id") or f"{tag_of(element)} in line {element.sourceline}"


def name_of(element: etree._Element) -> str:
    return " ".join((element.get("name") or "").split())


def text_of(element: etree._Element) -> str:
    return "".join(map(str, element.itertext())).strip()


def reference(text: str | None) -> str:
    """The id that a reference names; a namespace prefix before it is allowed."""
    return (text or "").strip().rpartition(":")[2]


def is_true(text: str | None) -> bool:
    return (text or "").strip() in ("true", "1")


def problem(element: etree._Element, reason: str, kind: ProblemKind = ProblemKind.WRONG) -> ElementProblem:
    """A problem that names this element."""
    return ElementProblem(id_of(element), name_of(element), reason, kind)


def own(element: etree._Element, attribute: str) -> str:
    """An attribute of our own namespace, without needless white space; empty when it is not there."""
    return " ".join((element.get(f"{{{AOS}}}{attribute}") or "").split())


def foreign(element: etree._Element, attribute: str, *places: str) -> str:
    """An attribute that another product keeps on the element, or on its extension of one of these tags."""
    for space in (CAMUNDA, ZEEBE):
        if value := element.get(f"{{{space}}}{attribute}"):
            return value.strip()
    for box in children(element, "extensionElements"):
        for child in box.iterchildren(etree.Element):
            named = etree.QName(child)
            if named.namespace in (CAMUNDA, ZEEBE) and named.localname in places and child.get(attribute):
                return str(child.get(attribute)).strip()
    return ""


def repeated_ids(root: etree._Element) -> Iterator[ElementProblem]:
    """One problem for each id that several BPMN elements share."""
    elements = list(root.iter(f"{{{MODEL}}}*"))
    counts = Counter(element.get("id") for element in elements if element.get("id"))
    first = {element.get("id"): element for element in reversed(elements)}
    for name, count in counts.items():
        if count > 1:
            yield problem(first[name], f"The id is used {count} times; every element needs its own.")
