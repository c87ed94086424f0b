"""The monthly report: what does not agree is named, and a report that has not its form is not let pass."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from autonomy_client.examples.report.figures import Archive, Ledger, Operations, Sales, gaps
from autonomy_client.examples.report.form import FIELDS, as_data, as_markdown, pages_of, wrong_with

FIGURES: dict[str, Any] = {
    "schema": "management-report/1", "month": "2026-10", "revenue": "100.00", "costs": "40.50", "result": "59.50",
    "difference": "0.00", "orders": 3, "delivered": 4, "on_time": "0.7500", "note": "sales and ledger agree",
    "sources": [{"file": f"{name}-2026-10.csv", "sha256": "0" * 64} for name in ("ledger", "sales", "operations")],
}  # fmt: skip


def wrong(figures: dict[str, Any]) -> list[str]:
    """What is wrong with a report of these figures."""
    text = as_markdown(figures)
    return wrong_with(text, json.dumps(figures), hashlib.sha256(text.encode()).hexdigest())


def test_a_report_as_it_is_written_has_the_right_form() -> None:
    text = as_markdown(FIGURES)
    assert wrong_with(text, as_data(FIGURES), hashlib.sha256(text.encode()).hexdigest()) == []
    assert tuple(json.loads(as_data(FIGURES))) == FIELDS
    assert pages_of(text) == 2
    assert "| Result, EUR | 59.50 |" in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"schema": "management-report/2"}, "schema"),
        ({"month": "2026-13"}, "month"),
        ({"month": "10/2026"}, "month"),
        ({"revenue": "100", "result": "59.50"}, "revenue is no amount"),
        ({"revenue": 100.0}, "revenue is no amount"),
        ({"costs": "forty"}, "costs is no amount"),
        ({"result": "59.51"}, "result is not"),
        ({"orders": "3"}, "orders is no count"),
        ({"orders": True}, "orders is no count"),
        ({"delivered": -1}, "delivered is no count"),
        ({"on_time": "75%"}, "on_time"),
        ({"note": ""}, "note is empty"),
        ({"sources": FIGURES["sources"][:2]}, "sources"),
        ({"sources": [*FIGURES["sources"][:2], {"file": "operations-2026-10.csv", "sha256": "abc"}]}, "sources"),
    ],
)
def test_every_field_has_its_form(changed: dict[str, Any], said: str) -> None:
    found = wrong(FIGURES | changed)
    assert found, changed
    assert any(said in each for each in found), found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text + "\n", "not the one that was written"),
        (lambda text: "", "not the one that was written"),
    ],
)
def test_a_report_that_was_changed_afterwards_is_noticed(change: Callable[[str], str], said: str) -> None:
    text = as_markdown(FIGURES)
    (found,) = wrong_with(change(text), as_data(FIGURES), hashlib.sha256(text.encode()).hexdigest())
    assert said in found


def test_report_and_figures_say_the_same_under_the_same_headings() -> None:
    for text, said in (
        (as_markdown(FIGURES).replace("59.50", "95.50"), "do not say the same"),
        (as_markdown(FIGURES).replace("## 4 Sources", "## Sources"), "headings"),
    ):
        (found,) = wrong_with(text, as_data(FIGURES), hashlib.sha256(text.encode()).hexdigest())
        assert said in found
    text = as_markdown(FIGURES)
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert wrong_with(text, "{", digest) == ["The figures are no JSON."]
    assert "in this order" in wrong_with(text, json.dumps(dict(sorted(FIGURES.items()))), digest)[0]
    assert "in this order" in wrong_with(text, "[]", digest)[0]


def test_each_order_that_the_sources_do_not_agree_about_is_named() -> None:
    ledger = Ledger(Decimal(0), Decimal(0), {"A": Decimal(1), "B": Decimal(2), "C": Decimal(3)})
    sales = Sales(Decimal(0), {"A": Decimal(1), "C": Decimal(4), "D": Decimal(5)})
    assert list(map(str, gaps(ledger, sales))) == [
        "order B over 2 EUR is in the ledger and not in the sales",
        "order C is 4 EUR in the sales and 3 EUR in the ledger",
        "order D over 5 EUR is in the sales and not in the ledger",
    ]  # fmt: skip


def test_a_month_is_closed_when_all_its_files_are_there(tmp_path: Path) -> None:
    (tmp_path / "ledger-2026-10.csv").write_text(
        "date,account,order,text,amount\n2026-10-01,4000,A,Revenue,10.10\n2026-10-02,4000,A,Credit,-0.10\n"
        "2026-10-03,5100,,Material,4.00\n2026-10-03,1200,,Bank,99.00\n"
    )
    (tmp_path / "sales-2026-10.csv").write_text(
        "order,date,amount,status\nA,2026-10-01,10.00,invoiced\nB,2026-10-01,7.00,cancelled\n"
    )
    archive = Archive(tmp_path)
    assert archive.months() == []

    (tmp_path / "operations-2026-10.csv").write_text(
        "delivery,promised,delivered\nD-1,2026-10-02,2026-10-02\nD-2,2026-10-02,2026-10-03\nD-3,2026-10-05,2026-10-04\n"
    )

    assert archive.months() == ["2026-10"]
    ledger, sales = archive.ledger("2026-10"), archive.sales("2026-10")
    assert (ledger.revenue, ledger.costs, sales.revenue) == (Decimal("10.00"), Decimal("4.00"), Decimal("10.00"))
    assert gaps(ledger, sales) == []
    assert archive.operations("2026-10").share == Decimal("0.6667")
    assert Operations(0, 0).share == 0
