"""Workflows, rules: the values that a DMN file consists of once it was read, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class HitPolicy(StrEnum):
    """Which of the rules that match decides."""

    UNIQUE = "UNIQUE"
    ANY = "ANY"
    FIRST = "FIRST"
    PRIORITY = "PRIORITY"
    COLLECT = "COLLECT"
    RULE_ORDER = "RULE ORDER"
    OUTPUT_ORDER = "OUTPUT ORDER"


MANY = frozenset({HitPolicy.COLLECT, HitPolicy.RULE_ORDER, HitPolicy.OUTPUT_ORDER})


@dataclass(frozen=True)
class Input:
    """A column that is looked at: what it is called, the expression whose value it holds, and the kind of value."""

    label: str
    expression: str
    kind: str = ""
    values: str = ""


@dataclass(frozen=True)
class Output:
    """A column that is answered: its name, the kind of value, and the values it may have in falling priority."""

    name: str
    label: str = ""
    kind: str = ""
    values: tuple[str, ...] = ()
    default: str = ""


@dataclass(frozen=True)
class Rule:
    """A row: one entry for each input, one for each output."""

    id: str
    when: tuple[str, ...]
    then: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Decision:
    """One decision: a table, or with `expression` the value of that expression; `requires` are decided before it."""

    id: str
    name: str
    requires: tuple[str, ...] = ()
    hit_policy: HitPolicy = HitPolicy.UNIQUE
    aggregation: str = ""
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    rules: tuple[Rule, ...] = ()
    expression: str = ""
    variable: str = ""

    @property
    def answers_many(self) -> bool:
        """Whether it answers a list."""
        return self.hit_policy in MANY and not self.aggregation


@dataclass(frozen=True)
class Model:
    """The decisions of a file in an order in which each comes after those that it requires; the last one answers."""

    name: str
    decisions: tuple[Decision, ...]

    @property
    def main(self) -> Decision:
        """The decision that is asked for."""
        return self.decisions[-1]

    def to_json(self) -> dict[str, Any]:
        """The model as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Model:
        """The model that `to_json` made the document of."""
        return cls(document["name"], tuple(_decision(row) for row in document["decisions"]))


def _decision(row: Mapping[str, Any]) -> Decision:
    return Decision(
        **{
            **row,
            "requires": tuple(row["requires"]),
            "hit_policy": HitPolicy(row["hit_policy"]),
            "inputs": tuple(Input(**each) for each in row["inputs"]),
            "outputs": tuple(Output(**{**each, "values": tuple(each["values"])}) for each in row["outputs"]),
            "rules": tuple(
                Rule(**{**each, "when": tuple(each["when"]), "then": tuple(each["then"])}) for each in row["rules"]
            ),
        }
    )
