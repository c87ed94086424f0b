"""Decisions: an agent asks, the rules answer, and every answer leaves a record with its reasons."""

import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import rfc8785
from django.db import IntegrityError, transaction

from agents.models import Agent, Principal
from agents.operations import require_at_work
from governance.language import Schema, format_duration
from governance.models import Decision, Escalation, EscalationPath
from governance.operations import breakers, flooding
from governance.operations.budgets.holding import Held, decide_within_budgets, keep, lasts, let_go
from governance.operations.control import ControlUnreadable, reach_of, stopped_system
from governance.operations.facts import Asking, Circumstances, Question, facts_of
from governance.operations.opening import Asked, open_escalation
from governance.rules import EscalationTerms, RuleSet, Ruling, Verdict
from governance.rules.amending import bounds_of
from governance.rules.budgeting import BUILT_IN, conditions_of, keep_within
from governance.rules.stopping import strictest
from observability import ledger
from observability.models import Event
from observability.prepared import Insertion

log = logging.getLogger(__name__)

LOW_RISK = 1
OWN_ACTIONS = frozenset({"memory.read", "memory.write"})
"""What agents do in this system itself: no system of the registry offers it and no job description lists it."""
NOT_EVALUATED = "not-evaluated"
_NEW = Insertion(Decision)


class SameKeyOtherQuestion(ledger.Refused):
    """This request key was used for another question. Use a new key for a new question."""

    status = 422
    code = "idempotency_key_reused"


class NotEvaluated(ledger.Refused):
    """The question could not be answered, and nothing is allowed. Ask again with a new key."""

    status = 503
    code = "not_evaluated"


@dataclass(frozen=True)
class Answer:
    """What the rules say to a question, before anybody writes it down: the facts they saw, how long it took, and what
    it holds of budgets and what the breakers saw (nothing where nobody acts on it)."""

    asking: Asking
    request: dict[str, Any]
    facts: dict[str, Any]
    ruling: Ruling
    microseconds: int
    held: Held | None = None
    watch: breakers.Watch | None = None


def decide(question: Question, *, agent: Agent, at: datetime) -> Decision:
    """The answer to the question, recorded; when a person must be asked, `decision.escalation` is the open question.
    The same agent and request key get the same decision again, as long as nothing stops the agent: an allow from before
    a stop is answered with a denial that names it, and is there again when the stop ends. Raises Invalid that names
    each wrong field."""
    require_at_work(agent, at=at)
    return _once(question, Circumstances(agent, at), agent, _decide_and_ask)


def evaluate(question: Question, *, known: Circumstances, by: ledger.Acts) -> Decision:
    """The answer to the question, recorded, and nobody is asked: whoever wants a person to be asked says so, see
    `request_access`. `by` asks about the agent of `known`."""
    return _once(question, known, by, write)


@dataclass(frozen=True)
class Put:
    """A question as it is kept and compared: its canonical request, the digest of that, and its matter."""

    question: Question
    known: Circumstances
    request: dict[str, Any]
    digest: str
    matter: str


def put(question: Question, known: Circumstances) -> Put:
    """The question in its canonical form."""
    request = request_of(question, known.agent)
    return Put(question, known, request, request_digest(request), breakers.matter_of(request))


def _once(
    question: Question, known: Circumstances, by: ledger.Acts, act: Callable[[Answer, ledger.Acts], Decision]
) -> Decision:
    asked = put(question, known)
    given = answer_again(asked)
    try:
        with transaction.atomic():
            known.begin()
            if given is not None:
                return given_again(given, asked, by)
            return act(answer_held(asked), by)
    except ControlUnreadable as lost:
        return _not_evaluated(_anew(asked, given), by, lost)
    except ledger.Refused:
        raise
    except IntegrityError as twice:
        given = answer_again(asked)
        return given or _not_evaluated(asked, by, twice)
    except Exception as broken:
        return _not_evaluated(_anew(asked, given), by, broken)


def given_again(given: Decision, asked: Put, by: ledger.Acts) -> Decision:
    """The decision given before. An allow is repeated for as long as it reserves, until its outcome is told, and while
    nothing denies it; after that comes a denial that says why, recorded by itself."""
    if given.effect != Decision.Effect.ALLOW:
        return given
    asking = Asking(_anew(asked, given).question, given.request_sha256, asked.known)
    ruling = _is_over(given, asking.at) or _denied_since(given, breakers.Watch(asking, asked.matter))
    return given if ruling is None else write(Answer(asking, asked.request, {}, ruling, 0), by)


def _is_over(given: Decision, at: datetime) -> Ruling | None:
    if given.reported_at is not None:
        return _denied("What became of this was reported already. Ask again with a new key.", "given-before")
    if at - given.at > lasts(given):
        return _denied("This was allowed too long ago. Ask again with a new key.", "given-before")
    return None


