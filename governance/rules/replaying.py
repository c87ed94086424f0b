"""Rules of governance, replaying: recorded questions through two sets of rules, and what would have been different."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from governance.language import Schema, find
from governance.rules.budgeting import keep_within
from governance.rules.deciding import RuleSet
from governance.rules.documents import covers
from governance.rules.recorded import FactsReader, for_these_versions
from governance.rules.recounting import Past, Recount
from governance.rules.shapes import Ruling, Verdict

AMOUNT = "context.amount"
REMEMBERED = 20_000
BANDS = (
    ("none", "No amount", None),
    ("b0", "Under 100", Decimal(100)),
    ("b1", "100 to 1,000", Decimal(1_000)),
    ("b2", "1,000 to 10,000", Decimal(10_000)),
    ("b3", "10,000 to 100,000", Decimal(100_000)),
    ("b4", "100,000 and more", None),
)
BAND_WORDS: Mapping[str, str] = {code: words for code, words, _ in BANDS}
_BOUNDS = tuple((code, bound) for code, _, bound in BANDS if bound is not None)


def band_of(facts: Mapping[str, Any]) -> str:
    """Give the band of the amount that was asked for; an amount belongs to the band that begins with it."""
    amount = find(facts, AMOUNT)
    if isinstance(amount, str):
        try:
            amount = Decimal(amount)
        except InvalidOperation:
            amount = None
    if not isinstance(amount, Decimal | int) or isinstance(amount, bool) or not Decimal(amount).is_finite():
        return "none"
    return next((code for code, bound in _BOUNDS if amount < bound), "b4")


class Answer(NamedTuple):
    """What is compared of a ruling: the verdict, the determining rule, and on which terms a person is asked."""

    verdict: str
    ref: str
    path: str
    terms: tuple[Any, ...]
    missing: tuple[str, ...]


def answer_of(ruling: Ruling) -> Answer:
    """Give what is compared of a ruling."""
    terms = ruling.escalation
    asked = (terms.path, terms.sla_seconds, terms.approvals, terms.not_by, terms.also) if terms else ()
    ref = ruling.because[0] if ruling.because else ""
    return Answer(ruling.verdict.value, ref, terms.path if terms else "", asked, ruling.missing)


class Pair(NamedTuple):
    """One question under both sets of rules."""

    before: Answer
    after: Answer

    @property
    def is_flip(self) -> bool:
        """Whether the answer differs."""
        return self.before.verdict != self.after.verdict

    @property
    def is_moved(self) -> bool:
        """Whether the answer is the same, but by another rule or, when a person is asked, on other terms."""
        before, after = self
        if before.verdict != after.verdict:
            return False
        return before.terms != after.terms or without_version(before.ref) != without_version(after.ref)


def without_version(ref: str) -> str:
    """Give `key#rule` of `key@version#rule`."""
    policy, sign, rule = ref.partition("#")
    return f"{policy.rpartition('@')[0] or policy}{sign}{rule}"


class _Memory:
    """The answers of one set of rules; which rules match is enough to know most of them again."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._known: dict[tuple[str, tuple[int, ...]], Answer] = {}

    def answer(self, action: str, facts: dict[str, Any]) -> Answer:
        # the budgets that bound the question are among its facts, and have the last word as they had then
        found = None if find(facts, "budget.checks") else self.rules.matching(facts)
        if found is None:
            asked = for_these_versions(facts, self.rules)
            return answer_of(keep_within(asked, self.rules.decide(asked)))
        known = self._known.get((action, found))
        if known is None:
            known = answer_of(self.rules.decide(facts))
            if len(self._known) < REMEMBERED:
                self._known[action, found] = known
        return known


class Replaying:
    """Two sets of rules, one of them with the policy `key` in another version: decides recorded questions under both.
    One thread uses it."""

    def __init__(self, before: RuleSet, after: RuleSet, schema: Schema, *, key: str) -> None:
        self.before, self.after, self._schema = before, after, schema
        self._before, self._after = _Memory(before), _Memory(after)
        self.patterns = frozenset(
            action
            for rules in (before, after)
            for policy in rules.policies
            if policy.key == key
            for action in (*policy.actions, *(name for rule in policy.rules for name in rule.actions))
        )
        self._readers: dict[str, FactsReader] = {}
        self._recounts = (Recount(), Recount())

    def touches(self, action: str) -> bool:
        """Say whether the policy, in one version or the other, has rules for this action."""
        return any(covers(pattern, action) for pattern in self.patterns)

    def _reader(self, action: str) -> FactsReader:
        reader = self._readers.get(action)
        if reader is None:
            needed = self.before.needs(action) | self.after.needs(action) | {AMOUNT}
            reader = self._readers[action] = FactsReader(self._schema, needed)
        return reader

    def recorded(self, action: str, facts: dict[str, Any]) -> Pair:
        """Decide a question from its recorded facts, which are read in place."""
        return self.decide(action, self._reader(action).read(facts))

    def recounted(self, action: str, facts: dict[str, Any], past: Past) -> tuple[Pair, tuple[Any, Any]]:
        """The same with budgets as each set of rules would have left them: for questions in the order of the past. With
        the answers come the budgets under both sets, as facts."""
        asked = self._reader(action).read(facts)
        before, after = (recount.restated(asked, past) for recount in self._recounts)
        pair = Pair(self._before.answer(action, before), self._after.answer(action, after))
        for recount, answer in zip(self._recounts, pair, strict=True):
            recount.count(asked, past, allowed=answer.verdict == Verdict.ALLOW.value)
        return pair, (before.get("budget"), after.get("budget"))

    def decide(self, action: str, facts: dict[str, Any]) -> Pair:
        """Decide a question from its typed facts under both sets."""
        return Pair(self._before.answer(action, facts), self._after.answer(action, facts))


