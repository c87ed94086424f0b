"""What the demo did: the figures of the table that the headless run prints."""

from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from autonomy_client.examples.invoices.folder import Folder

from autonomy_site.demo.company import WORKFLOW
from governance.models import Escalation
from workflows.models import Run, Step
from workflows.models.work import RunQuerySet


@dataclass(frozen=True)
class Figures:
    """Counts of the runs so far; cycle time in seconds over finished runs, cost in EUR per finished run."""

    files: int
    without_run: int
    runs: int
    done: int
    waiting: int
    failed: int
    stuck: int
    touchless_share: Decimal
    median_seconds: float
    cost_per_run: Decimal
    escalations: int

    @property
    def all_well(self) -> bool:
        """Nothing is stuck, nothing failed, and no file was lost."""
        return self.runs > 0 and not (self.without_run or self.failed or self.stuck)

    def table(self) -> list[str]:
        """The lines of the printed table."""
        rows = (
            ("Files", f"{self.files}"),
            ("  without a run", f"{self.without_run}"),
            ("Runs", f"{self.runs}"),
            ("  done", f"{self.done}"),
            ("  waiting for a person", f"{self.waiting}"),
            ("  failed", f"{self.failed}"),
            ("  stuck", f"{self.stuck}"),
            ("Touchless share", f"{self.touchless_share:.1%}"),
            ("Median cycle time", f"{self.median_seconds:.2f} s"),
            ("Agents' cost per run", f"EUR {self.cost_per_run:.6f}"),
            ("Escalations", f"{self.escalations}"),
        )
        return ["", *(f"{label:<26}{value:>16}" for label, value in rows), ""]


def is_quiet(inbox: Folder) -> bool:
    """Whether every file has its run and no agent has anything to do right now."""
    at_work = (Step.Status.READY, Step.Status.WORKING)
    busy = Step.objects.filter(run__workflow__code=WORKFLOW, status__in=at_work).exists()
    return not busy and not files_without_run(inbox)


def files_without_run(inbox: Folder) -> set[str]:
    """The documents that lie in the folder and for which no run was started."""
    return set(inbox.names()) - set(_runs().values_list("variables__input__document", flat=True))


def _runs() -> RunQuerySet:
    # What is measured is invoices alone; other workflows of the demo have figures of their own.
    return Run.objects.filter(workflow__code=WORKFLOW)


def measure(inbox: Folder) -> Figures:
    """The figures as the database has them now; each file in the folder should have a run."""
    ended = list(_runs().filter(status=Run.Status.DONE).values_list("started_at", "ended_at", "cost", "people_asked"))
    waiting = _runs().waiting().count()
    under_way = _runs().under_way().count()
    seconds = [(until - since).total_seconds() for since, until, _, _ in ended if until]
    runs = _runs().count()
    return Figures(
        files=sum(1 for _ in inbox.names()), without_run=len(files_without_run(inbox)),
        runs=runs, done=len(ended), waiting=waiting, stuck=under_way - waiting,
        failed=_runs().filter(status=Run.Status.FAILED).count(),
        touchless_share=Decimal(_runs().filter(people_asked=0, status=Run.Status.DONE).count()) / max(runs, 1),
        median_seconds=median(seconds) if seconds else 0.0,
        cost_per_run=sum((cost for _, _, cost, _ in ended), Decimal(0)) / max(len(ended), 1),
        escalations=Escalation.objects.filter(workflow=WORKFLOW).count(),
    )  # fmt: skip
