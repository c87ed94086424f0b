"""Schedules: a workflow begins runs by the calendar; what was missed is made up for as the schedule says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from agents.models import Principal
from agents.operations import require
from governance import operations as governance
from governance.models import BusinessCalendar
from observability import ledger
from workflows.models import Run, Schedule, Workflow
from workflows.operations.definitions import graph_of
from workflows.operations.runs import Origin, begin, checked_values
from workflows.operations.starting import START, is_answered_for
from workflows.plan.schedules import Rule, ScheduleInvalid, made_up, moments_due, next_moment, read_rule

GRACE = timedelta(minutes=5)
MADE_UP_AT_MOST = 1_000
LOOK_AHEAD = 500
SECOND, JUST_BEFORE = timedelta(seconds=1), timedelta(microseconds=1)
RIGHT = "workflows.publish_workflow"
Status = Schedule.Status


@dataclass(frozen=True)
class Plan:
    """When and with what a schedule begins runs."""

    name: str
    rule: str
    zone: str = "UTC"
    missed: str = Schedule.Missed.ONCE
    variables: Mapping[str, Any] = field(default_factory=dict)
    calendar: BusinessCalendar | None = None


def add_schedule(workflow: Workflow, plan: Plan, *, by: ledger.Acts, at: datetime) -> Schedule:
    """Begin runs of the workflow by the calendar from now on. Raises Invalid that names the field."""
    require(by, RIGHT, workflow)
    require(by, START, workflow)
    rule = _read(plan.rule, plan.zone, at)
    schedule = Schedule(
        workflow=workflow, name=plan.name.strip(), rule=plan.rule.strip(), zone=plan.zone, missed=plan.missed,
        calendar=plan.calendar, variables=_inputs(workflow, plan.variables), since=at, created_at=at,
        author=by if isinstance(by, Principal) else None,
    )  # fmt: skip
    schedule.next_at = _next(schedule, rule, at)
    if schedule.next_at is None:
        raise ledger.Invalid(fields={"rule": "This schedule never begins a run: there is no such moment any more."})
    try:
        with transaction.atomic():
            schedule.save()
            ledger.record(
                "schedule.added", schedule, by=by, at=at, after=schedule.status,
                data={"rule": schedule.rule, "zone": schedule.zone, "missed": schedule.missed},
            )  # fmt: skip
    except IntegrityError as known:
        said = f"{workflow} has a schedule “{schedule.name}” already; choose another name."
        raise ledger.Invalid(fields={"name": said}) from known
    return schedule


def _read(rule: str, zone: str, since: datetime) -> Rule:
    try:
        return read_rule(rule, zone, since)
    except ScheduleInvalid as wrong:
        raise ledger.Invalid(fields={"zone" if "time zone" in str(wrong) else "rule": str(wrong)}) from wrong


def _inputs(workflow: Workflow, variables: Mapping[str, Any]) -> dict[str, Any]:
    version = workflow.versions.only("pk").first()
    if version is None:
        raise ledger.Invalid(f"{workflow} has no published version.")
    return checked_values(version.pk, graph_of(version.pk).start.id, variables)


def _next(schedule: Schedule, rule: Rule, after: datetime) -> datetime | None:
    """What comes next; with a business calendar only moments within working time count."""
    moment = next_moment(rule, after)
    if schedule.calendar is None:
        return moment
    working = schedule.calendar.working
    for _ in range(LOOK_AHEAD):
        if moment is None or working.between(moment, moment + SECOND):
            return moment
        # On to when work begins again: a weekend has more moments than one looks at.
        moment = next_moment(rule, working.after(moment, 1) - SECOND - JUST_BEFORE)
    return None


@transaction.atomic
def pause_schedule(schedule: Schedule, *, by: ledger.Acts, at: datetime, why: str) -> Schedule:
    """Begin no more runs until somebody resumes it. Needs a reason."""
    require(by, RIGHT, schedule.workflow)
    if not why.strip():
        raise ledger.Invalid("Say why the schedule is paused.", fields={"why": "A reason is needed."})
    ledger.move(schedule, Status.PAUSED, by=by, verb="schedule.paused", at=at, why=why, next_at=None)
    return schedule


@transaction.atomic
def resume_schedule(schedule: Schedule, *, by: ledger.Acts, at: datetime) -> Schedule:
    """Begin runs again, with the next moment from now on: what lies in between was not wanted. Who resumes it answers
    for it from then on."""
    require(by, RIGHT, schedule.workflow)
    require(by, START, schedule.workflow)
    following = _next(schedule, _read(schedule.rule, schedule.zone, schedule.since), at)
    if following is None:
        raise ledger.WrongStatus(f"“{schedule}” has no moment left; add a new schedule.")
    author = by if isinstance(by, Principal) else schedule.author
    ledger.move(
        schedule, Status.ACTIVE, by=by, verb="schedule.resumed", at=at, next_at=following, is_held=False, author=author
    )
    _say_why(schedule, "")
    return schedule


@transaction.atomic
def end_schedule(schedule: Schedule, *, by: ledger.Acts, at: datetime, why: str = "") -> Schedule:
    """Begin no run any more, for good."""
    require(by, RIGHT, schedule.workflow)
    ledger.move(schedule, Status.OVER, by=by, verb="schedule.ended", at=at, why=why, next_at=None)
    return schedule


def find_schedule(uid: UUID, *, user: Principal) -> Schedule:
    """The schedule, if this person may see its workflow. Raises NotFound."""
    found = Schedule.objects.visible_to(user).select_related("workflow__unit", "calendar", "author").filter(uid=uid)
    schedule: Schedule | None = found.first()
    if schedule is None:
        raise ledger.NotFound
    return schedule


@transaction.atomic
def start_scheduled(schedule: Schedule, *, at: datetime) -> list[Run]:
    """Begin the runs that are due: each moment has one run, however often and by how many this is called. While work is
    paused nothing is lost: it is made up for when work is resumed."""
    schedule = (
        Schedule.objects.select_for_update(of=("self",))
        .select_related("workflow__unit", "calendar", "author")
        .get(pk=schedule.pk)
    )
    if schedule.status != Status.ACTIVE or schedule.next_at is None or schedule.next_at > at:
        return []
    if not schedule.element and not is_answered_for(schedule.author, schedule.workflow):
        lost = f"{schedule.author} may no longer start runs of {schedule.workflow}. Whoever resumes it answers for it."
        _give_up(schedule, ledger.NotAllowed(lost), at)
        return []
    rule = _read(schedule.rule, schedule.zone, schedule.since)
    due = _due(schedule, rule, at)
    wanted = made_up(schedule.missed, due, at, grace=GRACE, is_held=schedule.is_held)
    try:
        with transaction.atomic():
            runs = [_run_at(schedule, moment, at) for moment in wanted]
    except governance.Paused:
        schedule.is_held = True
        schedule.save(update_fields=["is_held"])
        return []
    except ledger.Refused as refused:
        _give_up(schedule, refused, at)
        return []
    _go_on(schedule, rule, due, wanted, at)
    return runs


def _due(schedule: Schedule, rule: Rule, at: datetime) -> list[datetime]:
    first = schedule.next_at or at
    due = moments_due(rule, first, at, at_most=MADE_UP_AT_MOST)
    while len(due) == MADE_UP_AT_MOST and schedule.missed != Schedule.Missed.ALL:  # only the last ones count
        later = next_moment(rule, due[-1])
        if later is None or later > at:
            break
        due = moments_due(rule, later, at, at_most=MADE_UP_AT_MOST)
    if schedule.calendar is None:
        return due
    working = schedule.calendar.working
    return [moment for moment in due if working.between(moment, moment + SECOND)]


def _run_at(schedule: Schedule, moment: datetime, at: datetime) -> Run:
    key = f"{schedule.name} {moment:%Y-%m-%d %H:%M}Z"
    origin = Origin(start=schedule.element, starter=schedule.author)
    run, _ = begin(schedule.workflow, key=key, variables=schedule.variables, by=ledger.SYSTEM, at=at, origin=origin)
    return run


def _go_on(schedule: Schedule, rule: Rule, due: list[datetime], begun: list[datetime], at: datetime) -> None:
    last = due[-1] if due else at
    following = _next(schedule, rule, last)
    schedule.is_held, schedule.last_at, schedule.next_at = False, last, following
    schedule.save(update_fields=["is_held", "last_at", "next_at"])
    missed = len(due) - len(begun)
    ledger.record(
        "schedule.began", schedule, by=ledger.SYSTEM, at=at, data={"runs": len(begun), "missed": missed}
    )  # fmt: skip
    if following is None:
        ledger.move(schedule, Status.OVER, by=ledger.SYSTEM, verb="schedule.ended", at=at, why="No moment is left.")


def _give_up(schedule: Schedule, refused: ledger.Refused, at: datetime) -> None:
    # Tried again and again it would be refused again and again: it stops, and says so.
    why = " ".join([refused.detail, *(f"{name}: {said}" for name, said in refused.fields.items())])[:500]
    ledger.move(
        schedule, Status.PAUSED, by=ledger.SYSTEM, verb="schedule.stopped", at=at, why=why, next_at=None,
    )  # fmt: skip
    _say_why(schedule, why)


def _say_why(schedule: Schedule, why: str) -> None:
    # "why" is the name of the ledger's reason, so `move` cannot write the column of that name
    Schedule.objects.filter(pk=schedule.pk).update(why=why)
    schedule.why = why
