"""Lists stay quick when there is much: values are found by an index, figures are kept and add up to the ledger."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from observability import ledger
from observability.ledger import database_now
from workflows import memory, tasks
from workflows.models import Fact, ReuseDay, Run, Space, holding
from workflows.models.memory import FewKept
from workflows.views.memory import totals_of

INDEXED = connection.vendor == "postgresql"


@pytest.fixture
def runs(halden: Any) -> Any:
    """`runs("done", read={"total": "9.00"})` is a run in this state that knows this."""
    version, at = halden.workflow.versions.get(), database_now()

    def made(status: str, **variables: Any) -> Run:
        return Run.objects.create(
            workflow=halden.workflow, version=version, unit=halden.workflow.unit, started_at=at, status=status,
            key=f"R{Run.objects.count()}", variables=variables, ended_at=None if status == "running" else at,
        )  # fmt: skip

    return made


def test_a_value_is_found_in_runs_under_way_and_in_all_that_ended(runs: Any) -> None:
    wanted = {
        runs(status, read={"total": "9.00"}).pk for status in ("running", "paused", "done", "failed", "cancelled")
    }
    runs("done", read={"total": "9.000"})
    runs("done", read={"totals": "9.00"}, input={"total": ["9.00"]})
    runs("running", match={"total": "9.00"})

    found = holding(Run.objects.all(), ["read", "input"], "total", ["9.00"])

    assert set(found.runs.values_list("pk", flat=True)) == wanted
    assert not found.is_cut
    assert not holding(Run.objects.filter(key="none"), ["read"], "total", ["9.00"]).runs.exists()


@pytest.mark.parametrize(
    ("value", "asked", "finds"),
    [(True, [True], True), (False, [True], False), (3, [3], True), (3, ["3"], False), ("Müller", ["Müller"], True),
     ({"a": 1}, ["a"], False), (None, [""], False)],
)  # fmt: skip
def test_a_value_is_found_by_what_it_is(runs: Any, value: Any, asked: list[Any], finds: bool) -> None:
    runs("done", read={"x": value})

    assert holding(Run.objects.all(), ["read"], "x", asked).runs.exists() is finds


def test_without_an_index_only_the_newest_are_looked_at_and_that_is_said(runs: Any) -> None:
    made = [runs("done", read={"x": "1"}) for _ in range(4)]

    found = holding(Run.objects.all(), ["read"], "x", ["1"], newest=3)
    exact = holding(Run.objects.all(), ["read"], "x", ["1"], newest=4)

    assert found.is_cut is not INDEXED
    assert found.runs.count() == (4 if INDEXED else 3)
    assert (exact.is_cut, exact.runs.count()) == (False, len(made))


@pytest.mark.skipif(not INDEXED, reason="the index is PostgreSQL's")
def test_ended_runs_are_found_by_the_index(runs: Any) -> None:
    first = runs("done", read={"x": "1"})
    common = {"workflow": first.workflow, "version": first.version, "unit": first.unit, "started_at": first.started_at}
    others = (Run(key=f"n{n}", status="done", variables={"read": {"x": f"n{n}"}}, **common) for n in range(3_000))
    Run.objects.bulk_create(others, batch_size=1_000)
    ended = Run.objects.filter(status__in=Run.ENDS, variables__contains={"read": {"x": "1"}})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE workflows_run")

    assert "run_ended_values" in ended.explain()


def reuse(fact: Fact, halden: Any, times: int, *, days_ago: int = 0) -> None:
    """Others did not have to find it out so many times."""
    for number in range(times):
        memory.count_reuse(
            fact, by=halden.agents[("AP-01", "AP-02", "AP-04")[number]], run=None,
            at=database_now() - timedelta(days=days_ago, seconds=number),
        )  # fmt: skip


@pytest.fixture
def fact(halden: Any) -> Fact:
    """A fact that took two seconds and three cents to find out."""
    space, author = Space.objects.get(code="invoices-seen"), halden.agents["RK-01"]
    finding = memory.Finding(key="rate", value={"rate": "0.93"}, seconds=Decimal(2), cost=Decimal("0.03"))
    return memory.put(space, finding, agent=author, at=database_now())


def test_what_reuse_saved_is_the_same_before_it_is_counted_while_and_after(fact: Fact, halden: Any) -> None:
    day = memory.day_of(database_now())
    reuse(fact, halden, 2)

    def figures() -> tuple[Any, ...]:
        found = memory.reuses([fact.space], day - timedelta(days=2))
        own = found.by_space[fact.space_id]
        return own.uses, own.seconds, own.cost, sum(each.uses for each in found.by_day.values()), found.is_behind

    assert figures() == (2, Decimal(4), Decimal("0.06"), 2, False)
    ledger.seal()
    assert figures()[0] == 2
    assert tasks.count_reuses() > 0
    assert tasks.count_reuses() == 0, "nothing counts twice"
    assert figures() == (2, Decimal(4), Decimal("0.06"), 2, False)
    assert ReuseDay.objects.get().uses == 2
    reuse(fact, halden, 3)
    assert figures()[0] == 3, "one more agent; the others had it before"


def test_the_page_tells_what_reuse_saved_only_of_spaces_that_one_sees(fact: Fact, halden: Any, sign_in: Any) -> None:
    reuse(fact, halden, 3)
    ledger.seal()
    tasks.count_reuses()

    assert "Facts were reused 3 times." in sign_in("priya").get("/memory/reuse").content.decode()
    Space.objects.update(unit=halden.units["procurement"], scope="unit")
    assert "No fact was reused yet." in sign_in("priya").get("/memory/reuse").content.decode()


def test_how_many_facts_a_space_has_is_counted_up_to_a_bound(fact: Fact) -> None:
    Fact.objects.bulk_create(
        (
            Fact(space=fact.space, key=f"k{number}", author=fact.author, value_sha256="0" * 64, at=fact.at)
            for number in range(10_050)
        ),
        batch_size=1_000,
    )

    space = Space.objects.annotate(known=FewKept()).get(pk=fact.space_id)

    assert space.known == 10_001
    totals = totals_of(Fact.objects.all())
    assert (totals["count"], totals["many"]) == (10_000, True)
