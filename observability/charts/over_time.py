"""Shape of observability: the figures over time: how long runs took, which share failed, which needed no person."""

from decimal import Decimal
from functools import partial

import plotly.graph_objects as go

from observability.charts import words
from observability.charts.chart import Chart, few, judged, line, mark, over_time, row, table, with_runs
from observability.charts.links import RunLinks
from observability.charts.look import BAD, BAND, figure
from observability.kpis import Point, Release, Report

UNITS = ((2 * words.MINUTE, 1, "s"), (2 * words.HOUR, words.MINUTE, "min"), (3 * words.DAY, words.HOUR, "h"))


def cycle_time(report: Report, links: RunLinks) -> Chart:
    """How long runs took: median and middle half."""
    rows = [
        row(report, point, links, "done", *map(words.length, _quarters(point)), point.runs)
        for point in with_runs(report)
    ]
    return Chart(
        "cycle-time",
        "Cycle time",
        f"from start to end, median and middle half of runs, by {words.GRAINS[report.grain]}",
        _told_cycle(report),
        table(report, ("Median", "A quarter took less than", "A quarter took more than", "Runs"), rows),
        partial(_cycle_figure, report, links),
    )


def _told_cycle(report: Report) -> str:
    total = report.figures
    if not total.runs:
        return "No run finished."
    said = f"Half of the {words.count(total.runs, 'finished run')} took at most {words.length(total.median_seconds)}, "
    said += f"the middle half {words.length(total.q25_seconds)} to {words.length(total.q75_seconds)}"
    if report.baseline:
        said += f"; by hand it took {words.length(report.baseline.cycle_seconds)}"
    return f"{said}."


def _quarters(point: Point) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    return point.median_seconds, point.q25_seconds, point.q75_seconds


def _cycle_figure(report: Report, links: RunLinks) -> go.Figure:
    points = with_runs(report)
    if not points:
        return figure([])
    highest = max((point.q75_seconds or Decimal(0) for point in points), default=Decimal(0))
    scale, unit = next(((scale, unit) for limit, scale, unit in UNITS if highest < limit), (words.DAY, "d"))
    x = [words.axis_moment(point.start, report.grain) for point in points]
    high, low, middle = (
        [float(value or 0) / scale for value in values]
        for values in zip(*((p.q75_seconds, p.q25_seconds, p.median_seconds) for p in points), strict=True)
    )
    told = [
        [f"median {words.length(p.median_seconds)}{few(p.runs)}", links.of(p, report.grain, state="done")]
        for p in points
    ]
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    base = report.baseline.cycle_seconds if report.baseline else None
    target = report.target("cycle_seconds")
    return over_time(
        report,
        [
            go.Scatter(x=x, y=high, **edge),
            go.Scatter(x=x, y=low, fill="tonexty", fillcolor=BAND, **edge),
            line(x, middle, told, words.length(points[-1].median_seconds)),
        ],
        suffix=f" {unit}",
        highest=float(highest) / scale,
        baseline=mark("Manual", base, words.length, scale),
        target=mark("Target", target, words.length, scale),
        releases=_shown_releases(report),
    )


def _shown_releases(report: Report) -> list[Release]:
    # Those within the time that the figure shows: it may be much shorter than the period.
    first, last = report.points[0].start, report.points[-1].end
    return [each for each in report.releases if first <= each.at < last]


def error_rate(report: Report, links: RunLinks) -> Chart:
    """Which share of runs failed."""
    total, limit = report.figures, report.target("error_share")
    said = f"{words.percent(total.error_share) or '0 %'} of runs failed, "
    said += f"{total.failed:,} of {total.runs + total.failed:,}"
    said += f"; the limit is {words.percent(limit)}" if limit is not None else ""
    rows = [
        row(report, point, links, "failed", words.percent(point.error_share), point.failed, point.runs + point.failed)
        for point in judged(report)
    ]
    return Chart(
        "error-rate",
        "Error rate",
        f"share of runs that failed, by {words.GRAINS[report.grain]}",
        f"{said}.",
        table(report, ("Failed", "Failed runs", "Runs"), rows),
        partial(_error_figure, report, links),
    )


def _error_figure(report: Report, links: RunLinks) -> go.Figure:
    points, limit = judged(report), report.target("error_share")
    x = [words.axis_moment(point.start, report.grain) for point in points]
    y = [float(point.error_share or 0) * 100 for point in points]
    told = [
        [f"{words.percent(p.error_share)} failed{few(p.runs + p.failed)}", links.of(p, report.grain, state="failed")]
        for p in points
    ]
    outside = [value if limit is not None and value > float(limit) * 100 else None for value in y]
    marks = go.Scatter(
        x=x,
        y=outside,
        mode="markers",
        marker={"color": BAD, "size": 9, "symbol": "diamond"},
        customdata=told,
        hovertemplate="above the limit<extra></extra>",
    )
    base = report.baseline.error_share if report.baseline else None
    return over_time(
        report,
        [line(x, y, told, words.percent(points[-1].error_share) if points else ""), marks],
        suffix=" %",
        highest=max(y, default=0.0),
        least=1.0,
        baseline=mark("Manual", base, words.percent, 0.01),
        target=mark("Limit", limit, words.percent, 0.01),
    )


def touchless_share(report: Report, links: RunLinks) -> Chart:
    """Which share of the finished runs needed no person."""
    total, target = report.figures, report.target("touchless_share")
    said = f"{words.percent(total.touchless_share) or '0 %'} of finished runs needed no person, "
    said += f"{total.touchless:,} of {total.runs:,}"
    said += f"; the target is {words.percent(target)}" if target is not None else ""
    rows = [
        row(report, point, links, "touchless", words.percent(point.touchless_share), point.touchless, point.asked)
        for point in with_runs(report)
    ]
    return Chart(
        "touchless",
        "Touchless rate",
        f"share of finished runs without a person, by {words.GRAINS[report.grain]}",
        f"{said}.",
        table(report, ("Touchless", "Touchless runs", "A person was asked"), rows),
        partial(_touchless_figure, report, links),
    )


def _touchless_figure(report: Report, links: RunLinks) -> go.Figure:
    points, target = with_runs(report), report.target("touchless_share")
    told = [
        [
            f"{words.percent(p.touchless_share)} touchless{few(p.runs)}",
            links.of(p, report.grain, state="done", touchless="1"),
        ]
        for p in points
    ]
    y = [float(point.touchless_share or 0) * 100 for point in points]
    x = [words.axis_moment(point.start, report.grain) for point in points]
    return over_time(
        report,
        [line(x, y, told, words.percent(points[-1].touchless_share) if points else "")],
        suffix=" %",
        highest=100.0,
        target=mark("Target", target, words.percent, 0.01),
    )
