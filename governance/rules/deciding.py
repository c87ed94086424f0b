"""Rules of governance, deciding: a set of policies and the facts of one question in, one ruling out."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from governance.language import Condition, EvaluationFailed, Facts, Missing, find
from governance.language.schema import find_at
from governance.rules.amending import joint_amend, joint_confirm
from governance.rules.documents import covers
from governance.rules.indexing import Find, index_matching
from governance.rules.obligations import merge
from governance.rules.shapes import Effect, EscalationTerms, Obligation, PolicyRules, Rule, Ruling, Verdict

BROKEN = "The rules could not be evaluated; nothing is allowed."
NOT_ALLOWED = "No rule allows {}."
NOT_ACTIVE = "built-in#subject-not-active"
REMEMBERED = 500
_STATUS, _ACTION = ("subject", "status"), ("action", "name")
_Entry = tuple[PolicyRules, Rule]


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
    """The rules for one action in determining order, and the index that finds the matching ones.

    `rulings` remembers what followed from exactly these rules matching, where nothing else determines it.
    """

    entries: tuple[_Entry, ...]
    find_matching: Find
    excluding: frozenset[int] = frozenset()
    rulings: dict[tuple[int, ...], tuple[Ruling, Rule | None]] = field(default_factory=dict)

    def found(self, facts: Facts) -> tuple[int, ...]:
        """Give the positions of the rules that match, inverted (`~position`) where the interpreter has to say so."""
        try:
            return tuple(self.find_matching(facts))
        except Exception:
            return tuple([~position for position in range(len(self.entries))])

    def matches(self, positions: Iterable[int], facts: Facts) -> list[_Match]:
        """Give the rules at these positions that match, or that nobody can evaluate."""
        found = []
        for position in positions:
            if position >= 0:
                policy, rule = self.entries[position]
                found.append(_Match(rule, policy))
            elif (match := _asked_exactly(*self.entries[~position], facts)) is not None:
                found.append(match)
        return found

    def is_all(self, found: tuple[int, ...]) -> bool:
        """Whether these positions alone determine the verdict, the rules and the terms."""
        return not found or (min(found) >= 0 and self.excluding.isdisjoint(found))

    def remember(self, found: tuple[int, ...], ruling: Ruling) -> None:
        """Keep a ruling, and the rule whose reason it gives, for the next question that the same rules match."""
        if self.is_all(found):
            if len(self.rulings) >= REMEMBERED:
                self.rulings.clear()
            matching = (self.entries[position][1] for position in found)
            leading = next((rule for rule in matching if rule.ref in ruling.because[:1]), None)
            self.rulings[found] = (replace(ruling, obligations=_copies(ruling.obligations)), leading)


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
    lists that rules read as `lists.name`; whoever gathers the facts puts them there. What is the same as in the set
    that was there before, `like`, is taken over from it.
    """

    def __init__(
        self,
        policies: Iterable[PolicyRules],
        *,
        lists: Mapping[str, Sequence[str]] | None = None,
        like: "RuleSet | None" = None,
    ) -> None:
        self.policies = tuple(sorted(policies, key=lambda policy: (policy.key, policy.version)))
        self.lists = {name: tuple(items) for name, items in (lists or {}).items()}
        digests = "\n".join(f"{policy.key}@{policy.version}:{policy.digest}" for policy in self.policies)
        if self.lists:
            digests += "\n" + json.dumps(self.lists, sort_keys=True)
        self.version = hashlib.sha256(digests.encode()).hexdigest()
        self._rules = {rule.ref: rule for policy in self.policies for rule in policy.rules}
        self._written: defaultdict[str, list[_Entry]] = defaultdict(list)
        for policy in self.policies:
            for rule in policy.rules:
                for pattern in dict.fromkeys(rule.actions):
                    self._written[pattern].append((policy, rule))
        self._names = frozenset(pattern for pattern in self._written if not pattern.endswith("*"))
        self._families = tuple(sorted(pattern for pattern in self._written if pattern.endswith("*")))
        self._before = dict(like._tables) if like is not None else {}
        self._tables: dict[tuple[str, ...], _Table] = {}
        self._by_name = {name: self._table(name) for name in self._names}

    def _table(self, action: str) -> _Table:
        """Give the table of an action; actions that no rule names share the table of their families."""
        patterns = tuple(pattern for pattern in self._families if covers(pattern, action))
        if action in self._names:
            patterns = (action, *patterns)
        table = self._tables.get(patterns)
        if table is None:
            entries = _ranked({pattern: self._written[pattern] for pattern in patterns})
            table = self._tables[patterns] = _same(self._before.pop(patterns, None), entries) or _build_table(entries)
        return table

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
        status = find_at(facts, _STATUS)
        if status != "active":
            return _not_active(status)
        action = find_at(facts, _ACTION)
        if not isinstance(action, str):
            return Ruling(Verdict.DENY, None, None, None, "The question names no action.", missing=("action.name",))
        table = self._table_for(action)
        found = table.found(facts)
        is_known = "approval" not in facts
        if is_known and (known := table.rulings.get(found)) is not None:
            return _again(*known, action, facts)
        ruling = _combine(action, table.matches(found, facts), facts)
        if is_known:
            table.remember(found, ruling)
        return ruling

    def matching(self, facts: Facts) -> tuple[int, ...] | None:
        """Give what alone determines the verdict, the rules and the terms: the places of the matching rules among those
        of the action. None when more than that does: a rule that cannot be evaluated, one that names who may not
        approve, an approval, or an agent that is not active."""
        action = find_at(facts, _ACTION)
        if "approval" in facts or not isinstance(action, str) or find_at(facts, _STATUS) != "active":
            return None
        table = self._table_for(action)
        try:
            found = tuple(table.find_matching(facts))
        except Exception:
            return None
        return found if table.is_all(found) else None

    def explain(self, facts: Facts, rule_ref: str) -> tuple[Condition, ...]:
        """Give the conditions of the rule `key@version#rule` beside the facts; raise KeyError when it is not here."""
        when = self._rules[rule_ref].when
        return when.explain(facts) if when is not None else ()


