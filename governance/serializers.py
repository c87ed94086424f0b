"""Input and output shapes of governance."""

from typing import Any

from rest_framework import serializers

from agents.api.doors import StrictSerializer, Text, Whole
from agents.models import Agent
from agents.operations import ceiling_of
from agents.rules import AUTONOMY
from governance.models import PromotionRequest
from governance.operations import DAYS, LONGEST_DAYS, Access, Span
from governance.operations.access import Cell, Grant, Line
from governance.rules.evidence import Evidence


class PolicyTextInput(StrictSerializer):
    """A policy as text, YAML or JSON."""

    text = Text(max_length=400_000, trim_whitespace=False)


class PolicyInput(PolicyTextInput):
    """A policy to keep as a draft; `unit` is the code of the unit a new policy belongs to, by default one's own."""

    unit = Text(max_length=60, allow_blank=True, default="")


class ActivateInput(StrictSerializer):
    """Which version shall decide from now on."""

    version = Whole(min_value=1)


class EvidenceQuery(StrictSerializer):
    """How many days the evidence is about."""

    days = Whole(min_value=1, max_value=LONGEST_DAYS, default=DAYS)


class PromotionInput(StrictSerializer):
    """Why the agent should act one level higher."""

    reason = Text(max_length=4000)


class PromotionAnswerInput(StrictSerializer):
    """The reason for an answer to a request; needed to reject."""

    reason = Text(max_length=4000, allow_blank=True, default="")


def promotion_of(asked: PromotionRequest) -> dict[str, Any]:
    """A request for promotion as the API shows it, with the evidence as it was when asked."""
    return {
        "id": asked.uid, "agent": asked.agent.code, "from_level": asked.from_level, "to_level": asked.to_level,
        "status": asked.status, "reason": asked.reason, "asked_by": asked.asked_by.name, "asked_at": asked.asked_at,
        "decided_by": asked.decided_by.name if asked.decided_by else None, "decided_at": asked.decided_at,
        "answer": asked.answer, "evidence_since": asked.evidence_since, "evidence": asked.evidence,
    }  # fmt: skip


def evidence_data(agent: Agent, span: Span, evidence: Evidence) -> dict[str, Any]:
    """The evidence for an agent's autonomy; shares are text with four places, with their 95 % interval."""
    return {
        "agent": agent.code, "level": agent.autonomy_level, "since": span.since, "until": span.until,
        "demoted_at": span.demoted_at, **evidence.as_data(),
    }  # fmt: skip


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


class DelegationInput(StrictSerializer):
    """Who (`to`) decides for whom (`person`, by default oneself), until when, within which limits, and why."""

    person = Text(max_length=80, allow_blank=True, default="")
    to = Text(max_length=80)
    starts_at = serializers.DateTimeField(allow_null=True, default=None)
    ends_at = serializers.DateTimeField()
    paths = serializers.ListField(child=Text(max_length=60), default=list, max_length=200)
    risk_at_most = Whole(min_value=1, max_value=3, default=3)
    unit = Text(max_length=60, allow_blank=True, default="")
    reason = Text(max_length=2000)


class EndInput(StrictSerializer):
    """Why a delegation ends early."""

    reason = Text(max_length=2000, allow_blank=True, default="")
