"""Replays: recorded decisions through a version that does not decide yet; asked for, worked off, cancelled."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from statistics import median
from time import monotonic
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Min, QuerySet

from agents.models import Principal
from governance.language import Condition, Schema
from governance.models import Decision, Escalation, PolicyVersion, Replay, ReplayFlip
from governance.operations.budgets.outcomes import used_of
from governance.operations.policies import PolicyRefused, require_writer, rules_now
from governance.operations.telling import NOT_TOLD, Telling
from governance.rules import Effect, PolicyInvalid, PolicyRules, Rule, RuleSet, Ruling, covers, parse_policy
from governance.rules.budgeting import keep_within
from governance.rules.recorded import FactsReader, for_these_versions, reached_rules
from governance.rules.recounting import Past
from governance.rules.replaying import Cell, Pair, Replaying, Tally, as_data, band_of, cell_of, without_version
from observability import ledger

REPLAY_DAYS = (7, 30, 90)
LONGEST = timedelta(days=366)
KEPT_FLIPS, KEPT_MOVED = 10_000, 1_000
CHUNK = 500  # decisions between two looks at whether it goes on: some 20 ms, so that nobody waits for this thread
TELL_EVERY_SECONDS = 0.5
STANDS_STILL = timedelta(seconds=60)
LATELY = timedelta(days=90)
MEDIAN_OF = 20_000


class UnderWay(ledger.Refused):
    """A replay of this version is under way. Wait for it, or cancel it."""

    code = "replay_under_way"


def ask_replay(
    version: PolicyVersion, *, since: datetime, until: datetime, by: Principal, at: datetime, recounts: bool = False
) -> Replay:
    """A replay of the version over the decisions from `since` until before `until`; the worker takes it up within a
    second or two. One that `recounts` works out what budgets would have had left. Raises Invalid when the version
    cannot be read, UnderWay when one of it is not over."""
    require_writer(by, version.policy)
    if not since < until <= at or until - since > LONGEST:
        said = f"Must begin before it ends, end by now, and be at most {LONGEST.days} days long."
        raise ledger.Invalid("The time of the replay is wrong.", fields={"since": said})
    tried(version)
    try:
        with transaction.atomic():
            replay = Replay.objects.create(
                version=version, since=since, until=until, asked_by=by, asked_at=at, recounts=recounts
            )
            ledger.record("replay.asked", replay, by=by, at=at, after=replay.status, data={"days": replay.days})
    except IntegrityError as taken:
        raise UnderWay from taken
    return replay


def cancel_replay(replay: Replay, *, by: Principal, at: datetime) -> None:
    """End it; what was counted so far is not kept. It stops at its next look, within a moment."""
    require_writer(by, replay.version.policy)
    ledger.move(replay, Replay.Status.CANCELLED, by=by, verb="replay.cancelled", at=at, ended_at=at)


def fail_replay(replay: Replay, *, why: str, at: datetime) -> None:
    """End it as failed."""
    ledger.move(
        replay, Replay.Status.FAILED, by=ledger.SYSTEM, verb="replay.failed", at=at, why=why, ended_at=at, failure=why
    )


@transaction.atomic
def look_at(replay: Replay, *, by: Principal, at: datetime) -> None:
    """Note that somebody opened the finished result, the first time that this happens."""
    unseen = Replay.objects.filter(pk=replay.pk, status=Replay.Status.DONE, looked_at=None)
    if unseen.update(looked_at=at, looked_by=by):
        replay.looked_at, replay.looked_by = at, by
        ledger.record("replay.looked_at", replay, by=by, at=at)


# --- the rules that are tried -----------------------------------------------------------------------------------
def tried(version: PolicyVersion) -> Replaying:
    """The rules in force, and the same with this version in place of its policy's. The dates from which and until which
    either version holds are left out: what it would have said is asked about the past. Raises PolicyRefused."""
    rules, schema = rules_now()
    others = [policy for policy in rules.policies if policy.key != version.policy.key]
    now = version.policy.versions.active().first()
    before = [*others, _timeless(now, schema)] if now is not None else others
    return Replaying(RuleSet(before), RuleSet([*others, _timeless(version, schema)]), schema, key=version.policy.key)


def _timeless(version: PolicyVersion, schema: Schema) -> PolicyRules:
    document = {name: part for name, part in version.document.items() if name != "effective"}
    try:
        return parse_policy(document, schema)
    except PolicyInvalid as invalid:
        raise PolicyRefused(invalid.problems) from invalid


# --- working one off --------------------------------------------------------------------------------------------
Clock = Callable[[], datetime]
Budgets = Sequence[Any]  # the facts about budgets under both sets of rules, or nothing
Flip = tuple[int, Cell, Budgets]
NAMES = ("pk", "agent_id", "action", "effect", "because", "facts", "run")


def begin_replay(replay: Replay, *, at: datetime) -> bool:
    """Take the replay as the one that runs now; false when another one runs or somebody else was faster."""
    try:
        with transaction.atomic():
            ledger.move(
                replay, Replay.Status.RUNNING, by=ledger.SYSTEM, verb="replay.started", at=at, started_at=at, seen_at=at
            )
    except (IntegrityError, ledger.WrongStatus, ledger.TooLate):
        return False
    return True


def work_off(replay: Replay, *, clock: Clock) -> bool:
    """Work a begun replay off; true when its result is kept. It ends early, with nothing kept, when the replay was
    cancelled or this process ends."""
    replaying = tried(replay.version)
    rows = _rows(replay, replaying)
    found = rows.aggregate(total=Count("pk"), first=Min("pk"))
    count = _Recounting(replaying) if replay.recounts else _Counting(replaying)
    told = monotonic()
    if not _told(replay, count, clock(), total=found["total"]):
        return False
    for chunk in _oldest_first(rows) if replay.recounts else _chunks(rows, found["first"]):
        count.add_all(chunk)
        if monotonic() - told > TELL_EVERY_SECONDS:
            told = monotonic()
            if not _told(replay, count, clock()):
                return False
        elif not Replay.objects.filter(pk=replay.pk, status=Replay.Status.RUNNING).exists():
            return False
        if ledger.bell.is_closed:
            fail_replay(replay, why="The server ended meanwhile. Start it again.", at=clock())
            return False
    return _keep(replay, count, clock())


def _rows(replay: Replay, replaying: Replaying) -> QuerySet[Decision]:
    span = Decision.objects.filter(at__gte=replay.since, at__lt=replay.until).order_by()
    actions = [name for name in span.values_list("action", flat=True).distinct() if replaying.touches(name)]
    return span.filter(action__in=actions)


def _chunks(rows: QuerySet[Decision], first: int | None) -> Iterator[list[tuple[Any, ...]]]:
    # Newest first, so that of very many that differ the newest are kept.
    last: int | None = None
    while first is not None:
        here = rows.filter(pk__gte=first) if last is None else rows.filter(pk__gte=first, pk__lt=last)
        chunk = list(here.order_by("-pk").values_list(*NAMES)[:CHUNK])
        if not chunk:
            return
        yield chunk
        last = chunk[-1][0]


def _oldest_first(rows: QuerySet[Decision]) -> Iterator[list[tuple[Any, ...]]]:
    # What a budget has left follows from what was asked before.
    last = 0
    while chunk := list(rows.filter(pk__gt=last).order_by("pk").values_list(*NAMES)[:CHUNK]):
        yield chunk
        last = chunk[-1][0]


@dataclass
class _Counting:
    """What one replay has found so far; decisions come newest first."""

    replaying: Replaying
    tally: Tally = field(default_factory=Tally)
    flips: deque[Flip] = field(default_factory=partial(deque, maxlen=KEPT_FLIPS))
    moved: deque[Flip] = field(default_factory=partial(deque, maxlen=KEPT_MOVED))
    done: int = 0
    not_ruled: int = 0

    def add_all(self, chunk: list[tuple[Any, ...]]) -> None:
        for pk, agent, action, given, because, facts, _ in chunk:
            if self._is_ruled(because):
                pair = self.replaying.recorded(action, facts)
                self._add(pk, cell_of(pair, agent=agent, band=band_of(facts)), pair, given, [])

    @property
    def kept(self) -> list[Flip]:
        """Those that differ, and those with another rule: each the newest first."""
        return [*self.flips, *self.moved]

    def _is_ruled(self, because: list[str]) -> bool:
        self.done += 1
        self.not_ruled += not reached_rules(because)
        return reached_rules(because)

    def _add(self, pk: int, cell: Cell, pair: Pair, given: str, budgets: Budgets) -> None:
        self.tally.add(cell, pair, given=given)
        if cell.is_flip:
            self._keep(self.flips, (pk, cell, budgets))
        elif cell.moved:
            self._keep(self.moved, (pk, cell, budgets))

    def _keep(self, kept: deque[Flip], flip: Flip) -> None:
        if len(kept) != kept.maxlen:
            kept.append(flip)


@dataclass
class _Recounting(_Counting):
    """The same with budgets worked out again; decisions come oldest first."""

    def add_all(self, chunk: list[tuple[Any, ...]]) -> None:
        used = used_of([pk for pk, *_ in chunk])
        for pk, agent, action, given, because, facts, run in chunk:
            if self._is_ruled(because):
                past = Past(run, used.get(pk, {}) if given == Decision.Effect.ALLOW else None)
                pair, budgets = self.replaying.recounted(action, facts, past)
                self._add(pk, cell_of(pair, agent=agent, band=band_of(facts)), pair, given, list(budgets))

    @property
    def kept(self) -> list[Flip]:
        return [*reversed(self.flips), *reversed(self.moved)]

    def _keep(self, kept: deque[Flip], flip: Flip) -> None:
        kept.append(flip)


def _told(replay: Replay, count: _Counting, at: datetime, **more: Any) -> bool:
    """Write how far it is, if it still runs."""
    running = Replay.objects.filter(pk=replay.pk, status=Replay.Status.RUNNING)
    return running.update(done=count.done, not_ruled=count.not_ruled, seen_at=at, **more) == 1


def _keep(replay: Replay, count: _Counting, at: datetime) -> bool:
    cells = count.tally.cells
    result = {
        "cells": as_data(cells), "medians": medians(at), "missing": dict(count.tally.newly_missing),
        "changed_since": count.tally.changed_since,
        "flips": sum(many for cell, many in cells.items() if cell.is_flip), "flips_kept": len(count.flips),
        "moved": sum(many for cell, many in cells.items() if cell.moved), "moved_kept": len(count.moved),
    }  # fmt: skip
    rows = [_flip(replay, *kept) for kept in count.kept]
    try:
        with transaction.atomic():
            ledger.move(
                replay, Replay.Status.DONE, by=ledger.SYSTEM, verb="replay.finished", at=at, ended_at=at, seen_at=at,
                done=count.done, total=count.done, not_ruled=count.not_ruled, result=result,
                rules_before=count.replaying.before.version, rules_after=count.replaying.after.version,
                data={"decisions": count.done, "flips": result["flips"]},
            )  # fmt: skip
            ReplayFlip.objects.bulk_create(rows, batch_size=1_000)
    except (ledger.TooLate, ledger.WrongStatus):
        return False
    return True


def _flip(replay: Replay, decision: int, cell: Cell, budgets: Budgets) -> ReplayFlip:
    return ReplayFlip(replay=replay, decision_id=decision, budgets=budgets, **cell.columns)


def medians(at: datetime) -> dict[str, str]:
    """The median seconds from question to answer of the questions that people decided lately: by path, and of all."""
    decided = Escalation.objects.decided().filter(settled_at__gt=at - LATELY).order_by("-settled_at")
    taken: dict[str, list[Decimal]] = {}
    for path, opened, settled in decided.values_list("path__key", "opened_at", "settled_at")[:MEDIAN_OF]:
        seconds = Decimal(str((settled - opened).total_seconds())) if settled else Decimal(0)
        taken.setdefault(path, []).append(seconds)
        taken.setdefault("", []).append(seconds)
    return {path: str(median(values)) for path, values in taken.items()}


# --- one decision, explained ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class RuleTold:
    """One rule beside the facts: its conditions with their values, and what part it had in the answer."""

    ref: str
    effect: str
    matched: bool
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Side:
    """One of both answers, with the rules that made it: the determining one first. `hidden` counts those that are not
    told."""

    ruling: Ruling
    rules: tuple[RuleTold, ...]
    hidden: int = 0


def explain_both(
    decision: Decision, replaying: Replaying, *, told: Telling, budgets: Budgets = ()
) -> tuple[Side, Side]:
    """Why a decision is as it is under the rules in force, and why it would be as it would be with the version, as far
    as it is `told`; `budgets` are the facts about them under both, where a replay worked them out again."""
    schema = rules_now()[1]
    reader = FactsReader(schema, schema.paths)
    both = [
        reader.read(deepcopy({**decision.facts, **({"budget": group} if group else {})}))
        for group in (budgets or (None, None))
    ]
    pairs = zip(both, (replaying.before, replaying.after), strict=True)
    asked = [for_these_versions(facts, rules) for facts, rules in pairs]
    rulings = [
        keep_within(each, rules.decide(each))
        for each, rules in zip(asked, (replaying.before, replaying.after), strict=True)
    ]
    names = {without_version(ruling.because[0]) for ruling in rulings if ruling.because}
    sides = [
        _side(told, rules, ruling, _rules_told(rules, ruling, facts, decision.action, names))
        for rules, ruling, facts in zip((replaying.before, replaying.after), rulings, both, strict=True)
    ]
    return sides[0], sides[1]


def _side(told: Telling, rules: RuleSet, ruling: Ruling, about: tuple[RuleTold, ...]) -> Side:
    """The answer without what belongs to rules that are not told."""
    seen = tuple(rule for rule in about if told.tells(rule.ref))
    read = {
        path for policy in rules.policies if policy.key in told.keys for rule in policy.rules for path in rule.fields
    }
    ruling = replace(ruling, missing=tuple(path for path in ruling.missing if path in read))
    if ruling.because and not told.tells(ruling.because[0]):
        ruling = Ruling(ruling.verdict, None, None, None, NOT_TOLD, missing=ruling.missing)
    return Side(ruling, seen, len(about) - len(seen))


def _rules_told(
    rules: RuleSet, ruling: Ruling, facts: Mapping[str, Any], action: str, names: set[str]
) -> tuple[RuleTold, ...]:
    known = {rule.ref: rule for policy in rules.policies for rule in policy.rules}
    twins = [ref for ref in known if without_version(ref) in names]
    allowing = [] if ruling.rule else _allowing(known.values(), action)
    wanted = dict.fromkeys((*ruling.because, *twins, *ruling.matched, *allowing))
    return tuple(
        RuleTold(ref, known[ref].effect.value, ref in ruling.matched, rules.explain(facts, ref))
        for ref in wanted
        if ref in known
    )


def _allowing(rules: Iterable[Rule], action: str) -> list[str]:
    # When no rule decided, the reader wants to know why none of those that could have allowed it did.
    about = (rule for rule in rules if any(covers(pattern, action) for pattern in rule.actions))
    return [rule.ref for rule in about if rule.effect is Effect.ALLOW]
