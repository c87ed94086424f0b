"""Alerts about how people decide: each is recorded when it is first seen, and ends when it is so no more."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction

from agents.models import Principal
from governance.models import Escalation, ReviewerAlert
from governance.operations.learning.insights import PEOPLE_AT_MOST, Period, reviewer_figures
from governance.rules.reviewing import Limits, alerts
from observability import ledger

DAYS = 30


def limits() -> Limits:
    """From where on figures are worth an alert, as the settings say."""
    return Limits(Decimal(str(settings.REVIEWER_MEDIAN_SECONDS)), settings.REVIEWER_OPEN_AT_MOST)


def watch(*, at: datetime) -> int:
    """Look at everybody who decided in the last 30 days or is asked now; record new alerts, end those that are over;
    how many are new."""
    period, bounds, new = Period.of(DAYS, at), limits(), 0
    right = {"groups__permissions__codename": "settle_escalation"}
    people = list(Principal.objects.people().filter(**right).distinct().order_by("pk"))
    for begin in range(0, len(people), PEOPLE_AT_MOST):
        some = people[begin : begin + PEOPLE_AT_MOST]
        figures = reviewer_figures(some, Escalation.objects.all(), period, at=at)
        for person in some:
            new += _compare(person, alerts(figures[person.pk], bounds), at)
    return new


def _compare(person: Principal, found: dict[str, str], at: datetime) -> int:
    standing = {alert.kind: alert for alert in person.reviewer_alerts.filter(ended_at=None)}
    for kind, alert in standing.items():
        if kind not in found:
            alert.ended_at = at
            alert.save(update_fields=["ended_at"])
        elif alert.words != found[kind]:
            alert.words = found[kind]
            alert.save(update_fields=["words"])
    return sum(_begin(person, kind, words, at) for kind, words in found.items() if kind not in standing)


def _begin(person: Principal, kind: str, words: str, at: datetime) -> bool:
    try:
        with transaction.atomic():
            alert = ReviewerAlert.objects.create(person=person, kind=kind, words=words, seen_at=at)
            ledger.record("reviewer.alerted", alert, by=ledger.SYSTEM, at=at, why=words, data={"alert": kind})
    except IntegrityError:
        return False  # another process saw it first
    return True
