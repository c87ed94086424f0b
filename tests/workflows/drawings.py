"""Small BPMN drawings and one run of each, moved by hand: shared by the tests of the engine."""

import re

from workflows.plan import (
    Assign,
    CancelStep,
    Effect,
    EventCaught,
    Graph,
    Happening,
    Marking,
    OpenStep,
    Started,
    StepFinished,
    TimerFired,
    advance,
    read_bpmn,
)

HEAD = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="file" targetNamespace="t"
  xmlns:aos="https://autonomy-os.org/bpmn/1" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
  xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">{beside}<process id="process" isExecutable="true">
  {body}</process></definitions>"""
WAY = re.compile(r"(\S+)\s*->\s*(\S+)(?:\s*\|\s*(.*))?")


def flows(text: str) -> str:
    """Sequence flows from lines such as `a -> b | condition`; their ids are `a_b`."""
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        source, target, condition = WAY.fullmatch(line).groups()
        inside = f"<conditionExpression><![CDATA[{condition}]]></conditionExpression>" if condition else ""
        ends = f'id="{source}_{target}" sourceRef="{source}" targetRef="{target}"'
        found.append(f"<sequenceFlow {ends}>{inside}</sequenceFlow>")
    return "".join(found)


def task(name: str, more: str = "", inside: str = "", outputs: str = "") -> str:
    """A task of an agent; `outputs` are lines such as `go:bool`."""
    values = "".join('<aos:output name="{}" type="{}"/>'.format(*each.split(":")) for each in outputs.split())
    box = f"<extensionElements>{values}</extensionElements>" if values else ""
    return f'<serviceTask id="{name}" aos:role="r" {more}>{box}{inside}</serviceTask>'


def person(name: str, more: str = "") -> str:
    return f'<userTask id="{name}" aos:path="p" {more}/>'


def start(inputs: str = "", name: str = "s", inside: str = "") -> str:
    values = "".join('<aos:input name="{}" type="{}"/>'.format(*each.split(":")) for each in inputs.split())
    box = f"<extensionElements>{values}</extensionElements>" if values else ""
    return f'<startEvent id="{name}">{box}{inside}</startEvent>'


def event(tag: str, name: str, kind: str = "", ref: str = "", *, more: str = "", inside: str = "") -> str:
    """An event such as `event("boundaryEvent", "b", "error", "bad", more='attachedToRef="a"')`."""
    attribute = {"error": "errorRef", "escalation": "escalationRef", "message": "messageRef", "signal": "signalRef",
                 "link": "name", "compensate": "activityRef"}.get(kind)  # fmt: skip
    named = f'{attribute}="{ref}"' if attribute and ref else ""
    definition = f"<{kind}EventDefinition {named}>{inside}</{kind}EventDefinition>" if kind else ""
    return f'<{tag} id="{name}" {more}>{definition}</{tag}>'


def duration(text: str) -> str:
    return f"<timeDuration>{text}</timeDuration>"


def sub(name: str, body: str, more: str = "", tag: str = "subProcess") -> str:
    return f'<{tag} id="{name}" {more}>{body}</{tag}>'


def end(name: str = "e", kind: str = "", ref: str = "") -> str:
    return event("endEvent", name, kind, ref)


def xml(body: str, ways: str = "", beside: str = "") -> bytes:
    return HEAD.format(beside=beside, body=body + flows(ways)).encode()


class Play:
    """One run of a drawing; `variables` are kept as the effects say."""

    def __init__(self, document: bytes | Graph, inputs: dict[str, object] | None = None, begin: str = "") -> None:
        self.graph = document if isinstance(document, Graph) else read_bpmn(document)
        self.marking = Marking()
        self.variables: dict[str, object] = {"input": inputs or {}}
        self.effects: tuple[Effect, ...] = ()
        self.happen(Started(start=begin))

    def happen(self, happening: Happening) -> tuple[Effect, ...]:
        graph = Graph.from_json(self.graph.to_json())
        assert graph == self.graph
        self.marking, self.effects = advance(self.graph, self.marking, happening, self.variables)
        assert Marking.from_json(self.marking.to_json()) == self.marking
        for effect in self.effects:
            if isinstance(effect, Assign):
                self.variables[effect.node_id] = dict(effect.values)
        return self.effects

    def finish(self, node_id: str, **outputs: object) -> tuple[Effect, ...]:
        token = self.token(node_id)
        self.variables[node_id] = outputs
        return self.happen(StepFinished(token))

    def token(self, node_id: str) -> int:
        """The number of what is open at a node."""
        found = self.marking.token_at(node_id)
        assert found is not None, f"{node_id} is not open but {self.open}"
        return found.id

    def fire(self, node_id: str) -> tuple[Effect, ...]:
        return self.happen(TimerFired(next(each.id for each in self.marking.timers if each.node == node_id)))

    def catch(self, node_id: str) -> tuple[Effect, ...]:
        return self.happen(EventCaught(next(each.id for each in self.marking.waits if each.node == node_id)))

    @property
    def open(self) -> list[str]:
        return [token.node for token in self.marking.tokens if not token.stuck]

    @property
    def stuck(self) -> list[str]:
        return [token.node for token in self.marking.tokens if token.stuck]

    @property
    def steps(self) -> list[str]:
        """What the effects of the last happening opened."""
        return [each.node_id for each in self.effects if isinstance(each, OpenStep)]

    @property
    def cancelled(self) -> list[str]:
        return [each.node_id for each in self.effects if isinstance(each, CancelStep)]

    @property
    def waiting(self) -> list[str]:
        """What the run waits for beside its steps."""
        return sorted([each.node for each in self.marking.timers] + [each.node for each in self.marking.waits])
