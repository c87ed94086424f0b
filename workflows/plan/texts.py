"""Workflows, rules: a BPMN file as the text that is kept, the same but for its encoding."""

from __future__ import annotations

import codecs
import re

from workflows.plan.document import parse
from workflows.plan.problems import BpmnInvalid, ElementProblem

_DECLARED = re.compile(r"""^(<\?xml\b[^>]{0,200}?\bencoding\s*=\s*)(["'])([A-Za-z][A-Za-z0-9._-]{0,40})\2""")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

EMPTY = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:aos="https://autonomy-os.org/bpmn/1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="definitions" targetNamespace="https://autonomy-os.org/drawn">
  <bpmn:process id="process" isExecutable="true">
    <bpmn:startEvent id="start" name="Start"/>
    <bpmn:endEvent id="end" name="Done"/>
    <bpmn:sequenceFlow id="f_start" sourceRef="start" targetRef="end"/>
  </bpmn:process>
  <bpmndi:BPMNDiagram id="diagram">
    <bpmndi:BPMNPlane id="plane" bpmnElement="process">
      <bpmndi:BPMNShape id="start_di" bpmnElement="start"><dc:Bounds x="160" y="172" width="36" height="36"/></bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="end_di" bpmnElement="end"><dc:Bounds x="256" y="172" width="36" height="36"/></bpmndi:BPMNShape>
      <bpmndi:BPMNEdge id="f_start_di" bpmnElement="f_start"><di:waypoint x="196" y="190"/><di:waypoint x="256" y="190"/></bpmndi:BPMNEdge>
    </bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram>
</bpmn:definitions>
"""  # noqa: E501 (a file as it is drawn)
"""What a new workflow begins with: a start, an end and the way between them."""


def text_of_file(file: bytes) -> str:
    """The text of a BPMN file, whatever encoding it is in. Raises `BpmnInvalid` for what is no BPMN."""
    mark, named = next(((mark, name) for mark, name in _MARKS if file.startswith(mark)), (b"", ""))
    declared = _DECLARED.match(file[:300].decode("latin-1"))
    encoding = named or (declared.group(3) if declared else "utf-8")
    try:
        text = file.removeprefix(mark).decode(encoding) if mark == codecs.BOM_UTF8 else file.decode(encoding)
    except (LookupError, ValueError) as wrong:
        reason = f"The file cannot be read as {encoding}. Save it as UTF-8."
        raise BpmnInvalid((ElementProblem("document", "", reason),)) from wrong
    return checked(text)


def checked(text: str) -> str:
    """The text as it is kept: its declaration says UTF-8, all else stays. Raises `BpmnInvalid` for what is no BPMN."""
    kept = _DECLARED.sub(r"\1\2UTF-8\2", text.lstrip("\ufeff"))
    try:
        parse(kept.encode())
    except UnicodeEncodeError as wrong:
        reason = "The file holds characters that no text has. Save it as UTF-8."
        raise BpmnInvalid((ElementProblem("document", "", reason),)) from wrong
    return kept
