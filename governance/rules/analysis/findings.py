"""Analysis of rules, findings: what is wrong with a set of policies before any question is asked of it.

A rule is called dead, shadowed, contradicted or redundant only when that is proved for every request; overlaps, gaps
and missing bounds come with a request that was tried with the rules themselves.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from governance.language import Schema
from governance.rules.analysis.domains import Ordered
from governance.rules.analysis.examples import example
from governance.rules.analysis.regions import EVERYTHING, Box, TooManyBoxes, Universe, is_question
from governance.rules.deciding import RuleSet
from governance.rules.documents import covers
from governance.rules.shapes import Effect, PolicyRules, Rule, Verdict

EXAMPLES_TRIED = 12
PAIRS_TRIED = 40
PIECES_OF_A_GAP = 300


class Sort(StrEnum):
    """What kind of finding it is."""

    DEAD = "dead"
    SHADOWED = "shadowed"
    CONTRADICTION = "contradiction"
    REDUNDANT = "redundant"
    OVERLAP = "overlap"
    GAP = "gap"
    NO_REVIEWER = "no_reviewer"
    NO_AUTHORITY = "no_authority"
    NO_BOUND = "no_bound"
    UNKNOWN_ACTION = "unknown_action"
    UNUSED_LIST = "unused_list"
    TOO_COMPLEX = "too_complex"


WRONG = frozenset(
    {Sort.DEAD, Sort.SHADOWED, Sort.CONTRADICTION, Sort.NO_REVIEWER, Sort.NO_AUTHORITY, Sort.UNKNOWN_ACTION}
)
"""What keeps a new version from being put in force when the version before did not have it."""
WORTH_A_LOOK = frozenset({Sort.REDUNDANT, Sort.NO_BOUND, Sort.GAP, Sort.TOO_COMPLEX, Sort.UNUSED_LIST})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: its kind, the rule it stands in (empty for a whole policy or list), the part of the
    document, a sentence, the other rules (`key@version#rule`), and nested facts that show it."""

    sort: Sort
    policy: str
    rule: str
    path: str
    message: str
    others: tuple[str, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What stays the same when the same thing is found in the next version."""
        return self.sort.value, self.policy, self.rule, self.path if not self.rule else ""

    @property
    def level(self) -> str:
        """ "wrong", "look" or "note"."""
        return "wrong" if self.sort in WRONG else "look" if self.sort in WORTH_A_LOOK else "note"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the analysis must know beside the rules: actions that systems have, money fields by action, escalation paths
    with the number of people on them, named lists with their items."""

    actions: frozenset[str] = frozenset()
    money: Mapping[str, Collection[str]] = field(default_factory=dict)
    reviewers: Mapping[str, int] = field(default_factory=dict)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Drawn:
    """What one analysis leaves to the next about policies that have not changed: their rules as boxes, and the set that
    decides. Boxes hold for one schema and the same lists; safe to share between threads."""

    def __init__(self, schema: Schema, lists: Mapping[str, Sequence[str]]) -> None:
        self.schema = schema
        self.lists = lists
        self._placed: dict[int, tuple[PolicyRules, list[_Placed]]] = {}
        self._rules: RuleSet | None = None
        self._left: dict[str, tuple[list[_Placed], list[Box] | None]] = {}

    def fits(self, schema: Schema, lists: Mapping[str, Sequence[str]]) -> bool:
        """Whether boxes that were drawn for this schema and these lists can be taken over."""
        return self.schema is schema and self.lists == lists

    def placed(
        self, policies: Iterable[PolicyRules], place: "Callable[[PolicyRules], list[_Placed]]"
    ) -> "list[_Placed]":
        """The rules of these policies; only those that nobody has drawn yet are drawn. The last two sets are kept."""
        before, found = self._placed, {}
        for policy in policies:
            known = before.get(id(policy))
            found[id(policy)] = known if known is not None and known[0] is policy else (policy, place(policy))
        self._placed = before | found if len(before) <= 2 * len(found) else found
        return [placed for _, drawn in found.values() for placed in drawn]

    def left(self, action: str, about: "list[_Placed]", work_out: "Callable[[], list[Box] | None]") -> list[Box] | None:
        """What these rules leave of an action; the last answer about the action is kept."""
        known = self._left.get(action)
        if known is None or known[0] != about:
            known = self._left[action] = (about, work_out())
        return known[1]

    def rules(self, policies: Iterable[PolicyRules]) -> RuleSet:
        """The set of these policies, like the one before."""
        self._rules = RuleSet(policies, like=self._rules)
        return self._rules


def analyse(
    policies: Iterable[PolicyRules], schema: Schema, around: Surroundings, *, only: str = "", drawn: Drawn | None = None
) -> tuple[Finding, ...]:
    """Give the findings of a set of policies, or only those about the policy with the key `only` among them. What an
    earlier analysis has `drawn` of the same policies is taken over."""
    analysis = _Analysis(tuple(policies), schema, around, drawn or Drawn(schema, around.lists), only)
    found = [
        finding
        for policy in analysis.policies
        if only in ("", policy.key)
        for finding in analysis.of_policy(policy)
    ]  # fmt: skip
    return tuple(found + ([] if only else list(analysis.unused_lists())))


@dataclass(frozen=True, eq=False)
class _Placed:
    """A rule with its policy, its place in the document and the boxes in which it certainly, and at most, matches."""

    policy: PolicyRules
    rule: Rule
    number: int
    at_least: tuple[Box, ...]
    at_most: tuple[Box, ...]
    too_complex: bool = False

    @property
    def ref(self) -> str:
        return self.rule.ref

    def is_about(self, other: "_Placed") -> bool:
        """Whether this rule stands for every action of the other one."""
        return all(any(covers(mine, action) for mine in self.rule.actions) for action in other.rule.actions)

    def meets(self, other: "_Placed") -> bool:
        """Whether both stand for some action."""
        return any(covers(mine, its) or covers(its, mine) for mine in self.rule.actions for its in other.rule.actions)


class _Analysis:
    def __init__(
        self, policies: tuple[PolicyRules, ...], schema: Schema, around: Surroundings, drawn: Drawn, only: str
    ) -> None:
        self.drawn = drawn
        self.only = only
        self.policies = policies
        self.schema = schema
        self.around = around
        self.universe = Universe(schema, around.lists)
        self.rules = drawn.rules(policies)
        self._gaps: dict[str, dict[str, Any] | None] = {}
        self.placed = drawn.placed(policies, self._placed_of)

    def _placed_of(self, policy: PolicyRules) -> list[_Placed]:
        return [self._place(policy, rule, number) for number, rule in enumerate(policy.rules)]

    def _place(self, policy: PolicyRules, rule: Rule, number: int) -> _Placed:
        term = rule.condition.term if rule.condition is not None else None
        or_fails = not rule.skips_missing
        try:
            at_least = self.universe.region(term, or_fails=or_fails, strict=True)
            # a rule that skips what is missing counts all the same when it breaks, unless it allows
            at_most = self.universe.region(term, or_fails=or_fails, strict=rule.effect is Effect.ALLOW)
        except TooManyBoxes:
            return _Placed(policy, rule, number, (), (EVERYTHING,), too_complex=True)
        return _Placed(policy, rule, number, tuple(at_least), tuple(at_most))

    @cached_property
    def by_effect(self) -> Mapping[Effect, list[_Placed]]:
        """The rules of each effect."""
        found: dict[Effect, list[_Placed]] = defaultdict(list)
        for placed in self.placed:
            found[placed.rule.effect].append(placed)
        return found

    # --- one policy -------------------------------------------------------------------------------------------
    def of_policy(self, policy: PolicyRules) -> Iterator[Finding]:
        """Everything about one policy, rule by rule in the order of the document, gaps at the end."""
        for placed in self.placed:
            if placed.policy is policy:
                yield from self.of_rule(placed)
        yield from self.gaps(policy)

    def of_rule(self, placed: _Placed) -> Iterator[Finding]:
        yield from self.unknown_actions(placed)
        yield from self.reviewers(placed)
        if placed.too_complex:
            words = "The condition has too many alternatives to be looked at exactly; split the rule."
            yield self.finding(Sort.TOO_COMPLEX, placed, words)
            return
        if not placed.at_most:
            yield self.finding(Sort.DEAD, placed, "The condition can never be true; the rule never matches.")
            return
        hidden = self.hidden(placed)
        yield from hidden
        if not hidden:
            yield from self.redundant(placed)
            yield from self.overlap(placed)
            yield from self.no_bound(placed)

    def finding(
        self, sort: Sort, placed: _Placed, message: str, others: Iterable[_Placed] = (),
        shown: Mapping[str, Any] | None = None,
    ) -> Finding:  # fmt: skip
        part = {Sort.UNKNOWN_ACTION: "actions", Sort.NO_REVIEWER: "escalate.path"}.get(sort, "when")
        path = f"rules[{placed.number}].{part}"
        return Finding(
            sort, placed.policy.key, placed.rule.id, path, message, tuple(each.ref for each in others), shown or {}
        )

    def unknown_actions(self, placed: _Placed) -> list[Finding]:
        known = self.around.actions
        unknown = [
            pattern for pattern in placed.rule.actions
            if known and pattern != "*" and not any(covers(pattern, action) for action in known)
        ]  # fmt: skip
        said = "No system has the action {}; the rule waits for a question that never comes."
        return [self.finding(Sort.UNKNOWN_ACTION, placed, said.format(f"`{pattern}`")) for pattern in unknown]

    def reviewers(self, placed: _Placed) -> list[Finding]:
        terms = placed.rule.escalate
        if terms is None or self.around.reviewers.get(terms.path, 0) >= terms.approvals:
            return []
        there = self.around.reviewers.get(terms.path)
        if there is None:
            said = f"There is no escalation path `{terms.path}`."
        elif there == 0:
            said = f"Nobody is on the escalation path `{terms.path}`; every question ends in a denial."
        else:
            said = f"The rule wants {terms.approvals} approvals, but the path `{terms.path}` has {there}."
        return [self.finding(Sort.NO_REVIEWER, placed, said)]

    # --- rules that never decide ------------------------------------------------------------------------------
    def hidden(self, placed: _Placed) -> list[Finding]:
        """Why a rule that matches never has a say: something stricter always matches as well, or nothing allows."""
        effect = placed.rule.effect
        if effect in (Effect.ALLOW, Effect.ESCALATE):
            denies = self.covering(placed, self.by_effect[Effect.DENY])
            if denies is not None:
                return [self._denied(placed, denies)]
        if effect is Effect.ESCALATE and not self._may_end_well(placed):
            said = "No rule allows what this one asks about, so the answer is no before anybody is asked."
            return [self.finding(Sort.NO_AUTHORITY, placed, said)]
        return []

    def _denied(self, placed: _Placed, denies: list[_Placed]) -> Finding:
        names = ", ".join(each.rule.id for each in denies)
        one = denies[0]
        same = len(denies) == 1 and placed.is_about(one) and not self.left_over(one.at_most, placed.at_least)
        if same and placed.rule.effect is Effect.ALLOW:
            said = f"{names} denies exactly what this rule allows; a denial always wins."
            return self.finding(Sort.CONTRADICTION, placed, said, denies)
        said = f"Whenever this rule matches, {names} denies; it never decides."
        return self.finding(Sort.SHADOWED, placed, said, denies)

    def _may_end_well(self, placed: _Placed) -> bool:
        if placed.rule.escalate is not None and placed.rule.escalate.grants:
            return True
        grants = [each for each in self.by_effect[Effect.ESCALATE] if each.rule.escalate and each.rule.escalate.grants]
        return any(
            placed.meets(each) and self.universe.touch(mine, its)
            for each in (*self.by_effect[Effect.ALLOW], *grants)
            for mine in placed.at_most
            for its in each.at_most
        )

    def covering(self, placed: _Placed, others: Iterable[_Placed]) -> list[_Placed] | None:
        """The rules among the others that together match whenever this one does; None when they do not."""
        near = [
            each for each in others
            if each is not placed and each.is_about(placed)
            and any(self.universe.touch(mine, its) for mine in placed.at_most for its in each.at_least)
        ]  # fmt: skip
        left, used = list(placed.at_most), []
        for each in near:
            if not left:
                break
            rest = self.left_over(left, each.at_least)
            if rest != left:
                used.append(each)
            left = rest
        return used if used and not left else None

    def left_over(self, boxes: Iterable[Box], covers: Iterable[Box]) -> list[Box]:
        try:
            return self.universe.left_over(boxes, covers)
        except TooManyBoxes:
            return list(boxes)

    def redundant(self, placed: _Placed) -> list[Finding]:
        same = [each for each in self.by_effect[placed.rule.effect] if _does_as_much(each.rule, placed.rule)]
        others = self.covering(placed, same)
        if others is None or (any(self._goes_first(placed, each) for each in others)):
            return []
        names = ", ".join(each.rule.id for each in others)
        said = f"Whenever this rule matches, {names} gives the same answer; without it nothing changes."
        return [self.finding(Sort.REDUNDANT, placed, said, others)]

    def _goes_first(self, placed: _Placed, other: _Placed) -> bool:
        """Of two rules that say the same only the one that ranks lower is told."""
        if self.covering(other, [placed]) is None:
            return False
        return (-placed.rule.priority, placed.ref) < (-other.rule.priority, other.ref)

    # --- with an example --------------------------------------------------------------------------------------
    def overlap(self, placed: _Placed) -> list[Finding]:
        """Requests that this rule allows and another one denies: the denial wins, which may be meant."""
        if placed.rule.effect is not Effect.ALLOW:
            return []
        near = [other for other in self.by_effect[Effect.DENY] if placed.meets(other)]
        for other in near[:PAIRS_TRIED]:
            met = (self.universe.meet(mine, its) for mine in placed.at_most for its in other.at_least)
            shown = self.tried([box for box in met if box is not None], placed, {placed.ref, other.ref})
            if shown is not None:
                said = f"Some requests match this rule and {other.rule.id} as well; those are denied."
                return [self.finding(Sort.OVERLAP, placed, said, [other], shown)]
        return []

    def tried(self, boxes: list[Box], placed: _Placed, wanted: set[str]) -> dict[str, Any] | None:
        for box in boxes[:EXAMPLES_TRIED]:
            for action in self.actions_of(placed.rule.actions)[:3]:
                facts = self.facts(box, action)
                if wanted <= set(self.rules.decide(facts).matched):
                    return facts
        return None

    def actions_of(self, patterns: Iterable[str]) -> list[str]:
        """Actions that the patterns stand for: those of the systems, or the pattern itself when it is a name."""
        patterns = list(patterns)
        known = sorted(action for action in self.around.actions if any(covers(pattern, action) for pattern in patterns))
        return known or [pattern for pattern in patterns if not pattern.endswith("*")] or ["any.action"]

    def facts(self, box: Box, action: str) -> dict[str, Any]:
        facts = example(box, self.schema)
        facts.setdefault("subject", {}).setdefault("status", "active")
        facts["action"] = {"name": action}
        return facts

    def no_bound(self, placed: _Placed) -> list[Finding]:
        """An allowance of money without a limit: the amount may grow and nothing asks or denies."""
        if placed.rule.effect is not Effect.ALLOW:
            return []
        capped = {str(each.get("field")) for each in placed.rule.obligations if each["type"] == "cap"}
        for action in self.actions_of(placed.rule.actions):
            stopped = [box for each in self.stopping(action) for box in each.at_least]
            for path in sorted(set(self.around.money.get(action, ())) - capped):
                left = self.left_over(placed.at_most, stopped)
                free = next((box for box in left if _is_endless(box, path)), None)
                if free is not None:
                    said = f"{self.words(path)} has no upper limit here: nothing asks or denies, however high it is."
                    return [self.finding(Sort.NO_BOUND, placed, said, (), self.facts(free, action))]
        return []

    def stopping(self, action: str) -> list[_Placed]:
        """The rules about an action that ask or deny."""
        rules = (*self.by_effect[Effect.DENY], *self.by_effect[Effect.ESCALATE])
        return [each for each in rules if any(covers(pattern, action) for pattern in each.rule.actions)]

    def words(self, path: str) -> str:
        """How people call a field."""
        known = self.schema.get(path)
        return known.words if known is not None else path

    def gaps(self, policy: PolicyRules) -> Iterator[Finding]:
        """For each action of the policy one request that no rule covers, and that is denied by default."""
        for action in self.actions_of(policy.actions) if policy.actions != ("*",) else ():
            if action not in self._gaps:
                self._gaps[action] = self._uncovered(action)
            shown = self._gaps[action]
            if shown is not None:
                said = f"Some requests for {action} match no rule and are denied by default."
                yield Finding(Sort.GAP, policy.key, "", f"scope.actions.{action}", said, (), shown)

    def _uncovered(self, action: str) -> dict[str, Any] | None:
        about = [
            each for each in self.placed
            if each.rule.effect is not Effect.OBLIGE and any(covers(pattern, action) for pattern in each.rule.actions)
        ]  # fmt: skip
        # What the others leave stays the same while one policy changes.
        others = [each for each in about if each.policy.key != self.only]
        left = self.drawn.left(action, others, lambda: self._outside([EVERYTHING], others))
        if left is not None and self.only:
            left = self._outside(left, [each for each in about if each.policy.key == self.only])
        if left is None:
            return None
        for box in sorted(left, key=_strangeness)[:EXAMPLES_TRIED]:
            facts = self.facts(box, action)
            ruling = self.rules.decide(facts)
            if ruling.verdict is Verdict.DENY and not ruling.matched:
                return facts
        return None

    def _outside(self, boxes: list[Box], rules: Iterable[_Placed]) -> list[Box] | None:
        """What of these boxes no rule covers; None when it falls in too many pieces."""
        try:
            covered = (box for each in rules for box in each.at_least)
            return self.universe.left_over(boxes, covered, at_most=PIECES_OF_A_GAP)
        except TooManyBoxes:
            return None

    def unused_lists(self) -> Iterator[Finding]:
        """Named lists that no rule reads."""
        read = {path for placed in self.placed for path in placed.rule.fields if path.startswith("lists.")}
        for name in sorted(self.around.lists):
            if f"lists.{name}" not in read:
                yield Finding(Sort.UNUSED_LIST, "", "", f"lists.{name}", f"No rule reads the list {name}.")


def _does_as_much(rule: Rule, other: Rule) -> bool:
    """Whether the first rule, where both match, makes the second one superfluous."""
    if other.obligations and list(other.obligations) != list(rule.obligations):
        return False
    ours, theirs = rule.escalate, other.escalate
    if ours is None or theirs is None:
        return True
    same = (ours.path, ours.not_by, ours.grants) == (theirs.path, theirs.not_by, theirs.grants)
    return same and ours.sla_seconds <= theirs.sla_seconds and ours.approvals >= theirs.approvals


def _is_endless(box: Box, path: str) -> bool:
    if any(is_question(name) and path in name for name in box):
        return False  # it is compared with something that is no constant
    domain = box.get(path)
    if domain is None:
        return True
    return isinstance(domain.values, Ordered) and any(span.high is None for span in domain.values.spans)


def _strangeness(box: Box) -> tuple[int, int]:
    """Boxes whose fields are all given come first, then those that say little."""
    return sum(domain.values.is_empty for domain in box.values()), len(box)
