"""The strict form of the report: how it is written, and everything that is wrong with one; no network, no clock."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

SCHEMA = "management-report/1"
TEXTS = ("month", "note")
AMOUNTS = ("revenue", "costs", "result", "difference")
COUNTS = ("orders", "delivered")
FIELDS = ("schema", "month", *AMOUNTS, *COUNTS, "on_time", "note", "sources")
SOURCES = ("ledger", "sales", "operations")
HEADINGS = ("1 Result", "2 Sales and deliveries", "3 Reconciliation", "4 Sources")
LINES_ON_A_PAGE = 24
AMOUNT = re.compile(r"-?\d+\.\d{2}")
SHARE = re.compile(r"[01]\.\d{4}")
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def as_markdown(figures: Mapping[str, Any]) -> str:
    """The report as people read it; the figures are those of the JSON file, sign by sign."""
    rows = {
        HEADINGS[0]: [
            ("Revenue, EUR", figures["revenue"]), ("Costs, EUR", figures["costs"]), ("Result, EUR", figures["result"])
        ],
        HEADINGS[1]: [
            ("Orders", figures["orders"]), ("Deliveries", figures["delivered"]), ("Share in time", figures["on_time"])
        ],
        HEADINGS[2]: [("Difference, EUR", figures["difference"]), ("Explained by", figures["note"])],
        HEADINGS[3]: [(f"{each['file']}", each["sha256"]) for each in figures["sources"]],
    }  # fmt: skip
    parts = [f"# Management report {figures['month']}", ""]
    for heading, lines in rows.items():
        parts += [f"## {heading}", "", "| what | figure |", "|---|---|"]
        parts += [f"| {label} | {value} |" for label, value in lines] + [""]
    return "\n".join(parts)


def as_data(figures: Mapping[str, Any]) -> str:
    """The report as programs read it."""
    return json.dumps({name: figures[name] for name in FIELDS}, indent=2, ensure_ascii=False) + "\n"


def pages_of(markdown: str) -> int:
    """How many pages the report has."""
    return -(-len(markdown.splitlines()) // LINES_ON_A_PAGE)


def wrong_with(markdown: str, data: str, sha256: str) -> list[str]:
    """Everything that is wrong with the form of a report; nothing when it is right."""
    if hashlib.sha256(markdown.encode()).hexdigest() != sha256:
        return ["The report is not the one that was written."]
    try:
        figures = json.loads(data)
    except ValueError:
        return ["The figures are no JSON."]
    if not isinstance(figures, dict) or tuple(figures) != FIELDS:
        return [f"The figures are not the fields {', '.join(FIELDS)}, in this order."]
    wrong = list(_wrong_fields(figures))
    return wrong or list(_wrong_text(markdown, figures))


def _wrong_fields(figures: Mapping[str, Any]) -> Iterator[str]:
    if figures["schema"] != SCHEMA:
        yield f"The schema is {figures['schema']}, not {SCHEMA}."
    if not MONTH.fullmatch(str(figures["month"])):
        yield "The month is not written as in 2026-11."
    for name in AMOUNTS:
        if not (isinstance(figures[name], str) and AMOUNT.fullmatch(figures[name])):
            yield f"{name} is no amount with two places."
    for name in COUNTS:
        if type(figures[name]) is not int or figures[name] < 0:
            yield f"{name} is no count."
    if not (isinstance(figures["on_time"], str) and SHARE.fullmatch(figures["on_time"])):
        yield "on_time is no share with four places."
    if not isinstance(figures["note"], str) or not figures["note"]:
        yield "The note is empty."
    sources = figures["sources"]
    if not isinstance(sources, list) or [_source(each) for each in sources] != list(SOURCES):
        yield f"The sources are not {', '.join(SOURCES)}, each with its digest."
    if not _adds_up(figures):
        yield "The result is not the revenue less the costs."


def _source(entry: Any) -> str:
    if not isinstance(entry, dict) or not re.fullmatch(r"[0-9a-f]{64}", str(entry.get("sha256"))):
        return ""
    return str(entry.get("file", "")).partition("-")[0]


def _adds_up(figures: Mapping[str, Any]) -> bool:
    try:
        revenue, costs, result = (Decimal(figures[name]) for name in ("revenue", "costs", "result"))
    except (InvalidOperation, TypeError, ValueError):
        return False
    return revenue - costs == result


def _wrong_text(markdown: str, figures: Mapping[str, Any]) -> Iterator[str]:
    headings = tuple(line.removeprefix("## ") for line in markdown.splitlines() if line.startswith("## "))
    if headings != HEADINGS:
        yield f"The headings are not {', '.join(HEADINGS)}."
    elif markdown != as_markdown(figures):
        yield "The report and its figures do not say the same."
