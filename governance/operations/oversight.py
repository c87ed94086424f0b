"""What governs an agent's work on many steps at once: one look tells where there is anything to look up at all."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from agents.models import Agent
from governance.models import Budget, Decision, Incident
from governance.operations import circuits
from governance.operations.breakers import courses_of
from governance.operations.budgets.outcomes import settle_held, spend_within
from governance.operations.budgets.reading import Spender, binding
from governance.operations.incidents import open_incident
from governance.operations.moment import Moment
from governance.operations.quarantine import limits_of
from governance.rules.breaking import DEFAULTS, Limits, why_break
from governance.rules.stopping import Reach, Stop, strictest
from observability.prepared import PreparedList


class Oversight:
    """What holds for the work of one agent in one transaction; `steps` are those that it reports on, by their uid that
    of their run. A stop that is seen here holds until the transaction ends. Make it after the runs are locked."""

    def __init__(self, agent: Agent, steps: Mapping[str, str], *, at: datetime) -> None:
        self.agent, self.at, self._steps = agent, at, dict(steps)
        self._moment = Moment(at)
        self._moment.begin()
        self._budgets: dict[str, list[Budget]] = {}

    @property
    def stops(self) -> tuple[Stop, ...]:
        """What stops work now."""
        return self._moment.stops

    def pausing(self, reach: Reach) -> Stop | None:
        """The pause that what is touched here is under, None without one."""
        stop = strictest(self.stops, reach, self.at) if self.stops else None
        return stop if stop is not None and stop.is_paused else None

    def stopped_runs(self) -> list[str]:
        """The runs that stand still until somebody resolves an incident."""
        return Incident.objects.stopped_runs() if self._moment.glance.loops else []

    @cached_property
    def _asked(self) -> Collection[str]:
        found = _ASKED.tuples(runs=list(set(self._steps.values())), steps=list(self._steps))
        return {step for (step,) in found}

    def settle(self, step: str, *, spender: Spender, used: Mapping[str, Decimal], what: str) -> None:
        """A step was done: what its allowed actions hold is spent, and so is what the agent used meanwhile."""
        if step in self._asked:
            settle_held(step, used, at=self.at)
        if not self._moment.glance.budgets:
            return
        if spender.workflow not in self._budgets:
            self._budgets[spender.workflow] = binding(spender, (*Budget.Metric.values,))
        spend_within(self._budgets[spender.workflow], used, spender=spender, what=what, step=step, at=self.at)

    def tell_systems(self, step: str, *, failed: bool) -> None:
        """What the agent reported says how the systems work in which it was allowed to act."""
        if step in self._asked:
            circuits.report_of_step(step, run=self._steps[step], agent=self.agent, failed=failed, at=self.at)

    @cached_property
    def _limits(self) -> Limits:
        return limits_of(self.agent) if self._moment.glance.safeguards else DEFAULTS

    def watch(self, runs: Iterable[str]) -> None:
        """Open an incident for each run that opened too many steps, has too many open, or takes too long: it then
        stands still until a person has looked at it."""
        last = self._last_loops(runs) if self._moment.glance.loops else {}
        watched = {run: _since(last.get(run)) for run in runs if run not in last or not last[run].is_open}
        for run, course in courses_of(watched, at=self.at).items():
            why = why_break(course, self._limits)
            if why:
                about = f"run:{run}"
                open_incident(Incident.Kind.LOOP, about, why=why, at=self.at, agent=self.agent, run=run)

    def _last_loops(self, runs: Iterable[str]) -> dict[str, Incident]:
        found: dict[str, Incident] = {}
        about = Incident.objects.filter(kind=Incident.Kind.LOOP, about__in=[f"run:{run}" for run in runs])
        for incident in about:  # the newest first
            found.setdefault(incident.about.removeprefix("run:"), incident)
        return found


_ASKED: PreparedList[Decision] = PreparedList(
    lambda runs, steps: Decision.objects.filter(run__in=runs, step__in=steps).order_by().values_list("step"),
    runs=str, steps=str,
)  # fmt: skip


def _since(incident: Incident | None) -> datetime | None:
    return incident.resolved_at if incident is not None else None
