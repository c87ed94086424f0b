"""Facts: what is known about a question before a rule looks at it; what is ours to know is never the caller's."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db import connection, transaction
from django.db.models import Count

from agents.models import Agent, Principal, System
from agents.operations import look_again
from governance.language import RequestInvalid, Schema
from governance.models import Budget, Decision, Escalation, Incident, SystemGuard
from governance.operations.budgets.reading import ASKED, Spender, binding, budget_facts
from governance.operations.escalations import APPROVAL_LASTS
from governance.operations.history import history, rates
from governance.operations.moment import Moment
from governance.operations.opening import Place
from governance.operations.shadows import Shadows
from governance.rules import RuleSet, derive
from governance.rules.breaking import DEFAULTS, Conduct, Limits
from governance.rules.budgeting import BUILT_IN
from governance.rules.stopping import Stop
from observability import ledger

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """May I do this? `resource` has type, id and properties, `context` the circumstances; exact numbers as Decimal or
    text. `statement`, `confidence`, `changes` and `evidence` are the agent's own words for the person who decides;
    `not_by` may not decide. `subject` are properties that the caller says the agent has; `supported` names the types
    of obligations that whoever asks can fulfil, None for all of them. A question without a request key is a new one."""

    action: str
    resource: Mapping[str, Any]
    context: Mapping[str, Any]
    request_key: str
    title: str = ""
    statement: str = ""
    confidence: Decimal | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    place: Place = field(default_factory=Place)
    not_by: tuple[Principal, ...] = ()
    subject: Mapping[str, Any] = field(default_factory=dict)
    action_properties: Mapping[str, Any] = field(default_factory=dict)
    supported: frozenset[str] | None = None


_SETTLED = (Escalation.Status.APPROVED, Escalation.Status.REJECTED, Escalation.Status.EXPIRED)
_BEFORE = """
SELECT EXISTS (SELECT 1 FROM governance_escalation WHERE request_sha256 = %s AND status IN (%s, %s, %s)),
       (SELECT count(*) FROM governance_decision WHERE agent_id = %s AND run = '' AND matter_sha256 = %s AND at > %s)