def _ranked(written: Mapping[str, Sequence[_Entry]]) -> tuple[_Entry, ...]:
    """Give the rules under these patterns in determining order, each once."""
    hits: defaultdict[_Entry, list[str]] = defaultdict(list)
    for pattern, entries in written.items():
        for entry in entries:
            hits[entry].append(pattern)
    return tuple(sorted(hits, key=lambda entry: _rank(entry[0], entry[1], hits[entry])))


def _same(before: _Table | None, entries: tuple[_Entry, ...]) -> _Table | None:
    return before if before is not None and before.entries == entries else None


def _build_table(entries: tuple[_Entry, ...]) -> _Table:
    excluding = frozenset(n for n, (_, rule) in enumerate(entries) if rule.escalate and rule.escalate.not_by)
    return _Table(
        entries, index_matching([rule.condition.term if rule.condition else None for _, rule in entries]), excluding
    )


def _rank(policy: PolicyRules, rule: Rule, patterns: Iterable[str]) -> tuple[int, int, str, str, int]:
    """Determining order: priority, a named action before a family before any, policy key, rule id."""
    breadth = min(2 if pattern == "*" else int(pattern.endswith("*")) for pattern in patterns)
    return -rule.priority, breadth, policy.key, rule.id, policy.version


def _not_active(status: object) -> Ruling:
    missing = ("subject.status",) if status is None else ()
    words = f"The agent is {status}" if isinstance(status, str) else "The state of the agent is not known"
    reason = f"{words}; only an active agent may act."
    return Ruling(Verdict.DENY, None, None, None, reason, because=(NOT_ACTIVE,), missing=missing)


def _again(ruling: Ruling, leading: Rule | None, action: str, facts: Facts) -> Ruling:
    """The ruling about other facts that the same rules match: only the sentence differs."""
    return Ruling(
        ruling.verdict,
        ruling.rule,
        ruling.policy,
        ruling.policy_version,
        leading.reason.render(facts) if leading is not None else NOT_ALLOWED.format(action),
        ruling.because,
        ruling.matched,
        ruling.missing,
        _copies(ruling.obligations) if ruling.obligations else (),
        ruling.escalation,
    )


def _copies(obligations: tuple[Obligation, ...]) -> tuple[Obligation, ...]:
    """What is remembered stays as it is, whatever is done to a ruling."""
    return tuple([
        {name: value.copy() if type(value) is list else value for name, value in obligation.items()}
        for obligation in obligations
    ])  # fmt: skip


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
    reason = NOT_ALLOWED.format(action)
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
        on_timeout="path" if all(term.on_timeout == "path" for term in terms) else "deny",
        amend=joint_amend([term.amend for term in terms]),
        confirm=joint_confirm(term.confirm for term in terms),
    )
