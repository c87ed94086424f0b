"""Shape of observability: the figures by workflow: how many runs finished, what one cost by hand and now."""

from decimal import Decimal
from functools import partial
from html import escape

import plotly.graph_objects as go

from observability.charts import words
from observability.charts.chart import Chart, mark, over_time, row, table
from observability.charts.links import RunLinks
from observability.charts.look import BASE, INK, SERIES, SURFACE, figure
from observability.kpis import Grain, Report, Sums

ROWS_AT_MOST = 6
BAR = 0.65  # of a stretch; without it a single bar on an axis of time is thinner than a pixel
EDGE = 0.12  # a label of a point left of this share of the width would be cut off
BY_HAND_DAYS = {Grain.DAY: 1, Grain.WEEK: 7}


def throughput(report: Report, links: RunLinks) -> Chart:
    """How many runs finished, by workflow."""
    shown = _shown(report)
    busiest = max(report.points, key=lambda point: point.runs, default=None)
    said = f"{words.count(report.figures.runs, 'run')} finished"
    when = "on" if report.grain in BY_HAND_DAYS else "at"
    if busiest and busiest.runs:
        said += f", most of them ({busiest.runs:,}) {when} {words.moment(busiest, report.grain)}"
    rows = [
        row(report, point, links, "done", *(counts[place] for _, _, counts in shown), point.runs)
        for place, point in enumerate(report.points)
        if point.runs
    ]
    heads = tuple(name for _, name, _ in shown) if len(shown) > 1 else ()
    if not heads:
        rows = [{**row, "cells": [row["cells"][0], row["cells"][-1]]} for row in rows]
    legend = [(f"c{place}", name) for place, (_, name, _) in enumerate(shown, start=1)] if heads else []
    return Chart(
        "throughput",
        "Throughput",
        f"finished runs by {words.GRAINS[report.grain]}" + (" and workflow" if heads else ""),
        f"{said}.",
        table(report, (*heads, "Runs"), rows),
        partial(_throughput_figure, report, links),
        legend,
    )


def _shown(report: Report) -> list[tuple[str, str, list[int]]]:
    """(code, name, counts) of at most four series, the busiest first; the last one may be all other workflows."""
    ranked = sorted(report.throughput.items(), key=lambda item: -sum(item[1]))
    named = [(code, report.names.get(code, code), counts) for code, counts in ranked]
    if len(named) <= len(SERIES):
        return named
    rest = [sum(column) for column in zip(*(counts for _, _, counts in named[3:]), strict=True)]
    return [*named[:3], ("", "Other workflows", rest)]


def _throughput_figure(report: Report, links: RunLinks) -> go.Figure:
    x = [words.axis_moment(point.start, report.grain) for point in report.points]
    bars = [
        go.Bar(
            x=x,
            y=counts,
            name=escape(name),
            width=report.grain.value.total_seconds() * 1000 * BAR,
            marker={"color": colour, "line": {"color": SURFACE, "width": 1}},
            customdata=[links.of(p, report.grain, state="done", workflow=code) if code else "" for p in report.points],
            hovertemplate="%{y:,}" + ("" if len(report.throughput) > 1 else " runs<extra></extra>"),
        )
        for (code, name, counts), colour in zip(_shown(report), SERIES, strict=False)
    ]
    days = BY_HAND_DAYS.get(report.grain, 0)
    base = report.baseline.runs_per_day * days if report.baseline and days else None
    return over_time(
        report,
        bars,
        suffix="",
        highest=float(max((point.runs for point in report.points), default=0)),
        least=4.0,
        baseline=mark("Manual", base, lambda value: f"{value:,.0f} a {words.GRAINS[report.grain]}", 1),
        barmode="stack",
    )


def cost_per_run(report: Report, links: RunLinks) -> Chart:
    """What a run cost in each workflow, beside what it cost by hand."""
    total, by_hand = report.figures, report.baseline
    said = "No run finished"
    if total.runs:
        said = f"A run cost {words.amount(total.cost_per_run)} on average, {words.amount(total.cost_total)} in all"
    said += f"; by hand it cost {words.amount(by_hand.cost)}" if by_hand else ""
    said += f". Runs that failed or were cancelled cost {words.amount(total.cost_lost)} more" if total.cost_lost else ""
    rows = [
        {
            "cells": [
                report.names.get(code, code),
                *map(words.amount, (sums.cost_per_run, _manual(report, code), sums.cost_total)),
                f"{sums.runs:,}",
            ],
            "url": links.all(state="done", workflow=code),
        }
        for code, sums in _costed(report)
    ]
    head = ["Workflow", "Now", "By hand", "In all", "Runs"]
    return Chart(
        "cost",
        "Agent cost per run",
        "what agents cost now, what the work cost by hand; people's time is not counted",
        f"{said}.",
        {"head": head, "rows": rows},
        partial(_cost_figure, report, links),
    )


def _cost_figure(report: Report, links: RunLinks) -> go.Figure:
    shown = _costed(report)[:ROWS_AT_MOST][::-1]
    rows = [
        (escape(report.names.get(code, code)), sums.cost_per_run or Decimal(0), _manual(report, code))
        for code, sums in shown
    ]
    widest = max([float(value) for _, *both in rows for value in both if value is not None], default=1.0)
    ways = [
        go.Scatter(
            x=[float(now), float(before)],
            y=[name, name],
            mode="lines",
            line={"color": BASE, "width": 3},
            hoverinfo="skip",
        )
        for name, now, before in rows
        if before is not None
    ]
    by_hand = go.Scatter(
        x=[None if before is None else float(before) for _, _, before in rows],
        y=[name for name, _, _ in rows],
        mode="markers",
        marker={"size": 11, "color": SURFACE, "line": {"color": BASE, "width": 2}},
        text=[words.amount(before) for _, _, before in rows],
        hovertemplate="By hand %{text}<extra></extra>",
    )
    now = go.Scatter(
        x=[float(now) for _, now, _ in rows],
        y=[name for name, _, _ in rows],
        mode="markers+text",
        marker={"size": 12, "color": SERIES[0]},
        text=[words.amount(now) for _, now, _ in rows],
        textposition=["top center" if now > widest * EDGE else "top right" for _, now, _ in rows],
        textfont={"size": 11, "color": INK},
        customdata=[links.all(state="done", workflow=code) for code, _ in shown],
        hovertemplate="Now %{text}<extra></extra>",
    )
    return figure(
        [*ways, by_hand, now],
        hovermode="closest",
        margin={"l": 16, "r": 20, "t": 14, "b": 30},
        xaxis={"showgrid": True, "tickprefix": words.currency(), "range": [-widest * 0.04, widest * 1.1 or 1]},
        yaxis={"showgrid": False, "range": [-0.6, len(rows) - 0.3], "ticksuffix": "\u2003"},
    )


def _costed(report: Report) -> list[tuple[str, Sums]]:
    return sorted(
        ((code, sums) for code, sums in report.by_workflow.items() if sums.runs), key=lambda item: -item[1].runs
    )


def _manual(report: Report, code: str) -> Decimal | None:
    baseline = report.baselines.get(code)
    return baseline.cost if baseline else None
