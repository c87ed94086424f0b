"""Shape of observability: the figures of an event log that Plotly draws: how long cases took, and when work is done."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import plotly.graph_objects as go

from observability.charts import words
from observability.charts.chart import Chart
from observability.charts.look import BASE, SERIES, SOFT, figure
from observability.eventlog.figures import Figures

HOURS = range(24)


def durations(figures: Figures, address: str = "") -> Chart:
    """How many cases took how long."""
    shown = [(name, count) for name, count in figures.durations if count]
    most = max(shown, key=lambda each: each[1], default=("", 0))
    rows = [{"cells": [name, f"{count:,}", words_of(count, figures.cases)]} for name, count in shown]
    return Chart(
        "durations", "How long cases took", "cases by the time from their first to their last moment",
        f"Most cases, {most[1]:,} of {figures.cases:,}, took {most[0]}." if shown else "There are no cases.",
        {"head": ["Time", "Cases", "Share"], "rows": rows}, partial(_durations, shown), live="", address=address,
    )  # fmt: skip


def words_of(part: int, whole: int) -> str:
    """A share in words."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def _durations(shown: Sequence[tuple[str, int]]) -> go.Figure:
    bars = go.Bar(
        x=[name for name, _ in shown], y=[count for _, count in shown], marker={"color": BASE},
        hovertemplate="%{x}: %{y:,} cases<extra></extra>",
    )  # fmt: skip
    return figure([bars], hovermode="closest")


def week(figures: Figures, address: str = "") -> Chart:
    """When events happened, by weekday and hour."""
    cells = [(count, day, hour) for day, row in enumerate(figures.week) for hour, count in enumerate(row) if count]
    count, day, hour = max(cells, default=(0, 0, 0))
    rows: list[dict[str, Any]] = [
        {"cells": [words.hour_of_week(day + 1, hour), f"{count:,}"]} for count, day, hour in sorted(cells, reverse=True)
    ]
    busiest = f"Most is done on {words.hour_of_week(day + 1, hour)} ({count:,} events); "
    return Chart(
        "week", "When work is done", f"events by weekday and hour, times of {figures.zone}",
        f"{busiest}{figures.weekend_events:,} of {figures.events:,} events fall on a weekend.",
        {"head": ["When", "Events"], "rows": rows}, partial(_week, figures.week), live="", address=address,
    )  # fmt: skip


def _week(cells: Sequence[Sequence[int]]) -> go.Figure:
    heat = go.Heatmap(
        x=[f"{hour}:00" for hour in HOURS], y=[name[:3] for name in words.WEEKDAYS], z=[list(row) for row in cells],
        zmin=0, colorscale=[[0, SOFT], [1, SERIES[0]]], showscale=False, xgap=2, ygap=2,
        hovertemplate="%{y} %{x}: %{z:,}<extra></extra>",
    )  # fmt: skip
    return figure([heat], hovermode="closest", yaxis={"autorange": "reversed", "showgrid": False}, xaxis={"dtick": 3})


LOG_CHARTS = {"durations": durations, "week": week}
