"""Shape of observability: the figure of the week: on which days and at which hours people are asked."""

from functools import partial
from typing import Any

import plotly.graph_objects as go

from observability.charts import words
from observability.charts.chart import Chart
from observability.charts.links import RunLinks
from observability.charts.look import SERIES, SOFT, figure
from observability.kpis import Report, Week

HOURS, WEEKDAYS = range(24), range(1, 8)


def asked(report: Report, links: RunLinks) -> Chart:
    """When people are asked, by weekday and hour."""
    week = report.asked()
    rows: list[dict[str, Any]] = [
        {"cells": [words.hour_of_week(*place), f"{count:,}"], "url": links.asked(*place)}
        for place, count in sorted(week.items())
    ]
    return Chart(
        "asked",
        "When people are asked",
        "questions to people by weekday and hour",
        _told(week),
        {"head": ["When", "Questions"], "rows": rows},
        partial(_figure, week, links),
        live="escalation.opened",
    )


def _told(week: Week) -> str:
    total = sum(week.values())
    if not total:
        return "Nobody was asked."
    place, most = max(week.items(), key=lambda item: item[1])
    return (
        f"People were asked {words.count(total, 'question')}, most of them on {words.hour_of_week(*place)} ({most:,})."
    )


def _figure(week: Week, links: RunLinks) -> go.Figure:
    if not week:
        return figure([])
    places = [[(day, hour) for hour in HOURS] for day in WEEKDAYS]
    cells = go.Heatmap(
        x=[f"{hour}:00" for hour in HOURS],
        y=[words.WEEKDAYS[day - 1][:3] for day in WEEKDAYS],
        z=[[week.get(place, 0) for place in row] for row in places],
        zmin=0,
        colorscale=[[0, SOFT], [1, SERIES[0]]],
        showscale=False,
        xgap=2,
        ygap=2,
        customdata=[[links.asked(*place) if place in week else "" for place in row] for row in places],
        hovertemplate="%{y} %{x}: %{z:,}<extra></extra>",
    )
    return figure([cells], hovermode="closest", yaxis={"autorange": "reversed", "showgrid": False}, xaxis={"dtick": 3})
