"""Shapes of what an agent may do alone, must ask about and never does."""

from typing import Any

from rest_framework import serializers

from agents.models import Agent
from agents.operations import ceiling_of
from agents.rules import AUTONOMY
from governance.operations import Access
from governance.operations.access import Cell, Grant, Line


class RuleNameOutput(serializers.Serializer[Any]):
    """A rule of a policy."""

    policy = serializers.CharField()
    rule = serializers.CharField()


class LineOutput(serializers.Serializer[Any]):
    """One thing that an agent may do, must ask about or never does."""

    what = serializers.CharField()
    conditions = serializers.ListField(child=serializers.CharField())
    rule = RuleNameOutput(allow_null=True)
    note = serializers.CharField()


class GivenOutput(serializers.Serializer[Any]):
    """Who gave a right, when and why; null for what came with hiring."""

    given_by = serializers.CharField(allow_null=True)
    given_at = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField()


class OtherRightOutput(GivenOutput):
    """A right on something else than a system."""

    right = serializers.CharField()


class CellOutput(serializers.Serializer[Any]):
    """What holds for one action in a system, and where it comes from."""

    action = serializers.CharField()
    effect = serializers.CharField()
    origin = serializers.CharField()
    rules = RuleNameOutput(many=True)
    grant = GivenOutput(allow_null=True)


class SystemAccessOutput(serializers.Serializer[Any]):
    """What an agent may do in one system; `scope` is the unit that the system belongs to."""

    system = serializers.CharField()
    name = serializers.CharField()
    scope = serializers.CharField()
    cells = CellOutput(many=True)


class BoundariesOutput(serializers.Serializer[Any]):
    """What an agent may do alone, must ask about and never does, and its access to each system."""

    agent = serializers.CharField()
    level = serializers.IntegerField()
    level_means = serializers.CharField()
    ceiling = serializers.IntegerField()
    may_do_alone = LineOutput(many=True)
    must_ask = LineOutput(many=True)
    never = LineOutput(many=True)
    matrix = SystemAccessOutput(many=True)
    other_rights = OtherRightOutput(many=True)


def boundaries_data(agent: Agent, access: Access) -> dict[str, Any]:
    """What the agent may do alone, must ask about and never does, and every cell of the access matrix."""
    level = agent.autonomy_level
    return {
        "agent": agent.code, "level": level, "level_means": AUTONOMY[level], "ceiling": ceiling_of(agent),
        "may_do_alone": [_line(line) for line in access.alone], "must_ask": [_line(line) for line in access.asks],
        "never": [_line(line) for line in access.never],
        "matrix": [
            {
                "system": row.system.code, "name": row.system.name, "scope": row.system.unit.name,
                "cells": [_cell(cell) for cell in row.cells if cell.effect],
            }
            for row in access.table
        ],
        "other_rights": [{"right": grant.words, **_given(grant)} for grant in access.others],
    }  # fmt: skip


def _line(line: Line) -> dict[str, Any]:
    rule = {"policy": line.bound.policy.key, "rule": line.bound.rule.id} if line.bound else None
    return {"what": line.words, "conditions": list(line.conditions), "rule": rule, "note": line.note}


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "action": cell.word, "effect": cell.effect, "origin": cell.origin,
        "rules": [{"policy": bound.policy.key, "rule": bound.rule.id} for bound in cell.rules],
        "grant": _given(cell.grant) if cell.grant else None,
    }  # fmt: skip


def _given(grant: Grant) -> dict[str, Any]:
    event = grant.event
    return {
        "given_by": event.actor_name if event else None, "given_at": event.at if event else None,
        "why": event.why if event else "",
    }  # fmt: skip
