"""Bench: 10,000 timers due at once fire in the sweep, fair between units; and 10,000 instances of one activity.

DATABASE_URL=postgresql://... python tests/bench/timers.py [how many]
"""

import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from measuring.database import company, own_database

if TYPE_CHECKING:
    from autonomy_site.demo.company import Halden

MANY = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
BAR_SECONDS = 60
UNITS = ("finance", "procurement")
PARTS = 10


def drawing(elements: str) -> bytes:
    """A drawing with these elements in one process."""
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="x"'
        f' xmlns:aos="https://autonomy-os.org/bpmn/1"><process id="p" name="Bench" isExecutable="true">{elements}'
        "</process></definitions>"
    ).encode()


WAITS = drawing(
    '<startEvent id="start"/><intermediateCatchEvent id="later"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
    '</timerEventDefinition></intermediateCatchEvent><endEvent id="end" name="Over"/>'
    '<sequenceFlow id="a" sourceRef="start" targetRef="later"/><sequenceFlow id="b" sourceRef="later" targetRef="end"/>'
)
MULTIPLE = drawing(
    '<startEvent id="start"><extensionElements><aos:input name="items" type="list"/></extensionElements></startEvent>'
    '<serviceTask id="each" name="Each" aos:role="invoice-reader"><extensionElements>'
    '<aos:output name="ok" type="bool"/></extensionElements>'
    '<multiInstanceLoopCharacteristics aos:collection="vars.input.items" aos:element="item"/></serviceTask>'
    '<endEvent id="end" name="All"/><sequenceFlow id="a" sourceRef="start" targetRef="each"/>'
    '<sequenceFlow id="b" sourceRef="each" targetRef="end"/>'
)


def published(halden: "Halden", code: str, bpmn: bytes, unit: str) -> Any:
    """A workflow of the unit."""
    from observability import ledger
    from workflows import operations

    version = operations.publish(
        code, bpmn, by=ledger.SYSTEM, at=ledger.database_now(), unit=halden.units[unit], owner=halden.people["maria"],
        incident_path=halden.workflow.incident_path,
    )  # fmt: skip
    return version.workflow


def timers(halden: "Halden") -> None:
    """Fire all timers by sweeps as the worker makes them."""
    from django.db.models import Max

    from observability import ledger
    from workflows import operations, tasks
    from workflows.models import Timer

    flows = [published(halden, f"waits-{unit}", WAITS, unit) for unit in UNITS]
    print(f"{MANY:,} runs that wait, of {len(UNITS)} units, nine in ten of the first ...", flush=True)
    for number in range(MANY):
        flow = flows[number % 10 == 0]
        operations.start(flow, key=str(number), variables={}, by=ledger.SYSTEM, at=ledger.database_now())
    Timer.objects.update(due_at=ledger.database_now() - timedelta(seconds=1))
    begun, fired, sweeps = time.perf_counter(), 0, 0
    while fired < MANY:
        fired += tasks.fire_timers()
        sweeps += 1
    taken = time.perf_counter() - begun
    left = Timer.objects.filter(status="set").count()
    ends = Timer.objects.order_by().values_list("run__unit__code").annotate(Max("run__ended_at"))
    last = dict(ends)
    first_done = min(last, key=lambda unit: last[unit])
    kept = "keeps" if taken < BAR_SECONDS and not left else "MISSES"
    print(f"  {fired:,} timers fired in {taken:.1f} s by {sweeps} sweeps, {fired / taken:,.0f} a second, {left} left")
    print(f"  {kept} the bar of {BAR_SECONDS} s; the unit with fewer ({first_done}) was through first")


def instances(halden: "Halden") -> None:
    """Open and finish many instances; the time of each tenth part tells whether it grows."""
    from agents import operations as agents
    from observability import ledger
    from workflows import operations
    from workflows.models import Run

    flow, agent = published(halden, "many", MULTIPLE, "finance"), halden.agents["AP-01"]
    agents.grant("workflows.work_in_workflow", agent.principal, flow, by=ledger.SYSTEM, at=ledger.database_now())
    begun = time.perf_counter()
    items = [f"item {number}" for number in range(MANY)]
    operations.start(flow, key="many", variables={"items": items}, by=ledger.SYSTEM, at=ledger.database_now())
    print(f"{MANY:,} instances of one activity opened in {time.perf_counter() - begun:.1f} s")
    parts = [_part(agent, MANY // PARTS) for _ in range(PARTS)]
    told = ", ".join(f"{1000 * part / (MANY // PARTS):.1f}" for part in parts)
    run = Run.objects.get(workflow=flow)
    print(f"  claimed and finished, milliseconds each in every tenth part: {told}")
    print(f"  the run is {run.status} with {len(run.variables['each']['items']):,} results in order")


def _part(agent: Any, many: int) -> float:
    from observability.ledger import database_now
    from workflows import operations

    begun = time.perf_counter()
    for _ in range(many):
        step = operations.claim(agent, at=database_now())
        if step is None:
            raise SystemExit("There is no step left.")
        operations.finish(
            step, agent=agent, at=database_now(), lease_token=step.lease_token, output={"ok": True}
        )  # fmt: skip
    return time.perf_counter() - begun


def main(acts: Sequence[Any] = (timers, instances)) -> None:
    with own_database("timers"):
        halden = company()
        for act in acts:
            act(halden)


if __name__ == "__main__":
    main()
