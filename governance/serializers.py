"""Input and output shapes of governance."""

from typing import Any, ClassVar

from rest_framework import serializers

from agents.models import Agent, Principal
from agents.operations import ceiling_of
from agents.rules import AUTONOMY
from governance.models import Decision, Delegation, Policy, PolicyVersion, PromotionRequest, Replay
from governance.operations import DAYS, LONGEST_DAYS, Access, Span
from governance.operations.access import Cell, Grant, Line
from governance.rules import Effect, replaying
from governance.rules.evidence import Evidence
from governance.rules.replaying import Counts, by_rule, lines, matrix, of_agents
from observability.serializers import Digits, StrictSerializer, Text, Whole


class PolicyTextInput(StrictSerializer):
    """A policy as text, YAML or JSON."""

    example: ClassVar[dict[str, Any]] = {"text": "apiVersion: autonomyos/v1\nkind: Policy\n…"}

    text = Text(max_length=400_000, trim_whitespace=False)


class PolicyInput(PolicyTextInput):
    """A policy to keep as a draft; `unit` is the code of the unit a new policy belongs to, by default one's own."""

    example: ClassVar[dict[str, Any]] = {"text": "apiVersion: autonomyos/v1\nkind: Policy\n…", "unit": "finance"}

    unit = Text(max_length=60, allow_blank=True, default="")


class ActivateInput(StrictSerializer):
    """Which version shall decide from now on."""

    example: ClassVar[dict[str, Any]] = {"version": 2}

    version = Whole(min_value=1)


class PolicyOutput(serializers.ModelSerializer[Policy]):
    """A policy as the API shows it."""

    unit = serializers.CharField(source="unit.code")
    owner = serializers.CharField(source="owner.name")
    in_force = serializers.IntegerField(allow_null=True, help_text="The number of the version that decides now.")
    newest = serializers.IntegerField(help_text="The number of the newest version, which may be a draft.")

    class Meta:
        model = Policy
        fields = ["key", "title", "unit", "owner", "in_force", "newest"]


class PolicyVersionOutput(serializers.Serializer[Any]):
    """One version of a policy."""

    key = serializers.CharField()
    title = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(PolicyVersion.Status.choices)
    sha256 = serializers.CharField()


class RuleOutput(serializers.Serializer[Any]):
    """One rule as it was understood."""

    id = serializers.CharField()
    effect = serializers.ChoiceField([effect.value for effect in Effect])
    actions = serializers.ListField(child=serializers.CharField())


class CheckedOutput(serializers.Serializer[Any]):
    """A policy that would be accepted."""

    key = serializers.CharField()
    title = serializers.CharField()
    rules = RuleOutput(many=True)


class EvidenceQuery(StrictSerializer):
    """How many days the evidence is about."""

    days = Digits(min_value=1, max_value=LONGEST_DAYS, default=DAYS, help_text="How many days, up to now.")


class PromotionInput(StrictSerializer):
    """Why the agent should act one level higher."""

    example: ClassVar[dict[str, Any]] = {"reason": "Forty questions in a row were approved as asked."}

    reason = Text(max_length=4000)


class PromotionAnswerInput(StrictSerializer):
    """The reason for an answer to a request."""

    example: ClassVar[dict[str, Any]] = {"reason": "The sample is large enough."}

    reason = Text(max_length=4000, allow_blank=True, default="")


class ShareOutput(serializers.Serializer[Any]):
    """A share of a whole as text with four places, with its 95 % interval; null of nothing."""

    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    share = serializers.CharField(allow_null=True)
    small_sample = serializers.BooleanField()
    low = serializers.CharField(allow_null=True)
    high = serializers.CharField(allow_null=True)


class RecordOutput(serializers.Serializer[Any]):
    """What an agent did with one action, or with all (`action` is empty)."""

    action = serializers.CharField()
    approved = serializers.IntegerField()
    rejected = serializers.IntegerField()
    undone = serializers.IntegerField()
    alone = serializers.IntegerField()
    acted = serializers.IntegerField()
    failed = serializers.IntegerField()
    decided = serializers.IntegerField()
    overruled = serializers.IntegerField()
    median_seconds = serializers.CharField(allow_null=True)
    agreement = ShareOutput()
    overruling = ShareOutput()
    errors = ShareOutput()  # type: ignore[assignment]


class TriesOutput(serializers.Serializer[Any]):
    """How the steps went that the agent took."""

    finished = serializers.IntegerField()
    failed = serializers.IntegerField()
    median_seconds = serializers.CharField(allow_null=True)
    errors = ShareOutput()  # type: ignore[assignment]


class EvidenceOutput(serializers.Serializer[Any]):
    """The evidence for an agent's autonomy over a period."""

    agent = serializers.CharField()
    level = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    demoted_at = serializers.DateTimeField(allow_null=True)
    total = RecordOutput()
    actions = RecordOutput(many=True)
    tries = TriesOutput()


class PromotionOutput(serializers.Serializer[Any]):
    """A request for promotion; `evidence` stays as it was kept when asked."""

    id = serializers.UUIDField()
    agent = serializers.CharField()
    from_level = serializers.IntegerField()
    to_level = serializers.IntegerField()
    status = serializers.ChoiceField(PromotionRequest.Status.choices)
    reason = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField()
    evidence_since = serializers.DateTimeField()
    evidence = serializers.DictField()

    def to_representation(self, row: PromotionRequest) -> dict[str, Any]:
        """The request as the API shows it."""
        return promotion_of(row)


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

    example: ClassVar[dict[str, Any]] = {
        "to": "priya", "ends_at": "2030-12-31T00:00:00Z", "paths": ["accounts-payable"], "risk_at_most": 2,
        "reason": "On leave.",
    }  # fmt: skip

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

    example: ClassVar[dict[str, Any]] = {"reason": "Back a day early."}

    reason = Text(max_length=2000, allow_blank=True, default="")