def _denied_since(given: Decision, watch: breakers.Watch) -> Ruling | None:
    """What denies now what was allowed then: a stop, a breaker, or rules that came into force since. That its own
    approval and budgets are used up by now is no reason."""
    asking = watch.asking
    ruling = _stopped(asking) or _not_at_work(asking) or _outside_the_job(asking) or watch.broken
    if ruling is None and given.rule_set != asking.rules.version:
        fresh = asking.rules.decide(facts_of(asking, asking.known.schema))
        ruling = fresh if fresh.verdict is Verdict.DENY else None
    return ruling


def _anew(asked: Put, given: Decision | None) -> Put:
    # The key belongs to the decision that was given; what is said about it later is a record of its own.
    return asked if given is None else replace(asked, question=replace(asked.question, request_key=""))


def answer_again(asked: Put) -> Decision | None:
    """The decision already given for this key, None when there is none; another question under it is refused."""
    key = asked.question.request_key
    if not key:
        return None
    return same_question(Decision.objects.filter(agent=asked.known.agent, request_key=key).first(), asked)


def same_question(given: Decision | None, asked: Put) -> Decision | None:
    """The decision that was given under a key, if it was about this question. Raises SameKeyOtherQuestion."""
    # Rules read the confidence though approvals are not bound to it: with another one it is another question.
    if given is not None and (given.request_sha256, given.confidence) != (asked.digest, asked.question.confidence):
        raise SameKeyOtherQuestion
    return given


def request_digest(request: Mapping[str, Any]) -> str:
    """The SHA-256 of a canonical request (RFC 8785), hex: what an approval is bound to."""
    return hashlib.sha256(rfc8785.dumps(dict(request))).hexdigest()


def request_of(question: Question, agent: Agent) -> dict[str, Any]:
    """The request in the form that is kept, compared and bound: exact numbers and moments as text."""
    request = {
        "subject": {"type": "agent", "id": agent.code},
        "action": question.action,
        "resource": texts(question.resource),
        "context": texts(question.context),
        "workflow": question.place.workflow,
        "run": question.place.run,
        "step": question.place.step,
    }
    if question.subject:
        request["subject"]["properties"] = texts(question.subject)
    if question.action_properties:
        request["action_properties"] = texts(question.action_properties)
    return request


