"""Shape of observability: the performance page's tiles and Plotly figures, each with its sentence, table and links."""

from collections.abc import Callable

from observability.charts.by_hour import asked
from observability.charts.by_workflow import cost_per_run, throughput
from observability.charts.chart import Chart, draw
from observability.charts.links import RunLinks, period_query
from observability.charts.over_time import cycle_time, error_rate, touchless_share
from observability.charts.tiles import Tile, tiles
from observability.charts.words import amount
from observability.kpis import Report

CHARTS: dict[str, Callable[[Report, RunLinks], Chart]] = {
    "cycle-time": cycle_time,
    "cost": cost_per_run,
    "error-rate": error_rate,
    "throughput": throughput,
    "touchless": touchless_share,
    "asked": asked,
}
__all__ = ["CHARTS", "Chart", "RunLinks", "Tile", "amount", "draw", "period_query", "tiles"]
