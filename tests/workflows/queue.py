"""What the stories about the queue share: small workflows of one step, of any unit, and what their drawings declare."""

from typing import Any

from agents import operations as agents
from observability import ledger
from workflows import operations
from workflows.models import Run, WorkflowVersion
from workflows.operations.definitions import graph_of

ONE_STEP = (
    '<startEvent id="begin"/><sequenceFlow id="f1" sourceRef="begin" targetRef="do"/>'
    '<serviceTask id="do" name="Do it" aos:role="{role}"><extensionElements>'
    '<aos:output name="answer" type="string"/></extensionElements></serviceTask>'
    '<sequenceFlow id="f2" sourceRef="do" targetRef="end"/><endEvent id="end" name="Done"/>'
)


def one_step(halden: Any, now: Any, code: str, *, unit: str = "finance") -> WorkflowVersion:
    """A published workflow of one step, in which all agents of the company may work."""
    bpmn = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="x"'
        f' xmlns:aos="https://autonomy-os.org/bpmn/1"><process id="p" name="{code}" isExecutable="true">'
        f"{ONE_STEP.format(role='invoice-reader')}</process></definitions>"
    )
    version = operations.publish(
        code, bpmn.encode(), by=ledger.SYSTEM, at=now, unit=halden.units[unit], owner=halden.people["maria"],
        incident_path=halden.workflow.incident_path,
    )  # fmt: skip
    for agent in halden.agents.values():
        agents.grant("workflows.work_in_workflow", agent.principal, version.workflow, by=ledger.SYSTEM, at=now)
        agent.principal.forget_grants()
    return version


def declare(version: WorkflowVersion, element: str = "do", **what: Any) -> None:
    """Let the drawing declare more about an element."""
    node = next(each for each in version.graph["nodes"] if each["id"] == element)
    node.update(what)
    version.save(update_fields=["graph"])
    graph_of.cache_clear()


def wrong_in(answer: Any) -> dict[str, str]:
    """What a refusal says about each field."""
    return {each["field"]: each["message"] for each in answer.json()["errors"]}


def begin(version: WorkflowVersion, *keys: str, priority: int = 0) -> list[Run]:
    """Start a run for each key."""
    at = ledger.database_now()
    return [
        operations.start(version.workflow, key=key, variables={}, by=ledger.SYSTEM, at=at, priority=priority)[0]
        for key in keys
    ]
