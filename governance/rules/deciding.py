"""Rules of governance, deciding: a set of policies and the facts of one question in, one ruling out."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from governance.language import Condition, EvaluationFailed, Facts, Missing, find
from governance.language.compiling import compile_matching
from governance.rules.documents import covers
from governance.rules.obligations import merge
from governance.rules.shapes import Effect, EscalationTerms, PolicyRules, Rule, Ruling, Verdict

BROKEN = "The rules could not be evaluated; nothing is allowed."
NOT_ACTIVE = "built-in#subject-not-active"


@dataclass(frozen=True, slots=True)
class _Match:
    """A rule that matches, or (with `counts` false) an allow rule that could not be evaluated and is skipped."""

    rule: Rule
    policy: PolicyRules
    missing: str | None = None
    failure: str | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class _Table:
    """The rules for one action in determining order, and the compiled function that finds the matching ones."""

    entries: tuple[tuple[PolicyRules, Rule], ...]
    find_matching: Callable[[Facts], list[int]]
    excluding: frozenset[int] = frozenset()

    def matches(self, facts: Facts) -> list[_Match]:
        try:
            positions = self.find_matching(facts)
        except Exception:
            positions = [~position for position in range(len(self.entries))]
        found = []
        for position in positions:
            if position >= 0:
                policy, rule = self.entries[position]
                found.append(_Match(rule, policy))
            elif (match := _asked_exactly(*self.entries[~position], facts)) is not None:
                found.append(match)
        return found


def _asked_exactly(policy: PolicyRules, rule: Rule, facts: Facts) -> _Match | None:
    """Ask the interpreter; a rule that cannot be evaluated counts, unless it allows or skips missing fields."""
    if rule.condition is None:
        return _Match(rule, policy)
    try:
        return _Match(rule, policy) if rule.condition.evaluate(facts) else None
    except Missing as missing:
        return _Match(rule, policy, missing=missing.path, counts=not rule.skips_missing)
    except EvaluationFailed as failed:
        return _Match(rule, policy, failure=str(failed), counts=rule.effect is not Effect.ALLOW)


class RuleSet:
    """All policies that are in force, ready to decide; immutable, without state, safe to share between threads.

    `version` is a hash of the content: the same version and the same facts give the same ruling. `lists` are the named
    lists that rules read as `lists.name`; whoever gathers the facts puts them there.
    """

    def __init__(self, policies: Iterable[PolicyRules], *, lists: Mapping[str, Sequence[str]] | None = None) -> None:
        self.policies = tuple(sorted(policies, key=lambda policy: (policy.key, policy.version)))
        self.lists = {name: tuple(items) for name, items in (lists or {}).items()}
        digests = "\n".join(f"{policy.key}@{policy.version}:{policy.digest}" for policy in self.policies)
        if self.lists:
            digests += "\n" + json.dumps(self.lists, sort_keys=True)
        self.version = hashlib.sha256(digests.encode()).hexdigest()
        self._rules = {rule.ref: rule for policy in self.policies for rule in policy.rules}
        patterns = {action for rule in self._rules.values() for action in rule.actions}
        self._names = frozenset(pattern for pattern in patterns if not pattern.endswith("*"))
        self._families = tuple(sorted(pattern for pattern in patterns if pattern.endswith("*")))
        self._tables: dict[tuple[str, ...], _Table] = {}
        self._by_name = {name: self._table(name) for name in self._names}

    def _table(self, action: str) -> _Table:
        """Give the table of an action; actions that no rule names share the table of their families."""
        patterns = tuple(pattern for pattern in self._families if covers(pattern, action))
        if action in self._names:
            patterns = (action, *patterns)
        if patterns not in self._tables:
            self._tables[patterns] = _build_table(self.policies, frozenset(patterns))
        return self._tables[patterns]

    def _table_for(self, action: str) -> _Table:
        return self._by_name.get(action) or self._table(action)

    def needs(self, action: str) -> frozenset[str]:
        """Give the dotted paths of all fields that the rules of this action read, given by the caller or not."""
        return frozenset(path for _, rule in self._table_for(action).entries for path in rule.fields)

    def about(self, action: str) -> tuple[Rule, ...]:
        """Give the rules that concern an action, in determining order."""
        return tuple(rule for _, rule in self._table_for(action).entries)

    def names(self, action: str) -> bool:
        """Say whether a rule names this action or its family; a rule about any action names none."""
        return any(
            pattern != "*" and covers(pattern, action) for rule in self.about(action) for pattern in rule.actions
        )

    def path_of(self, rule_ref: str) -> str:
        """Give the path that the rule `key@version#rule` escalates to; nothing when it is not here or asks nobody."""
        rule = self._rules.get(rule_ref)
        return rule.escalate.path if rule is not None and rule.escalate is not None else ""

    def decide(self, facts: Facts) -> Ruling:
        """Rule on typed facts; never raises: whatever cannot be evaluated is denied, with a reason that says so."""
        try:
            return self._decide(facts)
        except Exception as error:
            reason = f"{BROKEN} ({type(error).__name__})"
            return Ruling(Verdict.DENY, None, None, None, reason)

    def _decide(self, facts: Facts) -> Ruling:
        status = find(facts, "subject.status")
        if status != "active":
            return _not_active(status)
        action = find(facts, "action.name")
        if not isinstance(action, str):
            return Ruling(Verdict.DENY, None, None, None, "The question names no action.", missing=("action.name",))
        return _combine(action, self._table_for(action).matches(facts), facts)

    def matching(self, facts: Facts) -> tuple[int, ...] | None:
        """Give what alone determines the verdict, the rules and the terms: the places of the matching rules among those
        of the action. None when more than that does: a rule that cannot be evaluated, one that names who may not
        approve, an approval, or an agent that is not active."""
        action = find(facts, "action.name")
        if "approval" in facts or not isinstance(action, str) or find(facts, "subject.status") != "active":
            return None
        table = self._table_for(action)
        try:
            found = tuple(table.find_matching(facts))
        except Exception:
            return None
        return None if found and (min(found) < 0 or not table.excluding.isdisjoint(found)) else found

    def explain(self, facts: Facts, rule_ref: str) -> tuple[Condition, ...]:
        """Give the conditions of the rule `key@version#rule` beside the facts; raise KeyError when it is not here."""
        when = self._rules[rule_ref].when
        return when.explain(facts) if when is not None else ()


def _build_table(policies: tuple[PolicyRules, ...], patterns: frozenset[str]) -> _Table:
    ranked = []
    for policy in policies:
        for rule in policy.rules:
            hits = patterns.intersection(rule.actions)
            if hits:
                ranked.append((_rank(policy, rule, hits), policy, rule))
    ranked.sort(key=lambda entry: entry[0])
    entries = tuple((policy, rule) for _, policy, rule in ranked)
    excluding = frozenset(n for n, (_, rule) in enumerate(entries) if rule.escalate and rule.escalate.not_by)
    find_matching = compile_matching([rule.condition.term if rule.condition else None for _, rule in entries])
    return _Table(entries, find_matching, excluding)


def _rank(policy: PolicyRules, rule: Rule, patterns: frozenset[str]) -> tuple[int, int, str, str, int]:
    """Determining order: priority, a named action before a family before any, policy key, rule id."""
    breadth = min(2 if pattern == "*" else int(pattern.endswith("*")) for pattern in patterns)
    return -rule.priority, breadth, policy.key, rule.id, policy.version


def _not_active(status: object) -> Ruling:
    missing = ("subject.status",) if status is None else ()
    words = f"The agent is {status}" if isinstance(status, str) else "The state of the agent is not known"
    reason = f"{words}; only an active agent may act."
    return Ruling(Verdict.DENY, None, None, None, reason, because=(NOT_ACTIVE,), missing=missing)


def _combine(action: str, found: list[_Match], facts: Facts) -> Ruling:
    """Any deny denies; nothing allows without an allow or a granting escalation; open escalations wait."""
    matched = [match for match in found if match.counts]
    denying = _with_effect(Effect.DENY, matched)
    if denying:
        return _ruling(Verdict.DENY, denying, found, facts)
    escalating = _with_effect(Effect.ESCALATE, matched)
    authority = _with_effect(Effect.ALLOW, matched) or [match for match in escalating if _terms(match).grants]
    if not authority:
        return _denied_by_default(action, found)
    still_open = [match for match in escalating if not _is_approved(match, facts)]
    approval = _approval_id(facts) if len(still_open) < len(escalating) else None
    if still_open:
        return _unanswerable(still_open, found, facts) or _ruling(Verdict.ESCALATE, still_open, found, facts, approval)
    return _ruling(Verdict.ALLOW, authority, found, facts, approval)


def _with_effect(effect: Effect, matched: list[_Match]) -> list[_Match]:
    return [match for match in matched if match.rule.effect is effect]


def _terms(match: _Match) -> EscalationTerms:
    if match.rule.escalate is None:
        raise ValueError(f"{match.rule.ref} escalates without terms.")
    return match.rule.escalate


def _is_approved(match: _Match, facts: Facts) -> bool:
    """Whether an approval discharges this escalation: its path, and where the approval names rules, this rule."""
    paths, rules = find(facts, "approval.paths"), find(facts, "approval.rules")
    if _approval_id(facts) is None or not isinstance(paths, list | tuple):
        return False
    named = rules is None or (isinstance(rules, list | tuple) and match.rule.ref in rules)
    return named and _terms(match).path in paths


def _unanswerable(open_matches: list[_Match], found: list[_Match], facts: Facts) -> Ruling | None:
    """A denial when the caller left out who may not approve; about the agent itself nothing is ever left out."""
    for match in open_matches:
        for path in _terms(match).not_by:
            if find(facts, path) is None and not path.startswith("subject."):
                denial = _ruling(Verdict.DENY, [replace(match, missing=path)], found, facts)
                return replace(denial, missing=tuple(dict.fromkeys((*denial.missing, path))))
    return None


def _approval_id(facts: Facts) -> str | None:
    approval = find(facts, "approval.id")
    return approval if isinstance(approval, str) else None


def _ruling(
    verdict: Verdict, winners: list[_Match], found: list[_Match], facts: Facts, approval: str | None = None
) -> Ruling:
    """Put the ruling together; with an approval that counted, an allowed action has no caps left."""
    first = winners[0]
    matched = [match for match in found if match.counts]
    obliging = [*winners, *_with_effect(Effect.OBLIGE, matched)]
    given = [obligation for match in obliging for obligation in match.rule.obligations]
    caps_lifted = verdict is Verdict.ALLOW and approval is not None
    return Ruling(
        verdict=verdict,
        rule=first.rule.id,
        policy=first.policy.key,
        policy_version=first.policy.version,
        reason=_reason(first, facts),
        because=tuple([match.rule.ref for match in winners]),
        matched=tuple([match.rule.ref for match in matched]),
        missing=_missing(found),
        obligations=merge(given, caps_lifted=caps_lifted) if given else (),
        escalation=_joint_terms(winners, facts) if verdict is Verdict.ESCALATE else None,
        approval=approval,
    )


def _reason(match: _Match, facts: Facts) -> str:
    reason = match.rule.reason.render(facts)
    if match.missing is not None:
        return f"{reason} (Not given: {match.missing}.)"
    if match.failure is not None:
        return f"{reason} (Rule {match.rule.id} could not be evaluated: {match.failure}.)"
    return reason


def _missing(found: list[_Match]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(match.missing for match in found if match.missing is not None))


def _denied_by_default(action: str, found: list[_Match]) -> Ruling:
    reason = f"No rule allows {action}."
    unclear = [match for match in found if not match.counts and match.rule.effect is Effect.ALLOW]
    if unclear:
        reason += f" Rule {unclear[0].rule.id} could not be evaluated: {_cause(unclear[0])}."
    matched = tuple(match.rule.ref for match in found if match.counts)
    return Ruling(Verdict.DENY, None, None, None, reason, matched=matched, missing=_missing(found))


def _cause(match: _Match) -> str:
    return f"{match.missing} is not given" if match.missing is not None else str(match.failure)


def _joint_terms(open_matches: list[_Match], facts: Facts) -> EscalationTerms:
    """The first rule's path leads; the shortest time, the most approvals and everybody's exclusions hold for all."""
    terms = [_terms(match) for match in open_matches]
    lead, paths = terms[0].path, dict.fromkeys(term.path for term in terms)
    values = (find(facts, path) for term in terms for path in term.not_by)
    return EscalationTerms(
        path=lead,
        sla_seconds=min(term.sla_seconds for term in terms),
        approvals=max(term.approvals for term in terms),
        not_by=tuple(dict.fromkeys(str(value) for value in values if value is not None)),
        grants=any(term.grants for term in terms),
        also=tuple(path for path in paths if path != lead),
    )
