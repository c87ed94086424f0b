"""The test bench: one question by hand or from the past against the rules, told in full. Nothing is stored."""

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from agents.models import Agent, Principal, System
from governance.language import Field, Kind, RequestInvalid, Schema, find, format_duration
from governance.language.values import format_timestamp
from governance.models import ControlState, Decision, Policy, PolicyVersion
from governance.operations.control import control_now
from governance.operations.drafting import require_author
from governance.operations.facts import Asking, Circumstances, Question, facts_of
from governance.operations.policies import add_policy, check_document, may_rewrite, rewrite_draft, rules_now
from governance.rules import RuleSet, Ruling, derive
from governance.rules.explaining import Explanation, explain_all
from observability import ledger

_ALWAYS = ("action.name", "resource.type", "resource.id", "subject.id", "subject.type")


@dataclass(frozen=True)
class Trial:
    """One question to try: as an agent would ask it, with facts put in place of those that hold now. `decision` is a
    past one whose facts are taken, `draft` a version that stands in for its policy."""

    agent: Agent
    action: str
    resource: Mapping[str, Any]
    context: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    decision: Decision | None = None
    draft: PolicyVersion | None = None


@dataclass(frozen=True)
class Tried:
    """What the rules say: the explanation, the typed facts, the policies that the reader may see, what would stop the
    agent before any rule, and how long the rules took."""

    explanation: Explanation
    facts: Mapping[str, Any]
    visible: frozenset[str]
    stops: tuple[str, ...]
    microseconds: int
    rule_set: str

    @property
    def ruling(self) -> Ruling:
        """The answer of the rules."""
        return self.explanation.ruling

    @property
    def is_told(self) -> bool:
        """Whether the reader may see the rule that decides."""
        return self.ruling.policy is None or self.ruling.policy in self.visible


def bench_rules(draft: PolicyVersion | None) -> tuple[RuleSet, Schema]:
    """The rules in force, or those with the draft in place of its policy. Raises PolicyRefused for a draft that cannot
    be read."""
    rules, schema = rules_now()
    if draft is None:
        return rules, schema
    others = [policy for policy in rules.policies if policy.key != draft.policy.key]
    return RuleSet([*others, check_document(draft.document)], lists=rules.lists, like=rules), schema


def try_out(trial: Trial, *, by: Principal, at: datetime) -> Tried:
    """What the rules say to this question. Raises Invalid that names each wrong field."""
    rules, schema = bench_rules(trial.draft)
    facts = _facts(trial, rules, schema, at)
    rules.decide(facts)  # the first time builds the table of the action
    begun = time.perf_counter_ns()
    rules.decide(facts)
    microseconds = (time.perf_counter_ns() - begun) // 1000
    keys = {policy.key for policy in rules.policies}
    visible = Policy.objects.visible_to(by).filter(key__in=keys).values_list("key", flat=True)
    return Tried(
        explain_all(rules, facts), facts, frozenset(visible), tuple(_stops(trial)), microseconds, rules.version
    )


def _facts(trial: Trial, rules: RuleSet, schema: Schema, at: datetime) -> dict[str, Any]:
    known = stored_facts(trial.decision, schema) if trial.decision is not None else _now(trial, rules, schema, at)
    asked = {"action": {"name": trial.action}, "context": dict(trial.context), "resource": _flat(trial.resource)}
    try:
        facts = schema.coerce(_laid(_laid(known, asked), trial.facts))
    except RequestInvalid as invalid:
        raise ledger.Invalid("The question has errors.", fields=dict(invalid.errors)) from invalid
    return derive(facts)


def stored_facts(decision: Decision, schema: Schema) -> dict[str, Any]:
    """The facts of a past decision, their moments as the language reads them."""
    facts: dict[str, Any] = copy.deepcopy(decision.facts)
    for each in schema.fields:
        group, _, name = each.path.rpartition(".")
        held, value = find(facts, group), find(facts, each.path)
        if each.kind is Kind.TIMESTAMP and isinstance(value, str) and isinstance(held, dict):
            held[name] = value.replace(" ", "T")
    return facts


@transaction.atomic
def _now(trial: Trial, rules: RuleSet, schema: Schema, at: datetime) -> dict[str, Any]:
    asked = Question(trial.action, trial.resource, trial.context, request_key="")
    known = Circumstances(trial.agent, at).under(rules, schema)
    return facts_of(Asking(asked, "", known), schema)