class PersonNameOutput(serializers.Serializer[Any]):
    """A person: the name to sign in with, and the name that people read."""

    id = serializers.CharField()
    name = serializers.CharField()


class DelegationOutput(serializers.Serializer[Any]):
    """A delegation, with those of its paths and the unit that the reader may see; `etag` for If-Match."""

    id = serializers.UUIDField()
    person = PersonNameOutput()
    to = PersonNameOutput()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    status = serializers.ChoiceField(Delegation.Status.choices)
    paths = serializers.ListField(child=serializers.CharField())
    risk_at_most = serializers.IntegerField()
    unit = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    ended_at = serializers.DateTimeField(allow_null=True)
    etag = serializers.CharField()


class ReplayInput(StrictSerializer):
    """Over how many days, up to now, recorded decisions are decided again."""

    example: ClassVar[dict[str, Any]] = {"days": 30}

    days = Whole(min_value=1, max_value=366)


class CancelReplayInput(StrictSerializer):
    """Nothing: the address says which replay ends."""

    example: ClassVar[dict[str, Any]] = {}


class CrossingOutput(serializers.Serializer[Any]):
    """How many decisions go from one answer to another."""

    before = serializers.ChoiceField(Decision.Effect.choices)
    after = serializers.ChoiceField(Decision.Effect.choices)
    decisions = serializers.IntegerField()


class ReplayLineOutput(serializers.Serializer[Any]):
    """What is counted together; `differ` is how many of its decisions would have another answer."""

    name = serializers.CharField()
    decisions = serializers.IntegerField()
    differ = serializers.IntegerField()


class ReviewersOutput(serializers.Serializer[Any]):
    """What people would have to do: questions more and fewer, and minutes by the median time of their path."""

    more = serializers.IntegerField()
    fewer = serializers.IntegerField()
    minutes = serializers.CharField()
    without_median = serializers.IntegerField()


class ReplayResultOutput(serializers.Serializer[Any]):
    """What a replay found, of the decisions that the reader may see; `hidden` counts the others."""

    decisions = serializers.IntegerField()
    differ = serializers.IntegerField()
    hidden = serializers.IntegerField()
    matrix = CrossingOutput(many=True)
    rules = ReplayLineOutput(many=True)
    agents = ReplayLineOutput(many=True)
    units = ReplayLineOutput(many=True)
    amounts = ReplayLineOutput(many=True)
    reviewers = ReviewersOutput()


class ReplayOutput(serializers.Serializer[Any]):
    """A replay of a version over recorded decisions; `result` is null until it is done, and always in lists."""

    id = serializers.UUIDField()
    policy = serializers.CharField()
    version = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    status = serializers.ChoiceField(Replay.Status.choices)
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    not_ruled = serializers.IntegerField(help_text="Decisions that never reached the rules; they are not replayed.")
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    failure = serializers.CharField()
    looked_at = serializers.DateTimeField(allow_null=True)
    looked_by = serializers.CharField(allow_null=True)
    result = ReplayResultOutput(allow_null=True)

    def to_representation(self, row: Replay) -> dict[str, Any]:
        """The replay as this reader may see it."""
        reader: Principal | None = self.context.get("reader")
        result = replay_result(row, reader) if reader is not None and row.status == Replay.Status.DONE else None
        return {
            "id": row.uid, "policy": row.version.policy.key, "version": row.version.number, "since": row.since,
            "until": row.until, "status": row.status, "total": row.total, "done": row.done, "not_ruled": row.not_ruled,
            "asked_by": row.asked_by.name, "asked_at": row.asked_at, "started_at": row.started_at,
            "ended_at": row.ended_at, "failure": row.failure, "looked_at": row.looked_at,
            "looked_by": row.looked_by.name if row.looked_by else None, "result": result,
        }  # fmt: skip


def own_counts(counts: Counts, reader: Principal) -> tuple[Counts, dict[int, Agent]]:
    """What the reader may see of the counts: those of agents whose decisions are open to the reader."""
    named = Agent.objects.filter(pk__in={cell.agent for cell in counts}).select_related("unit")
    own = {agent.pk: agent for agent in named if reader.sees_all_units or agent.unit_id in reader.unit_ids()}
    return of_agents(counts, own.keys()), own


def replay_result(replay: Replay, reader: Principal) -> dict[str, Any]:
    """The result of a finished replay, of the decisions that the reader may see."""
    counts = replay.counts
    own, agents = own_counts(counts, reader)
    work, table = replay.effort_of(own), matrix(own)
    return {
        "decisions": sum(own.values()), "differ": sum(many for (old, new), many in table.items() if old != new),
        "hidden": sum(counts.values()) - sum(own.values()),
        "matrix": [{"before": old, "after": new, "decisions": many} for (old, new), many in table.items()],
        "rules": [_replay_line(line) for line in by_rule(own)],
        "agents": [_replay_line(line) for line in lines(own, lambda cell: [agents[cell.agent].code])],
        "units": [_replay_line(line) for line in lines(own, lambda cell: [agents[cell.agent].unit.code])],
        "amounts": [_replay_line(line) for line in lines(own, lambda cell: [cell.band])],
        "reviewers": {
            "more": work.more, "fewer": work.fewer, "minutes": f"{work.seconds / 60:.1f}",
            "without_median": work.unknown,
        },
    }  # fmt: skip


def _replay_line(line: replaying.Line) -> dict[str, Any]:
    return {"name": line.name, "decisions": line.total, "differ": line.flips}
