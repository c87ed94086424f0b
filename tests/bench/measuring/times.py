"""Times as numbers and as a table."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Times:
    """Durations in milliseconds, in the order in which they were taken."""

    name: str
    taken: list[float] = field(default_factory=list)

    def take(self, act: Callable[[], object]) -> object:
        """Run `act`, keep how long it took, and give its result."""
        start = time.perf_counter_ns()
        result = act()
        self.taken.append((time.perf_counter_ns() - start) / 1e6)
        return result

    def quantile(self, percent: int) -> float:
        """The value below which `percent` per cent of the durations lie."""
        if len(self.taken) == 1:
            return self.taken[0]
        return statistics.quantiles(self.taken, n=100, method="inclusive")[percent - 1]

    @property
    def best_p50(self) -> float:
        """The median of the best fifth of the series: neighbouring calls, when the machine was least busy."""
        size = max(len(self.taken) // 5, 1)
        runs = [self.taken[start : start + size] for start in range(0, len(self.taken) - size + 1, size)]
        return min(statistics.median(run) for run in runs)


def header(title: str) -> None:
    """Say what is measured, and how busy the machine is with other things."""
    print(f"\n{title}  (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)")
    print(f"  {'':<58}{'n':>6}{'p50':>9}{'p95':>9}{'p99':>9}{'best p50':>10}{'ratio':>8}")


def show(times: Times, *, beside: Times | None = None, bar: float | None = None) -> None:
    """Print one line in milliseconds: the ratio is that of the medians to `beside`, the bar is what p50 shall keep."""
    figures = "".join(f"{value:9.2f}" for value in (times.quantile(50), times.quantile(95), times.quantile(99)))
    ratio = f"{times.quantile(50) / beside.quantile(50):8.1f}" if beside else f"{'1':>8}"
    kept = "" if bar is None else f"  {'keeps' if times.quantile(50) < bar else 'MISSES'} the bar of {bar:g}"
    print(f"  {times.name:<58}{len(times.taken):6}{figures}{times.best_p50:10.2f}{ratio}{kept}", flush=True)


def measured(name: str, act: Callable[[int], object], rounds: int, *, warm_up: int = 5) -> Times:
    """The durations of `act(0)` to `act(rounds - 1)`, after a few that do not count (with negative numbers)."""
    for number in range(-warm_up, 0):
        act(number)
    times = Times(name)
    for number in range(rounds):
        times.take(lambda number=number: act(number))
    return times


def together(parts: Sequence[Times], name: str) -> Times:
    """All durations of several series as one."""
    return Times(name, [duration for part in parts for duration in part.taken])
