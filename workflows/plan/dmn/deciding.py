"""Workflows, rules: a model and facts in, what was decided out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal, DecimalException
from typing import Any

from workflows.plan.dmn.feel import evaluate, holds
from workflows.plan.dmn.grammar import FeelInvalid
from workflows.plan.dmn.tables import Decision, HitPolicy, Model, Output, Rule
from workflows.plan.dmn.values import EXACT, FeelFailed, Range, Value, as_kind, shown


class DecisionFailed(Exception):
    """The table decides nothing for these facts; the message names the table and says why."""


@dataclass(frozen=True)
class Decided:
    """What a model decided: the values of the main decision by output, and the rules that matched by decision."""

    values: Mapping[str, Any]
    matched: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def evaluate_json(table: Mapping[str, Any], facts: Mapping[str, object]) -> dict[str, Any]:
    """What the model in this JSON decides: the values of the main decision by output. Raises DecisionFailed."""
    return dict(decide(Model.from_json(table), facts).values)


def decide(model: Model, facts: Mapping[str, object]) -> Decided:
    """Decide everything that the main decision requires, then itself. Rules count from 1. Raises DecisionFailed."""
    known = dict(facts)
    matched: dict[str, tuple[int, ...]] = {}
    values: dict[str, Any] = {}
    for decision in model.decisions:
        values, matched[decision.id] = _decided(decision, known)
        known |= values
        known[decision.variable or decision.id] = next(iter(values.values())) if len(values) == 1 else values
    return Decided({name: _plain(value) for name, value in values.items()}, matched)


def _decided(decision: Decision, facts: Mapping[str, object]) -> tuple[dict[str, Value], tuple[int, ...]]:
    try:
        if decision.expression:
            return {decision.variable or decision.id: _whole(evaluate(decision.expression, facts))}, ()
        rows = _matching(decision, facts)
        return _answer(decision, rows, facts), tuple(number for number, _ in rows)
    except (FeelFailed, FeelInvalid) as wrong:
        raise DecisionFailed(f"“{decision.name}”: {wrong}") from wrong
    except DecimalException as wrong:
        raise DecisionFailed(f"“{decision.name}”: A number in it is none, or too large.") from wrong


def _matching(decision: Decision, facts: Mapping[str, object]) -> list[tuple[int, Rule]]:
    tested = [as_kind(evaluate(each.expression, facts), each.kind) for each in decision.inputs]
    for column, value in zip(decision.inputs, tested, strict=True):
        if column.values and value is not None and not holds(column.values, value, facts):
            raise FeelFailed(f"{column.label} is {shown(value)}, which is none of {column.values}.")
    found = []
    for number, rule in enumerate(decision.rules, 1):
        if all(holds(entry, value, facts) for entry, value in zip(rule.when, tested, strict=True)):
            found.append((number, rule))
            if decision.hit_policy == HitPolicy.FIRST:
                break
    return found


def _answer(decision: Decision, rows: Sequence[tuple[int, Rule]], facts: Mapping[str, object]) -> dict[str, Value]:
    answers = [_outputs(decision, rule.then, facts) for _, rule in rows]
    if decision.aggregation:
        return {decision.outputs[0].name: _aggregated(decision, [row[decision.outputs[0].name] for row in answers])}
    if decision.answers_many:
        if decision.hit_policy == HitPolicy.OUTPUT_ORDER:
            answers.sort(key=lambda row: _ranks(decision, row, facts))
        return {each.name: [row[each.name] for row in answers] for each in decision.outputs}
    if not answers:
        return _by_default(decision, facts)
    return _single(decision, rows, answers, facts)


def _single(
    decision: Decision, rows: Sequence[tuple[int, Rule]], answers: list[dict[str, Value]], facts: Mapping[str, object]
) -> dict[str, Value]:
    numbers = " and ".join(str(number) for number, _ in rows)
    if decision.hit_policy == HitPolicy.UNIQUE and len(answers) > 1:
        raise FeelFailed(f"The rules {numbers} match at once, and only one may.")
    if decision.hit_policy == HitPolicy.ANY and any(row != answers[0] for row in answers):
        raise FeelFailed(f"The rules {numbers} match and do not answer the same.")
    if decision.hit_policy == HitPolicy.PRIORITY:
        return min(answers, key=lambda row: _ranks(decision, row, facts))
    return answers[0]


def _by_default(decision: Decision, facts: Mapping[str, object]) -> dict[str, Value]:
    if not all(each.default for each in decision.outputs):
        seen = ", ".join(f"{each.label} = {shown(evaluate(each.expression, facts))}" for each in decision.inputs)
        raise FeelFailed(f"No rule matches: {seen}.")
    return _outputs(decision, tuple(each.default for each in decision.outputs), facts)


def _outputs(decision: Decision, entries: tuple[str, ...], facts: Mapping[str, object]) -> dict[str, Value]:
    return {
        each.name: _allowed(each, as_kind(_whole(evaluate(entry or "null", facts)), each.kind), facts)
        for each, entry in zip(decision.outputs, entries, strict=True)
    }


def _whole(value: Value) -> Value:
    """The value, without a range in it. Raises FeelFailed."""
    if isinstance(value, Range):
        raise FeelFailed("A range is no answer: it only tests one.")
    return [_whole(each) for each in value] if isinstance(value, list) else value


def _allowed(output: Output, value: Value, facts: Mapping[str, object]) -> Value:
    if output.values and value is not None and value not in [evaluate(each, facts) for each in output.values]:
        raise FeelFailed(f"{output.name} is {shown(value)}, which is none of {', '.join(output.values)}.")
    return value


def _ranks(decision: Decision, row: Mapping[str, Value], facts: Mapping[str, object]) -> tuple[int, ...]:
    ranked = [each for each in decision.outputs if each.values]
    return tuple([evaluate(text, facts) for text in each.values].index(row[each.name]) for each in ranked)


def _aggregated(decision: Decision, values: list[Value]) -> Value:
    if decision.aggregation == "COUNT":
        return Decimal(len(values))
    if any(not isinstance(each, Decimal) for each in values):
        raise FeelFailed(f"{decision.aggregation} needs numbers.")
    if decision.aggregation == "SUM":
        total = Decimal(0)
        for each in values:
            total = EXACT.add(total, each)
        return total
    if not values:
        raise FeelFailed(f"No rule matches, and {decision.aggregation} of nothing is no number.")
    return min(values) if decision.aggregation == "MIN" else max(values)


def _plain(value: Value) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, timedelta) else value
