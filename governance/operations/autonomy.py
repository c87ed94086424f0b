"""Earned autonomy: the evidence for it, requests for more of it that the council decides, and losing it again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from agents.models import Agent, Principal, Role, Unit
from agents.operations import DEMOTED, ceiling_of, change_level, require
from agents.rules import AUTONOMY
from governance.models import HAS_FAILED, HAS_REPORT, WAS_UNDONE, Decision, DemotionRule, Escalation, PromotionRequest
from governance.rules.evidence import Acts, Asked, Breach, Evidence, Share, Try, breach_of, level_below, reckon
from observability import ledger
from observability.kpis import midnight
from observability.models import Event, Reader

DAYS = 90
LONGEST_DAYS = 366
REASON_AT_MOST = 4000
TRIES = ("step.finished", "step.failed")
Status = PromotionRequest.Status


class NoPromotion(ledger.Refused):
    """This agent cannot be promoted now."""

    code = "no_promotion"


class OwnRequest(ledger.NotAllowed):
    """You asked for this, or you answer for the agent: somebody else of the council decides."""

    code = "own_request"


# --- evidence -------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Span:
    """The period that evidence is about: from `since` up to, not including, `until`; `demoted_at` when it begins only
    after the agent lost a level."""

    since: datetime
    until: datetime
    days: int
    demoted_at: datetime | None = None


def span_of(agent: Agent, *, at: datetime, days: int = DAYS) -> Span:
    """The last whole days up to the end of today; what was before the last demotion does not count any more."""
    # Addresses name whole days and seconds: both bounds are such, so that every list has exactly what was counted.
    today = timezone.localtime(at).date()
    since, until = midnight(today - timedelta(days=days - 1)), midnight(today + timedelta(days=1))
    lost = _demotions([agent]).get(agent.code)
    if lost is None or lost < since:
        return Span(since, until, days)
    return Span(min(lost.replace(microsecond=0) + timedelta(seconds=1), until), until, days, demoted_at=lost)


def evidence_of(agent: Agent, reader: Reader, *, span: Span) -> Evidence:
    """What the agent's record says about its autonomy, as far as the reader may see it; three queries."""
    return reckon(_asked(agent, reader, span), _acts(agent, reader, span), _tries(agent, reader, span))


def _asked(agent: Agent, reader: Reader, span: Span) -> Iterable[Asked]:
    decided = Escalation.objects.visible_to(reader).decided()
    decided = decided.filter(agent=agent, settled_at__gte=span.since, settled_at__lt=span.until).order_by()
    for action, status, undone, opened, settled in decided.values_list(
        "decision__action", "status", WAS_UNDONE, "opened_at", "settled_at"
    ):
        took = Decimal(str((settled - opened).total_seconds()))
        yield Asked(action or "", status == Escalation.Status.APPROVED, undone, took)


def _acts(agent: Agent, reader: Reader, span: Span) -> Iterable[Acts]:
    given = Decision.objects.visible_to(reader).filter(agent=agent, at__gte=span.since, at__lt=span.until)
    allowed = given.filter(effect=Decision.Effect.ALLOW).order_by()
    counted = allowed.values_list("action").annotate(
        alone=Count("pk", filter=~Q(facts__has_key="approval")), acted=Count("pk", filter=HAS_REPORT),
        failed=Count("pk", filter=HAS_FAILED),
    )  # fmt: skip
    return (Acts(*row) for row in counted)


def _tries(agent: Agent, reader: Reader, span: Span) -> Iterable[Try]:
    seen = Event.objects.visible_to(reader).filter(verb__in=TRIES, actor_kind="agent", actor_id=agent.code)
    seen = seen.filter(at__gte=span.since, at__lt=span.until).order_by()
    return (Try(verb == TRIES[0], seconds) for verb, seconds in seen.values_list("verb", "seconds"))


def _demotions(agents: Iterable[Agent]) -> dict[str, datetime]:
    """When each agent lost a level last, by its code."""
    lost = Event.objects.filter(verb=DEMOTED, subject_kind="agent", subject_id__in=[agent.code for agent in agents])
    return dict(lost.order_by().values_list("subject_id").annotate(Max("at")))


