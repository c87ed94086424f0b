"""Batches: several questions answered in one transaction. What they have in common is looked up once, rows are locked
in one order whatever the order of the questions, and all is written together."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from django.db import transaction

from agents.models import Agent
from governance.models import Decision, Escalation
from governance.operations.breakers import AskEachAlone
from governance.operations.budgets.holding import hold_in_order
from governance.operations.circuits import hold_circuits
from governance.operations.decisions import (
    Put,
    answer_held,
    evaluate,
    event_of,
    follow,
    given_again,
    put,
    record_of,
    same_question,
    write_down,
)
from governance.operations.facts import Asking, Circumstances, Question, Tally
from governance.operations.history import hold_history
from observability import ledger
from observability.models import Event

log = logging.getLogger(__name__)

Prepared = tuple[Question, Circumstances]
Answered = Decision | ledger.Refused
Keys = tuple[int, str]


def evaluate_all(
    asked: Iterable[Prepared | ledger.Refused], *, by: ledger.Acts, enough: Callable[[Answered], bool]
) -> list[Answered]:
    """The answers to several questions, each recorded, or why one is none, up to the one that is `enough`. All are
    written together; if that fails, or if one concerns the others, each by itself."""
    questions = list(asked)
    try:
        return _together(questions, by, enough)
    except AskEachAlone:
        log.info("what followed from one of several questions concerned the others; each is asked alone")
    except Exception as broken:
        log.error("several questions could not be answered together; each is asked alone", exc_info=broken)
    return _each(questions, enough, lambda each: evaluate(each[0], known=each[1], by=by))


def _each(
    asked: Iterable["Prepared | Put | ledger.Refused"], enough: Callable[[Answered], bool],
    act: Callable[..., Decision],
) -> list[Answered]:  # fmt: skip
    answers: list[Answered] = []
    for each in asked:
        try:
            answers.append(each if isinstance(each, ledger.Refused) else act(each))
        except ledger.Refused as refused:
            answers.append(refused)
        if enough(answers[-1]):
            break
    return answers


def _together(
    questions: Sequence[Prepared | ledger.Refused], by: ledger.Acts, enough: Callable[[Answered], bool]
) -> list[Answered]:
    asked = [each if isinstance(each, ledger.Refused) else put(*each) for each in questions]
    plain = [each for each in asked if isinstance(each, Put)]
    everybody = list({id(each.known): each.known for each in plain}.values())
    try:
        with transaction.atomic():
            for moment in {id(known.moment): known.moment for known in everybody}.values():
                moment.begin()
            for known in everybody:
                known.forget()
                known.tally = Tally()
            batch = _Batch(by, _given_before(plain))
            _expect(plain)
            _hold_in_order(plain)
            answers = _each(asked, enough, batch.answer)
            batch.write_down()
            return answers
    finally:
        for known in everybody:
            known.tally = None


class _Batch:
    """Questions that are answered in one transaction, and what is not yet written of it."""

    def __init__(self, by: ledger.Acts, given: dict[Keys, Decision]) -> None:
        self.by = by
        self.given = given
        self.made: list[tuple[Decision, Event]] = []

    def answer(self, asked: Put) -> Decision:
        """The decision about one of them. What goes wrong undoes all of them, and each is asked again by itself."""
        given = same_question(self.given.get((asked.known.agent.pk, asked.question.request_key)), asked)
        if given is not None:
            return given_again(given, asked, self.by)
        if _looks_back(asked):
            self.write_down()
        answer = answer_held(asked)
        decision = record_of(answer, self.by)
        self.made.append((decision, event_of(decision, self.by)))
        if (answer.held is not None and answer.held.holds) or asked.known.shadows.cover(asked.question.action):
            self.write_down()
        follow(decision, answer)
        return decision

    def write_down(self) -> None:
        """Write what was decided since the last time."""
        if self.made:
            write_down(self.made)
            self.made = []


def _looks_back(asked: Put) -> bool:
    """Whether earlier decisions, those of this batch included, are among the facts of this one."""
    groups = _groups(asked) & {"rate", "history"}
    return bool(groups or asked.known.answered(asked.digest) or asked.question.place.run or asked.question.place.step)


def _groups(asked: Put) -> set[str]:
    action = asked.question.action
    return {path.partition(".")[0] for path in asked.known.rules.needs(action)} | asked.known.shadows.groups(action)


# --- looked up together ---------------------------------------------------------------------------------------
def _given_before(asked: Iterable[Put]) -> dict[Keys, Decision]:
    keys: defaultdict[Agent, list[str]] = defaultdict(list)
    for each in asked:
        if each.question.request_key:
            keys[each.known.agent].append(each.question.request_key)
    return {
        (agent.pk, row.request_key): row
        for agent, some in keys.items()
        for row in Decision.objects.filter(agent=agent, request_key__in=some)
    }


def _expect(asked: Iterable[Put]) -> None:
    by_agent: dict[int, list[Put]] = {}
    for each in asked:
        by_agent.setdefault(id(each.known), []).append(each)
    for some in by_agent.values():
        known = some[0].known
        matters = {each.matter for each in some if not each.question.place.run}
        known.expect_all([each.digest for each in some], matters)


# --- locks ----------------------------------------------------------------------------------------------------
def _hold_in_order(asked: Sequence[Put]) -> None:
    """Lock whatever these questions will lock, each kind in the order in which one question does, and within a kind by
    key: of two batches that ask the same the other way round, one waits for the other and neither in a ring."""
    askings = [Asking(each.question, each.digest, each.known) for each in asked]
    hold_history([asking for each, asking in zip(asked, askings, strict=True) if _groups(each) & {"rate", "history"}])
    approvals = chain.from_iterable(each.known.answered(each.digest) for each in asked)
    given = {each.pk for each in approvals if each.status == Escalation.Status.APPROVED}
    if given:
        list(Escalation.objects.select_for_update().filter(pk__in=given).order_by("pk").values_list("pk"))
    hold_in_order(askings)
    hold_circuits(guard for each in asked if (guard := each.known.guard_of(each.question.action)) is not None)