def texts(value: Any) -> Any:
    """The value as JSON can hold it: exact numbers, moments and lengths of time become text, the rest stays."""
    if isinstance(value, Mapping):
        return {str(name): texts(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [texts(inner) for inner in value]
    if isinstance(value, timedelta):
        return format_duration(value)
    return str(value) if isinstance(value, Decimal | datetime) else value


# --- the answer -----------------------------------------------------------------------------------------------
def answer_to(question: Question, request: dict[str, Any], digest: str, known: Circumstances) -> Answer:
    """What the rules say now; nothing is written, and nobody is asked."""
    begun = time.perf_counter_ns()
    asking = Asking(question, digest, known)
    facts, watch = facts_of(asking, known.schema), breakers.Watch(asking, breakers.matter_of(request))
    ruling = keep_within(facts, _ruling_for(watch, facts))
    return Answer(asking, request, facts, ruling, (time.perf_counter_ns() - begun) // 1000)


def answer_held(asked: Put) -> Answer:
    """What the rules say now, with what is allowed reserved of every budget: it is written in this transaction."""
    begun = time.perf_counter_ns()
    asking = Asking(asked.question, asked.digest, asked.known)
    if not asked.question.place.run:
        asked.known.expect_one(asked.digest, asked.matter)
    facts, watch = facts_of(asking, asked.known.schema), breakers.Watch(asking, asked.matter)
    held = decide_within_budgets(asking, facts, partial(_ruling_for, watch))
    ruling = breakers.with_permit(held.ruling, watch)
    if ruling is not held.ruling:
        held = let_go(held, ruling)
    return Answer(asking, asked.request, held.facts, ruling, (time.perf_counter_ns() - begun) // 1000, held, watch)


def _ruling_for(watch: breakers.Watch, facts: dict[str, Any]) -> Ruling:
    return _fulfillable(watch.asking.question, ruling_on(watch, facts))


def ruling_on(watch: breakers.Watch, facts: dict[str, Any]) -> Ruling:
    """The ruling on the facts: what stops everything comes before the rules."""
    asking = watch.asking
    return (
        _stopped(asking)
        or _not_at_work(asking)
        or _outside_the_job(asking)
        or watch.broken
        or _refused_before(asking)
        or asking.rules.decide(facts)
    )


def _stopped(asking: Asking) -> Ruling | None:
    stops, place = asking.known.stops, asking.question.place
    if not stops:
        return None
    system = stopped_system(asking.question.action, stops)
    reach = reach_of(asking.agent, workflow=place.workflow, path=place.unit_path, system=system)
    stop = strictest(stops, reach, asking.at)
    if stop is None or (not stop.is_paused and _said_of(asking).get("risk", 3) <= LOW_RISK):
        return None
    return _denied(stop.words, "control-state")


def _not_at_work(asking: Asking) -> Ruling | None:
    try:
        require_at_work(asking.agent, at=asking.at)
    except ledger.Refused as refused:
        return _denied(refused.detail, "not-at-work")
    return None


def _outside_the_job(asking: Asking) -> Ruling | None:
    blueprint, action = asking.agent.blueprint, asking.question.action
    if blueprint.allows(action) or action in OWN_ACTIONS:
        return None
    return _denied(f"{action} is not in the job description “{blueprint}”.", "outside-the-job")


def _refused_before(asking: Asking) -> Ruling | None:
    no = (Escalation.Status.REJECTED, Escalation.Status.EXPIRED)
    last = next((each for each in reversed(asking.known.answered(asking.digest)) if each.status in no), None)
    if last is None:
        return None
    who = f"{last.settled_by} rejected this" if last.settled_by else "Nobody decided this in time"
    return _denied(f"{who}: {last.reason}" if last.reason else f"{who}.", "answered-before")


def _fulfillable(question: Question, ruling: Ruling) -> Ruling:
    if ruling.verdict is not Verdict.ALLOW or question.supported is None:
        return ruling
    beyond = sorted({str(each["type"]) for each in ruling.obligations} - question.supported)
    if not beyond:
        return ruling
    return _denied(f"It is allowed only with what you cannot do: {', '.join(beyond)}.", "obligation-not-supported")


def _denied(reason: str, rule: str) -> Ruling:
    return Ruling(verdict=Verdict.DENY, rule=rule, policy=None, policy_version=None, reason=reason, because=(rule,))


def _said_of(asking: Asking) -> Mapping[str, Any]:
    """What the system that knows the action says about it; nothing for an action that no system has."""
    return asking.known.systems.get(asking.question.action, (None, {}))[1]


def _not_evaluated(asked: Put, by: ledger.Acts, error: Exception) -> Decision:
    """Whatever went wrong: no, with a record of it. Raises NotEvaluated when not even that can be written."""
    log.error("a question could not be answered; it was denied", exc_info=error)
    ruling = _denied(f"{NotEvaluated()} ({type(error).__name__})", NOT_EVALUATED)
    try:
        with transaction.atomic():
            return write(Answer(Asking(asked.question, asked.digest, asked.known), asked.request, {}, ruling, 0), by)
    except Exception as lost:
        raise NotEvaluated from lost


# --- the record -----------------------------------------------------------------------------------------------
def _decide_and_ask(answer: Answer, by: ledger.Acts) -> Decision:
    agent = answer.asking.agent
    if answer.ruling.verdict is Verdict.ESCALATE and not flooding.has_room(agent):
        ruling = flooding.turned_away(agent, at=answer.asking.at)
        held = None if answer.held is None else let_go(answer.held, ruling)
        answer = replace(answer, ruling=ruling, held=held)
    decision = write(answer, by)
    if answer.ruling.verdict is Verdict.ESCALATE:
        ask_people(decision, answer, by=by)
    return decision


def write(answer: Answer, by: ledger.Acts) -> Decision:
    """The answer on record, with its event and all that follows from it."""
    decision = record_of(answer, by)
    write_down([(decision, event_of(decision, by))])
    follow(decision, answer)
    return decision


def write_down(made: Sequence[tuple[Decision, Event]]) -> None:
    """Write decisions and their events, all of them together."""
    _NEW.insert_all([decision for decision, _ in made])
    ledger.record_all([event for _, event in made])


def record_of(answer: Answer, by: ledger.Acts) -> Decision:
    """The record of an answer, not yet written."""
    question, ruling, asking = answer.asking.question, answer.ruling, answer.asking
    rule_set = "" if ruling.rule == NOT_EVALUATED else asking.rules.version
    kept = {} if answer.watch is None else breakers.kept(answer.watch, ruling)
    return Decision(
        at=asking.at, agent=asking.agent, asked_by=_other_than(asking.agent, by),
        request_key=question.request_key or str(uuid.uuid4()), action=question.action,
        resource_kind=str(question.resource["type"]), resource_id=str(question.resource["id"]), request=answer.request,
        request_sha256=asking.digest, facts=texts(answer.facts), effect=ruling.verdict.value, reason=ruling.reason,
        policy=ruling.policy or "", policy_version=ruling.policy_version, rule=ruling.rule or "",
        because=list(ruling.because), matched=list(ruling.matched), missing=list(ruling.missing),
        obligations=texts(list(ruling.obligations)), terms=_terms(ruling), rule_set=rule_set,
        microseconds=answer.microseconds, statement=question.statement, confidence=question.confidence,
        run=question.place.run, step=question.place.step, **kept,
    )  # fmt: skip


def event_of(decision: Decision, by: ledger.Acts) -> Event:
    """What the ledger says about a decision, not yet written."""
    told = {"effect": decision.effect, "policy": decision.policy, "rule": decision.rule,
            "version": decision.policy_version}  # fmt: skip
    return ledger.event_of(
        "decision.made", decision, by=by, at=decision.at, why=decision.reason, after=decision.effect, data=told
    )


def follow(decision: Decision, answer: Answer) -> None:
    """What follows from a decision that is written: what it holds, what versions in shadow say, what a denial leads
    to."""
    asking = answer.asking
    if answer.held is not None:
        keep(answer.held, decision, at=asking.at)
    if decision.rule != NOT_EVALUATED:
        asking.known.shadows.ask(decision, answer.facts)
    if answer.watch is not None:
        breakers.look_back(decision, answer.watch)


def _terms(ruling: Ruling) -> dict[str, Any] | None:
    """Whom to ask and on which terms, as the record keeps it; None where nobody is asked."""
    terms = ruling.escalation
    if terms is None:
        return None
    return {
        "path": terms.path, "sla": format_duration(timedelta(seconds=terms.sla_seconds)), "approvals": terms.approvals,
        "also": list(terms.also), "on_timeout": terms.on_timeout,
    }  # fmt: skip


def _other_than(agent: Agent, by: ledger.Acts) -> Principal | None:
    """Who asked about the agent, None when it asked itself."""
    if isinstance(by, Agent):
        return None if by.pk == agent.pk else by.principal
    return by if isinstance(by, Principal) else None


# --- people ---------------------------------------------------------------------------------------------------
def ask_people(decision: Decision, answer: Answer, *, by: ledger.Acts) -> Escalation:
    """The question that the ruling puts to people, open."""
    question, ruling, agent = answer.asking.question, answer.ruling, decision.agent
    terms, action = ruling.escalation, _said_of(answer.asking)
    if terms is None:
        raise ValueError("an escalation without terms cannot be asked")
    path = EscalationPath.objects.get(key=terms.path)
    asked = Asked(
        kind=Escalation.Kind.ACTION, title=question.title or f"{question.action} {decision.resource_id}",
        risk=action.get("risk", 2), effect=action.get("effect", ""), path=path, unit=agent.unit, agent=agent,
        decision=decision,
        likeness=f"{question.action}:{ruling.policy}:{ruling.rule}", place=question.place, request=decision.request,
        request_sha256=decision.request_sha256, reason_asked=ruling.reason, policy=decision.policy,
        policy_version=decision.policy_version, seconds=terms.sla_seconds, approvals=terms.approvals,
        conditions=conditions_told(ruling, answer.facts, answer.asking.rules),
        shown=shown_of(question, answer.asking.known.schema), changes=question.changes, evidence=question.evidence,
        statement=question.statement, confidence=question.confidence, not_by=(*question.not_by, *excluded(terms)),
        on_timeout=terms.on_timeout, amendable=bounds_of(terms.amend, decision.request), confirm=confirm_of(terms),
        reach=str(action.get("reach", ""))[:200], reversible=str(action.get("reversible", ""))[:200],
        if_approved=f"{agent.code} asks again with your approval and goes on.",
        if_rejected=f"{agent.code} reads your reason and does not do it.",
    )  # fmt: skip
    return open_escalation(asked, by=by, at=answer.asking.at)


def confirm_of(terms: EscalationTerms) -> dict[str, Any]:
    """What an approval has to confirm, as the question keeps it; empty for nothing."""
    typed, lines = terms.confirm.type, list(terms.confirm.checklist)
    return ({"type": typed} if typed else {}) | ({"checklist": lines} if lines else {})


def conditions_told(ruling: Ruling, facts: dict[str, Any], rules: RuleSet) -> list[dict[str, Any]]:
    """The conditions of the rule that asks, with their values, as the card shows them."""
    if ruling.because[0].startswith(BUILT_IN):
        return conditions_of(facts, ruling.because)
    return [texts(asdict(condition)) for condition in rules.explain(facts, ruling.because[0])]


def excluded(terms: EscalationTerms) -> tuple[Principal, ...]:
    """The people whom the rules keep from approving."""
    # The facts name people by their user name; an agent never decides, so its code excludes nobody.
    return tuple(Principal.objects.people().filter(username__in=terms.not_by)) if terms.not_by else ()


def shown_of(question: Question, schema: Schema) -> list[dict[str, str]]:
    """The leading facts of a request, as the card shows them."""
    known = {name: schema.get(f"context.{name}") for name in question.context}
    facts = [
        {"label": field.words, "value": str(question.context[name])}
        for name, field in known.items()
        if field is not None
    ]
    return facts[:4]
