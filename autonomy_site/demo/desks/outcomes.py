"""What came of the desks' work, held against what has to come of it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from autonomy_site.demo.desks.data import answers
from autonomy_site.demo.desks.plan import DESKS, WORKFLOWS
from autonomy_site.demo.desks.reviewer import waiting
from workflows.models import Run, Step

Told = dict[str, Any]
HIGH_FROM, MEDIUM_FROM = 60, 30


def are_quiet(folder: Path) -> bool:
    """Whether every case has its run, and nothing is to be done or answered."""
    begun = dict.fromkeys(WORKFLOWS, 0)
    for workflow in Run.objects.filter(workflow__code__in=WORKFLOWS).values_list("workflow__code", flat=True):
        begun[workflow] += 1
    busy = Step.objects.filter(
        run__workflow__code__in=WORKFLOWS, status__in=(Step.Status.READY, Step.Status.WORKING)
    ).exists()
    return (
        not busy and not waiting().exists() and all(begun[each] >= len(rows) for each, rows in answers(folder).items())
    )


def table() -> list[str]:
    """The lines of the printed table."""
    lines = [f"{'Workflow':<22}{'runs':>6}{'done':>6}{'failed':>8}{'touchless':>11}"]
    for desk in DESKS:
        runs = Run.objects.filter(workflow__code=desk.template)
        done = runs.filter(status=Run.Status.DONE)
        failed = runs.filter(status=Run.Status.FAILED).count()
        alone = done.filter(people_asked=0).count()
        lines.append(f"{desk.template:<22}{runs.count():>6}{done.count():>6}{failed:>8}{alone:>11}")
    return [*lines, ""]


def differences(folder: Path) -> list[str]:
    """Each run that is not what it has to be, with both; nothing when all are."""
    told = answers(folder)
    return [
        f"{desk.template} {key}: expected {expected}, found {found}"
        for desk in DESKS
        for key, expected, found in _compared(desk.template, told[desk.template])
        if expected != found
    ]


def _compared(workflow: str, told: list[Told]) -> Iterator[tuple[str, Told, Told | None]]:
    found = {run.key: run for run in Run.objects.filter(workflow__code=workflow)}
    key_of, read = READERS[workflow]
    for expected in told:
        run = next((run for key, run in found.items() if key_of(expected, key)), None)
        name = str(next(iter(expected.values())))
        yield name, expected, None if run is None else _seen(expected, read(run.variables), run)


def _seen(expected: Told, read: Told, run: Run) -> Told:
    common = {"asks": run.people_asked, "ends": run.outcome}
    # What a run that ended early never came to is no difference.
    return {name: (read | common).get(name, value) for name, value in expected.items()}


def _support(known: Mapping[str, Any]) -> Told:
    return {
        "ticket": known["input"]["ticket"], "topic": known["analyse"]["topic"], "language": known["gather"]["language"],
        "refund": _money(known["analyse"]["refund"]), "paid": known.get("refund", {}).get("paid", False),
    }  # fmt: skip


def _vendors(known: Mapping[str, Any]) -> Told:
    if "rate" not in known:
        return {}
    score = known["rate"]["score"]
    risk = "high" if score >= HIGH_FROM else "medium" if score >= MEDIUM_FROM else "low"
    return {"hits": known["screen"]["hits"], "matches": known["bank"]["matches"], "risk": risk}


def _supply(known: Mapping[str, Any]) -> Told:
    return {
        "region": known["input"]["region"], "shortages": known["inventory"]["shortages"],
        "late": known["shipments"]["late"], "costs": _money(known.get("propose", {}).get("costs", 0)),
        "told": known.get("tell", {}).get("told", 0),
    }  # fmt: skip


def _report(known: Mapping[str, Any]) -> Told:
    booked, revenue, costs = known["ledger"], known["ledger"]["revenue"], known["ledger"]["costs"]
    return {
        "month": known["input"]["month"], "revenue": _money(revenue), "costs": _money(booked["costs"]),
        "result": _money(Decimal(str(revenue)) - Decimal(str(costs))), "orders": known["sales"]["orders"],
        "difference": _money(known["reconcile"]["difference"]), "delivered": known["operations"]["delivered"],
        "on_time": f"{Decimal(str(known['operations']['on_time'])):.4f}",
    }  # fmt: skip


def _money(amount: Any) -> str:
    return f"{Decimal(str(amount)):.2f}"


# How an answer names its run, and how the run's variables are read.
READERS: Mapping[str, Any] = {
    "customer-support": (lambda told, key: key == told["ticket"], _support),
    "vendor-onboarding": (lambda told, key: key == told["application"], _vendors),
    "supply-chain-watch": (lambda told, key: key.startswith(told["region"]), _supply),
    "monthly-report": (lambda told, key: key.endswith(told["month"]), _report),
}
