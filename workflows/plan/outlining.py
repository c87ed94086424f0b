"""Workflows, rules: a drawing as a numbered list, in the order of the flow; also one that cannot run yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from workflows.plan.document import AOS, is_true, name_of, reference, tag_of
from workflows.plan.lengths import words_of
from workflows.plan.naming import called_by, told_name
from workflows.plan.repeating import CAN_REPEAT, Repeat, repeat_of
from workflows.plan.sheet import (
    EVENTS,
    SCOPES,
    TASKS,
    Sheet,
    Value,
    condition_of,
    definition_of,
    kept_as,
    own,
    timer_of,
    values_of,
)
from workflows.plan.sources import Declared, declared

AGENT, PERSON = "agent", "person"
FOR_AGENTS = ("task", "businessRuleTask", "scriptTask", "sendTask")
WORDS = {
    AGENT: ("bot", "An agent works"),
    PERSON: ("user", "A person decides"),
    "task": ("square", "A task that nobody is named for"),
    "serviceTask": ("bot", "An agent works"),
    "userTask": ("user", "A person decides"),
    "manualTask": ("hand", "Done by hand"),
    "businessRuleTask": ("table-2", "A decision table answers"),
    "scriptTask": ("braces", "A value is worked out"),
    "sendTask": ("send", "A message goes out"),
    "receiveTask": ("mail", "Waits for a message"),
    "callActivity": ("workflow", "Another workflow runs"),
    "subProcess": ("square-plus", "A workflow inside"),
    "transaction": ("square-plus", "A workflow inside, all or nothing"),
    "adHocSubProcess": ("square-plus", "Steps in any order"),
    "exclusiveGateway": ("split", "One way is taken"),
    "parallelGateway": ("git-fork", "Side by side"),
    "inclusiveGateway": ("git-fork", "Each way that fits is taken"),
    "eventBasedGateway": ("hourglass", "What happens first decides"),
    "complexGateway": ("split", "A rule of its own decides"),
    "startEvent": ("play", "Start"),
    "endEvent": ("flag", "End"),
    "intermediateCatchEvent": ("hourglass", "Waits"),
    "intermediateThrowEvent": ("send", "Tells"),
    "boundaryEvent": ("clock", "Meanwhile"),
}
"""The icon and the word of each kind of step."""
EVENT_WORDS = {
    "timer": ("clock", "Time"), "message": ("mail", "A message"), "signal": ("radio", "A signal"),
    "error": ("triangle-alert", "An error"), "escalation": ("circle-arrow-up", "An escalation"),
    "conditional": ("list-checks", "A condition"), "link": ("link", "A link"),
    "compensate": ("rotate-ccw", "Taking back"), "terminate": ("octagon-x", "End of everything"),
    "cancel": ("x", "Cancelling"),
}  # fmt: skip


VALUE_WORDS = {
    AGENT: "What the step leaves behind", PERSON: "What the step leaves behind",
    "businessRuleTask": "What the table answers", "scriptTask": "What is worked out",
    "sendTask": "What the message says", "receiveTask": "What the message brings",
    "callActivity": "What comes back",
}  # fmt: skip
"""What the values of a kind of step are."""


@dataclass(frozen=True)
class Way:
    """Where a step leads: the flow, its target, and when it is taken."""

    id: str
    target: str
    number: str
    name: str
    label: str
    condition: str
    otherwise: bool


@dataclass(frozen=True)
class Line:
    """One step of the list."""

    id: str
    number: str
    depth: int
    tag: str
    kind: str
    icon: str
    word: str
    name: str
    attached_to: str = ""
    interrupting: bool = True
    event: str = ""
    timer: tuple[str, str] = ("", "")
    told: str = ""
    calls: str = ""
    repeat: Repeat = field(default_factory=Repeat)
    passes: tuple[Value, ...] = ()
    given: dict[str, str] = field(default_factory=dict)
    values: tuple[Value, ...] = ()
    ways: tuple[Way, ...] = ()

    @property
    def shown(self) -> str:
        """What it is called in the list."""
        return self.name or self.word

    @property
    def words(self) -> str:
        """How long a timer waits, as people write it."""
        return words_of(self.timer[1]) if self.timer[1] else ""

    @property
    def is_worked_out(self) -> bool:
        """Whether its values are worked out by itself: a script's, and those of a message that goes out."""
        goes_out = self.tag in ("intermediateThrowEvent", "endEvent")
        return self.kind in ("scriptTask", "sendTask") or goes_out

    @property
    def values_word(self) -> str:
        """What its values are, as a title; empty for what has none."""
        if self.tag == "startEvent" and "." not in self.number:
            return "What a run begins with"
        if self.tag in EVENTS and self.event not in ("message", "signal"):
            return ""
        if self.tag in EVENTS:
            return f"What the {self.event} {'says' if self.is_worked_out else 'brings'}"
        return VALUE_WORDS.get(self.kind, "")

    @property
    def can_repeat(self) -> bool:
        """Whether it can be done again and again, or for each item of a list."""
        return self.tag in CAN_REPEAT

    @property
    def is_work(self) -> bool:
        """Whether somebody works or decides here."""
        return self.tag in TASKS


