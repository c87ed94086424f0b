"""The test bench as its page shows it: the inputs of one question, and what each rule makes of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from governance.forms.policy import shown
from governance.language import Field, Kind, find
from governance.language.values import show
from governance.operations import Inputs, Tried, plain_facts
from governance.rules.explaining import Outcome

YES_NO = (("", "Not given"), ("yes", "Yes"), ("no", "No"))
OUTCOMES = {
    Outcome.MATCHES: ("Matches", "acc"), Outcome.DIFFERS: ("Does not match", ""),
    Outcome.COUNTS: ("Counts, because something is missing", "warn"),
    Outcome.SKIPPED: ("Skipped: something is missing", ""),
}  # fmt: skip


@dataclass
class Input:
    """One field of the question."""

    name: str
    field: Field
    value: str
    choices: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    hint: str = ""

    @property
    def unit(self) -> str:
        """The unit of the field, when it is the same for every question."""
        return self.field.unit_for({})


@dataclass
class BenchCards:
    """The inputs of a question, and the answer."""

    asked: list[Input] = field(default_factory=list)
    known: list[Input] = field(default_factory=list)


def inputs(given: Inputs, values: Mapping[str, str], wrong: Mapping[str, str], now: Mapping[str, Any]) -> BenchCards:
    """The controls of a question with the values typed; `now` are the facts that hold where nothing is typed."""
    return BenchCards(
        [_input("asked", each, values, wrong, {}) for each in given.asked],
        [_input("known", each, values, wrong, now) for each in given.known],
    )


def _input(
    group: str, each: Field, values: Mapping[str, str], wrong: Mapping[str, str], now: Mapping[str, Any]
) -> Input:
    name = f"{group}.{each.path}"
    held = find(now, each.path)
    words = tuple((word, word) for word in ("", *each.enum)) if each.enum else ()
    choices = YES_NO if each.kind is Kind.BOOL else words
    if group == "known" and choices:
        choices = (("", f"As it is: {show(held)}" if held is not None else "As it is"), *choices[1:])
    hint = f"Now: {show(held)}" if held is not None and not choices else ""
    return Input(name, each, values.get(name, ""), choices, wrong.get(each.path, ""), hint)


def typed_values(data: QueryDict) -> dict[str, str]:
    """What was typed into the inputs, by name."""
    given = {name: str(value) for name, value in data.items() if name.startswith(("asked.", "known."))}
    return {name: value for name, value in given.items() if value.strip()}


def nested(values: Mapping[str, str], group: str, fields: tuple[Field, ...]) -> dict[str, Any]:
    """The typed values of one group as nested JSON, each as its field wants it; what does not fit stays text."""
    result: dict[str, Any] = {}
    for each in fields:
        text = values.get(f"{group}.{each.path}", "").strip()
        if not text:
            continue
        *parts, name = each.path.split(".")
        inner = result
        for part in parts:
            inner = inner.setdefault(part, {})
        inner[name] = _read(text, each)
    return result


def _read(text: str, each: Field) -> Any:
    if each.kind is Kind.BOOL and text in ("yes", "no"):
        return text == "yes"
    if each.kind is Kind.INT and re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        return int(text)
    if each.kind is Kind.LIST:
        return [item.strip() for item in text.split(",") if item.strip()]
    return text


def as_typed(facts: Mapping[str, Any], given: Inputs) -> dict[str, str]:
    """Known facts as what one would type, to begin with."""
    values = {}
    for group, fields in (("asked", given.asked), ("known", given.known)):
        for each in fields:
            value = plain_facts(find(facts, each.path))
            if value is not None:
                values[f"{group}.{each.path}"] = _text(value)
    return values


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else shown(value)


def answer_cards(tried: Tried) -> list[dict[str, Any]]:
    """One card for each rule, the one that decides first; of a policy that the reader may not see only that it has
    one."""
    cards: list[dict[str, Any]] = []
    for reading in sorted(tried.explanation.rules, key=lambda reading: not reading.decides):
        if reading.policy.key not in tried.visible:
            cards.append({"hidden": True})
            continue
        words, tone = OUTCOMES[reading.outcome]
        cards.append({
            "reading": reading, "words": words, "tone": tone,
            "problem": f"{reading.missing} is not given" if reading.missing else reading.failure,
        })  # fmt: skip
    return cards
