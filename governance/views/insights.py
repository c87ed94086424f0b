"""The pages "How we decide": figures of rules and people, the rows behind them, suggestions, learnt rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.models import Principal
from agents.views import person
from governance.models import Decision, Escalation, LearntRule, Policy, ReviewerAlert
from governance.operations import learning
from governance.rules.reviewing import Agreement, ReviewerFigures, RuleFigures, short
from observability import ledger
from observability.ledger import database_now

USUAL_DAYS = 30
ROWS = 50
WORDS = {
    "asked": "asked", "approved": "approved", "rejected": "rejected", "expired": "that nobody decided in time",
    "withdrawn": "withdrawn", "open": "that are open", "undone": "approved, and undone later",
    "alone": "allowed without a person", "failed": "allowed without a person, and failed",
    "right": "looked at again and right", "wrong": "looked at again and wrong", "decided": "decided",
    "yes": "approved", "quick": "decided within 3 seconds", "waiting": "that wait for this person",
    "today": "decided today", "week": "decided in 7 days", "planted": "planted and answered",
    "caught": "planted and caught",
}  # fmt: skip


def period_of(request: HttpRequest, at: datetime) -> learning.Period:
    """The period that the address asks for."""
    days = request.GET.get("days", "")
    chosen = int(days) if days.isdecimal() and len(days) < 4 else USUAL_DAYS
    return learning.Period.of(chosen if chosen in learning.PERIODS else USUAL_DAYS, at)


@dataclass(frozen=True)
class Number:
    """A figure that opens its rows; without any it is plain text."""

    value: int
    url: str = ""


@dataclass(frozen=True)
class RuleRow:
    """One rule in the table, every number with its address."""

    figures: RuleFigures
    title: str
    days: int

    def number(self, show: str, many: int, **more: str) -> Number:
        """A count of this rule."""
        query = {"show": show, "policy": self.figures.policy, "rule": self.figures.rule, "days": self.days, **more}
        return Number(many, f"{reverse('insights-rows')}?{urlencode(query)}" if many else "")

    @property
    def numbers(self) -> dict[str, Number]:
        """The counts by name."""
        counts = {name: getattr(self.figures, name) for name in (
            "asked", "approved", "rejected", "expired", "open", "undone", "alone", "failed"
        )}  # fmt: skip
        counts |= {"right": self.figures.checked_right, "wrong": self.figures.checked_wrong}
        return {name: self.number(name, many) for name, many in counts.items()}

    @property
    def share(self) -> str:
        """The share of yes among the answered."""
        return percent(self.figures.approval)

    @property
    def codes(self) -> list[tuple[str, Number]]:
        """Why questions were rejected, the most frequent first."""
        labels = dict(Escalation.ReasonCode.choices)
        ordered = sorted(self.figures.codes.items(), key=lambda each: -each[1])
        return [
            (labels.get(code, code or "No code"), self.number("rejected", many, code=code)) for code, many in ordered
        ]


@dataclass(frozen=True)
class PersonRow:
    """One reviewer in the table."""

    person: Principal
    figures: ReviewerFigures
    alerts: Sequence[ReviewerAlert]
    days: int

    @property
    def numbers(self) -> dict[str, Number]:
        """The counts by name."""
        figures = self.figures
        counts = {
            "waiting": figures.open, "today": figures.today, "week": figures.week, "decided": figures.decided,
            "yes": figures.approved, "quick": figures.quick, "planted": figures.planted, "caught": figures.caught,
        }  # fmt: skip
        query = {"person": self.person.username, "days": self.days}
        base = reverse("insights-rows")
        return {
            name: Number(many, f"{base}?{urlencode({'show': name, **query})}" if many else "")
            for name, many in counts.items()
        }

    @property
    def share(self) -> str:
        """The share of yes."""
        return percent(self.figures.approval)

    @property
    def catch_share(self) -> str:
        """The share of planted cases that were caught."""
        return percent(self.figures.catch_share)


def percent(share: Decimal | None) -> str:
    """A share as people read it; nothing of nothing."""
    return "" if share is None else f"{short(100 * share)} %"


class InsightsPage(LoginRequiredMixin, View):
    """How rules ask, how people decide, how far they agree, and which rules could be learnt."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        period = period_of(request, at)
        seen = Escalation.objects.visible_to(user)
        people = learning.people_seen(user)
        page = {
            "period": period, "periods": learning.PERIODS, "offers": learning.offers(user, at=at),
            "learnt": learnt_rows(user), "rules": _rules(user, period), "people": _people(user, people, period, at),
            "sees_others": learning.may_see_others(user), "may_plant": learning.may_plant(user),
            "pairs": _pairs(people, learning.agreement(people, seen, period), period),
            "catches": learning.catches_by_policy(user, period) if learning.may_see_others(user) else [],
        }  # fmt: skip
        return render(request, "governance/insights.html", page)