# --- promotion ------------------------------------------------------------------------------------------------
def may_ask(person: Principal, agent: Agent) -> bool:
    """Whether this person may ask for a promotion: who answers for the agent, the unit's owner, IT."""
    if not (person.is_person and person.is_active):
        return False
    owns = agent.unit_id in person.granted("agents.manage_unit", Unit)
    return person.pk == agent.accountable_id or owns or person.may("agents.add_agent", agent.unit)


def may_decide(person: Principal, asked: PromotionRequest) -> bool:
    """Whether this person may decide it: of the council, and neither who asked nor who answers for the agent."""
    if not (person.is_person and person.may("governance.promote_agent", asked.agent)):
        return False
    return person.pk not in (asked.asked_by_id, asked.agent.accountable_id)


def next_level(agent: Agent) -> int | None:
    """The level that can be asked for, None when there is none."""
    level = agent.autonomy_level + 1
    return level if level <= ceiling_of(agent) and agent.status != Agent.Status.RETIRED else None


@transaction.atomic
def ask_promotion(agent: Agent, *, by: Principal, at: datetime, why: str) -> PromotionRequest:
    """Ask the council to let the agent act one level higher; the evidence as `by` sees it now is kept with it."""
    if not may_ask(by, agent):
        raise ledger.NotAllowed("Who answers for the agent, the owner of its unit, or IT may ask for a promotion.")
    agent = _locked(agent.pk)
    level = next_level(agent)
    if level is None:
        raise NoPromotion(_why_no(agent))
    span = span_of(agent, at=at)
    evidence = evidence_of(agent, by, span=span).as_data()
    try:
        with transaction.atomic():
            asked = PromotionRequest.objects.create(
                agent=agent, from_level=agent.autonomy_level, to_level=level, evidence=evidence, asked_by=by,
                asked_at=at, evidence_since=span.since,
                reason=_reason(why, "Say why the agent should act at a higher level."),
            )  # fmt: skip
    except IntegrityError as twice:
        raise NoPromotion(f"Somebody asked for a promotion of {agent} already; it waits for the council.") from twice
    ledger.record("promotion.asked", asked, by=by, at=at, why=asked.reason, after=asked.status)
    return asked


def _locked(pk: int) -> Agent:
    # The agent first, as everywhere here: who asks, who decides and who demotes at once follow one another.
    rows = Agent.objects.select_for_update(of=("self",), no_key=True).with_people().select_related("blueprint__role")
    agent: Agent = rows.get(pk=pk)
    return agent


def _why_no(agent: Agent) -> str:
    if agent.status == Agent.Status.RETIRED:
        return f"{agent} is retired."
    return f"{agent} is at level {agent.autonomy_level}, the highest that its job allows."


def _reason(text: str, missing: str) -> str:
    said = text.strip()
    if not said:
        raise ledger.Invalid(missing, fields={"reason": "A reason is needed."})
    if len(said) > REASON_AT_MOST:
        raise ledger.Invalid(fields={"reason": f"At most {REASON_AT_MOST:,} characters."})
    return said


@transaction.atomic
def approve_promotion(asked: PromotionRequest, *, by: Principal, at: datetime, why: str = "") -> None:
    """Let the agent act at the level that was asked for, from its next question on. Raises NotAllowed, OwnRequest,
    TooLate, or NoPromotion when the agent has another level by now."""
    _require_council(asked, by)
    agent = _locked(asked.agent_id)
    if asked.is_open and (agent.autonomy_level != asked.from_level or next_level(agent) != asked.to_level):
        raise NoPromotion(f"{agent} is at level {agent.autonomy_level} now; this request no longer fits. Reject it.")
    _decide(asked, Status.APPROVED, by=by, at=at, why=why)
    told = {"promotion": str(asked.uid), "asked_by": str(asked.asked_by)}
    change_level(agent, asked.to_level, by=by, at=at, why=why.strip() or asked.reason, data=told)


