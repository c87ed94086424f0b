"""Shape of observability: the five tiles of the performance page, each beside its target, baseline or former value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from observability.charts import words
from observability.charts.links import RunLinks
from observability.kpis import Report, Sums

Measure = Callable[[Sums], Decimal | None]
NOTHING: words.Parts = (("–", ""),)


@dataclass(frozen=True)
class Tile:
    """What components/_kpi.html shows."""

    label: str
    url: str
    parts: words.Parts
    target: str = ""
    target_value: float | None = None
    points: Sequence[float] = ()
    delta: str = ""
    rising: bool = False
    better: bool | None = None
    versus: str = ""


@dataclass(frozen=True)
class Change:
    """How a figure stands to another: the words of the tile's foot."""

    delta: str = ""
    rising: bool = False
    better: bool | None = None
    versus: str = ""


def tiles(report: Report, links: RunLinks) -> list[Tile]:
    """Median cycle time, throughput, cost per run, error rate and touchless rate."""
    return [tile(report, links) for tile in (_cycle, _throughput, _cost, _errors, _touchless)]


def _cycle(report: Report, links: RunLinks) -> Tile:
    now, target = report.figures.median_seconds, report.target("cycle_seconds")
    base = report.baseline.cycle_seconds if report.baseline else None
    change = _relative(now, base, f"vs manual {words.length(base)}", good="less")
    return _tile(
        "Median cycle time",
        links.all(state="done"),
        NOTHING if now is None else words.length_parts(now),
        change or _since(report, _median, words.length, "less"),
        report,
        _median,
        f"target {words.length(target)}" if target else "",
        target,
    )


def _throughput(report: Report, links: RunLinks) -> Tile:
    now = report.figures.runs
    change = _since(report, lambda sums: Decimal(sums.runs), lambda value: f"{value:,}", "more")
    parts = ((f"{now:,}" if now < 10_000 else f"{now / 1000:.3g}k", "run" if now == 1 else "runs"),)
    points = [float(point.runs) for point in report.points]
    return Tile("Throughput", links.all(state="done"), parts, points=points, **vars(change))


def _cost(report: Report, links: RunLinks) -> Tile:
    now, target = report.figures.cost_per_run, report.target("cost")
    base = report.baseline.cost if report.baseline else None
    change = _relative(now, base, f"vs manual {words.amount(base)}", good="less")
    return _tile(
        "Agent cost per run",
        links.all(state="done"),
        NOTHING if now is None else ((words.amount(now), ""),),
        change or _since(report, _unit_cost, words.amount, "less"),
        report,
        _unit_cost,
        f"target {words.amount(target).removesuffix('.00')}" if target else "",
        target,
    )


def _errors(report: Report, links: RunLinks) -> Tile:
    now, limit = report.figures.error_share, report.target("error_share")
    base = report.baseline.error_share if report.baseline else None
    change = _points(now, base, f"vs manual {words.percent(base)}", good="less") or _points(
        now, report.before.error_share, f"vs {words.percent(report.before.error_share)} before", good="less"
    )
    return _tile(
        "Error rate",
        links.all(state="failed"),
        _percent(now),
        change or Change(),
        report,
        _error_share,
        f"limit {words.percent(limit)}" if limit is not None else "",
        limit,
    )


def _touchless(report: Report, links: RunLinks) -> Tile:
    now, target = report.figures.touchless_share, report.target("touchless_share")
    before = report.before.touchless_share
    change = _points(now, before, f"vs {words.percent(before)} before", good="more")
    return _tile(
        "Touchless rate",
        links.all(state="done", touchless="1"),
        _percent(now),
        change or Change(),
        report,
        _touchless_share,
        f"target {words.percent(target)}" if target is not None else "",
        target,
    )


def _tile(
    label: str,
    url: str,
    parts: words.Parts,
    change: Change,
    report: Report,
    measure: Measure,
    target: str,
    target_value: Decimal | None,
) -> Tile:
    points = [float(value) for value in map(measure, report.points) if value is not None]
    # A target far off would press the sparkline flat; the tile's head still names it.
    mark = None if target_value is None else float(target_value)
    shown = mark if mark is not None and points and mark <= 3 * max(points) else None
    return Tile(label, url, parts, target, shown, points, **vars(change))


def _median(sums: Sums) -> Decimal | None:
    return sums.median_seconds


def _unit_cost(sums: Sums) -> Decimal | None:
    return sums.cost_per_run


def _error_share(sums: Sums) -> Decimal | None:
    return sums.error_share


def _touchless_share(sums: Sums) -> Decimal | None:
    return sums.touchless_share


def _percent(share: Decimal | None) -> words.Parts:
    return NOTHING if share is None else ((words.percent_figure(share), "%"),)


def _since(report: Report, measure: Measure, say: Callable[[Decimal | None], str], good: str) -> Change:
    then = measure(report.before)
    return _relative(measure(report.figures), then, f"vs {say(then)} before", good=good) or Change()


def _relative(now: Decimal | None, then: Decimal | None, versus: str, *, good: str) -> Change | None:
    """The change in percent, None when either is missing."""
    if now is None or not then:
        return None
    exact = (now - then) / then * 100
    percent = max(exact, Decimal("-99.9")).quantize(Decimal("0.1")) if Decimal("99") < -exact < 100 else round(exact)
    return _change(percent, f"{abs(percent):,} %", versus, good)


def _points(now: Decimal | None, then: Decimal | None, versus: str, *, good: str) -> Change | None:
    """The change of a share in percentage points, None when either is missing."""
    if now is None or then is None:
        return None
    points = round((now - then) * 100, 1)
    return _change(points, f"{abs(points)} pt", versus, good)


def _change(difference: Decimal | int, size: str, versus: str, good: str) -> Change:
    if not difference:
        return Change(versus=versus.replace("vs ", "level with ", 1))
    rising = difference > 0
    return Change(f"{'+' if rising else '−'}{size}", rising, rising == (good == "more"), versus)
