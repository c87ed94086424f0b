"""Breakers: work that goes in circles is stopped until a person looks; what they keep of each question."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import rfc8785
from django.db.models import Count, Q

from agents.models import Agent
from governance.models import Decision, Incident, SystemGuard
from governance.operations import circuits
from governance.operations.facts import Asking, Tally
from governance.operations.history import is_tainted, sources_of
from governance.operations.incidents import open_incident
from governance.operations.quarantine import NO_BLAME, denials_of, quarantine
from governance.rules import Ruling, Verdict
from governance.rules.breaking import Conduct, Course, Limits, taints, why_break, why_quarantine
from observability.models import Event
from observability.prepared import PreparedList

LOOP, CIRCUIT = "loop-breaker", "circuit-breaker"
ENDED = ("step.finished", "step.cancelled", "step.decided", "step.resolved")
OF_STEPS = ("run.started", "step.opened", "step.claimed", *ENDED)
EVIDENCE_AT_MOST = 20


class AskEachAlone(Exception):
    """What follows from one of several questions concerns the others: each is asked in a transaction of its own."""


def matter_of(request: Mapping[str, Any]) -> str:
    """The SHA-256 of what is asked, whoever asks and in whichever step: action, resource and circumstances."""
    asked = {name: request[name] for name in ("action", "resource", "context")}
    return hashlib.sha256(rfc8785.dumps(asked)).hexdigest()


@dataclass(frozen=True)
class Watch:
    """A question as the breakers see it: what it is about, the circuit of its system, the limits of the agent."""

    asking: Asking
    matter: str

    @cached_property
    def guard(self) -> SystemGuard | None:
        """The circuit breaker of the system that offers the action."""
        return self.asking.known.guard_of(self.asking.question.action)

    @cached_property
    def limits(self) -> Limits:
        """The limits that hold for the agent."""
        return self.asking.known.limits

    @property
    def is_stopped(self) -> bool:
        """Whether work in circles waits for a person here already."""
        last = self.asking.known.last_loop(_about(self.asking.agent, self.asking.question.place.run))
        return last is not None and last.is_open

    @cached_property
    def broken(self) -> Ruling | None:
        """The denial while a breaker stops this question; None when none does."""
        return _in_circles(self) or _disconnected(self)


# --- before a question is answered ------------------------------------------------------------------------------


def _disconnected(watch: Watch) -> Ruling | None:
    why = circuits.disconnected(watch.guard, watch.asking.at)
    return _stop(why, CIRCUIT) if why else None


def with_permit(ruling: Ruling, watch: Watch) -> Ruling:
    """The ruling; an allowed action in a system on trial takes one of its few permits, and is denied without one."""
    guard = watch.guard
    if ruling.verdict is not Verdict.ALLOW or guard is None or circuits.take_permit(guard, watch.asking.at):
        return ruling
    return _stop(circuits.left_alone(guard), CIRCUIT)


def _in_circles(watch: Watch) -> Ruling | None:
    asking = watch.asking
    last = asking.known.last_loop(_about(asking.agent, asking.question.place.run))
    if last is not None and last.is_open:
        return _stop(f"Stopped until a person has looked at it: {last.why}", LOOP)
    since = last.resolved_at if last is not None else None
    why = why_break(_course(watch, since), watch.limits)
    return _stop(why, LOOP) if why else None


def _about(agent: Agent, run: str) -> str:
    return f"run:{run}" if run else f"agent:{agent.code}"


def _course(watch: Watch, since: datetime | None) -> Course:
    asking, at, run = watch.asking, watch.asking.at, watch.asking.question.place.run
    if not run:
        # Outside of runs nothing says what progress is: only the same question over and over is a circle.
        asking.known.expect_one(asking.digest, watch.matter)
        return Course(repeats=asking.known.repeats[watch.matter] + 1)
    equal = Q(matter_sha256=watch.matter, at__gt=asking.known.window(_about(asking.agent, run)))
    seen = _seen(run, asking.question.place.step, since, at)
    asked = Decision.objects.filter(run=run).order_by()
    later = Q(at__gt=seen.progress_at) if seen.progress_at else Q()
    counted = asked.aggregate(repeats=Count("pk", filter=equal), idle=Count("pk", filter=later))
    return Course(
        repeats=counted["repeats"] + 1, without_progress=counted["idle"] + 1, steps=seen.opened,
        at_once=seen.open_now, attempts=seen.tries, minutes=seen.minutes,
    )  # fmt: skip


def courses_of(runs: Mapping[str, datetime | None], *, at: datetime) -> dict[str, Course]:
    """How these runs went so far, each counted from the moment given with it, by one statement."""
    rows: dict[str, list[_Row]] = {run: [] for run in runs}
    if not rows:
        return {}
    for run, verb, subject, moment in _OF_STEPS.tuples(runs=list(runs)):
        rows[run].append((verb, subject, moment))
    seen = {run: _seen_in(rows[run], "", since, at) for run, since in runs.items()}
    return {run: Course(steps=each.opened, at_once=each.open_now, minutes=each.minutes) for run, each in seen.items()}


_OF_STEPS: PreparedList[Event] = PreparedList(
    lambda runs: (
        Event.objects.filter(run__in=runs, verb__in=OF_STEPS)
        .exclude(data__has_key="instance")
        .order_by()
        .values_list("run", "verb", "subject_id", "at")
    ),
    runs=str,
)


@dataclass(frozen=True)
class _Seen:
    """What the ledger says about the steps of a run."""

    opened: int
    open_now: int
    tries: int
    minutes: int
    progress_at: datetime | None


def _seen(run: str, step: str, since: datetime | None, at: datetime) -> _Seen:
    # Instances that the drawing itself asks for are no circle; how many they may be is a limit of runs.
    told = Event.objects.filter(run=run, verb__in=OF_STEPS).exclude(data__has_key="instance")
    return _seen_in(list(told.order_by().values_list("verb", "subject_id", "at")), step, since, at)


_Row = tuple[str, str, datetime]


def _seen_in(rows: Sequence[_Row], step: str, since: datetime | None, at: datetime) -> _Seen:
    fresh = [row for row in rows if since is None or row[2] > since]
    opened = {subject for verb, subject, _ in fresh if verb == "step.opened"}
    ended = {subject for verb, subject, _ in rows if verb in ENDED}
    began = since or min((moment for verb, _, moment in rows if verb == "run.started"), default=at)
    finished = [moment for verb, _, moment in rows if verb == "step.finished"]
    return _Seen(
        opened=sum(verb == "step.opened" for verb, _, _ in fresh), open_now=len(opened - ended),
        tries=sum(verb == "step.claimed" and subject == step for verb, subject, _ in fresh),
        minutes=int((at - began).total_seconds() // 60),
        progress_at=max([*finished, *([since] if since else [])], default=None),
    )  # fmt: skip


def _stop(reason: str, rule: str) -> Ruling:
    return Ruling(
        verdict=Verdict.DENY, rule=rule, policy=None, policy_version=None, reason=reason, because=(f"built-in#{rule}",)
    )


# --- after a question was answered ------------------------------------------------------------------------------
def kept(watch: Watch, ruling: Ruling) -> dict[str, Any]:
    """What the decision keeps for later ones: its matter, and whether it stood under taint."""
    tainted = taints(sources_of(watch.asking))
    if ruling.verdict is Verdict.ALLOW and not tainted:
        tainted = watch.guard is not None and watch.guard.is_untrusted
    elif ruling.verdict is Verdict.DENY and not tainted:
        tainted = _was_tainted(watch.asking)
    return {"matter_sha256": watch.matter, "tainted": tainted}


def _was_tainted(asking: Asking) -> bool:
    tally = asking.known.tally
    if tally is None or asking.question.place.run:
        return is_tainted(asking)
    if tally.tainted is None:
        tally.tainted = is_tainted(asking)
    return tally.tainted


def look_back(decision: Decision, watch: Watch) -> None:
    """What follows from a denial: work in circles opens an incident, too many denials put the agent in quarantine."""
    known = watch.asking.known
    if known.tally is not None:
        _count(known.tally, decision, watch)
    if decision.effect != Decision.Effect.DENY or decision.rule in NO_BLAME:
        return
    why = why_quarantine(_conduct(decision, watch), watch.limits)
    opens = decision.rule == LOOP and not watch.is_stopped
    if known.tally is not None and (why or opens):
        raise AskEachAlone
    if opens:
        _open_loop(decision, watch.asking)
    if why:
        quarantine(known.agent, why=why, at=decision.at)


def _count(tally: Tally, decision: Decision, watch: Watch) -> None:
    repeats = watch.asking.known.repeats
    if watch.matter in repeats:
        repeats[watch.matter] += 1
    tally.tainted = True if decision.tainted else tally.tainted


def _conduct(decision: Decision, watch: Watch) -> Conduct:
    """What the agent was denied lately, this decision included."""
    known = watch.asking.known
    if known.tally is None:
        return denials_of(known.agent, watch.limits, decision.at)
    # Of the decisions that are answered together none is written yet.
    before = known.tally.denied or denials_of(known.agent, watch.limits, decision.at)
    known.tally.denied = replace(before, denials=before.denials + 1, signs=before.signs + decision.tainted)
    return known.tally.denied


def _open_loop(decision: Decision, asking: Asking) -> None:
    run = asking.question.place.run
    same = Decision.objects.filter(run=run, **({} if run else {"agent": asking.agent})).order_by("-id")[
        :EVIDENCE_AT_MOST
    ]
    about = _about(asking.agent, run)
    open_incident(
        Incident.Kind.LOOP, about, why=decision.reason, at=decision.at, agent=asking.agent, run=run, evidence=same
    )
