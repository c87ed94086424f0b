"""What the stories about work share: small drawings, published and open to some agents."""

from typing import Any

import pytest

from agents import operations as agents
from agents.models import Grant
from observability import ledger
from tests.workflows.small_drawings import process
from workflows import operations
from workflows.models import Workflow, WorkflowVersion


@pytest.fixture
def drawn(halden: Any, now: Any) -> Any:
    """`drawn("loop", elements, agents=("AP-01",))` publishes a process of these elements, in which the agents work."""

    def published(code: str, elements: str, *, agents_at_work: tuple[str, ...] = ("AP-01",)) -> WorkflowVersion:
        version = operations.publish(
            code, process(code, elements), by=ledger.SYSTEM, at=now, unit=halden.units["finance"],
            owner=halden.people["maria"], incident_path=halden.workflow.incident_path,
        )  # fmt: skip
        for name in agents_at_work:
            principal = halden.agents[name].principal
            agents.grant("workflows.work_in_workflow", principal, version.workflow, by=ledger.SYSTEM, at=now)
        return version

    return published


@pytest.fixture
def may_start(halden: Any, now: Any) -> Any:
    """`may_start("maria", workflow)` lets her see the workflow, start its runs and say how they begin."""

    def given(username: str, workflow: Workflow, *rights: str) -> None:
        person = halden.people[username]
        for right in rights or ("view_workflow", "start_workflow", "publish_workflow"):
            agents.grant(f"workflows.{right}", person, workflow, by=ledger.SYSTEM, at=now)

    return given


@pytest.fixture
def may_no_longer(halden: Any, now: Any) -> Any:
    """`may_no_longer("maria")` takes the rights away by which she starts runs of single workflows."""

    def taken(username: str) -> None:
        given = Grant.objects.filter(user=halden.people[username], permission__codename="start_workflow")
        assert given
        for each in given:
            agents.revoke(each, by=ledger.SYSTEM, at=now, why="She has another task.")

    return taken


@pytest.fixture
def council(halden: Any, now: Any) -> Any:
    """`council("paused", "reporting")` sets what agents may do in a workflow."""

    def said(state: str, workflow: str) -> None:
        scope = operations.find_scope("workflow", workflow)
        operations.set_control(scope, state, by=ledger.SYSTEM, at=now, why="A drill.")

    return said


@pytest.fixture
def owner() -> str:
    """Who gives credentials to agents."""
    return "jonas"
