"""The rows behind every number of "How we decide": lists that add up to exactly what was counted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet

from agents.models import Principal
from governance.models import HAS_FAILED, WAS_UNDONE, Decision, Escalation, EscalationQuerySet
from governance.operations.learning.insights import (
    Period,
    alone,
    answers,
    checks,
    people_seen,
    planted_answers,
    questions,
)
from governance.rules.reviewing import QUICK_SECONDS
from observability import ledger

QUESTIONS = ("asked", "approved", "rejected", "expired", "withdrawn", "open", "undone")
WORK = ("alone", "failed")
CHECKS = ("right", "wrong")
PERSON = ("decided", "yes", "quick", "waiting", "today", "week", "planted", "caught")
SHOWS = (*QUESTIONS, *WORK, *CHECKS, *PERSON)
_OVER = ("approved", "rejected", "expired", "withdrawn")
_QUICK = Q(settled_at__lt=F("opened_at") + timedelta(seconds=QUICK_SECONDS))


@dataclass(frozen=True)
class Wanted:
    """Which number is opened: `show` names it, of a rule or of a person; a reason code narrows what was rejected."""

    show: str
    period: Period
    policy: str = ""
    rule: str = ""
    code: str = ""
    person: str = ""


def rows_behind(user: Principal, wanted: Wanted, *, at: datetime) -> QuerySet[Any]:
    """The questions or decisions that make up a number, newest first. Raises NotFound for a number that this person
    does not see."""
    if wanted.show in PERSON:
        return _of_person(user, wanted, at)
    if wanted.show in WORK:
        return _work(user, wanted)
    if wanted.show in CHECKS:
        kept = checks(user, wanted.period).filter(outcome=wanted.show, **_rule(wanted, "decision__"))
        return Escalation.objects.filter(sampled__in=kept).order_by("-pk")
    if wanted.show not in QUESTIONS:
        raise ledger.NotFound
    return _asked(user, wanted).order_by("-pk")


def _rule(wanted: Wanted, before: str, policy: str = "") -> Mapping[str, str]:
    return {policy or f"{before}policy": wanted.policy, f"{before}rule": wanted.rule}


def _asked(user: Principal, wanted: Wanted) -> EscalationQuerySet:
    rows = questions(user, wanted.period).filter(**_rule(wanted, "decision__", "policy"))
    if wanted.show == "undone":
        return rows.annotate(undone_later=WAS_UNDONE).filter(undone_later=True)
    if wanted.show == "open":
        return rows.exclude(status__in=_OVER)
    if wanted.show != "asked":
        rows = rows.filter(status=wanted.show)
    return rows.filter(reason_code=wanted.code) if wanted.code else rows


def _work(user: Principal, wanted: Wanted) -> QuerySet[Decision]:
    rows = alone(user, wanted.period).filter(**_rule(wanted, ""))
    rows = rows.filter(HAS_FAILED) if wanted.show == "failed" else rows
    return rows.select_related("agent").order_by("-pk")


def person_seen(user: Principal, username: str) -> Principal:
    """The person of this name, if their figures may be seen. Raises NotFound."""
    found = next((person for person in people_seen(user) if person.username == username), None)
    if found is None:
        raise ledger.NotFound
    return found


def _of_person(user: Principal, wanted: Wanted, at: datetime) -> EscalationQuerySet:
    person, seen = person_seen(user, wanted.person), Escalation.objects.visible_to(user)
    if wanted.show == "waiting":
        return seen.open().for_person(person).order_by("-pk")
    if wanted.show in ("planted", "caught"):
        cases = planted_answers(seen, wanted.period).filter(escalation__settled_by=person)
        cases = cases.caught() if wanted.show == "caught" else cases
        return Escalation.objects.filter(planted_case__in=cases.order_by()).order_by("-pk")
    return _answered(seen, person, wanted, at).order_by("-pk")


def _answered(seen: EscalationQuerySet, person: Principal, wanted: Wanted, at: datetime) -> EscalationQuerySet:
    periods = {"today": Period.of(1, at), "week": Period.of(7, at)}
    rows = answers(seen, periods.get(wanted.show, wanted.period)).filter(settled_by=person)
    narrow: dict[str, Callable[[], EscalationQuerySet]] = {
        "yes": lambda: rows.filter(status="approved"), "quick": lambda: rows.filter(_QUICK),
    }  # fmt: skip
    return narrow[wanted.show]() if wanted.show in narrow else rows