def _rules(user: Principal, period: learning.Period) -> list[RuleRow]:
    titles = dict(Policy.objects.visible_to(user).order_by().values_list("key", "title"))
    found = learning.rule_figures(user, period)
    return [RuleRow(each, titles.get(each.policy, each.policy), period.days) for each in found]


def _people(user: Principal, people: list[Principal], period: learning.Period, at: datetime) -> list[PersonRow]:
    figures = learning.reviewer_figures(people, Escalation.objects.visible_to(user), period, at=at)
    standing = list(ReviewerAlert.objects.filter(person__in=people, ended_at=None).order_by("pk"))
    rows = [
        PersonRow(each, figures[each.pk], [alert for alert in standing if alert.person_id == each.pk], period.days)
        for each in people
    ]
    return [row for row in rows if row.figures.decided or row.figures.open or row.alerts or row.person.pk == user.pk]


def _pairs(people: list[Principal], found: list[Agreement], period: learning.Period) -> list[dict[str, Any]]:
    names = {each.pk: each for each in people}
    return [
        {
            "agreement": each, "one": names[each.one], "other": names[each.other], "share": percent(each.observed),
            "kappa": "–" if each.kappa is None or each.is_small else f"{each.kappa:.2f}",
            "url": f"{reverse('insights-pairs')}?" + urlencode(
                {"one": names[each.one].username, "other": names[each.other].username, "days": period.days}
            ),
        }
        for each in found
    ]  # fmt: skip


def learnt_rows(user: Principal) -> list[dict[str, Any]]:
    """The learnt rules that the person may see, each with whether it decides now and may be revoked."""
    rows = LearntRule.objects.visible_to(user).with_names()[:ROWS]
    return [
        {
            "learnt": row, "in_force": row.revoked_at is None and learning.in_force(row) is not None,
            "may_revoke": row.revoked_at is None and learning.may_revoke(user, row),
        }
        for row in rows
    ]  # fmt: skip


class InsightRows(LoginRequiredMixin, View):
    """The rows behind one number."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at, given = person(request), database_now(), request.GET
        wanted = learning.Wanted(
            show=given.get("show", ""), period=period_of(request, at), policy=given.get("policy", "")[:80],
            rule=given.get("rule", "")[:80], code=given.get("code", "")[:30], person=given.get("person", "")[:80],
        )  # fmt: skip
        found = learning.rows_behind(user, wanted, at=at)
        before = given.get("before", "")
        later = found.filter(pk__lt=int(before)) if before.isdecimal() and len(before) < 18 else found
        rows = list(later[: ROWS + 1])
        query = {name: value for name, value in given.items() if name != "before"}
        page = {
            "wanted": wanted, "words": WORDS[wanted.show], "count": found.count(), "rows": rows[:ROWS],
            "is_work": found.model is Decision,
            "older": f"?{urlencode({**query, 'before': rows[ROWS - 1].pk})}" if len(rows) > ROWS else "",
            "whose": learning.person_seen(user, wanted.person) if wanted.person else None,
        }  # fmt: skip
        return render(request, "governance/insight_rows.html", page)


class InsightPairs(LoginRequiredMixin, View):
    """The answers of two people beside each other."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, period = person(request), period_of(request, database_now())
        one, other = (learning.person_seen(user, request.GET.get(name, "")) for name in ("one", "other"))
        if one.pk == other.pk:
            raise ledger.NotFound
        found = learning.pairs(one, other, Escalation.objects.visible_to(user), period)
        first, second = sorted((one, other), key=lambda each: each.pk)
        page = {"pairs": found[:500], "count": len(found), "one": first, "other": second, "period": period}
        return render(request, "governance/insight_pairs.html", page)


# --- suggestions and learnt rules -----------------------------------------------------------------------------
class DraftRule(LoginRequiredMixin, View):
    """Make the rule: a draft with its replay."""

    def post(self, request: HttpRequest, group: str) -> HttpResponse:
        user = person(request)
        made = learning.make_rule(group, by=user, at=database_now())
        messages.success(
            request, f"Version {made.version.number} is drafted with the rule {made.rule}. It decides nothing before "
            "somebody else approves it. Its replay has begun.",
        )  # fmt: skip
        return redirect("policy-replay", made.policy.key, made.version.number)


class TurnDownRule(LoginRequiredMixin, View):
    """No rule is wanted."""

    def post(self, request: HttpRequest, group: str) -> HttpResponse:
        learning.turn_down(group, by=person(request), at=database_now(), why=request.POST.get("why", ""))
        messages.success(request, "It is not suggested again for 90 days.")
        return redirect("insights")


class RevokeLearnt(LoginRequiredMixin, View):
    """Let people be asked again, at once."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        found = LearntRule.objects.visible_to(user).with_names().filter(uid=uid).first()
        if found is None:
            raise ledger.NotFound
        learning.revoke(found, by=user, at=database_now(), why=request.POST.get("why", ""))
        messages.success(request, f"{found.rule} is revoked. People are asked again from the next question on.")
        return redirect("insights")
