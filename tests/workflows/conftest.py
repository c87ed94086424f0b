"""What the stories about work share: small drawings, published and open to some agents."""

from typing import Any

import pytest

from agents import operations as agents
from observability import ledger
from workflows import operations
from workflows.models import WorkflowVersion


@pytest.fixture
def drawn(halden: Any, now: Any) -> Any:
    """`drawn("loop", elements, agents=("AP-01",))` publishes a process of these elements, in which the agents work."""

    def published(code: str, elements: str, *, agents_at_work: tuple[str, ...] = ("AP-01",)) -> WorkflowVersion:
        bpmn = (
            '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="x"'
            f' xmlns:aos="https://autonomy-os.org/bpmn/1"><process id="p" name="{code}" isExecutable="true">'
            f"{elements}</process></definitions>"
        )
        version = operations.publish(
            code, bpmn.encode(), by=ledger.SYSTEM, at=now, unit=halden.units["finance"], owner=halden.people["maria"],
            incident_path=halden.workflow.incident_path,
        )  # fmt: skip
        for name in agents_at_work:
            principal = halden.agents[name].principal
            agents.grant("workflows.work_in_workflow", principal, version.workflow, by=ledger.SYSTEM, at=now)
        return version

    return published


@pytest.fixture
def owner() -> str:
    """Who gives credentials to agents."""
    return "jonas"
