"""Workflows, rules: what the file says beside its processes: messages, signals, errors, escalations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from workflows.plan.document import children, foreign, name_of, own, reference, tag_of
from workflows.plan.graph import EventKind

CODES = {"error": "errorCode", "escalation": "escalationCode"}
DEFINITIONS = {
    "timerEventDefinition": EventKind.TIMER,
    "messageEventDefinition": EventKind.MESSAGE,
    "signalEventDefinition": EventKind.SIGNAL,
    "errorEventDefinition": EventKind.ERROR,
    "escalationEventDefinition": EventKind.ESCALATION,
    "conditionalEventDefinition": EventKind.CONDITIONAL,
    "linkEventDefinition": EventKind.LINK,
    "compensateEventDefinition": EventKind.COMPENSATION,
    "cancelEventDefinition": EventKind.CANCEL,
    "terminateEventDefinition": EventKind.TERMINATE,
}


@dataclass(frozen=True)
class Declared:
    """The names that events refer to, by id: of messages and signals their name, of errors and escalations their code;
    and what ties a message to one run."""

    names: Mapping[str, str] = field(default_factory=dict)
    correlations: Mapping[str, str] = field(default_factory=dict)
    definitions: Mapping[str, etree._Element] = field(default_factory=dict)

    def name(self, ref: str | None) -> str:
        """What is meant by a reference; the reference itself when the file does not declare it."""
        return self.names.get(reference(ref), reference(ref))


def declared(root: etree._Element) -> Declared:
    """What stands at the top of a file."""
    names, correlations, definitions = {}, {}, {}
    for element in children(root):
        tag, name = tag_of(element), element.get("id") or ""
        if tag in ("message", "signal", "error", "escalation"):
            names[name] = _text(element.get(CODES.get(tag, "name")) or name_of(element) or name)
        if tag == "message":
            correlations[name] = own(element, "correlation") or foreign(element, "correlationKey", "subscription")
        if tag in DEFINITIONS:
            definitions[name] = element
    return Declared(names, correlations, definitions)


def _text(name: str) -> str:
    """A name that another product keeps as an expression of one text."""
    name = name.strip()
    if name.startswith("=") and name[1:].strip()[:1] == name[-1:] == '"':
        return name[1:].strip()[1:-1]
    return name
