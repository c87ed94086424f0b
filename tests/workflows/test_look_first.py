"""Steps look before they work: known results are taken, equal work is done once, and nobody waits for ever."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from observability.ledger import SYSTEM, database_now
from observability.models import Event
from workflows import memory, operations, tasks
from workflows.models import Fact, Flight, Run, Space, Step, Waiter, WorkflowVersion
from workflows.operations.definitions import BpmnRefused, graph_of

ELEMENTS = """
  <startEvent id="start"><extensionElements><aos:input name="number" type="string"/></extensionElements></startEvent>
  <serviceTask id="rate" name="Find the rate" aos:role="invoice-reader" aos:memorySpace="orders"
    aos:memoryKey="Rate of {vars.input.number}" aos:memoryFor="PT1H"><extensionElements>
    <aos:output name="rate" type="string"/></extensionElements></serviceTask>
  <serviceTask id="use" name="Use the rate" aos:role="invoice-reader"/>
  <endEvent id="end" name="Done"/>
  <sequenceFlow id="f1" sourceRef="start" targetRef="rate"/><sequenceFlow id="f2" sourceRef="rate" targetRef="use"/>
  <sequenceFlow id="f3" sourceRef="use" targetRef="end"/>"""


def share(version: WorkflowVersion, element: str, *, space: str = "orders", key: str, seconds: int = 0) -> None:
    """Let the element look into shared memory first."""
    for node in version.graph["nodes"]:
        if node["id"] == element:
            node.update(memory_space=space, memory_key=key, memory_seconds=seconds)
    version.save(update_fields=["graph"])
    graph_of.cache_clear()


@pytest.fixture
def rates(drawn: Any) -> WorkflowVersion:
    """A workflow in which the rate of an order is found once."""
    version: WorkflowVersion = drawn("rates", ELEMENTS)
    return version


@pytest.fixture
def begin(rates: WorkflowVersion) -> Any:
    """`begin("1")` starts a run about an order."""

    def begun(key: str, number: str = "PO-7", **more: Any) -> Run:
        run, _ = operations.start(
            rates.workflow, key=key, variables={"number": number}, by=SYSTEM, at=database_now(), **more
        )
        return run

    return begun


def step_of(run: Run, element: str = "rate") -> Step:
    return Step.objects.get(run=run, element=element)


def test_what_is_known_is_not_done_again(begin: Any, robot: Any) -> None:
    reader = robot("AP-01")
    begin("1")
    reader.finish(reader.claim(), rate="1.10")
    fact = Fact.objects.get()

    second = begin("2")

    assert (fact.key, fact.value, fact.author.code) == ("rate of po-7", {"rate": "1.10"}, "AP-01")
    assert fact.expires_at - fact.at == timedelta(hours=1)
    step = step_of(second)
    assert (step.status, step.output, step.agent) == ("done", {"rate": "1.10"}, None)
    assert step_of(second, "use").status == "ready"
    event = Event.objects.get(verb="step.reused")
    assert (event.data["fact"], event.data["saved_cost"], event.data["author"]) == (str(fact.uid), "0.010000", "AP-01")
    fact.refresh_from_db()
    assert fact.reused == 1
    second.refresh_from_db()
    assert (second.variables["rate"], second.cost) == ({"rate": "1.10"}, Decimal(0))


def test_another_key_is_other_work(begin: Any, robot: Any) -> None:
    reader = robot("AP-01")
    begin("1")
    reader.finish(reader.claim(), rate="1.10")

    assert step_of(begin("2", "PO-8")).status == "ready"


def test_equal_work_is_done_once_and_all_go_on(begin: Any, robot: Any) -> None:
    reader = robot("AP-01")
    runs = [begin(str(number)) for number in range(4)]
    assert Waiter.objects.count() == 3
    assert Event.objects.filter(verb="step.shared").count() == 3
    work = reader.claim()
    assert reader.claim() is None, "the others wait"

    reader.finish(work, rate="1.10")
    tasks.land_flights()

    assert [step_of(run).status for run in runs] == ["done"] * 4
    assert {step_of(run).output["rate"] for run in runs} == {"1.10"}
    assert not Flight.objects.exists()
    assert Fact.objects.get().reused == 3


def test_when_the_first_gives_up_the_next_takes_over(begin: Any, robot: Any, sign_in: Any) -> None:
    reader = robot("AP-01")
    first, second, third = (begin(number) for number in "123")
    operations.cancel(first, by=SYSTEM, at=database_now(), why="Not needed.")

    tasks.land_flights()
    work = reader.claim()

    assert work["run"]["key"] == "2"
    assert reader.claim() is None
    reader.finish(work, rate="1.20")
    tasks.land_flights()
    assert (step_of(second).status, step_of(third).output) == ("done", {"rate": "1.20"})


def test_a_waiting_run_that_is_cancelled_waits_no_more(begin: Any, robot: Any) -> None:
    reader, first, second = robot("AP-01"), begin("1"), begin("2")
    operations.cancel(second, by=SYSTEM, at=database_now(), why="Not needed.")

    reader.finish(reader.claim(), rate="1")
    tasks.land_flights()

    assert (step_of(first).status, step_of(second).status) == ("done", "cancelled")
    assert not Flight.objects.exists() and not Waiter.objects.exists()


def test_a_run_that_works_anew_takes_nothing_and_leaves_the_newest(begin: Any, robot: Any) -> None:
    reader = robot("AP-01")
    begin("1")
    reader.finish(reader.claim(), rate="1.10")
    reader.finish(reader.claim())

    anew = begin("2", works_anew=True)
    work = reader.claim()
    reader.finish(work, rate="1.30")

    assert (work["run"]["key"], step_of(anew).output) == ("2", {"rate": "1.30"})
    assert [fact.superseded_at is None for fact in Fact.objects.order_by("id")] == [False, True]


def test_a_run_is_started_anew_by_the_api(robot: Any) -> None:
    body = {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}, "anew": True}

    assert robot("AP-01").call("post", "runs", body).status_code == 201
    assert Run.objects.get().works_anew


def test_what_nobody_believes_is_not_taken(begin: Any, robot: Any, halden: Any) -> None:
    reader = robot("AP-01")
    begin("1"), begin("2")
    agent = halden.agents["AP-01"]
    type(agent).objects.filter(pk=agent.pk).update(autonomy_level=1)

    reader.finish(reader.claim(), rate="1.10")
    tasks.land_flights()

    assert Fact.objects.get().trust == "low"
    assert reader.claim()["run"]["key"] in ("1", "2"), "the second does it itself, the first goes on"
    assert step_of(Run.objects.get(key="2")).status in ("ready", "working")


def test_what_does_not_fit_the_outputs_is_not_taken(begin: Any, robot: Any, halden: Any) -> None:
    space = Space.objects.get(code="orders")
    finding = memory.Finding(key="rate of PO-7", value={"price": "1"})
    memory.put(space, finding, agent=halden.agents["AP-02"], at=database_now())

    assert step_of(begin("1")).status == "ready"


def test_a_secret_in_a_result_is_not_kept_but_the_work_is_done(begin: Any, robot: Any) -> None:
    reader, run = robot("AP-01"), begin("1")

    assert reader.finish(reader.claim(), rate="AKIAABCDEFGHIJKLMNOP").status_code == 200

    assert step_of(run).status == "done"
    assert not Fact.objects.exists()
    assert "Secrets are not kept" in Event.objects.get(verb="step.not_kept").why


def test_steps_wait_for_an_agent_that_claimed_the_same(begin: Any, robot: Any) -> None:
    matcher, reader = robot("AP-02"), robot("AP-01")
    claimed = matcher.call("post", "memory/claims", {"space": "orders", "key": "Rate of PO-7"}).json()
    run = begin("1")
    assert (claimed["answer"], reader.claim()) == ("yours", None)

    kept = {"space": "orders", "key": "Rate of PO-7", "value": {"rate": "2"}}
    assert matcher.call("post", "memory/facts", kept).status_code == 201
    tasks.land_flights()

    assert step_of(run).output == {"rate": "2"}


def test_an_agent_that_let_its_claim_run_out_goes_behind_the_steps_that_wait(
    begin: Any, robot: Any, halden: Any
) -> None:
    space, at = Space.objects.get(code="orders"), database_now()
    matcher, reader = robot("AP-02"), robot("AP-01")
    memory.begin(space, "Rate of PO-7", agent=halden.agents["AP-02"], at=at - timedelta(minutes=10), seconds=60)
    Flight.objects.update(leased_until=at + timedelta(hours=1))
    run = begin("1")
    assert reader.claim() is None
    Flight.objects.update(leased_until=at - timedelta(minutes=1))

    again = matcher.call("post", "memory/claims", {"space": "orders", "key": "Rate of PO-7"}).json()
    tasks.land_flights()

    assert again["answer"] is None
    assert reader.claim()["run"]["id"] == str(run.uid)


def test_two_known_steps_in_a_row_end_the_run_at_once(rates: WorkflowVersion, begin: Any, robot: Any) -> None:
    share(rates, "use", key="Use of {vars.rate.rate}")
    reader = robot("AP-01")
    begin("1")
    reader.finish(reader.claim(), rate="1.10")
    reader.finish(reader.claim())

    run = begin("2")

    assert (run.status, run.outcome) == ("done", "Done")
    assert Event.objects.filter(verb="step.reused").count() == 2


@pytest.mark.parametrize(
    ("space", "key", "said"),
    [
        ("nowhere", "k", "There is no space nowhere"),
        ("orders", "", "Name both"),
        ("orders", "{vars.input.nubmer}", "The key cannot be read"),
    ],
)
def test_a_drawing_that_names_no_space_or_key_is_refused(
    halden: Any, rates: WorkflowVersion, space: str, key: str, said: str
) -> None:
    share(rates, "rate", space=space, key=key)

    wrong = memory.problems_of(graph_of(rates.pk), unit=halden.units["finance"], workflow=rates.workflow)

    assert list(wrong) == ["rate"] and said in wrong["rate"]


def test_a_drawing_that_names_no_space_is_not_published(drawn: Any) -> None:
    with pytest.raises(BpmnRefused) as refused:
        drawn("lost", ELEMENTS.replace('"orders"', '"nowhere"'))

    assert "There is no space nowhere" in refused.value.fields["rate"]


def test_a_space_of_another_unit_is_closed_to_a_workflow(halden: Any, rates: WorkflowVersion, now: Any) -> None:
    other = Space.objects.create(code="theirs", name="Theirs", unit=halden.units["procurement"])
    share(rates, "rate", space=other.code, key="k")

    assert memory.problems_of(graph_of(rates.pk), unit=halden.units["finance"], workflow=rates.workflow)
