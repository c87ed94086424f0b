"""Many runs in one request: each is begun, known already or refused on its own, by a handful of statements."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.operations import Paused
from observability import ledger
from observability.models import Event
from tests.workflows.queue import one_step, wrong_in
from tests.workflows.small_drawings import agent, line
from workflows import operations
from workflows.models import Run, Step
from workflows.operations import Wanted

ORDERS = (
    '<startEvent id="start"><extensionElements><aos:input name="order" type="string"/></extensionElements>'
    "</startEvent>" + agent("read") + '<endEvent id="end" name="Read"/>' + line("start", "read", "end")
)


@pytest.fixture
def maria(drawn: Any, may_start: Any, sign_in: Any) -> Any:
    """Maria, who starts runs that read orders."""
    may_start("maria", drawn("orders", ORDERS).workflow)
    return sign_in("maria")


def start(client: Any, *runs: Any, **more: Any) -> Any:
    answer = client.call("post", "runs/batch", {"workflow": "orders", "runs": list(runs), **more})
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def order(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "input": {"order": key}, **more}


def test_each_run_begins_as_if_it_were_started_alone(maria: Any, robot: Any) -> None:
    told = start(maria, order("PO-1"), order("PO-2", priority=5))

    assert [(each["key"], each["is_new"], each["problem"]) for each in told] == [
        ("PO-1", True, None), ("PO-2", True, None),
    ]  # fmt: skip
    for each in told:
        run = Run.objects.get(uid=each["run"])
        verbs = Event.objects.of_run(each["run"]).values_list("verb", "actor_name")
        assert [verb for verb, _ in verbs] == ["run.started", "step.opened"]
        assert verbs[0][1].startswith("Maria")
        assert (run.variables["input"], run.status) == ({"order": run.key}, "running")
    assert robot("AP-01").claim()["run"]["key"] == "PO-2", "it is more important"


def test_a_key_that_is_known_gets_its_run_also_within_one_request(maria: Any) -> None:
    (before,) = start(maria, order("PO-1"))

    again, first, second = start(maria, order("PO-1"), order("PO-2"), order("PO-2"))

    assert (again["run"], again["is_new"]) == (before["run"], False)
    assert (first["is_new"], second["is_new"]) == (True, False)
    assert first["run"] == second["run"]
    assert Run.objects.filter(workflow__code="orders").count() == 2


def test_inputs_that_do_not_fit_stop_no_other_run(maria: Any) -> None:
    wrong, right = start(maria, {"key": "PO-1", "input": {"ordre": "PO-1"}}, order("PO-2"))

    assert (wrong["run"], wrong["is_new"], wrong["problem"]["code"]) == (None, False, "invalid")
    assert [each["field"] for each in wrong["problem"]["errors"]] == ["ordre"]
    assert right["is_new"]
    assert list(Run.objects.filter(workflow__code="orders").values_list("key", flat=True)) == ["PO-2"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"runs": []}, "runs"),
        ({"runs": [order(f"PO-{number}") for number in range(51)]}, "runs"),
        ({"runs": [{"key": ""}]}, "runs[0].key"),
        ({"runs": [order("PO-1"), order("PO-2", priority=101)]}, "runs[1].priority"),
        ({"runs": "PO-1"}, "runs"),
    ],
)
def test_a_request_that_cannot_be_is_refused_by_its_field(maria: Any, body: Any, field: str) -> None:
    answer = maria.call("post", "runs/batch", {"workflow": "orders", **body})

    assert answer.status_code == 400
    assert any(name.startswith(field) for name in wrong_in(answer)), wrong_in(answer)
    assert not Run.objects.filter(workflow__code="orders").exists()


def test_the_same_request_again_gets_the_same_answer(maria: Any) -> None:
    body = {"workflow": "orders", "runs": [order("PO-1")]}

    first, again = (maria.call("post", "runs/batch", body, key="once").json() for _ in range(2))

    assert first == again
    assert first["results"][0]["is_new"]


def test_nothing_begins_while_work_is_paused(maria: Any, council: Any, halden: Any, now: Any) -> None:
    council("paused", "orders")

    answer = maria.call("post", "runs/batch", {"workflow": "orders", "runs": [order("PO-1"), order("PO-2")]})

    assert answer.status_code == Paused.status
    assert not Run.objects.filter(workflow__code="orders").exists()


def test_who_may_not_start_starts_none_of_them(maria: Any, sign_in: Any) -> None:
    body = {"workflow": "orders", "runs": [order("PO-1")]}

    assert sign_in("sofia").call("post", "runs/batch", body).status_code in (403, 404)
    assert not Run.objects.filter(workflow__code="orders").exists()


def test_many_take_no_more_statements_than_a_few(halden: Any, now: Any) -> None:
    workflow, counts = one_step(halden, now, "small").workflow, []
    for many in (5, 50):
        wanted = [Wanted(f"{many}-{number}", {}) for number in range(many)]
        with CaptureQueriesContext(connection) as asked:
            begun = operations.start_many(workflow, wanted, by=ledger.SYSTEM, at=now)
        assert all(each.is_new for each in begun)
        counts.append(len(asked))

    assert counts[1] == counts[0], counts
    assert Step.objects.filter(run__workflow=workflow, status="ready").count() == 55
    turns = list(Step.objects.filter(run__workflow=workflow).order_by("id").values_list("turn", flat=True))
    assert turns == sorted(set(turns)), "they stand one behind the other"
