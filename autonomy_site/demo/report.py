"""What the demo did: the figures of the table that the headless run prints."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median

from governance.models import Escalation
from workflows.models import Run, Step


@dataclass(frozen=True)
class Figures:
    """Counts of the runs so far; cycle time in seconds over finished runs, cost in EUR per finished run."""

    files: int
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
        return self.runs > 0 and self.runs >= self.files and not self.failed and not self.stuck

    def table(self) -> list[str]:
        """The lines of the printed table."""
        rows = (
            ("Files", f"{self.files}"),
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


def is_quiet() -> bool:
    """Whether at least one run is there and no agent has anything to do right now."""
    busy = Step.objects.filter(status__in=(Step.Status.READY, Step.Status.WORKING)).exists()
    return Run.objects.exists() and not busy


def measure(inbox: Path) -> Figures:
    """The figures as the database has them now; `inbox` is the folder whose files should all have a run."""
    ended = list(
        Run.objects.filter(status=Run.Status.DONE).values_list("started_at", "ended_at", "cost", "people_asked")
    )
    waiting = Run.objects.under_way().waiting().count()
    under_way = Run.objects.under_way().count()
    seconds = [(until - since).total_seconds() for since, until, _, _ in ended if until]
    runs = Run.objects.count()
    return Figures(
        files=sum(1 for path in inbox.rglob("*") if path.suffix.lower() == ".xml" and not _beside(path, inbox)),
        runs=runs, done=len(ended), waiting=waiting, stuck=under_way - waiting,
        failed=Run.objects.filter(status=Run.Status.FAILED).count(),
        touchless_share=Decimal(Run.objects.filter(people_asked=0, status=Run.Status.DONE).count()) / max(runs, 1),
        median_seconds=median(seconds) if seconds else 0.0,
        cost_per_run=sum((cost for _, _, cost, _ in ended), Decimal(0)) / max(len(ended), 1),
        escalations=Escalation.objects.count(),
    )  # fmt: skip


def _beside(path: Path, inbox: Path) -> bool:
    return path.relative_to(inbox).parts[0] in ("orders", "receipts")
