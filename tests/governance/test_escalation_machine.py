"""Whatever people, time and agents do to a question: it leaves `pending` once, and by people who are asked."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar

import pytest
from django.db import transaction
from django.forms.models import model_to_dict
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agents.models import Principal
from governance import operations as governance
from governance.models import Escalation
from governance.operations import Asked, Level
from observability import ledger
from observability.models import Event
from workflows import operations

PEOPLE = ("priya", "maria", "daniel", "sofia", "lukas", "edith", "ingrid")
ON_LEVEL = {1: {"priya", "maria"}, 2: {"daniel"}}
FINAL = {"approved", "rejected", "expired", "withdrawn"}
UNDO = timedelta(seconds=10)
NUMBERS = count(1)


@dataclass
class Answered:
    """What the machine knows about the answer that is held: whose, which, and until when it can be undone."""

    by: str
    to: str
    effect_at: datetime


@dataclass
class Told:
    """The question as the machine expects it: written down beside the code, and simpler."""

    due_at: datetime
    status: str = "open"
    level: int = 1
    approved_by: set[str] = field(default_factory=set)
    held: Answered | None = None
    inactive: set[str] = field(default_factory=set)


class Question(RuleBasedStateMachine):
    """One question and everybody who may touch it."""

    halden: ClassVar[Any]
    start: ClassVar[datetime]

    def __init__(self) -> None:
        super().__init__()
        self.all = transaction.atomic()
        self.all.__enter__()
        self.at = self.start
        self.told = Told(self.start)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.all.__exit__(None, None, None)
        for person in self.halden.people.values():
            person.is_active = True

    @initialize(approvals=st.integers(1, 2), without=st.sampled_from(["", "maria"]))
    def ask(self, approvals: int, without: str) -> None:
        """An agent's question on a path of two levels, an hour each; perhaps maria asked for it and is left out."""
        people, number = self.halden.people, next(NUMBERS)
        levels = [Level(3600, tuple(people[name] for name in sorted(ON_LEVEL[level]))) for level in ON_LEVEL]
        unit, agent = self.halden.units["finance"], self.halden.agents["AP-04"]
        path = governance.add_path(
            f"machine-{number}", "Machine", unit=unit, levels=levels, by=ledger.SYSTEM, at=self.at
        )  # fmt: skip
        asked = Asked(
            kind="action", title="May I?", path=path, unit=unit, likeness="machine", request={}, agent=agent,
            request_sha256="ab" * 32, approvals=approvals, not_by=(people[without],) if without else (),
        )  # fmt: skip
        self.row = governance.open_escalation(asked, by=agent, at=self.at)
        self.approvals, self.without = approvals, without
        self.told.due_at = self.row.due_at

    # --- what can happen ----------------------------------------------------------------------------------------
    @rule(seconds=st.sampled_from([1, 9, 10, 11, 1800, 3600]))
    def time_passes(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)

    @precondition(lambda self: self.told.status == "open" and self.at < self.told.due_at)
    @rule()
    def the_deadline_comes(self) -> None:
        self.at = self.told.due_at

    @precondition(lambda self: self.told.status == "open")
    @rule(who=st.sampled_from(["priya", "maria", "daniel"]), to=st.sampled_from(["approved", "rejected"]))
    def who_may_be_asked_answers(self, who: str, to: str) -> None:
        self.somebody_answers(who=who, to=to, undo=10, sha="ab", reason="Because.")

    @rule(
        who=st.sampled_from(PEOPLE), to=st.sampled_from(["approved", "rejected"]), undo=st.sampled_from([10, 0]),
        sha=st.sampled_from(["ab", "ab", "ab", "cd"]), reason=st.sampled_from(["Because.", ""]),
    )  # fmt: skip
    def somebody_answers(self, who: str, to: str, undo: int, sha: str, reason: str) -> None:
        given = {"request_sha256": sha * 32, "reason": reason, "undo": timedelta(seconds=undo)}
        took = self.tried(lambda: operations.settle(self.row.uid, to, reviewer=self.person(who), at=self.at, **given))
        right = self.may_answer(who) and sha == "ab" and self.at < self.told.due_at and (to == "approved" or reason)
        right = right and not (to == "approved" and self.approvals == 2 and who in self.told.approved_by)
        assert took == bool(right)
        if took:
            self.answered(who, to, undo)

    def answered(self, who: str, to: str, undo: int) -> None:
        if to == "approved":
            self.told.approved_by.add(who)
            if len(self.told.approved_by) < self.approvals:
                return
        if undo:
            self.told.status, self.told.held = "held", Answered(who, to, self.at + UNDO)
        else:
            self.told.status = to

    @precondition(lambda self: self.told.held is not None)
    @rule(who=st.sampled_from(["priya", "maria", "daniel", "sofia"]))
    def somebody_undoes(self, who: str) -> None:
        held = self.told.held
        took = self.tried(lambda: operations.undo(self.row.uid, by=self.person(who), at=self.at))
        assert took == (held is not None and held.by == who and self.at < held.effect_at)
        if took:
            self.open_again()

    def open_again(self) -> None:
        assert self.told.held is not None
        self.told.approved_by.discard(self.told.held.by)
        self.told.status, self.told.held = "open", None

    @precondition(lambda self: self.told.held is not None)
    @rule()
    def held_answers_take_effect(self) -> None:
        for due in Escalation.objects.taking_effect(self.at).filter(pk=self.row.pk):
            operations.take_effect(due, at=self.at)
        held = self.told.held
        if held is None or self.at < held.effect_at:
            return
        if held.by in self.told.inactive:
            self.open_again()
        else:
            self.told.status, self.told.held = held.to, None

    @rule()
    def deadlines_pass(self) -> None:
        for late in Escalation.objects.overdue(self.at).filter(pk=self.row.pk):
            operations.pass_deadline(late, at=self.at)
        if self.told.status != "open" or self.at < self.told.due_at:
            return
        if self.told.level == 2:
            self.told.status = "expired"
        else:
            self.told.level, self.told.due_at = 2, self.at + timedelta(hours=1)

    @precondition(lambda self: self.at > self.start)
    @rule()
    def the_agent_takes_it_back(self) -> None:
        took = self.tried(lambda: governance.cancel_access(self.fresh(), by=self.halden.agents["AP-04"], at=self.at))
        assert took == (self.told.status in ("open", "held"))
        if took:
            self.told.status, self.told.held = "withdrawn", None

    @precondition(lambda self: self.told.held is not None)
    @rule()
    def who_answered_leaves_before_it_takes_effect(self) -> None:
        assert self.told.held is not None
        if self.told.held.by not in self.told.inactive:
            self.somebody_leaves_or_comes_back(who=self.told.held.by)
        self.at = max(self.at, self.told.held.effect_at)

    @rule(who=st.sampled_from(PEOPLE[:3]))
    def somebody_leaves_or_comes_back(self, who: str) -> None:
        gone = who not in self.told.inactive
        Principal.objects.filter(pk=self.halden.people[who].pk).update(is_active=not gone)
        (self.told.inactive.add if gone else self.told.inactive.discard)(who)

    # --- what always holds --------------------------------------------------------------------------------------
    @invariant()
    def it_stands_as_expected(self) -> None:
        row = self.fresh()
        assert (row.status, row.asked.level) == (self.told.status, self.told.level)
        assert row.due_at == self.told.due_at
        assert set(row.votes.values_list("person__username", flat=True)) <= self.told.approved_by

    @invariant()
    def it_ends_once_and_says_who_ended_it(self) -> None:
        row = self.fresh()
        ends = Event.objects.filter(subject_id=str(row.uid), verb__in=[f"escalation.{each}" for each in FINAL])
        assert [event.verb for event in ends] == ([f"escalation.{row.status}"] if row.status in FINAL else [])
        if row.status in ("approved", "rejected"):
            assert row.settled_by is not None
            assert ends.get().actor_id == row.settled_by.username != self.without
        assert (row.approved_until is not None) == (row.status == "approved")

    # --- how it is asked ----------------------------------------------------------------------------------------
    def fresh(self) -> Escalation:
        return Escalation.objects.get(pk=self.row.pk)

    def person(self, name: str) -> Principal:
        return Principal.objects.get(username=name)

    def may_answer(self, who: str) -> bool:
        asked = ON_LEVEL[self.told.level] - {self.without} - self.told.inactive
        return self.told.status == "open" and who in asked

    def tried(self, act: Any) -> bool:
        before, events = model_to_dict(self.fresh()), Event.objects.count()
        try:
            with transaction.atomic():
                act()
        except ledger.Refused:
            assert (model_to_dict(self.fresh()), Event.objects.count()) == (before, events), "refused, yet changed"
            return False
        return True


@pytest.mark.parametrize("examples", [100])
def test_a_question_leaves_pending_once_whatever_happens(halden: Any, now: datetime, examples: int) -> None:
    Question.halden, Question.start = halden, now
    chosen = settings(
        max_examples=examples, stateful_step_count=25, deadline=None, derandomize=True,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    run_state_machine_as_test(Question, settings=chosen)
