"""Escalation paths, business calendars and trainings: who is asked, in which time, and what makes somebody fit to
decide."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest

from agents.models import Agent, Principal, Unit
from agents.operations import require
from governance.models import BARRED, BusinessCalendar, Escalation, EscalationPath, PathStep, Training
from governance.rules.approving import needed_for
from governance.rules.calendars import CalendarInvalid, read_calendar
from observability import ledger

CHANGE = "governance.change_policy"
COUNCIL = "council"
LEVELS_AT_MOST, SECONDS_AT_MOST = 20, 90 * 86_400
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,59}", re.ASCII)


class CouncilDecides(ledger.NotAllowed):
    """Only the governance council lets a path approve what nobody answered."""

    code = "council_decides"


class LevelInUse(ledger.Refused):
    """Questions wait on a level that would go. Let them be answered first."""

    code = "level_in_use"


class EditionChanged(ledger.Refused):
    """Somebody changed this since you opened it. Nothing was changed; read it again."""

    status = 412
    code = "edition_changed"


@dataclass(frozen=True)
class Level:
    """One level of a path: people, a group or both, how long they have, how many of them approve, and how long before
    the end they are reminded (0: not at all)."""

    seconds: int
    people: tuple[Principal, ...] = ()
    group: str = ""
    quorum: int = 1
    remind_seconds: int = 0


@dataclass(frozen=True)
class PathTerms:
    """What holds on a path beside its levels; `not_by` are words of BARRED."""

    mode: str = EscalationPath.Mode.PASS_ON
    calendar: BusinessCalendar | None = None
    not_by: tuple[str, ...] = ()
    training: str = ""
    approves_unanswered: bool = False
    asking_pauses: bool = False
    pauses_at_most: int = 2
    pause_hours_at_most: int = 8

    def columns(self) -> dict[str, Any]:
        """The terms as the row keeps them."""
        return {
            "mode": self.mode, "calendar": self.calendar, "training": self.training,
            "bars_accountable": "accountable" in self.not_by, "bars_author": "author" in self.not_by,
            "bars_previous": "previous_approver" in self.not_by, "approves_unanswered": self.approves_unanswered,
            "asking_pauses": self.asking_pauses, "pauses_at_most": self.pauses_at_most,
            "pause_hours_at_most": self.pause_hours_at_most,
        }  # fmt: skip


PLAIN = PathTerms()


@transaction.atomic
def add_path(
    key: str, name: str, *, unit: Unit, levels: Sequence[Level], by: ledger.Acts, at: datetime,
    terms: PathTerms = PLAIN, why: str = "",
) -> EscalationPath:  # fmt: skip
    """A new escalation path; its levels are asked in the order given. Raises Invalid that names each wrong field."""
    require(by, CHANGE, unit)
    wrong = {} if _KEY.fullmatch(key) else {"key": "Small letters, digits and dashes, as in large-payments."}
    if EscalationPath.objects.filter(key=key).exists():
        wrong["key"] = f"There is a path {key} already."
    _check(name, levels, terms, wrong, by=by, was=PLAIN)
    path = EscalationPath.objects.create(key=key, name=name.strip(), unit=unit, **terms.columns())
    for number, level in enumerate(levels, 1):
        _put(PathStep(path=path, level=number), level)
    ledger.record("path.added", path, by=by, at=at, why=why, data=told(path))
    return path


@transaction.atomic
def change_path(
    path: EscalationPath, name: str, *, levels: Sequence[Level], terms: PathTerms, edition: int, by: ledger.Acts,
    at: datetime, why: str,
) -> EscalationPath:  # fmt: skip
    """Let the path ask these levels on these terms from now on, of open questions too: who is named on a level may
    decide what waits there. `edition` is the one that was read. Raises EditionChanged, LevelInUse or Invalid."""
    require(by, CHANGE, path.unit)
    path = EscalationPath.objects.select_for_update(of=("self",)).get(pk=path.pk)
    if path.edition != edition:
        raise EditionChanged
    wrong = {} if why.strip() else {"reason": "Say why; the audit trail keeps it."}
    _check(name, levels, terms, wrong, by=by, was=terms_of(path))
    waiting = Escalation.objects.pending().filter(path=path)  # an answer that is undone leaves the question open
    if waiting.filter(asked__level__gt=len(levels)).exists() or (terms.mode != path.mode and waiting.exists()):
        raise LevelInUse
    before = told(path)
    for field_name, value in {"name": name.strip(), **terms.columns(), "edition": edition + 1}.items():
        setattr(path, field_name, value)
    path.save()
    known = {step.level: step for step in PathStep.every.filter(path=path)}
    for number, level in enumerate(levels, 1):
        _put(known.get(number) or PathStep(path=path, level=number), level)
    PathStep.every.filter(path=path, level__gt=len(levels)).update(retired=True)
    _need_anew(path, waiting)
    ledger.record("path.changed", path, by=by, at=at, why=why, data={"before": before, "after": told(path)})
    return path


def terms_of(path: EscalationPath) -> PathTerms:
    """The terms on which a path asks."""
    return PathTerms(
        mode=path.mode, calendar=path.calendar, not_by=path.not_by, training=path.training,
        approves_unanswered=path.approves_unanswered, asking_pauses=path.asking_pauses,
        pauses_at_most=path.pauses_at_most, pause_hours_at_most=path.pause_hours_at_most,
    )  # fmt: skip


def told(path: EscalationPath) -> dict[str, Any]:
    """A path as the ledger keeps it."""
    levels = path.steps.order_by("level").prefetch_related("people")
    terms = {name: value for name, value in terms_of(path).columns().items() if name != "calendar"}
    each = [
        {"who": level.who(), "seconds": level.seconds, "quorum": level.quorum, "remind_seconds": level.remind_seconds}
        for level in levels
    ]
    return {**terms, "calendar": path.calendar.key if path.calendar else "", "levels": each}


def _need_anew(path: EscalationPath, waiting: QuerySet[Escalation]) -> None:
    steps = levels_of(path)
    quorums = [step.quorum for step in steps]
    for place, step in enumerate(steps):
        least = needed_for(path.mode, quorums, place, 1)
        waiting.filter(asked=step).update(approvals_needed=Greatest(F("approvals_asked"), Value(least)))


def _put(step: PathStep, level: Level) -> None:
    group = Group.objects.filter(name=level.group).first() if level.group else None
    step.group, step.seconds, step.quorum = group, level.seconds, level.quorum
    step.remind_seconds, step.retired = level.remind_seconds, False
    step.save()
    step.people.set(level.people)


def _check(
    name: str, levels: Sequence[Level], terms: PathTerms, wrong: dict[str, str], *, by: ledger.Acts, was: PathTerms
) -> None:  # fmt: skip
    if not name.strip():
        wrong["name"] = "Give the path a name."
    if not 1 <= len(levels) <= LEVELS_AT_MOST:
        wrong["levels"] = f"A path needs 1 to {LEVELS_AT_MOST} levels."
    for number, level in enumerate(levels, 1):
        problem = _wrong_with(level)
        if problem:
            wrong.setdefault("levels", f"Level {number}: {problem}")
    if terms.mode not in EscalationPath.Mode.values:
        wrong["mode"] = f"Choose one of {', '.join(EscalationPath.Mode.values)}."
    if not set(terms.not_by) <= set(BARRED):
        wrong["not_by"] = f"Choose of {', '.join(BARRED)}."
    if terms.training and not _KEY.fullmatch(terms.training):
        wrong["training"] = "The name of a training has small letters, digits and dashes."
    if not (1 <= terms.pauses_at_most <= 10 and 1 <= terms.pause_hours_at_most <= 168):
        wrong["pauses_at_most"] = "The clock stands still 1 to 10 times and for 1 to 168 hours in all."
    if wrong:
        raise ledger.Invalid("Nothing was changed.", fields=wrong)
    if terms.approves_unanswered and not was.approves_unanswered:
        _require_council(by)


def _wrong_with(level: Level) -> str:
    if level.group and not Group.objects.filter(name=level.group).exists():
        return f"there is no role {level.group}."
    if not level.people and not level.group:
        return "name people or a role."
    if not 60 <= level.seconds <= SECONDS_AT_MOST:
        return "the time is between one minute and 90 days."
    if not 1 <= level.quorum <= 20 or (not level.group and level.quorum > len(level.people)):
        return f"{level.quorum} of {len(level.people)} cannot approve."
    return "" if 0 <= level.remind_seconds < level.seconds else "the reminder comes before the end, within the time."


def _require_council(by: ledger.Acts) -> None:
    holder = by.principal if isinstance(by, Agent) else by
    if by is not ledger.SYSTEM and not (isinstance(holder, Principal) and COUNCIL in holder.role_names):
        raise CouncilDecides


# --- what a path says about time ------------------------------------------------------------------------------
def levels_of(path: EscalationPath) -> list[PathStep]:
    """The levels of a path in their order."""
    return list(path.steps.order_by("level"))


def first_to_end(path: EscalationPath, levels: Sequence[PathStep]) -> PathStep:
    """The level whose time counts when a question opens: the first, or where all are asked at once the shortest."""
    if path.mode == EscalationPath.Mode.PARALLEL:
        return min(levels, key=lambda level: level.seconds)
    return levels[0]


def reminder(level: PathStep, due_at: datetime, at: datetime) -> datetime | None:
    """When the people of a level are reminded of what is due; None when they are not, or it would be at once."""
    remind_at = due_at - timedelta(seconds=level.remind_seconds)
    return remind_at if level.remind_seconds and remind_at > at else None


# --- calendars ------------------------------------------------------------------------------------------------
@transaction.atomic
def add_calendar(
    key: str, name: str, document: dict[str, Any], *, unit: Unit, by: ledger.Acts, at: datetime
) -> BusinessCalendar:
    """A new business calendar. Raises Invalid that names each wrong field."""
    require(by, CHANGE, unit)
    wrong = {} if _KEY.fullmatch(key) else {"key": "Small letters, digits and dashes, as in head-office."}
    if BusinessCalendar.objects.filter(key=key).exists():
        wrong["key"] = f"There is a calendar {key} already."
    _check_calendar(name, document, wrong)
    calendar = BusinessCalendar.objects.create(key=key, name=name.strip(), unit=unit, document=document)
    ledger.record("calendar.added", calendar, by=by, at=at, data={"after": document})
    return calendar


@transaction.atomic
def change_calendar(
    calendar: BusinessCalendar, name: str, document: dict[str, Any], *, edition: int, by: ledger.Acts, at: datetime
) -> BusinessCalendar:
    """Let the calendar say this from now on; deadlines that are set already stay. Raises EditionChanged or Invalid."""
    require(by, CHANGE, calendar.unit)
    calendar = BusinessCalendar.objects.select_for_update(of=("self",)).get(pk=calendar.pk)
    if calendar.edition != edition:
        raise EditionChanged
    _check_calendar(name, document, {})
    data = {"before": calendar.document, "after": document}
    calendar.name, calendar.document, calendar.edition = name.strip(), document, edition + 1
    calendar.save(update_fields=["name", "document", "edition"])
    ledger.record("calendar.changed", calendar, by=by, at=at, data=data)
    return calendar


def _check_calendar(name: str, document: dict[str, Any], wrong: dict[str, str]) -> None:
    if not name.strip():
        wrong["name"] = "Give the calendar a name."
    try:
        read_calendar(document)
    except CalendarInvalid as invalid:
        wrong["hours"] = str(invalid)
    if wrong:
        raise ledger.Invalid("Nothing was changed.", fields=wrong)


# --- trainings ------------------------------------------------------------------------------------------------
@transaction.atomic
def record_training(person: Principal, name: str, *, valid_until: datetime, by: ledger.Acts, at: datetime) -> Training:
    """Until when a training of a person counts; one that is recorded already is changed. Nobody records their own."""
    require(by, CHANGE, person.unit)
    if by == person:
        raise ledger.NotAllowed("Somebody else records your training.")
    if not _KEY.fullmatch(name):
        raise ledger.Invalid(fields={"name": "Small letters, digits and dashes, as in payments-basics."})
    training, _ = Training.objects.update_or_create(person=person, name=name, defaults={"valid_until": valid_until})
    ledger.record("training.recorded", training, by=by, at=at, data={"valid_until": valid_until.isoformat()})
    return training


def people_named(usernames: Iterable[str]) -> tuple[Principal, ...]:
    """The people of these names. Raises Invalid that names those whom there are not."""
    wanted = list(dict.fromkeys(usernames))
    found = {person.username: person for person in Principal.objects.people().filter(username__in=wanted)}
    unknown = [name for name in wanted if name not in found]
    if unknown:
        raise ledger.Invalid(fields={"levels": f"There is nobody called {', '.join(unknown)}."})
    return tuple(found[name] for name in wanted)