def outline_of(sheet: Sheet) -> list[Line]:
    """Every step of the drawing in the order of the flow; those inside another one right behind it."""
    ordered = [found for process in sheet.processes for found in _in_scope(sheet, process, "", 0)]
    steps = {step.get("id", ""): (step, number) for step, number, _ in ordered}
    ways: dict[str, list[etree._Element]] = {}
    scopes = {id(scope): scope for step, _, _ in ordered if (scope := step.getparent()) is not None}
    for scope in scopes.values():
        for flow in sheet.flows(scope):
            ways.setdefault(reference(flow.get("sourceRef")), []).append(flow)
    names = declared(sheet.root)
    return [_line(step, number, depth, steps, ways, names) for step, number, depth in ordered]


def _in_scope(sheet: Sheet, scope: etree._Element, prefix: str, depth: int) -> list[tuple[etree._Element, str, int]]:
    found: list[tuple[etree._Element, str, int]] = []
    for place, step in enumerate(_in_order(sheet, scope), 1):
        number = f"{prefix}{place}"
        found.append((step, number, depth))
        if tag_of(step) in SCOPES and depth < 20:
            found += _in_scope(sheet, step, f"{number}.", depth + 1)
    return found


def _in_order(sheet: Sheet, scope: etree._Element) -> list[etree._Element]:
    steps = {step.get("id", ""): step for step in sheet.steps(scope)}
    onward: dict[str, list[str]] = {name: [] for name in steps}
    entered = set()
    for flow in sheet.flows(scope):
        source, target = reference(flow.get("sourceRef")), reference(flow.get("targetRef"))
        if source in steps and target in steps:
            onward[source].append(target)
            entered.add(target)
    for name, step in steps.items():
        if host := reference(step.get("attachedToRef")):
            onward.get(host, []).append(name)
            entered.add(name)
    first = [name for name in steps if name not in entered]
    order: dict[str, None] = {}
    for begin in [*sorted(first, key=lambda name: tag_of(steps[name]) != "startEvent"), *steps]:
        waiting = deque([] if begin in order else [begin])
        order.setdefault(begin)
        while waiting:
            fresh = [name for name in dict.fromkeys(onward[waiting.popleft()]) if name not in order]
            order.update(dict.fromkeys(fresh))
            waiting.extend(fresh)
    return [steps[name] for name in order]


def _line(
    step: etree._Element, number: str, depth: int, steps: Mapping[str, tuple[etree._Element, str]],
    ways: Mapping[str, list[etree._Element]], names: Declared,
) -> Line:  # fmt: skip
    kind, icon, word = kind_of(step)
    default = reference(step.get("default"))
    return Line(
        id=step.get("id") or "", number=number, depth=depth, tag=tag_of(step), kind=kind, icon=icon, word=word,
        name=name_of(step), attached_to=reference(step.get("attachedToRef")),
        interrupting=is_true(step.get("cancelActivity", "true")), given=_given(step),
        event=definition_of(step) if tag_of(step) in EVENTS else "", timer=timer_of(step),
        told=told_name(step, names), calls=called_by(step), repeat=repeat_of(step),
        values=tuple(map(Value.of_element, values_of(step, kept_as(step)))),
        passes=tuple(map(Value.of_element, values_of(step, "input"))) if tag_of(step) == "callActivity" else (),
        ways=tuple(_way(flow, steps, default) for flow in ways.get(step.get("id", ""), ())),
    )  # fmt: skip


def kind_of(step: etree._Element) -> tuple[str, str, str]:
    """What a step is: its kind, its icon and its word."""
    tag = tag_of(step)
    kind = tag
    if tag == "serviceTask" or (tag in FOR_AGENTS and (own(step, "role") or own(step, "capability"))):
        kind = AGENT
    elif tag in ("task", "userTask") and (own(step, "path") or tag == "userTask"):
        kind = PERSON
    icon, word = WORDS[kind]
    event = definition_of(step) if tag in EVENTS else ""
    if event in EVENT_WORDS:
        icon, what = EVENT_WORDS[event]
        word = what if event == "terminate" else f"{what}: {word.lower()}"
    return kind, icon, word


def _given(step: etree._Element) -> dict[str, str]:
    names = (etree.QName(name) for name in step.attrib)
    return {name.localname: own(step, name.localname) for name in names if name.namespace == AOS}


def _way(flow: etree._Element, steps: Mapping[str, tuple[etree._Element, str]], default: str) -> Way:
    target = reference(flow.get("targetRef"))
    step, number = steps.get(target, (None, ""))
    name = "" if step is None else name_of(step) or kind_of(step)[2]
    return Way(
        id=flow.get("id") or "", target=target, number=number, name=name, label=name_of(flow),
        condition=condition_of(flow), otherwise=bool(default) and default == flow.get("id"),
    )  # fmt: skip
