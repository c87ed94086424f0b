"""Many hands on shared memory at the same moment: equal work once, one current fact, nothing derived from what fell."""

from typing import Any

import pytest
from django.db import connection

from agents import operations as agents
from observability import ledger
from observability.ledger import SYSTEM, database_now
from observability.models import Event
from tests.workflows.test_look_first import ELEMENTS
from workflows import memory, operations, tasks
from workflows.models import Fact, Flight, Run, Space, Step

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
EQUAL = 100
ROUNDS = 20


@pytest.fixture
def rates(halden: Any, now: Any) -> Any:
    """A workflow whose first step is the same work for one order."""
    bpmn = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="x"'
        ' xmlns:aos="https://autonomy-os.org/bpmn/1"><process id="p" name="rates" isExecutable="true">'
        f"{ELEMENTS}</process></definitions>"
    )
    return operations.publish(
        "rates", bpmn.encode(), by=ledger.SYSTEM, at=now, unit=halden.units["finance"], owner=halden.people["maria"],
        incident_path=halden.workflow.incident_path,
    )  # fmt: skip


def test_a_hundred_equal_requests_are_one_execution(rates: Any, halden: Any, together: Any) -> None:
    agent, at = halden.agents["AP-01"], database_now()
    agents.grant("workflows.work_in_workflow", agent.principal, rates.workflow, by=SYSTEM, at=at)

    def begin(number: int) -> int:
        run, _ = operations.start(
            rates.workflow, key=str(number), variables={"number": "PO-7"}, by=SYSTEM, at=database_now()
        )
        return run.pk

    assert sorted(together(EQUAL, begin)) == sorted(Run.objects.values_list("pk", flat=True))
    done = 0
    while (step := operations.claim(agent, at=database_now())) is not None:
        if step.element == "rate":
            done += 1
        output = {"rate": "1.10"} if step.element == "rate" else {}
        operations.finish(step, agent=agent, lease_token=step.lease_token, output=output, at=database_now())
        tasks.land_flights()

    assert done == 1
    assert Step.objects.filter(element="rate", status="done", output={"rate": "1.10"}).count() == EQUAL
    assert Run.objects.filter(status="done").count() == EQUAL
    assert Event.objects.filter(verb="step.reused").count() == EQUAL - 1
    assert not Flight.objects.exists()


def test_of_many_claims_one_is_given(halden: Any, together: Any) -> None:
    space = Space.objects.get(code="orders")
    for round_ in range(ROUNDS):
        begun = together(
            8,
            lambda number, key=f"k{round_}": memory.begin(
                space, key, agent=halden.agents[("AP-02", "RK-01")[number % 2]], at=database_now()
            ),
        )

        assert len({(each.flight.agent_id) for each in begun if each.is_mine}) == 1, begun


def test_of_many_findings_under_one_key_one_is_current(halden: Any, together: Any) -> None:
    space = Space.objects.get(code="orders")

    def put(number: int) -> Any:
        agent = halden.agents[("AP-02", "RK-01")[number % 2]]
        return memory.put(space, memory.Finding(key="k", value={"n": number}), agent=agent, at=database_now())

    results = together(12, put)

    assert all(isinstance(each, Fact) for each in results), results
    assert Fact.objects.kept().count() == 1


def test_nothing_stays_that_was_derived_while_its_source_fell(halden: Any, together: Any) -> None:
    space, author, other = Space.objects.get(code="orders"), halden.agents["AP-02"], halden.agents["RK-01"]
    for round_ in range(ROUNDS):
        source = memory.put(space, memory.Finding(key=f"s{round_}", value={"n": 1}), agent=author, at=database_now())

        def act(number: int, source: Fact = source, round_: int = round_) -> Any:
            if number == 0:
                return memory.invalidate(source, by=author, at=database_now(), why="Wrong.")
            finding = memory.Finding(key=f"d{round_}-{number}", value={"n": number}, sources=[source.uid])
            return memory.put(space, finding, agent=other, at=database_now())

        results = together(5, act)

        assert not isinstance(results[0], Exception), results
        assert all(isinstance(each, Fact | ledger.Invalid) for each in results[1:]), results
        assert not Fact.objects.valid(database_now()).filter(sources=source).exists()
