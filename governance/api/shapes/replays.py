"""Shapes of replays and of shadow: what a version would have decided."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from agents.models import Agent, Principal
from governance.models import Decision, Replay
from governance.operations.telling import Telling, telling_to
from governance.rules.replaying import Counts, Line, by_rule, effort, lines, matrix, of_agents
from observability.serializers import Digits, StrictSerializer, Whole, YesNo

NOTHING = Telling(frozenset())


class ReplayInput(StrictSerializer):
    """Over how many days, up to now, recorded decisions are decided again, and whether budgets are counted again."""

    example: ClassVar[dict[str, Any]] = {"days": 30, "recounts": False}

    days = Whole(min_value=1, max_value=366)
    recounts = YesNo(default=False)


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


class ComparedOutput(serializers.Serializer[Any]):
    """A decision as it is under the rules in force and as it would be with the version; `moved` when the answer is the
    same, but by another rule or on other terms. Of a rule of another unit only that it is one."""

    decision = serializers.UUIDField()
    agent = serializers.CharField()
    action = serializers.CharField()
    resource = serializers.CharField()
    at = serializers.DateTimeField()
    before = serializers.ChoiceField(Decision.Effect.choices)
    after = serializers.ChoiceField(Decision.Effect.choices)
    rule_before = serializers.CharField()
    rule_after = serializers.CharField()
    path = serializers.CharField(help_text="Whom the version would ask first.")
    moved = serializers.BooleanField()

    def to_representation(self, row: Any) -> dict[str, Any]:
        """The row with what names its decision."""
        decision, told = row.decision, self._told()
        return {
            "decision": decision.uid, "agent": decision.agent.code, "action": decision.action,
            "resource": decision.resource_id, "at": decision.at, "before": row.before, "after": row.after,
            "rule_before": told.name(row.rule_before), "rule_after": told.name(row.rule_after),
            "path": row.path if told.tells(row.rule_after) else "", "moved": row.moved,
        }  # fmt: skip

    def _told(self) -> Telling:
        told: Telling = self.context.get("told", NOTHING)
        return told


class ShadowQuery(StrictSerializer):
    """Over how many days."""

    days = Digits(min_value=1, max_value=366, default=30, help_text="How many days, up to now.")


class ShadowOutput(serializers.Serializer[Any]):
    """What a version in shadow would have decided; `failed` are questions that it could not answer."""

    since = serializers.DateTimeField()
    failed = serializers.IntegerField()
    result = ReplayResultOutput()


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
    recounts = serializers.BooleanField(help_text="Whether budgets are worked out again.")
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
            "until": row.until, "status": row.status, "total": row.total, "done": row.done,
            "recounts": row.recounts, "not_ruled": row.not_ruled,
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
    return result_of(replay.counts, replay.result.get("medians", {}), reader)


def result_of(counts: Counts, medians: Mapping[str, str], reader: Principal) -> dict[str, Any]:
    """What was counted, of the decisions that the reader may see, with people's work by the medians of their paths."""
    own, agents = own_counts(counts, reader)
    work, table = effort(own, medians), matrix(own)
    return {
        "decisions": sum(own.values()), "differ": sum(many for (old, new), many in table.items() if old != new),
        "hidden": sum(counts.values()) - sum(own.values()),
        "matrix": [{"before": old, "after": new, "decisions": many} for (old, new), many in table.items()],
        "rules": [_replay_line(line) for line in by_rule(own, telling_to(reader).name)],
        "agents": [_replay_line(line) for line in lines(own, lambda cell: [agents[cell.agent].code])],
        "units": [_replay_line(line) for line in lines(own, lambda cell: [agents[cell.agent].unit.code])],
        "amounts": [_replay_line(line) for line in lines(own, lambda cell: [cell.band])],
        "reviewers": {
            "more": work.more, "fewer": work.fewer, "minutes": f"{work.seconds / 60:.1f}",
            "without_median": work.unknown,
        },
    }  # fmt: skip


def _replay_line(line: Line) -> dict[str, Any]:
    return {"name": line.name, "decisions": line.total, "differ": line.flips}
