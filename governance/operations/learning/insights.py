"""How we decide: figures of rules and of people, how far people agree, and the rows behind every number."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from agents.models import Principal, Unit
from agents.rights import units_below
from governance.models import (
    HAS_FAILED,
    WAS_UNDONE,
    Decision,
    DecisionQuerySet,
    Escalation,
    EscalationQuerySet,
    PathStep,
    PlantedCase,
    PlantedCaseQuerySet,
    Policy,
    Risk,
    SampledCheck,
    SampledCheckQuerySet,
)
from governance.operations.decisions import OWN_ACTIONS
from governance.rules.reviewing import Agreement, Decided, ReviewerFigures, RuleFigures, agreements
from observability.kpis import midnight

PERIODS = (7, 30, 90)
VIEW = "governance.view_reviewers"
MANAGE = "agents.manage_unit"
RULES_AT_MOST, PEOPLE_AT_MOST, PAIRS_AT_MOST = 200, 100, 100
READ_AT_MOST = 20_000
_ANSWERED = ("approved", "rejected")


@dataclass(frozen=True)
class Period:
    """The last days up to now: from `since` up to, not including, `until`."""

    days: int
    since: datetime
    until: datetime

    @classmethod
    def of(cls, days: int, at: datetime) -> "Period":
        """The last whole days, today included."""
        today = timezone.localtime(at).date()
        return cls(days, midnight(today - timedelta(days=days - 1)), midnight(today + timedelta(days=1)))


# --- rules ----------------------------------------------------------------------------------------------------
def questions(user: Principal, period: Period) -> EscalationQuerySet:
    """The questions of agents that were asked in the period, as far as the person may see them."""
    rows = Escalation.objects.visible_to(user).real().filter(kind=Escalation.Kind.ACTION).exclude(policy="")
    return rows.filter(opened_at__gte=period.since, opened_at__lt=period.until).order_by()


def alone(user: Principal, period: Period) -> DecisionQuerySet:
    """What rules of policies allowed without a person in the period."""
    rows = Decision.objects.visible_to(user).alone().exclude(policy="").exclude(action__in=OWN_ACTIONS)
    return rows.filter(at__gte=period.since, at__lt=period.until).order_by()


def checks(user: Principal, period: Period) -> SampledCheckQuerySet:
    """The sampled checks that were opened in the period."""
    rows = SampledCheck.objects.visible_to(user)
    return rows.filter(opened_at__gte=period.since, opened_at__lt=period.until).order_by()


def rule_figures(user: Principal, period: Period) -> list[RuleFigures]:
    """The figures of every rule that asked or allowed in the period, of policies that the person may see; the most
    questions first."""
    found: defaultdict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    _count_questions(found, questions(user, period))
    _count_work(found, user, period)
    visible = set(Policy.objects.visible_to(user).order_by().values_list("key", flat=True))
    figures = [RuleFigures(*key, **counts) for key, counts in found.items() if key[0] in visible]
    return sorted(figures, key=lambda each: (-each.asked, -each.alone, each.policy, each.rule))[:RULES_AT_MOST]


def _count_questions(found: Mapping[tuple[str, str], dict[str, Any]], asked: EscalationQuerySet) -> None:
    by_rule = asked.values_list("policy", "decision__rule")
    counted = by_rule.annotate(undone_later=WAS_UNDONE).values_list("policy", "decision__rule").annotate(
        **{name: Count("pk", filter=Q(status=name)) for name in (*_ANSWERED, "expired", "withdrawn")},
        undone=Count("pk", filter=Q(undone_later=True)), many=Count("pk"),
    )  # fmt: skip
    names = (*_ANSWERED, "expired", "withdrawn", "undone")
    for row in counted.values("policy", "decision__rule", "many", *names):
        counts = {name: row[name] for name in names}
        # Whatever else a question may be, it waits for somebody: for people, or for a moment in which they may undo.
        left = row["many"] - sum(counts[name] for name in names if name != "undone")
        found[row["policy"], row["decision__rule"] or ""].update(counts, open=left)
    codes = asked.filter(status="rejected").values_list("policy", "decision__rule", "reason_code")
    for policy, rule, code, many in codes.annotate(Count("pk")):
        found[policy, rule or ""].setdefault("codes", {})[code] = many
    took = asked.filter(status__in=_ANSWERED).values_list("policy", "decision__rule", "opened_at", "settled_at")
    for policy, rule, opened, settled in took.order_by("-settled_at")[:READ_AT_MOST]:
        found[policy, rule or ""].setdefault("seconds", []).append(_seconds(opened, settled))


def _count_work(found: Mapping[tuple[str, str], dict[str, Any]], user: Principal, period: Period) -> None:
    done = alone(user, period).values_list("policy", "rule")
    for policy, rule, many, failed in done.annotate(many=Count("pk"), failed=Count("pk", filter=HAS_FAILED)):
        found[policy, rule].update(alone=many, failed=failed)
    seen = checks(user, period).exclude(outcome="").values_list("decision__policy", "decision__rule", "outcome")
    for policy, rule, outcome, many in seen.annotate(Count("pk")):
        found[policy, rule][f"checked_{outcome}"] = many


def _seconds(opened: datetime, settled: datetime | None) -> Decimal:
    return Decimal(str((settled - opened).total_seconds())) if settled is not None else Decimal(0)


# --- people ---------------------------------------------------------------------------------------------------
def may_see_others(user: Principal) -> bool:
    """Whether this person sees how others decide: with the right, or of the units that they manage."""
    return user.is_person and (user.may(VIEW) or bool(user.granted(MANAGE, Unit)))


def people_seen(user: Principal) -> list[Principal]:
    """The people whose figures this person sees: oneself, and those who decide in the units that one leads."""
    deciding = Principal.objects.people().filter(_decides()).distinct()
    if not user.may(VIEW):
        units = units_below(user.granted(MANAGE, Unit))
        deciding = Principal.objects.people().filter(Q(pk=user.pk) | (_decides() & Q(unit__in=units))).distinct()
    return list(deciding.order_by("name", "pk")[:PEOPLE_AT_MOST])


def _decides() -> Q:
    steps = PathStep.objects.order_by()
    asked = Q(pk__in=steps.exclude(people=None).values("people")) | Q(
        groups__in=steps.exclude(group=None).values("group")
    )
    return asked | Q(settled__isnull=False)


def answers(escalations: EscalationQuerySet, period: Period) -> EscalationQuerySet:
    """Those of the escalations that a person answered in the period; neither planted cases nor sampled checks."""
    rows = escalations.real().exclude(kind=Escalation.Kind.REVIEW).filter(status__in=_ANSWERED)
    return rows.filter(settled_at__gte=period.since, settled_at__lt=period.until).order_by()


def planted_answers(escalations: EscalationQuerySet, period: Period) -> PlantedCaseQuerySet:
    """The planted cases among these escalations that were answered in the period."""
    asked = escalations.filter(is_planted=True, settled_at__gte=period.since, settled_at__lt=period.until)
    return PlantedCase.objects.over().filter(escalation__in=asked.order_by())


def reviewer_figures(
    people: Iterable[Principal], escalations: EscalationQuerySet, period: Period, *, at: datetime
) -> dict[int, ReviewerFigures]:
    """How each of these people decides, by their key, as far as these escalations tell."""
    given, today, week = defaultdict[int, list[Decided]](list), defaultdict[int, int](int), defaultdict[int, int](int)
    rows = answers(escalations, period).values_list("settled_by", "status", "opened_at", "settled_at", "risk")
    for person, status, opened, settled, risk in rows.order_by("-settled_at")[:READ_AT_MOST]:
        decided = Decided(status == "approved", _seconds(opened, settled), risk >= Risk.MEDIUM)
        given[person].append(decided)
    for days, counts in ((1, today), (7, week)):
        recent = answers(escalations, Period.of(days, at)).values_list("settled_by").annotate(Count("pk"))
        counts.update(dict(recent))
    planted, caught = _catches(escalations, period)
    return {
        person.pk: ReviewerFigures(
            tuple(given[person.pk]), today[person.pk], week[person.pk],
            escalations.open().for_person(person).count(), planted[person.pk], caught[person.pk],
        )
        for person in people
    }  # fmt: skip


def _catches(escalations: EscalationQuerySet, period: Period) -> tuple[defaultdict[int, int], defaultdict[int, int]]:
    over = planted_answers(escalations, period).order_by().values_list("escalation__settled_by")
    caught = planted_answers(escalations, period).caught().order_by().values_list("escalation__settled_by")
    both = (dict(each.annotate(Count("pk"))) for each in (over, caught))
    planted, right = (defaultdict(int, counts) for counts in both)
    return planted, right


def catches_by_policy(user: Principal, period: Period) -> list[tuple[str, int, int]]:
    """Of each policy that the person may see: its title, how many planted cases were answered, how many caught."""
    rows = planted_answers(Escalation.objects.visible_to(user), period).filter(
        policy__in=Policy.objects.visible_to(user).order_by()
    )
    caught = dict(rows.caught().order_by().values_list("policy").annotate(Count("pk")))
    counted = rows.order_by("policy__title").values_list("policy", "policy__title").annotate(many=Count("pk"))
    return [(title, many, caught.get(policy, 0)) for policy, title, many in counted]


# --- agreement ------------------------------------------------------------------------------------------------
def agreement(people: Iterable[Principal], escalations: EscalationQuerySet, period: Period) -> list[Agreement]:
    """How far every two of these people agree on the same kind of question; the most pairs first."""
    keys = [person.pk for person in people]
    rows = answers(escalations, period).filter(settled_by__in=keys).order_by("settled_at", "pk")
    rated = rows.values_list("likeness", "settled_by", "status")[:READ_AT_MOST]
    ratings = ((likeness, person or 0, status == "approved") for likeness, person, status in rated)
    return agreements(ratings)[:PAIRS_AT_MOST]


def pairs(one: Principal, other: Principal, escalations: EscalationQuerySet, period: Period) -> list[Any]:
    """The answers behind the agreement of two people: of each kind the first beside the first, and so on."""
    first, second = sorted((one, other), key=lambda each: each.pk)
    rows = answers(escalations, period).filter(settled_by__in=(first, second)).order_by("settled_at", "pk")
    given: defaultdict[str, dict[int, list[Escalation]]] = defaultdict(lambda: {first.pk: [], second.pk: []})
    for row in rows.select_related("settled_by")[:READ_AT_MOST]:
        given[row.likeness][row.settled_by_id or 0].append(row)
    return [pair for sides in given.values() for pair in zip(sides[first.pk], sides[second.pk], strict=False)]