"""


@dataclass
class Tally:
    """What the questions that are answered together count among themselves, as none of them is written yet: what the
    agent was denied lately, and whether it read from what is not trusted."""

    denied: Conduct | None = None
    tainted: bool | None = None


class Circumstances:
    """What the questions about one agent at one moment have in common: each is looked up once, and only when asked."""

    def __init__(self, agent: Agent, at: datetime, moment: Moment | None = None) -> None:
        self.agent = agent
        self.at = at
        self.moment = moment or Moment(at)
        self.tally: Tally | None = None
        self.repeats: dict[str, int] = {}
        self._answered: dict[str, list[Escalation]] = {}
        self._loops: dict[str, Incident | None] = {}
        self._budgets: dict[tuple[str, str], list[Budget]] = {}

    def about(self, agent: Agent) -> "Circumstances":
        """The same moment for another agent: what is the same for all is not looked up again."""
        return Circumstances(agent, self.at, self.moment)

    def under(self, rules: RuleSet, schema: Schema) -> "Circumstances":
        """The same circumstances under other rules than those in force, to try them."""
        other = Circumstances(self.agent, self.at)
        vars(other.moment)["book"] = (rules, schema)
        return other

    def begin(self) -> None:
        """Look anew, in this transaction, at what stops work: no change comes between it and the end."""
        self.moment.begin()
        self.forget()

    def forget(self) -> None:
        """Look anew at what may have changed since this agent was last asked about: whether it is at work, too."""
        look_again(self.agent)
        self.repeats.clear()
        self._answered.clear()
        self._loops.clear()
        self._budgets.clear()
        vars(self).pop("granted", None)

    @property
    def rules(self) -> RuleSet:
        """The rules that decide."""
        return self.moment.book[0]

    @property
    def schema(self) -> Schema:
        """The typed fields of a question."""
        return self.moment.book[1]

    @property
    def shadows(self) -> Shadows:
        """The versions that are asked beside those that decide, and never answer."""
        return self.moment.shadows

    @property
    def stops(self) -> tuple[Stop, ...]:
        """What stops work at this moment; see `stops_for_work`."""
        return self.moment.stops

    @property
    def systems(self) -> Mapping[str, tuple[System, Mapping[str, Any]]]:
        """The system that knows an action and what it says about it, by the name of the action."""
        return self.moment.systems

    @property
    def limits(self) -> Limits:
        """The limits that hold for agents of this role: those of the role, those for all others, or the usual ones."""
        found = self.moment.safeguards
        rule = found.get(self.agent.role.code) or found.get("") if found else None
        return rule.limits if rule is not None else DEFAULTS

    def guard_of(self, action: str) -> SystemGuard | None:
        """The circuit breaker of the system that offers this action; None while nothing was ever reported or set."""
        guards = self.moment.guards.values()
        return next((each for each in guards if action in {item["name"] for item in each.system.actions}), None)

    def last_loop(self, about: str) -> Incident | None:
        """The last incident of work in circles about an agent or a run."""
        if not self.moment.glance.loops:
            return None
        if about not in self._loops:
            self._loops[about] = Incident.objects.filter(kind=Incident.Kind.LOOP, about=about).first()
        return self._loops[about]

    def budgets(self, place: Place) -> list[Budget]:
        """The budgets that bind the agent there; what is left of them is another matter."""
        if not self.moment.glance.budgets:
            return []
        where = (place.workflow, place.run)
        if where not in self._budgets:
            self._budgets[where] = binding(Spender(self.agent, self.agent.unit, *where), ASKED)
        return self._budgets[where]

    @cached_property
    def granted(self) -> Mapping[str, Collection[int]]:
        """The keys of the systems in which the agent may read, create, pay..., by verb."""
        principal = self.agent.principal
        principal.forget_grants()  # a right that ended since the request came in allows nothing any more
        return {verb: principal.granted(f"agents.{verb}_in_system", System) for verb in System.Verb.values}

    def expect(self, digests: Collection[str]) -> None:
        """Look up together what people answered to all of these requests."""
        found = defaultdict(list)
        rows = Escalation.objects.real().filter(request_sha256__in=digests, status__in=_SETTLED)
        for row in rows.select_related("path", "decision", "amended_decision", "settled_by").order_by("id"):
            found[row.request_sha256].append(row)
        self._answered |= {digest: found[digest] for digest in digests}

    def expect_one(self, digest: str, matter: str) -> None:
        """Look up in one statement whether people answered this request, and how often its matter came up lately."""
        if matter in self.repeats and digest in self._answered:
            return
        since = connection.ops.adapt_datetimefield_value(self.window())
        with connection.cursor() as cursor:
            cursor.execute(_BEFORE, [digest, *_SETTLED, self.agent.pk, matter, since])
            was_asked, self.repeats[matter] = cursor.fetchone()
        self._answered[digest] = []  # mostly nobody was asked
        if was_asked:
            self.expect([digest])

    def expect_all(self, digests: Collection[str], matters: Collection[str]) -> None:
        """The same for many requests of the agent, together."""
        self.expect(digests)
        own = Decision.objects.filter(agent=self.agent, run="", matter_sha256__in=matters, at__gt=self.window())
        counted = own.order_by().values_list("matter_sha256").annotate(Count("pk")) if matters else ()
        self.repeats |= dict.fromkeys(matters, 0) | dict(counted)

    def window(self, about: str = "") -> datetime:
        """Since when repeats count: the window of the breakers, or since a person let the agent (or the run that it is
        about) go on."""
        begin = self.at - timedelta(minutes=self.limits.window_minutes)
        last = self.last_loop(about or f"agent:{self.agent.code}")
        return max(begin, last.resolved_at) if last is not None and last.resolved_at is not None else begin

    def answered(self, digest: str) -> list[Escalation]:
        """What people (or the passing of time) answered to this very request, oldest first."""
        if digest not in self._answered:
            self.expect([digest])
        return self._answered[digest]


@dataclass(frozen=True)
class Asking:
    """A question being answered: its digest, and what is known at the moment whatever is asked."""

    question: Question
    digest: str
    known: Circumstances

    @property
    def agent(self) -> Agent:
        """Whom the question is about."""
        return self.known.agent

    @property
    def rules(self) -> RuleSet:
        """The rules that will decide."""
        return self.known.rules

    @property
    def at(self) -> datetime:
        """When it is asked."""
        return self.known.at

    @property
    def also(self) -> frozenset[str]:
        """Groups of facts that versions in shadow read."""
        return self.known.shadows.groups(self.question.action)


def facts_of(asking: Asking, schema: Schema) -> dict[str, Any]:
    """The typed facts of a question: what the agent said, and what we know; of the suppliers only those whose group a
    rule of the action reads. Raises Invalid that names each wrong field."""
    question = asking.question
    facts = asked_facts(question, schema, asking.at)
    facts["subject"] = {**facts.get("subject", {}), **subject_of(asking.agent)}
    groups = {path.partition(".")[0] for path in asking.rules.needs(question.action)}
    for group, supply in SUPPLIERS.items():
        if group in groups or group in ALWAYS:
            facts[group] = supply(asking)
        elif group in asking.also:
            facts |= _for_shadow(group, supply, asking)
    approval = _approval(asking)
    if approval:
        facts["approval"] = approval
    return facts


def _for_shadow(group: str, supply: Callable[[Asking], dict[str, Any]], asking: Asking) -> dict[str, Any]:
    # No rule that decides reads it, so its failure is none of the question: the version in shadow finds it missing.
    try:
        with transaction.atomic():
            return {group: supply(asking)}
    except Exception:
        log.exception("%s could not be supplied for a version in shadow", group)
        return {}


def asked_facts(question: Question, schema: Schema, at: datetime) -> dict[str, Any]:
    """The typed facts that a question brings along, whomever it is about. Raises Invalid with each wrong field."""
    _refuse_given_twice(question)
    asked = {
        "subject": dict(question.subject),
        "action": {**question.action_properties, "name": question.action},
        "resource": {
            **question.resource.get("properties", {}),
            "type": question.resource["type"],
            "id": question.resource["id"],
        },
        "context": {**question.context} | ({} if question.confidence is None else {"confidence": question.confidence}),
    }
    try:
        facts: dict[str, Any] = schema.coerce(asked, only="request")
    except RequestInvalid as invalid:
        raise ledger.Invalid("The question has errors; nothing was decided.", fields=dict(invalid.errors)) from invalid
    facts["context"] = {**facts.get("context", {}), "time": at, "workflow": question.place.workflow}
    facts["case"] = {"approved": question.place.approved}
    return derive(facts)


def subject_of(agent: Agent) -> dict[str, Any]:
    """What the registry says about an agent, as rules read it."""
    return {
        "type": "agent", "id": agent.code, "role": agent.role.code, "autonomy_level": agent.effective_autonomy,
        "risk_class": agent.risk_class, "status": agent.status, "team": agent.unit.code,
    }  # fmt: skip


def _refuse_given_twice(question: Question) -> None:
    twice = [f"resource.{name}" for name in ("type", "id") if name in question.resource.get("properties", {})]
    twice += ["action.name"] if "name" in question.action_properties else []
    if question.confidence is not None and "confidence" in question.context:
        twice.append("context.confidence")
    if twice:
        said = dict.fromkeys(twice, "is given twice in the question.")
        raise ledger.Invalid("The question has errors; nothing was decided.", fields=said)


def _approval(asking: Asking) -> dict[str, Any]:
    """The approvals that hold for exactly this request now: their paths and the rules that asked on them; empty
    without. A step is done once under its lease; outside a step an approval allows once."""
    digest, at = asking.digest, asking.at
    found = [each for each in asking.known.answered(digest) if each.status == Escalation.Status.APPROVED]
    given = [each for each in found if each.approved_until is not None and each.approved_until > at]
    if given:  # of two questions at once one is answered after the other, so that the second sees the first
        list(Escalation.objects.select_for_update().filter(pk__in=[each.pk for each in given]).values_list("pk"))
    if given and not asking.question.place.step:
        lately = Decision.objects.filter(at__gt=at - APPROVAL_LASTS, agent=asking.agent, request_sha256=digest)
        allowed = lately.filter(effect=Decision.Effect.ALLOW).values_list("at", "facts__approval__id")
        last, used = max((at for at, _ in allowed), default=None), {name for _, name in allowed}
        # Both are looked at: a question may be as old as the approval that it came upon.
        unused = [each for each in given if str(each.uid) not in used]
        given = [each for each in unused if last is None or (each.settled_at is not None and each.settled_at > last)]
    if not given:
        return {}
    asked = [(each.path.key, each.ruling.because) for each in given if each.ruling is not None]
    named = [
        ref for path, because in asked for ref in because
        if asking.rules.path_of(ref) == path or ref.startswith(BUILT_IN)
    ]  # fmt: skip
    return {"id": str(given[-1].uid), "paths": [path for path, _ in asked], "rules": named}


def _permissions(asking: Asking) -> dict[str, bool]:
    system, _ = asking.known.systems.get(asking.question.action, (None, {}))
    if system is None:
        return {}
    return {verb: system.pk in held for verb, held in asking.known.granted.items()}


def _lists(asking: Asking) -> dict[str, tuple[str, ...]]:
    """The named lists that the rules of the action read, as they were when the rules were put together."""
    wanted = {path.removeprefix("lists.") for path in asking.rules.needs(asking.question.action)}
    everything = "lists" in asking.also
    return {name: items for name, items in asking.rules.lists.items() if everything or name in wanted}


def system_of(action: str) -> System | None:
    """The system that offers this action; None when there is none."""
    return next((each for each in System.objects.all() if action in {item["name"] for item in each.actions}), None)


SUPPLIERS: Mapping[str, Callable[[Asking], dict[str, Any]]] = {
    "perm": _permissions, "lists": _lists, "budget": budget_facts, "rate": rates, "history": history,
}  # fmt: skip
"""Who gives the facts of a group that not every question needs, by the first part of their path."""
ALWAYS = frozenset({"budget"})
"""Groups that a built-in rule reads, whatever the policies do."""