@transaction.atomic
def reject_promotion(asked: PromotionRequest, *, by: Principal, at: datetime, why: str) -> None:
    """Leave the agent at its level, with a reason that who asked reads."""
    _require_council(asked, by)
    _decide(asked, Status.REJECTED, by=by, at=at, why=_reason(why, "Say why the agent is not promoted."))


@transaction.atomic
def withdraw_promotion(asked: PromotionRequest, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """The request is no longer wanted: said by who asked, or who may ask for this agent."""
    if isinstance(by, Principal) and by.pk != asked.asked_by_id and not may_ask(by, asked.agent):
        raise ledger.NotAllowed("Only who may ask for a promotion of this agent may withdraw the request.")
    _decide(asked, Status.WITHDRAWN, by=by, at=at, why=why)


def _require_council(asked: PromotionRequest, by: Principal) -> None:
    require(by, "governance.promote_agent", asked.agent)
    if not may_decide(by, asked):
        raise OwnRequest(about=asked)


def _decide(asked: PromotionRequest, to: str, *, by: ledger.Acts, at: datetime, why: str) -> None:
    if len(why) > REASON_AT_MOST:
        raise ledger.Invalid(fields={"reason": f"At most {REASON_AT_MOST:,} characters."})
    if not asked.is_open:
        raise ledger.TooLate(f"This was settled before: {asked.get_status_display().lower()}.")
    who = by if isinstance(by, Principal) else None
    ledger.move(
        asked, to, by=by, verb=f"promotion.{to}", at=at, why=why.strip(), decided_by=who, decided_at=at,
        answer=why.strip(),
    )  # fmt: skip


# --- demotion -------------------------------------------------------------------------------------------------
def may_demote(person: Principal, agent: Agent) -> bool:
    """Whether this person may lower the agent's level: council, risk, who answers for it."""
    if not (person.is_person and person.is_active):
        return False
    return person.pk == agent.accountable_id or person.may("governance.demote_agent", agent)


def demote(agent: Agent, *, by: Principal, at: datetime, why: str) -> None:
    """Take one level from the agent, from its next question on; its evidence counts anew from now."""
    if not may_demote(by, agent):
        raise ledger.NotAllowed("The council, risk, or who answers for the agent may lower its level.")
    _demote(agent, agent.autonomy_level - 1, by=by, at=at, why=_reason(why, "Say why the agent loses a level."))


@transaction.atomic
def _demote(
    agent: Agent, level: int, *, by: ledger.Acts, at: datetime, why: str, data: Mapping[str, Any] | None = None
) -> None:
    if level < min(AUTONOMY) or agent.status == Agent.Status.RETIRED:
        raise ledger.WrongStatus(f"{agent} has no level to lose.")
    change_level(agent, level, by=by, at=at, why=why, data=data)
    for asked in agent.promotion_requests.open().select_related("agent"):
        withdraw_promotion(asked, by=ledger.SYSTEM, at=at, why=f"The agent lost a level: {why}"[:REASON_AT_MOST])


@dataclass(frozen=True)
class RuleChange:
    """What a demotion rule shall say; `role` is the code of a role, empty for all that have no rule of their own."""

    role: str
    overruled_percent: Decimal | None
    error_percent: Decimal | None
    at_least: int
    days: int


@transaction.atomic
def set_demotion_rule(change: RuleChange, *, by: ledger.Acts, at: datetime, why: str) -> DemotionRule:
    """Say when agents of a role lose a level by themselves."""
    require(by, "governance.promote_agent")
    reason = _reason(why, "Say why the rule changes.")
    _check_rule(change)
    said = {name: value for name, value in vars(change).items() if name != "role"}
    who = by if isinstance(by, Principal) else None
    rule, _ = DemotionRule.objects.update_or_create(
        role=change.role, defaults={**said, "changed_by": who, "changed_at": at}
    )
    told = {name: None if value is None else str(value) for name, value in said.items()}
    ledger.record("demotion.set", rule, by=by, at=at, why=reason, data=told)
    return rule


def _check_rule(change: RuleChange) -> None:
    wrong = {
        name: "A percentage from 0 to 100."
        for name in ("overruled_percent", "error_percent")
        if (value := getattr(change, name)) is not None and not 0 <= value <= 100
    }
    if change.overruled_percent is None and change.error_percent is None:
        wrong["overruled_percent"] = "Give a limit for overruled questions, for errors, or for both."
    if not 1 <= change.at_least <= 100_000:
        wrong["at_least"] = "A whole number from 1 on."
    if not 1 <= change.days <= LONGEST_DAYS:
        wrong["days"] = f"A whole number from 1 to {LONGEST_DAYS}."
    if change.role and not Role.objects.filter(code=change.role).exists():
        wrong["role"] = f"There is no role {change.role}."
    if wrong:
        raise ledger.Invalid("The rule cannot be like this.", fields=wrong)


@transaction.atomic
def drop_demotion_rule(rule: DemotionRule, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Let the rule hold no more; agents of the role follow the rule for all others, if there is one."""
    require(by, "governance.promote_agent")
    ledger.record("demotion.dropped", rule, by=by, at=at, why=_reason(why, "Say why the rule is dropped."))
    rule.delete()


@dataclass(frozen=True)
class Fall:
    """An agent that broke its rule, and how."""

    agent: Agent
    breach: Breach


def falls(*, at: datetime) -> list[Fall]:
    """The agents that broke the rule of their role. The database counts: two queries for each length of time that rules
    name, and for each agent that lost a level within it."""
    rules = {rule.role: rule for rule in DemotionRule.objects.all()}
    agents = [
        agent
        for agent in Agent.objects.exclude(status=Agent.Status.RETIRED).select_related("role", "unit", "accountable")
        if level_below(agent.autonomy_level) is not None and (agent.role.code in rules or "" in rules)
    ]
    lost, together = _demotions(agents), defaultdict[datetime, list[Agent]](list)
    of = {agent.pk: (rules.get(agent.role.code) or rules[""]).bounds for agent in agents}
    for agent in agents:
        begin = at - timedelta(days=of[agent.pk].days)
        together[max(begin, lost.get(agent.code, begin))].append(agent)
    found = []
    for since, group in together.items():
        overruling, errors = _overruling(group, since), _errors(group, since)
        for agent in group:
            breach = breach_of(overruling[agent.pk], errors[agent.code], of[agent.pk])
            found += [Fall(agent, breach)] if breach else []
    return found


def _overruling(agents: list[Agent], since: datetime) -> Mapping[int, Share]:
    decided = Escalation.objects.decided().filter(agent__in=agents, settled_at__gt=since).order_by()
    bad = Q(status=Escalation.Status.REJECTED) | Q(WAS_UNDONE)
    counted = decided.values_list("agent").annotate(bad=Count("pk", filter=bad), all=Count("pk"))
    return _shares(counted)


def _errors(agents: list[Agent], since: datetime) -> Mapping[str, Share]:
    codes = [agent.code for agent in agents]
    tries = Event.objects.filter(verb__in=TRIES, actor_kind="agent", actor_id__in=codes, at__gt=since).order_by()
    failed = ~Q(verb=TRIES[0])
    counted = tries.values_list("actor_id").annotate(failed=Count("pk", filter=failed), all=Count("pk"))
    return _shares(counted)


def _shares(counted: Iterable[tuple[Any, int, int]]) -> Mapping[Any, Share]:
    return defaultdict(lambda: Share(0, 0), {key: Share(part, whole) for key, part, whole in counted})


def demote_by_rule(fall: Fall, *, at: datetime) -> None:
    """Take one level from an agent whose record broke the rule of its role, with the figures."""
    level = level_below(fall.agent.autonomy_level)
    if level is None:
        raise ledger.WrongStatus(f"{fall.agent} has no level to lose.")
    _demote(fall.agent, level, by=ledger.SYSTEM, at=at, why=fall.breach.words, data=fall.breach.as_data())
