"""Shape of governance: a policy's rules, the evidence for an agent's autonomy, reports of replays, for people."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from agents.models import Agent
from governance.language import show
from governance.models import EscalationPath
from governance.operations.telling import OF_ANOTHER_UNIT, Named
from governance.rules import PolicyRules, Rule
from governance.rules.evidence import SMALL, Evidence, Record, Share, Tries
from governance.rules.replaying import (
    BAND_WORDS,
    VERDICTS,
    Counts,
    Effort,
    Line,
    by_rule,
    lines,
    matrix,
)
from governance.rules.words import conjuncts, in_words
from observability.charts import words


@dataclass(frozen=True)
class RuleRow:
    """One rule of a policy: when it applies in words, whom it asks, and how often it decided."""

    rule: Rule
    conditions: tuple[str, ...]
    path: EscalationPath | None
    seconds: int
    obligations: tuple[str, ...]
    decided: int

    @property
    def approvals(self) -> int:
        """How many people have to approve."""
        return self.rule.escalate.approvals if self.rule.escalate else 0

    @property
    def raw(self) -> str:
        """The condition as it is written in the policy."""
        return self.rule.when.text if self.rule.when else ""


def rule_rows(rules: PolicyRules, paths: Mapping[str, EscalationPath], decided: Mapping[str, int]) -> list[RuleRow]:
    """The rules in their order; `decided` counts the decisions by rule id."""
    return [
        RuleRow(
            rule, _conditions(rule), paths.get(rule.escalate.path) if rule.escalate else None,
            rule.escalate.sla_seconds if rule.escalate else 0,
            tuple(_obligation(each, rule) for each in rule.obligations), decided.get(rule.id, 0),
        )
        for rule in rules.rules
    ]  # fmt: skip


def _conditions(rule: Rule) -> tuple[str, ...]:
    if rule.when is None:
        return ()
    return tuple(in_words(node, rule.when.schema) for node in conjuncts(rule.when.tree))


_OBLIGATIONS = {
    "redact": "Without {fields}",
    "notify": "Tells {to}",
    "cap": "{field} at most {max}",
    "log": "Recorded: {level}",
    "delay": "After {for}",
    "step_up": "Confirmed at level {level}",
}


def _obligation(obligation: Mapping[str, Any], rule: Rule) -> str:
    parts = {name: value for name, value in obligation.items() if name != "type"}
    words = _OBLIGATIONS.get(obligation["type"])
    if words is None:
        return f"{obligation['type']}: {', '.join(f'{name} {show(value)}' for name, value in parts.items())}"
    return words.format_map({name: _part(name, value, rule) for name, value in parts.items()})


def _part(name: str, value: Any, rule: Rule) -> str:
    if name == "field" and rule.when is not None and (field := rule.when.schema.get(value)) is not None:
        return field.words
    return show(Decimal(value) if name == "max" else value)


@dataclass(frozen=True)
class Outcomes:
    """How many decisions were allowed, asked and denied."""

    allowed: int = 0
    asked: int = 0
    denied: int = 0

    @classmethod
    def of(cls, counts: Iterable[tuple[str, int]]) -> "Outcomes":
        """The outcomes from (effect, count) pairs."""
        found: Counter[str] = Counter()
        for effect, count in counts:
            found[effect] += count
        return cls(found["allow"], found["escalate"], found["deny"])

    @property
    def total(self) -> int:
        """All decisions."""
        return self.allowed + self.asked + self.denied


# --- evidence for autonomy --------------------------------------------------------------------------------------
SUGGESTS = 1  # up to this level people act themselves, and agreeing with them is a test in shadow


@dataclass(frozen=True)
class Figure:
    """One figure of the evidence: as it is written, what stands small beside it, and the rows that it counts."""

    text: str
    note: str = ""
    url: str = ""


@dataclass(frozen=True)
class EvidenceRow:
    """One line of the evidence: an action, or all of them, with its figures, one for each head."""

    label: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class EvidenceTable:
    """The evidence as people read it; `warning` says that there is too little to judge by."""

    heads: tuple[str, ...]
    rows: tuple[EvidenceRow, ...]
    steps: tuple[tuple[str, Figure], ...]
    warning: str


def evidence_table(
    evidence: Evidence, agent: Agent, *, labels: Mapping[str, str], period: Mapping[str, str] | None
) -> EvidenceTable:
    """The evidence with the addresses of its rows; without `period` (the fields from and to of a list) it has none, as
    evidence of the past whose rows may have grown since."""
    links = _EvidenceLinks(agent.code, period)
    agreed = "Agreed in shadow" if agent.autonomy_level <= SUGGESTS else "Agreed"
    heads = ("Decided by people", agreed, "Overruled", "People took", "Done alone", "Failed afterwards")
    records = evidence.actions if len(evidence.actions) == 1 else (evidence.total, *evidence.actions)
    rows = (
        EvidenceRow(labels.get(each.action, each.action) or "All actions", _figures(each, links)) for each in records
    )
    return EvidenceTable(heads, tuple(rows), _steps(evidence.tries, links), _warning(evidence))


@dataclass(frozen=True)
class Compared:
    """The figures of one action, or of all, as they were and as they are: (what, then, now)."""

    label: str
    figures: tuple[tuple[str, Figure, Figure], ...]


def compare(then: EvidenceTable, now: EvidenceTable) -> list[Compared]:
    """Both tables side by side; what was not there then, or is not any more, has a dash."""
    before = {row.label: row.figures for row in then.rows}
    after = {row.label: row.figures for row in now.rows}
    nothing = (Figure("–"),) * len(now.heads)
    compared = [
        Compared(label, tuple(zip(now.heads, before.get(label, nothing), after.get(label, nothing), strict=True)))
        for label in dict.fromkeys((*before, *after))
    ]
    steps = tuple((what, was, now) for (what, was), (_, now) in zip(then.steps, now.steps, strict=True))
    return [*compared, Compared("Steps", steps)]


@dataclass(frozen=True)
class _EvidenceLinks:
    agent: str
    period: Mapping[str, str] | None

    def questions(self, action: str, answer: str) -> str:
        chosen = {"tab": "done", "agent": self.agent, "action": action, "answer": answer}
        return self._address(reverse("escalations"), chosen)

    def decisions(self, action: str, answer: str) -> str:
        return self._address(
            reverse("agent", args=[self.agent]), {"tab": "decisions", "action": action, "answer": answer}
        )

    def steps(self, verb: str) -> str:
        return self._address(reverse("audit"), {"who": self.agent, "did": verb})

    def _address(self, path: str, chosen: Mapping[str, str]) -> str:
        if self.period is None:
            return ""
        given = {name: value for name, value in chosen.items() if value}
        return f"{path}?{urlencode(given | dict(self.period))}"


def _figures(record: Record, links: _EvidenceLinks) -> tuple[Figure, ...]:
    name = record.action
    return (
        Figure(f"{record.decided:,}", "", links.questions(name, "decided")),
        _share(record.agreement, links.questions(name, "approved")),
        _share(record.overruling, links.questions(name, "overruled")),
        Figure(words.length(record.median_seconds) or "–", "median" if record.decided else ""),
        Figure(f"{record.alone:,}", "", links.decisions(name, "alone")),
        _share(record.errors, links.decisions(name, "failed")),
    )


def _share(share: Share, url: str) -> Figure:
    if share.value is None or share.interval is None:
        return Figure("–")
    low, high = (words.percent(bound) for bound in share.interval)
    return Figure(f"{share.part:,} · {words.percent(share.value)}", f"{low} to {high} likely", url)


def _steps(tries: Tries, links: _EvidenceLinks) -> tuple[tuple[str, Figure], ...]:
    return (
        ("Steps finished", Figure(f"{tries.finished:,}", "", links.steps("step.finished"))),
        ("Tries that failed", _share(tries.errors, links.steps("step.failed"))),
        ("Time per step", Figure(words.length(tries.median_seconds) or "–", "median" if tries.finished else "")),
    )


def _warning(evidence: Evidence) -> str:
    asked = evidence.total.agreement
    if not asked.is_small:
        return ""
    if not asked.interval:
        return "People decided no question of this agent in this time, so nothing is known about their agreement."
    low, high = (words.percent(bound) for bound in asked.interval)
    many = "question was" if asked.whole == 1 else "questions were"
    return (
        f"Only {asked.whole} {many} decided. With so few, an agreement of {low} to {high} would fit as well; "
        f"from {SMALL} on the figures begin to tell."
    )


# --- replays and shadow ------------------------------------------------------------------------------------------
_WERE = {"allow": "allowed", "escalate": "put to a person", "deny": "denied"}
_WOULD = {"allow": "would be allowed", "escalate": "would ask a person", "deny": "would be denied"}


@dataclass(frozen=True)
class Crossing:
    """One place of the transition matrix: how many, the rows behind it, whether the answer differs there, and of the
    same answers how many come by another rule or on other terms."""

    before: str
    after: str
    count: int
    url: str
    moved: int = 0
    moved_url: str = ""

    @property
    def differs(self) -> bool:
        """Whether the answer would be another one."""
        return self.before != self.after


@dataclass(frozen=True)
class ReportRow:
    """One line of a table: what it is about, how many, how many with another answer, and where they went."""

    label: str
    note: str
    total: int
    flips: int
    url: str
    moves: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class ReportTable:
    """One table of a report."""

    key: str
    title: str
    head: str
    rows: tuple[ReportRow, ...]


@dataclass(frozen=True)
class Report:
    """What a replay, or a time in shadow, found, as people read it."""

    sentence: str
    matrix: tuple[tuple[str, tuple[Crossing, ...]], ...]
    tables: tuple[ReportTable, ...]
    total: int
    flips: int


Address = Callable[[Mapping[str, str]], str]
ASKED_AS = {"": "none", OF_ANOTHER_UNIT: "other"}
"""How an address names what has no name of its own."""


def report(counts: Counts, work: Effort, agents: Iterable[Agent], address: Address, named: Named) -> Report:
    """The counts as a sentence, the matrix and the tables; `address` gives that of the rows with these filters, `named`
    the names of rules as the reader is told of them."""
    known = {agent.pk: agent for agent in agents}
    table = matrix(counts)
    moved: Counter[str] = Counter()
    for cell, many in counts.items():
        moved[cell.after] += many if cell.moved else 0
    rows = tuple(
        (before, tuple(_crossing(before, after, table[before, after], moved, address) for after in VERDICTS))
        for before in VERDICTS
    )
    flips = sum(many for (before, after), many in table.items() if before != after)
    total = sum(table.values())
    return Report(_sentence(table, total, flips, work), rows, _tables(counts, known, address, named), total, flips)


def _crossing(before: str, after: str, count: int, moved: Mapping[str, int], address: Address) -> Crossing:
    url = address({"before": before, "after": after})
    if before == after:
        return Crossing(before, after, count, "", moved[after], url if moved[after] else "")
    return Crossing(before, after, count, url if count else "")


def _sentence(table: Mapping[tuple[str, str], int], total: int, flips: int, work: Effort) -> str:
    if not total:
        return "No decision of this time reached the rules of this policy, so there is nothing to compare."
    if not flips:
        return f"All {total:,} decisions would be answered the same way." if total > 1 else "The one decision stays."
    parts = [
        f"{many:,} that {'was' if many == 1 else 'were'} {_WERE[before]} {_WOULD[after]}"
        for (before, after), many in table.items()
        if many and before != after
    ]
    return f"Of {total:,} decision{'s' if total > 1 else ''} {', '.join(parts)}{_work(work)}."


def _work(work: Effort) -> str:
    if not work.seconds:
        return ""
    hours = abs(work.seconds) / 3600
    said = f"{hours:.1f} hours" if hours >= 1 else f"{max(round(hours * 60), 1)} minutes"
    return f": about {said} {'more' if work.seconds > 0 else 'less'} of reviewers’ time"


def _tables(counts: Counts, agents: Mapping[int, Agent], address: Address, named: Named) -> tuple[ReportTable, ...]:
    units = {agent.unit.code: agent.unit.name for agent in agents.values()}
    names = {agent.code: agent.name for agent in agents.values()}
    by_agent = lines(counts, lambda cell: [agents[cell.agent].code])
    by_unit = lines(counts, lambda cell: [agents[cell.agent].unit.code])
    by_band = {line.name: line for line in lines(counts, lambda cell: [cell.band])}
    bands = [by_band[code] for code in BAND_WORDS if code in by_band]
    rules = [_row(line, "rule", *_rule_words(line.name), address) for line in by_rule(counts, named)]
    people = [_row(line, "agent", names[line.name], line.name, address) for line in by_agent]
    places = [_row(line, "unit", units[line.name], "", address) for line in by_unit]
    sums = [_row(line, "amount", BAND_WORDS[line.name], "", address) for line in bands]
    return (
        ReportTable("rule", "By rule", "Rule", tuple(rules)),
        ReportTable("agent", "By agent", "Agent", tuple(people)),
        ReportTable("unit", "By unit", "Unit", tuple(places)),
        ReportTable("amount", "By amount", "Amount asked for", tuple(sums)),
    )


def _row(line: Line, name: str, label: str, note: str, address: Address) -> ReportRow:
    url = address({name: ASKED_AS.get(line.name, line.name)}) if line.flips else ""
    moves = tuple((before, after, many) for (before, after), many in line.moves)
    return ReportRow(label, note, line.total, line.flips, url, moves)


def _rule_words(ref: str) -> tuple[str, str]:
    if ref == OF_ANOTHER_UNIT:
        return "A rule of another unit", ""
    policy, _, rule = ref.partition("#")
    key, _, number = policy.rpartition("@")
    return (rule, f"{key}, version {number}") if rule else ("No rule allows it", "")
