"""A statement that is written once finds and writes what the query behind it would."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.forms import model_to_dict

from agents.models import Agent, GivenAnswer, Key
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from observability.prepared import Insertion, Prepared, PreparedList, Swap
from workflows.models import Run

IN_FORCE = Prepared(
    lambda code: Agent.objects.select_related("principal", "unit").filter(code=code, status=Agent.Status.ACTIVE), "code"
)
KEPT = Prepared(lambda uid: Run.objects.only("uid", "key").filter(uid=uid), uid=UUID)


def test_the_row_comes_with_its_relations_by_one_statement(halden: Any, django_assert_num_queries: Any) -> None:
    for code in ("AP-01", "AP-04"):
        with django_assert_num_queries(1):
            agent = IN_FORCE.first(code=code)
            assert agent is not None
            assert (agent.code, agent.principal.username, agent.unit.code) == (code, f"agent:{code}", "finance")
        assert model_to_dict(agent) == model_to_dict(Agent.objects.get(code=code))


def test_what_the_query_says_without_a_value_holds_as_well(halden: Any) -> None:
    assert IN_FORCE.first(code="VO-01") is None, "a draft"
    assert IN_FORCE.first(code="nobody") is None
    assert (IN_FORCE.exists(code="AP-01"), IN_FORCE.exists(code="VO-01")) == (True, False)


def test_a_row_is_found_by_its_public_key_and_the_columns_left_out_are_read_later(bring: Any) -> None:
    run = Run.objects.get(uid=bring("2026-1"))
    found = KEPT.first(uid=run.uid)

    assert found is not None
    assert found.get_deferred_fields() >= {"variables", "marking"}
    assert (found.pk, found.key, found.variables) == (run.pk, "2026-1", run.variables)
    assert KEPT.first(uid=uuid4()) is None


def test_a_value_that_the_query_does_not_ask_for_is_a_mistake(halden: Any) -> None:
    careless = Prepared(lambda prefix, code: Key.objects.filter(prefix=prefix), "prefix", "code")

    with pytest.raises(ValueError, match="does not ask for code"):
        careless.first(prefix="x", code="AP-01")


def test_a_row_that_is_locked_stays_so_until_the_end(bring: Any) -> None:
    locked = Prepared(lambda pk: Run.objects.select_for_update().filter(pk=pk), pk=int)
    run = Run.objects.get(uid=bring())

    with transaction.atomic():
        found = locked.first(pk=run.pk)

    assert found == run
    assert locked._rows is not None
    assert ("FOR UPDATE" in locked._rows.sql) == (connection.vendor == "postgresql")


def test_a_row_is_written_as_save_would_write_it(halden: Any, now: Any) -> None:
    columns: dict[str, Any] = {
        "at": now, "verb": "probe.told", "actor_kind": "system", "actor_id": "x", "actor_name": "X'\"%s",
        "subject_kind": "probe", "subject_id": "1", "subject_name": "ü", "cost": Decimal("0.123456"),
        "seconds": Decimal("1.5"), "data": {"a": [1, None, "é"]},
    }  # fmt: skip
    by_hand, saved = Insertion(Event).insert(Event(**columns)), Event.objects.create(**columns)

    assert not by_hand._state.adding
    rows = [Event.objects.filter(pk=row.pk).values().get() for row in (by_hand, saved)]
    assert rows[0].pop("id") != rows[1].pop("id")
    assert rows[0].pop("uid") == by_hand.uid != rows[1].pop("uid")
    assert rows[0] == rows[1]


def test_many_rows_are_written_as_save_would_write_each(halden: Any, now: Any) -> None:
    columns: dict[str, Any] = {
        "at": now, "verb": "probe.told", "actor_kind": "system", "actor_id": "x", "actor_name": "X'\"%s\\",
        "subject_kind": "probe", "subject_id": "1", "subject_name": "ü\n", "seconds": Decimal("1.5"),
    }  # fmt: skip
    told: list[dict[str, Any]] = [
        {"data": {"a": [1, None, "é", 0.1]}, "cost": Decimal("0.123456"), "leaf": b"\x00\xff\\"},
        {"data": "text", "on_behalf_of": [{"kind": "person"}], "position": 2**62},
        {"data": [], "at": now + timedelta(microseconds=1), "why": "null"},
    ]
    by_hand = [Event(**{**columns, **each}) for each in told]

    Insertion(Event).insert_all(by_hand)

    for each, row in zip(told, by_hand, strict=True):
        saved = Event.objects.create(**{**columns, **each, "position": None})
        rows = [Event.objects.filter(pk=found.pk).values().get() for found in (row, saved)]
        assert rows[0].pop("uid") == row.uid != rows[1].pop("uid")
        assert rows[0].pop("position") == each.get("position") != rows[1].pop("position") or "position" not in each
        assert rows[0].pop("id") < rows[1].pop("id")
        assert [bytes(found.pop("leaf") or b"") for found in rows] == [each.get("leaf", b"")] * 2
        assert rows[0] == rows[1]
    assert sorted(row.pk for row in by_hand) == [row.pk for row in by_hand]


def test_the_time_can_be_the_databases(halden: Any, now: Any) -> None:
    place = GivenAnswer(principal=halden.people["priya"], route="/x", key="k", fingerprint="f")

    Insertion(GivenAnswer, "at").insert(place)

    kept = GivenAnswer.objects.get(pk=place.pk)
    assert (kept.key, kept.body) == ("k", None)
    assert abs(kept.at - database_now()) < timedelta(minutes=2)


def test_a_swap_writes_what_an_update_would_if_the_row_is_as_expected(halden: Any, now: Any) -> None:
    agent, other = halden.agents["AP-01"], halden.people["priya"]
    swap = Swap(Agent)
    changes: dict[str, Any] = {"status": "paused", "stand_in": None, "accountable": other, "purpose": "%s"}

    assert not swap.swap(agent.pk, {"status": "active", "autonomy_level": 4}, changes)
    assert not swap.swap(agent.pk, {"status": "active", "accountable": other}, changes)
    assert Agent.objects.get(pk=agent.pk).status == "active"

    assert swap.swap(agent.pk, {"status": "active", "autonomy_level": 3}, changes)
    agent.refresh_from_db()
    assert {name: getattr(agent, name) for name in changes} == changes
    assert Agent.objects.filter(status="paused").count() == 1


def test_a_list_is_found_by_values_of_any_length_in_the_order_asked_for(halden: Any, now: Any) -> None:
    able = PreparedList(
        lambda codes, at: Agent.objects.filter(code__in=codes, created_at__lte=at).order_by("-code"),
        codes=str, at=type(now),
    )  # fmt: skip

    for codes in (["AP-01"], ["AP-01", "AP-02", "AP-04"], ["nobody"]):
        assert able.all(codes=codes, at=now) == list(Agent.objects.filter(code__in=codes).order_by("-code"))
    assert able.all(codes=["AP-01"], at=now - timedelta(days=9999)) == []


def test_many_rows_are_swapped_at_once_or_the_swap_says_so(halden: Any) -> None:
    swap, rows = Swap(Agent), list(Agent.objects.filter(code__in=("AP-01", "AP-02")))
    wanted = [(row.pk, {"status": row.status}, {"purpose": f"{row.code} %s"}) for row in rows]

    assert swap.swap_all(wanted)
    assert {row.purpose for row in Agent.objects.filter(code__in=("AP-01", "AP-02"))} == {"AP-01 %s", "AP-02 %s"}
    assert not swap.swap_all([wanted[0], (rows[1].pk, {"status": "retired"}, {"purpose": "x"})])


def test_what_is_gathered_is_written_by_one_statement_and_not_when_the_block_fails(
    halden: Any, now: Any, django_assert_num_queries: Any
) -> None:
    agent = halden.agents["AP-01"]
    with transaction.atomic(), django_assert_num_queries(1), ledger.gathered():
        for verb in ("probe.first", "probe.second"):
            ledger.record(verb, agent, by=ledger.SYSTEM, at=now)

    with pytest.raises(ZeroDivisionError), transaction.atomic(), ledger.gathered():
        ledger.record("probe.third", agent, by=ledger.SYSTEM, at=now)
        raise ZeroDivisionError

    with transaction.atomic(), ledger.gathered():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            ledger.record("probe.lost", agent, by=ledger.SYSTEM, at=now)
            raise ZeroDivisionError
        ledger.record("probe.kept", agent, by=ledger.SYSTEM, at=now)

    told = Event.objects.filter(verb__startswith="probe.").order_by("id").values_list("verb", flat=True)
    assert list(told) == ["probe.first", "probe.second", "probe.kept"]
