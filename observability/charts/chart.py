"""Shape of observability: what every figure of the performance page has: sentence, table, lines over time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Any

import plotly.graph_objects as go

from observability.charts import words
from observability.charts.links import RunLinks
from observability.charts.look import SERIES, figure, moment, yardstick
from observability.kpis import Grain, Point, Release, Report

TICKS_AT_MOST = 7
NAMES_BESIDE_EACH_OTHER = 4
Row = dict[str, Any]
Mark = tuple[str, float] | None


@dataclass(frozen=True)
class Chart:
    """A figure with all that stands around it; `draw` makes the Plotly figure, `live` names the events
    after which it is drawn anew, `address` where it is had from if not from the performance page."""

    name: str
    title: str
    subtitle: str
    takeaway: str
    table: Mapping[str, Any]
    draw: Callable[[], go.Figure]
    legend: list[tuple[str, str]] = field(default_factory=list)
    live: str = "run.finished,run.failed,run.cancelled"
    address: str = ""


def draw(chart: Chart) -> str:
    """The figure as JSON, with its words and table in layout.meta for pages that stay open."""
    drawn = chart.draw()
    told = {"title": chart.title, "subtitle": chart.subtitle, "takeaway": chart.takeaway, "table": chart.table}
    drawn.update_layout(meta=told)
    return str(drawn.to_json())


def with_runs(report: Report) -> list[Point]:
    """The stretches in which runs finished."""
    return [point for point in report.points if point.runs]


def judged(report: Report) -> list[Point]:
    """The stretches in which runs finished or failed."""
    return [point for point in report.points if point.runs + point.failed]


def few(count: int) -> str:
    """How many runs stand behind a point, when they are few."""
    return f", n = {count}" if count < 30 else ""


def table(report: Report, heads: Iterable[str], rows: list[Row]) -> Row:
    """The table beside a figure over time, the newest stretch first."""
    names = {Grain.DAY: "Day", Grain.WEEK: "Week"}
    return {"head": [names.get(report.grain, "Time"), *heads], "rows": rows[::-1]}


def row(report: Report, point: Point, links: RunLinks, state: str, *cells: object) -> Row:
    """A line of that table; `state` is done, failed or touchless, the runs that it opens."""
    query = {"state": "done", "touchless": "1"} if state == "touchless" else {"state": state}
    told = [f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells]
    return {"cells": [words.moment(point, report.grain), *told], "url": links.of(point, report.grain, **query)}


def line(x: list[str], y: list[float], told: list[list[str]], last: str) -> go.Scatter:
    """A line with points; `told` has for each what to say and which address to open, `last` names the last value."""
    return go.Scatter(
        x=x,
        y=y,
        mode="lines+markers+text",
        text=[""] * (len(x) - 1) + [f"<b>{last}</b>"] * bool(x),
        textposition="top left" if len(x) > 1 else "top center",
        textfont={"size": 11, "color": SERIES[0]},
        cliponaxis=False,
        line={"color": SERIES[0], "width": 2.2},
        marker={"size": 5 if len(x) > 1 else 9},
        customdata=told,
        hovertemplate="%{customdata[0]}<extra></extra>",
    )


def mark(name: str, value: Decimal | None, say: Callable[[Decimal], str], scale: float) -> Mark:
    """A baseline or target: its name with its value, and its height on the axis."""
    return None if value is None else (f"{name} {say(value)}", float(value) / scale)


def over_time(
    report: Report,
    traces: list[Any],
    *,
    suffix: str,
    highest: float,
    least: float = 0.0,
    baseline: Mark = None,
    target: Mark = None,
    releases: Sequence[Release] = (),
    **more: Any,
) -> go.Figure:
    """A figure over the period's time. Yardsticks far above the values are named at the top instead of drawn, so that
    they do not press the values flat."""
    near = [mark[1] for mark in (baseline, target) if mark and mark[1] <= max(highest, least) * 2.5]
    top = max(highest, least, *near) * 1.15 or 1.0
    if suffix == " %":
        top = min(top, 104.0)
    lines = [
        yardstick(mark[0], mark[1], top=top, dash=dash, right=right)
        for mark, dash, right in ((baseline, "dash", True), (target, "dot", False))
        if mark
    ]
    news = [moment(escape(name), words.axis_stamp(at)) for at, name in _apart(report, releases)]
    first, last, by_day = report.points[0], report.points[-1], report.grain in (Grain.DAY, Grain.WEEK)
    ticks = report.points[:: -(-len(report.points) // TICKS_AT_MOST)]
    return figure(
        traces,
        yaxis={"range": [0, top], "ticksuffix": suffix, "nticks": 5, "tickformat": ","},
        xaxis={
            "type": "date",
            "range": _range(report, first, last),
            "tickvals": [words.axis_moment(point.start, report.grain) for point in ticks],
            "ticktext": [words.tick(point, report.grain) for point in ticks],
            "hoverformat": "%-d %b %Y"
            if by_day
            else "%-d %b %H:%M:%S"
            if report.grain is Grain.TEN_SECONDS
            else "%-d %b %H:%M",
        },
        shapes=[shape for line in lines for shape in line["shapes"]] + [each["shape"] for each in news],
        annotations=[text for line in lines for text in line["annotations"]] + [each["annotation"] for each in news],
        **more,
    )


def _apart(report: Report, releases: Sequence[Release]) -> list[tuple[datetime, str]]:
    # Names that would stand on each other share one line: the first is told, and how many came with it.
    room = (report.points[-1].end - report.points[0].start) / NAMES_BESIDE_EACH_OTHER
    groups: list[list[Release]] = []
    for each in sorted(releases):
        if groups and each.at - groups[-1][0].at < room:
            groups[-1].append(each)
        else:
            groups.append([each])
    return [(group[0].at, _together([each.name for each in group])) for group in groups]


def _together(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _range(report: Report, first: Point, last: Point) -> list[str]:
    # Half a stretch more on both sides, so that the first and last bar are whole.
    half = report.grain.value / 2
    return [
        words.axis_stamp(first.start - half),
        words.axis_stamp(last.start + half),
    ]
