"""People look into shared memory: what was found, by whom, and what its reuse saved."""

from decimal import Decimal
from typing import Any

import pytest

from observability.ledger import database_now
from workflows import memory
from workflows.models import Fact, Space


@pytest.fixture
def fact(halden: Any) -> Fact:
    """RK-01 has found an invoice, and two agents have used that."""
    space, at = Space.objects.get(code="invoices-seen"), database_now()
    finding = memory.Finding(
        key="Kessler 2026-1187", value={"total": "310.00"}, cost=Decimal("0.02"), seconds=Decimal("12.5"),
        evidence=[{"kind": "document", "name": "1187.xml", "proves": "The total stands in BT-112."}],
    )  # fmt: skip
    kept = memory.put(space, finding, agent=halden.agents["RK-01"], at=at)
    for code in ("AP-01", "AP-02"):
        memory.get(space, "kessler 2026-1187", agent=halden.agents[code], at=at)
    return kept


def test_the_list_says_what_reuse_saved(fact: Fact, sign_in: Any) -> None:
    page = sign_in("priya").get("/memory").content.decode()

    assert "1 fact, reused 2 times." in page
    assert "That saved 25 s of work and €0.04." in page
    assert "kessler 2026-1187" in page


def test_one_fact_shows_its_value_and_evidence(fact: Fact, sign_in: Any) -> None:
    page = sign_in("priya").get(f"/memory?fact={fact.uid}").content.decode()

    assert "310.00" in page
    assert "The total stands in BT-112." in page
    assert "/agents/RK-01" in page


def test_search_and_space_narrow_the_list(fact: Fact, sign_in: Any) -> None:
    priya = sign_in("priya")

    for query, count in {"q=1187": 1, "q=9999": 0, "space=invoices-seen": 1, "space=orders": 0}.items():
        assert len(priya.get(f"/memory?{query}").context["rows"]) == count, query


def test_a_superseded_fact_leaves_the_list(fact: Fact, halden: Any, sign_in: Any) -> None:
    finding = memory.Finding(key="kessler 2026-1187", value={"total": "311.00"})
    memory.put(fact.space, finding, agent=halden.agents["RK-01"], at=database_now())

    rows = sign_in("priya").get("/memory").context["rows"]

    assert [row["fact"].value["total"] for row in rows] == ["311.00"]


def test_facts_of_another_unit_are_not_found(fact: Fact, sign_in: Any) -> None:
    lukas = sign_in("lukas")

    assert lukas.get("/memory").context["rows"] == []
    assert lukas.get(f"/memory?fact={fact.uid}").status_code == 404
    assert sign_in("priya").get("/memory?fact=not-an-id").status_code == 404
