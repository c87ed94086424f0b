"""Workflows, rules: a first drawing of a process, from the ways that cases took in an event log. Each activity is one
task that nobody is named for yet; where ways part stands an exclusive gateway whose default is the most frequent way,
and one where they meet. With exclusive gateways alone every case comes to its end and nothing waits for ever:
whether two activities run side by side no log proves, so none is drawn so."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lxml import etree

BPMN, AOS = "http://www.omg.org/spec/BPMN/20100524/MODEL", "https://autonomy-os.org/bpmn/1"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
NAME_AT_MOST = 200
TASKS_AT_MOST = 40
START, END = "start", "end"
Way = Sequence[str]


@dataclass(frozen=True)
class Found:
    """A drawing, how many ways and tasks are in it, and which share of the cases took one of these ways."""

    bpmn: str
    ways: int
    tasks: int
    share: float


def drawing_of(ways: Sequence[tuple[Way, float]], *, name: str, share: float, about: str = "") -> Found:
    """The drawing of the most frequent of these ways (activities, share of the cases; the most frequent first) that
    together cover `share` of the cases, as far as they have at most TASKS_AT_MOST activities."""
    chosen, covered = _chosen(ways, share)
    follows = Counter[tuple[str, str]]()
    tasks: dict[str, str] = {}
    for way, weight in chosen:
        for activity in way:
            tasks.setdefault(activity, f"t{len(tasks) + 1}")
        ids = [START, *(tasks[activity] for activity in way), END]
        for pair in pairwise(ids):
            follows[pair] += max(1, round(weight * 1_000_000))
    drawing = _Drawing(name, about, follows, {number: activity for activity, number in tasks.items()})
    return Found(drawing.text(), len(chosen), len(tasks), round(covered, 6))


def _chosen(ways: Sequence[tuple[Way, float]], share: float) -> tuple[list[tuple[Way, float]], float]:
    chosen: list[tuple[Way, float]] = []
    covered, known = 0.0, set[str]()
    for way, weight in ways:
        if covered >= share and chosen:
            break
        if chosen and len(known | set(way)) > TASKS_AT_MOST:
            continue
        chosen.append((way, weight))
        known |= set(way)
        covered += weight
    return chosen, covered


class _Drawing:
    """One process, written as BPMN without places; the drawing page lays it out."""

    def __init__(self, name: str, about: str, follows: Counter[tuple[str, str]], tasks: dict[str, str]) -> None:
        self._follows, self._tasks = follows, tasks
        self._root = etree.Element(f"{{{BPMN}}}definitions", nsmap={"bpmn": BPMN, "aos": AOS, "xsi": XSI})
        self._root.set("id", "definitions")
        self._root.set("targetNamespace", "https://autonomy-os.org/drawn")
        self._process = self._add(self._root, "process", id="process", name=_plain(name), isExecutable="true")
        if about:
            self._add(self._process, "documentation").text = _plain(about, 2_000)
        self._nodes()
        self._ways()

    def text(self) -> str:
        """The drawing as a file."""
        etree.indent(self._root)
        return etree.tostring(self._root, xml_declaration=True, encoding="UTF-8").decode()

    def _add(self, parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
        return etree.SubElement(parent, f"{{{BPMN}}}{tag}", attributes)

    def _after(self, node: str) -> list[str]:
        after = [(count, target) for (source, target), count in self._follows.items() if source == node]
        return [target for _, target in sorted(after, key=lambda each: (-each[0], each[1]))]

    def _before(self, node: str) -> list[str]:
        return [source for source, target in self._follows if target == node]

    def _nodes(self) -> None:
        self._add(self._process, "startEvent", id=START, name="Start")
        for node, activity in self._tasks.items():
            after = self._after(node)
            if len(self._before(node)) > 1:
                self._add(self._process, "exclusiveGateway", id=f"{node}_join")
            task = self._add(self._process, "task", id=node, name=_plain(activity))
            if len(after) > 1:
                self._tells_next(task)
                self._split(node, after[0])
        if len(first := self._after(START)) > 1:
            self._split(START, first[0])
            self._asks_first()
        if len(self._before(END)) > 1:
            self._add(self._process, "exclusiveGateway", id=f"{END}_join")
        self._add(self._process, "endEvent", id=END, name="Done")

    def _split(self, node: str, default: str) -> None:
        self._add(self._process, "exclusiveGateway", id=f"{node}_then", name="Then?", default=_way(node, default))

    def _tells_next(self, task: etree._Element) -> None:
        own = self._add(task, "extensionElements")
        etree.SubElement(own, f"{{{AOS}}}output", {"name": "next", "type": "string", "label": "What comes next"})

    def _asks_first(self) -> None:
        own = self._add(self._process[1 if self._process[0].tag.endswith("documentation") else 0], "extensionElements")
        etree.SubElement(own, f"{{{AOS}}}input", {"name": "next", "type": "string", "label": "What comes first"})

    def _ways(self) -> None:
        for node in (START, *self._tasks):
            after = self._after(node)
            source = node
            if len(after) > 1:
                source = f"{node}_then"
                self._flow(f"f_{node}", node, source)
            for target in after:
                flow = self._flow(_way(node, target), source, self._entry(target))
                if len(after) > 1 and target != after[0]:
                    self._only_if(flow, node, target)
        for node in (*self._tasks, END):
            if self._entry(node) != node:
                self._flow(f"f_{node}_join", self._entry(node), node)

    def _entry(self, node: str) -> str:
        return f"{node}_join" if len(self._before(node)) > 1 else node

    def _flow(self, name: str, source: str, target: str) -> etree._Element:
        return self._add(self._process, "sequenceFlow", id=name, sourceRef=source, targetRef=target)

    def _only_if(self, flow: etree._Element, node: str, target: str) -> None:
        said = self._tasks.get(target, "end")
        flow.set("name", _plain(said, 60))
        condition = self._add(flow, "conditionExpression")
        condition.set(f"{{{XSI}}}type", "bpmn:tFormalExpression")
        condition.text = f'vars.{"input" if node == START else node}.next == "{target}"'


def _way(source: str, target: str) -> str:
    return f"f_{source}_{target}"


def _plain(text: str, most: int = NAME_AT_MOST) -> str:
    kept = "".join(char if char.isprintable() else " " for char in text)
    return kept.strip()[:most] or "Step"