class Cell(NamedTuple):
    """What is counted together: questions of one agent about amounts of one band, with the same answers by the same
    rules. `agent` is the agent's primary key, `path` whom the new rules ask first."""

    agent: int
    band: str
    before: str
    after: str
    rule_before: str
    rule_after: str
    path_before: str
    path: str
    moved: bool

    @property
    def is_flip(self) -> bool:
        """Whether the answer differs."""
        return self.before != self.after

    @property
    def columns(self) -> dict[str, Any]:
        """What is kept of it beside a decision."""
        return {name: value for name, value in self._asdict().items() if name != "agent"}


def cell_of(pair: Pair, *, agent: int, band: str) -> Cell:
    """Give the place where a question is counted."""
    before, after = pair
    return Cell(
        agent, band, before.verdict, after.verdict, before.ref, after.ref, before.path, after.path, pair.is_moved
    )


class Tally:
    """Counts what a replay finds, question by question."""

    def __init__(self) -> None:
        self.cells: Counter[Cell] = Counter()
        self.newly_missing: Counter[str] = Counter()
        self.changed_since = 0

    def add(self, cell: Cell, pair: Pair, *, given: str) -> None:
        """Count one question; `given` is the answer that it got at its time."""
        self.cells[cell] += 1
        if pair.after.missing:
            self.newly_missing.update(path for path in pair.after.missing if path not in pair.before.missing)
        if given != pair.before.verdict:
            self.changed_since += 1


# --- what the counts say ----------------------------------------------------------------------------------------
Counts = Mapping[Cell, int]
VERDICTS = tuple(verdict.value for verdict in (Verdict.ALLOW, Verdict.ESCALATE, Verdict.DENY))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: what is counted together, how many questions, how many with another answer, and where these
    went as ((before, after), how many), the most frequent first."""

    name: str
    total: int
    flips: int
    moves: tuple[tuple[tuple[str, str], int], ...]


def matrix(counts: Counts) -> dict[tuple[str, str], int]:
    """Count by (before, after); all nine pairs are there."""
    table = {(before, after): 0 for before in VERDICTS for after in VERDICTS}
    for cell, many in counts.items():
        table[cell.before, cell.after] += many
    return table


def lines(counts: Counts, name_of: Callable[[Cell], Iterable[str]], *, only_flips: bool = False) -> list[Line]:
    """Count by what `name_of` says a cell belongs to: most answers changed first, then most questions."""
    total: Counter[str] = Counter()
    moves: dict[str, Counter[tuple[str, str]]] = {}
    for cell, many in counts.items():
        for name in dict.fromkeys(name_of(cell)):
            total[name] += many
            found = moves.setdefault(name, Counter())
            if cell.is_flip:
                found[cell.before, cell.after] += many
    made = [Line(name, total[name], found.total(), tuple(found.most_common())) for name, found in moves.items()]
    if only_flips:
        made = [line for line in made if line.flips]
    return sorted(made, key=lambda line: (-line.flips, -line.total, line.name))


def by_rule(counts: Counts, name: Callable[[str], str] = str) -> list[Line]:
    """Count by the determining rules before and after, of answers that differ; those with one `name` together."""
    return lines(counts, lambda cell: (name(cell.rule_before), name(cell.rule_after)), only_flips=True)


@dataclass(frozen=True, slots=True)
class Effort:
    """What people would have more (or less) to do: how many questions, and seconds by the median of their path."""

    more: int
    fewer: int
    seconds: Decimal
    unknown: int


def effort(counts: Counts, medians: Mapping[str, str]) -> Effort:
    """Give the change of people's work: each question more or less counts with the median time of the decided questions
    on its path, or of all (`medians[""]`); `unknown` counts those for which there is neither."""
    more = fewer = unknown = 0
    seconds = Decimal(0)
    asks = Verdict.ESCALATE.value
    for cell, many in counts.items():
        if not cell.is_flip or asks not in (cell.before, cell.after):
            continue
        sign, path = (1, cell.path) if cell.after == asks else (-1, cell.path_before)
        more, fewer = (more + many, fewer) if sign > 0 else (more, fewer + many)
        median = medians.get(path) or medians.get("")
        if median is None:
            unknown += many
        else:
            seconds += sign * many * Decimal(median)
    return Effort(more, fewer, seconds, unknown)


def of_agents(counts: Counts, agents: Collection[int]) -> dict[Cell, int]:
    """Give only what concerns these agents."""
    return {cell: many for cell, many in counts.items() if cell.agent in agents}


def as_data(counts: Counts) -> list[list[Any]]:
    """Give the counts as JSON."""
    return [[*cell, many] for cell, many in counts.items()]


def from_data(rows: Iterable[list[Any]]) -> dict[Cell, int]:
    """Give the counts back from JSON."""
    return {Cell(*row[:-1]): row[-1] for row in rows}
