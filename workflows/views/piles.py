"""The open list as people see it: the most urgent first, the like in piles, and never one agent's flood alone."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db.models import Count, Exists, F, Min, OuterRef, Window
from django.db.models.functions import Coalesce, RowNumber

from agents.models import Agent, Principal, System
from governance.models import Escalation, EscalationQuerySet, Risk, Vote
from governance.rules.queueing import HIGH_RISK, PILE_FROM
from workflows.views.listing import LIST_AT_MOST, Choice, light

UNFOLDED_AT_MOST = 20  # as many as can be decided together
OF_ONE_AGENT_AT_MOST, PILES_OF_ONE_AGENT_AT_MOST = 10, 5


@dataclass(frozen=True)
class Single:
    """A question that stands alone: what tells its place in the list. Agent 0 is none."""

    sample: int
    risk: int
    due_at: datetime
    agent: int
    count: int = 1


SINGLE = ("pk", "risk", "due_at", Coalesce("agent", 0))


@dataclass(frozen=True)
class Pile:
    """Questions that are alike: how many, the one with the nearest deadline, and those shown when it is unfolded."""

    key: str
    count: int
    due_at: datetime
    risk: int
    agent: int
    sample: int
    about: Escalation | None = None
    action: str = ""
    rows: list[Escalation] = field(default_factory=list)

    @property
    def is_large(self) -> bool:
        """Whether it is one row of the list; each question of high risk stands alone."""
        return bool(self.key) and self.count >= PILE_FROM and self.risk < HIGH_RISK

    @property
    def risk_words(self) -> str:
        """How risky its questions are."""
        return str(Risk(self.risk).label).lower()


@dataclass(frozen=True)
class Rest:
    """The other questions of an agent that asks more than fit on the page."""

    agent: Agent
    count: int


@dataclass(frozen=True)
class Entry:
    """One line of the list: a question, a pile of them, or how many more there are."""

    row: Escalation | None = None
    pile: Pile | None = None
    rest: Rest | None = None

    @property
    def rows(self) -> list[Escalation]:
        """The questions that it shows."""
        if self.row is not None:
            return [self.row]
        return self.pile.rows if self.pile is not None else []


@dataclass(frozen=True)
class Listed:
    """The open list: its entries, how many questions it holds in all, whether more follow, and the agents that have as
    many open questions as an agent may have."""

    entries: list[Entry]
    count: int
    more: bool
    full: list[Agent]

    @property
    def rows(self) -> list[Escalation]:
        """The single questions and those of unfolded piles, in the order shown."""
        return [row for each in self.entries for row in each.rows]


def listed(matching: EscalationQuerySet, user: Principal, choice: Choice, at: datetime) -> Listed:
    """One page of the open questions that match."""
    found = _piles_in(matching)
    piles = [each for each in found if each.is_large]
    flooding = _flooding(found) if not choice.agent else {}
    singles = _singles(matching, piles, list(flooding))
    kept, left = _within_limits(sorted([*singles, *piles], key=partial(_rank, at=at)), flooding)
    agents, full = Agent.objects.in_bulk([*left, *_full(found)]), _full(found)
    rests = [Entry(rest=Rest(agents[pk], count)) for pk, count in left.items()]
    entries = [*_entries(kept[:LIST_AT_MOST], matching, user, choice, at), *rests]
    count, more = sum(each.count for each in found), len(kept) > LIST_AT_MOST
    return Listed(entries, count, more, [agents[pk] for pk in full])


def _within_limits(
    ranked: list[Single | Pile], flooding: Mapping[int, int]
) -> tuple[list[Single | Pile], dict[int, int]]:
    """The same without what is beyond the share of one agent, and how many questions of whom that leaves out."""
    kept, taken, left = list[Single | Pile](), Counter[tuple[int, bool]](), dict(flooding)
    for each in ranked:
        is_pile = isinstance(each, Pile)
        if each.agent in flooding:
            taken[each.agent, is_pile] += 1
            if taken[each.agent, is_pile] > (PILES_OF_ONE_AGENT_AT_MOST if is_pile else OF_ONE_AGENT_AT_MOST):
                continue
            left[each.agent] -= each.count
        kept.append(each)
    return kept, {agent: count for agent, count in left.items() if count > 0}


def _entries(
    page: list[Single | Pile], matching: EscalationQuerySet, user: Principal, choice: Choice, at: datetime
) -> list[Entry]:
    """What the list shows of a page; what the reader approved already comes last."""
    rows = _rows([each.sample for each in page if isinstance(each, Single)], user)
    told = _told([each for each in page if isinstance(each, Pile)], matching, user, choice, at)
    entries = [
        Entry(pile=told[each.key]) if isinstance(each, Pile) else Entry(row=rows[each.sample])
        for each in page
        if isinstance(each, Pile) or each.sample in rows
    ]  # fmt: skip
    return sorted(entries, key=lambda entry: bool(entry.row is not None and getattr(entry.row, "voted", False)))


def unpiled(matching: EscalationQuerySet, user: Principal, choice: Choice, at: datetime) -> Listed:
    """The same of questions that were searched for: each stands alone."""
    ranked = sorted(_most_urgent(matching, LIST_AT_MOST + 1), key=partial(_rank, at=at))
    entries = _entries([*ranked[:LIST_AT_MOST]], matching, user, choice, at)
    return Listed(entries, matching.order_by().count(), len(ranked) > LIST_AT_MOST, [])


def alike(matching: EscalationQuerySet, key: str, user: Principal, at_most: int = UNFOLDED_AT_MOST) -> list[Escalation]:
    """The questions of one pile, the most urgent first, as many as can be decided together."""
    of_pile = matching.order_by("due_at", "id").filter(alike=key) if key else matching.none()
    rows = _rows(list(of_pile.values_list("pk", flat=True)[:at_most]), user)
    return sorted(rows.values(), key=lambda row: (bool(getattr(row, "voted", False)), row.due_at, row.pk))


def _piles_in(matching: EscalationQuerySet) -> list[Pile]:
    told = matching.order_by().values("alike", "risk").annotate(
        count=Count("pk"), due=Min("due_at"), who=Min("agent"), sample=Min("pk")
    )  # fmt: skip
    return [
        Pile(row["alike"], row["count"], row["due"], row["risk"], row["who"] or 0, row["sample"]) for row in told
    ]  # fmt: skip


def _flooding(found: Iterable[Pile]) -> dict[int, int]:
    """Agents with more entries than one agent gets on a page, each with the number of its open questions."""
    entries, counts = dict[int, int](), dict[int, int]()
    for pile in found:
        if pile.key and pile.agent:
            entries[pile.agent] = entries.get(pile.agent, 0) + (1 if pile.is_large else pile.count)
            counts[pile.agent] = counts.get(pile.agent, 0) + pile.count
    return {agent: counts[agent] for agent, count in entries.items() if count > OF_ONE_AGENT_AT_MOST}


def _full(found: Iterable[Pile]) -> list[int]:
    counts = dict[int, int]()
    for pile in found:
        counts[pile.agent] = counts.get(pile.agent, 0) + pile.count
    return [agent for agent, count in counts.items() if agent and count >= settings.OPEN_QUESTIONS_PER_AGENT]


def _singles(matching: EscalationQuerySet, piles: list[Pile], flooding: list[int]) -> list[Single]:
    alone = matching.exclude(alike__in=[pile.key for pile in piles]) if piles else matching
    if not flooding:
        return _most_urgent(alone, LIST_AT_MOST + 1)
    # An agent that asks a lot gets its most urgent ones, whatever their number; the others stand as they are.
    others = _most_urgent(alone.exclude(agent__in=flooding), LIST_AT_MOST + 1)
    place = Window(RowNumber(), partition_by=(F("agent"), F("risk")), order_by=("due_at", "id"))
    most = alone.order_by().filter(agent__in=flooding).annotate(place=place).filter(place__lte=OF_ONE_AGENT_AT_MOST)
    return others + [Single(*each) for each in most.values_list(*SINGLE)]


def _most_urgent(escalations: EscalationQuerySet, at_most: int) -> list[Single]:
    # At one risk the nearest deadline is the most urgent one, late or not, and an index has them in this order.
    found = list[Single]()
    for level in Risk.values:
        rows = escalations.filter(risk=level).order_by("due_at", "id").values_list(*SINGLE)
        found += [Single(*each) for each in rows[:at_most]]
    return found


def _rows(keys: list[int], user: Principal) -> dict[int, Escalation]:
    """The questions of these keys as a list shows them, with whether the reader approved them already."""
    voted = Exists(Vote.objects.filter(escalation=OuterRef("pk"), person=user))
    rows = light(Escalation.objects.annotate(voted=voted)).in_bulk(keys) if keys else {}
    return {key: rows[key] for key in keys if key in rows}


def _rank(each: Single | Pile, at: datetime) -> tuple[bool, timedelta, int]:
    """Where it stands, as `most_urgent_first` orders rows."""
    left = each.due_at - at
    late = left <= timedelta(0)
    return not late, left * each.risk if late else left / each.risk, each.sample


def _told(
    piles: list[Pile], matching: EscalationQuerySet, user: Principal, choice: Choice, at: datetime
) -> dict[str, Pile]:
    """The piles with what the list says about them, and the questions of the one that is unfolded."""
    if not piles:
        return {}
    samples = light(Escalation.objects.filter(pk__in=[pile.sample for pile in piles])).in_bulk()
    labels = {action["name"]: action["label"] for actions in System.objects.values_list("actions", flat=True)
              for action in actions}  # fmt: skip
    told = {}
    for pile in piles:
        about = samples[pile.sample]
        name = about.likeness.partition(":")[0]
        rows = alike(matching, pile.key, user) if pile.key == choice.unfold else []
        told[pile.key] = Pile(**vars(pile) | {"about": about, "action": labels.get(name, name), "rows": rows})
    return told
