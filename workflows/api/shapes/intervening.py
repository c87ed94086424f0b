"""Input and output shapes of the doors through which people look after running work."""

from typing import Any, ClassVar

from rest_framework import serializers

from observability.serializers import PageQuery, StrictSerializer, Text, Whole
from workflows.models import Run, Step
from workflows.operations import RUNS_AT_MOST, Foreseen, RunOutcome
from workflows.serializers import RunOutput

WHY = "Why; the audit trail keeps it."


class InterveningInput(StrictSerializer):
    """Why it is done."""

    example: ClassVar[dict[str, Any]] = {"why": "The supplier sends a new file tomorrow."}

    why = Text(max_length=2000, help_text=WHY)


class SkipInput(InterveningInput):
    """What the step shall count as having left behind."""

    example: ClassVar[dict[str, Any]] = {
        "why": "Read by hand from the paper.",
        "output": {"readable": True, "number": "2026-1187", "total": "9000.00"},
    }

    output = serializers.DictField(default=dict)


class ReassignInput(InterveningInput):
    """Who shall do it: a role, or one agent."""

    example: ClassVar[dict[str, Any]] = {"why": "AP-02 knows this supplier.", "agent": "AP-02"}

    role = Text(max_length=60, allow_blank=True, default="")
    agent = Text(max_length=20, allow_blank=True, default="")


class VariableInput(InterveningInput):
    """One value of the run, by the element that left it and its name; `before` is what it holds as far as you know."""

    example: ClassVar[dict[str, Any]] = {
        "why": "The paper says otherwise.", "variable": "read.total", "value": "900.00", "before": "9000.00",
    }  # fmt: skip

    variable = Text(max_length=300)
    value = serializers.JSONField()
    before = serializers.JSONField(required=False)


class MoveInput(InterveningInput):
    """Which token shall go on where."""

    example: ClassVar[dict[str, Any]] = {"why": "The check is not needed here.", "token": 4, "to": "pay"}

    token = Whole(min_value=1)
    to = Text(max_length=120)


class AssignStepInput(InterveningInput):
    """For whom a ready step is kept, and for how long; without an agent for whoever may take it and has the least in
    hand."""

    example: ClassVar[dict[str, Any]] = {"why": "AP-01 knows the seller.", "agent": "AP-01", "minutes": 30}

    agent = Text(max_length=20, allow_blank=True, default="")
    minutes = Whole(min_value=1, max_value=1440, default=15)


class RestartInput(InterveningInput):
    """The key of the new run; without one the next free one: 1187-2."""

    example: ClassVar[dict[str, Any]] = {"why": "The document was wrong.", "key": "1187-2"}

    key = Text(max_length=200, allow_blank=True, default="")


class RunsTogetherInput(InterveningInput):
    """One intervention in several runs."""

    example: ClassVar[dict[str, Any]] = {
        "why": "The mail server is back.", "act": "retry", "runs": ["01890d2c-0000-7000-8000-000000000000"],
    }  # fmt: skip

    act = serializers.ChoiceField(["pause", "resume", "retry", "cancel"])
    runs = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=RUNS_AT_MOST)


class RunReachedOutput(RunOutput):
    """A run that was paused or goes on, and how many of the runs that it called, and that those called, with it."""

    called = serializers.IntegerField()

    class Meta(RunOutput.Meta):
        fields = [*RunOutput.Meta.fields, "called"]


class RunOutcomeOutput(serializers.Serializer[Any]):
    """What became of one of the runs."""

    id = serializers.UUIDField()
    done = serializers.BooleanField()
    run = RunOutput(allow_null=True)
    problem = serializers.CharField(help_text="Why nothing was done; empty otherwise.")
    code = serializers.CharField(help_text="The code of the problem; empty otherwise.")


class RunsTogetherOutput(serializers.Serializer[Any]):
    """What became of each run, in the order asked."""

    results = RunOutcomeOutput(many=True)


class MigrationPlanInput(StrictSerializer):
    """From which version to which, and what is called otherwise there: elements and ways by the old name."""

    example: ClassVar[dict[str, Any]] = {"from_version": 1, "to_version": 2, "mapping": {"check": "check-twice"}}

    from_version = Whole(min_value=1)
    to_version = Whole(min_value=1)
    mapping = serializers.DictField(child=Text(max_length=120, allow_blank=True), default=dict)


class MigrationInput(MigrationPlanInput):
    """Which runs go over, by the plan, and why."""

    example: ClassVar[dict[str, Any]] = {
        "from_version": 1, "to_version": 2, "mapping": {"check": "check-twice"}, "why": "The check was wrong.",
        "runs": ["01890d2c-0000-7000-8000-000000000000"],
    }  # fmt: skip

    runs = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=RUNS_AT_MOST)
    why = Text(max_length=2000, help_text=WHY)


class ForeseenOutput(serializers.Serializer[Any]):
    """What would happen to one run."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    possible = serializers.BooleanField()
    problems = serializers.ListField(child=serializers.CharField())
    moves = serializers.ListField(child=serializers.DictField(), help_text="Where it stands, and where it would.")


class MigrationPlanOutput(serializers.Serializer[Any]):
    """What would happen to each run under way of the version, at most 500 of them, the oldest first."""

    results = ForeseenOutput(many=True)
    more = serializers.BooleanField(help_text="Whether there are more runs than are listed.")


class StepStateOutput(serializers.ModelSerializer[Step]):
    """A step as people look after it."""

    id = serializers.UUIDField(source="uid")
    run = serializers.UUIDField(source="run.uid")
    run_key = serializers.CharField(source="run.key")
    workflow = serializers.CharField(source="run.workflow.code")
    agent = serializers.CharField(source="agent.code", allow_null=True, default=None)
    assigned_to = serializers.CharField(source="assigned_to.code", allow_null=True, default=None)
    escalation = serializers.UUIDField(source="escalation.uid", allow_null=True, default=None)

    class Meta:
        model = Step
        fields = [
            "id", "run", "run_key", "workflow", "element", "token", "name", "kind", "status", "role", "agent",
            "assigned_to", "attempt", "error", "opened_at", "available_at", "escalation",
        ]  # fmt: skip


class StepsQuery(PageQuery):
    """Which steps: of one run, or all that failed and wait for somebody to put them right."""

    run = serializers.UUIDField(required=False, default=None)
    workflow = Text(max_length=80, default="", help_text="Only steps of the workflow with this code.")
    role = Text(max_length=60, default="", help_text="Only steps of this role.")
    status = serializers.ChoiceField(
        [*Step.Status.choices, ("stuck", "Failed, and nobody has put it right")], default="",
        help_text="Only steps in this status; `stuck` are those that failed or cannot go on by themselves.",
    )  # fmt: skip


def foreseen_of(foreseen: Foreseen) -> dict[str, Any]:
    """What would happen to a run in the shape of ForeseenOutput."""
    return {
        "id": foreseen.run.uid, "key": foreseen.run.key, "possible": not foreseen.problems,
        "problems": foreseen.problems, "moves": [{"from": was, "to": becomes} for was, becomes in foreseen.moves],
    }  # fmt: skip


def outcome_of(outcome: RunOutcome) -> dict[str, Any]:
    """What became of a run in the shape of RunOutcomeOutput."""
    run, refused = outcome.run, outcome.refused
    return {
        "id": outcome.uid, "done": refused is None, "run": RunOutput(run).data if isinstance(run, Run) else None,
        "problem": refused.detail if refused else "", "code": refused.code if refused else "",
    }  # fmt: skip