def _flat(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {**resource.get("properties", {}), "type": resource.get("type"), "id": resource.get("id")}


def _laid(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """The base with the change laid over it, group by group."""
    laid = dict(base)
    for name, value in change.items():
        inner = laid.get(name)
        laid[name] = _laid(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return laid


def _stops(trial: Trial) -> list[str]:
    control, found = control_now(), []
    if control.status != ControlState.Status.NORMAL:
        found.append(f"{control.get_status_display()}: {control.why}")
    if not trial.agent.blueprint.allows(trial.action):
        found.append(f"{trial.action} is not in the job description “{trial.agent.blueprint}”.")
    return found


@dataclass(frozen=True)
class Inputs:
    """The fields that a question about an action may fill in: those the agent sends, and the facts we know."""

    asked: tuple[Field, ...]
    known: tuple[Field, ...]
    resource: str


def inputs_for(action: str, draft: PolicyVersion | None, *, by: Principal) -> Inputs:
    """What a question about this action may fill in: what its system declares, and what rules of policies that the
    reader may see look at."""
    rules, schema = bench_rules(draft)
    visible = set(Policy.objects.visible_to(by).values_list("key", flat=True))
    needed = set(RuleSet([policy for policy in rules.policies if policy.key in visible]).needs(action))
    systems = list(System.objects.visible_to(by))
    system = next((each for each in systems if action in {item["name"] for item in each.actions}), None)
    declared = {item["path"] for item in system.fields} if system is not None else set()
    fields = [each for each in schema.fields if each.path in needed | declared and each.path not in _ALWAYS]
    return Inputs(
        asked=tuple(each for each in fields if each.source == "request"),
        known=tuple(each for each in fields if each.source != "request" and each.path != "context.hour"),
        resource=system.resource if system is not None else "",
    )


@transaction.atomic
def keep_as_test(trial: Trial, tried: Tried, name: str, *, by: Principal, at: datetime) -> PolicyVersion:
    """The draft of the trial, or where somebody else wrote it the next one, with this question as one more test that
    expects what the draft says now. Raises NotAllowed without the right to write it, Invalid for a name that is empty
    or taken."""
    draft = trial.draft
    if draft is None:
        raise ledger.Invalid("Choose a draft to keep the test in.", fields={"draft": "Choose a draft."})
    require_author(by, draft.policy)
    tests = list(draft.document.get("tests") or ())
    if not name.strip() or any(test["name"] == name.strip() for test in tests):
        raise ledger.Invalid("The test needs a name.", fields={"name": "Give it a name that no other test has."})
    test = _test(name.strip(), alone(draft, tried), tried.facts, draft.document.get("base_request") or {})
    document = {**draft.document, "tests": [*tests, test]}
    if may_rewrite(by, draft):
        return rewrite_draft(draft, document, seen=draft.sha256, by=by, at=at)
    return add_policy(document, unit=draft.policy.unit, owner=draft.policy.owner, by=by, at=at)


def alone(draft: PolicyVersion, tried: Tried) -> Ruling:
    """What the draft says without the other policies: what a test of it expects."""
    return RuleSet([check_document(draft.document)]).decide(tried.facts)


def _test(name: str, ruling: Ruling, facts: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    request = _request(facts)
    absent = sorted(_leaves(base) - _leaves(request))
    return {
        "name": name,
        "request": {part: value for part, value in request.items() if part != "facts"},
        **({"facts": request["facts"]} if request["facts"] else {}),
        **({"without": absent} if absent else {}),
        "expect": {"effect": ruling.verdict.value, "rule": ruling.rule},
    }


def _request(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The question in AuthZEN form, as tests write it."""
    plain = plain_facts(facts)
    request: dict[str, Any] = {"subject": {}, "action": {}, "resource": {}, "context": {}, "facts": {}}
    for group, values in plain.items():
        if group in ("subject", "resource"):
            own = {key: value for key, value in values.items() if key in ("type", "id")}
            rest = {key: value for key, value in values.items() if key not in own}
            request[group] = {**own, "properties": rest} if rest else own
        elif group in ("action", "context"):
            request[group] = {key: value for key, value in values.items() if (group, key) != ("context", "hour")}
        else:
            request["facts"][group] = values
    return request


def _leaves(part: object, prefix: str = "") -> set[str]:
    if not isinstance(part, Mapping):
        return {prefix}
    return {path for key, value in part.items() for path in _leaves(value, f"{prefix}.{key}" if prefix else str(key))}


def plain_facts(value: Any) -> Any:
    """Typed facts as plain JSON that reads back the same; exact numbers, moments and lengths of time become text."""
    match value:
        case Mapping():
            return {str(key): plain_facts(each) for key, each in value.items() if each is not None}
        case list() | tuple():
            return [plain_facts(each) for each in value]
        case datetime():
            return format_timestamp(value)
        case timedelta():
            return format_duration(value)
        case Decimal():
            return format(value, "f")
    return value


def fact_at(facts: Mapping[str, Any], path: str) -> object:
    """The value of a field among the facts, None when it is not given."""
    return find(facts, path)
