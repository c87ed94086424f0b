"""People's doors to running work: pause, resume, cancel, try again, skip, give away, change, move, begin again."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly, StrictSerializer
from agents.models import Agent
from observability import ledger
from observability.ledger import database_now
from observability.serializers import page_of
from workflows import operations
from workflows.api.shapes.intervening import (
    AssignStepInput,
    InterveningInput,
    MoveInput,
    ReassignInput,
    RestartInput,
    RunReachedOutput,
    RunsTogetherInput,
    RunsTogetherOutput,
    SkipInput,
    StepsQuery,
    StepStateOutput,
    VariableInput,
    outcome_of,
)
from workflows.models import Run, Step
from workflows.operations import Reached
from workflows.serializers import RunOutput

Answer = tuple[int, Mapping[str, Any]]


class RunActView(ActingDoor):
    """One intervention in a run."""

    permission_classes = [PeopleOnly]
    takes: ClassVar[type[StrictSerializer]] = InterveningInput

    def intervene(self, run: Run, **given: Any) -> Run | Reached | None:
        """The run after it, perhaps with how many called ones it took along; the one that was named when nothing is
        returned."""
        raise NotImplementedError

    status = 200

    def post(self, request: Request, uid: UUID) -> Response:
        """Do it once."""
        given = self.read(self.takes, request.data)

        def act(key: str) -> Answer:
            run = Run.objects.visible_to(self.principal).select_related("workflow").filter(uid=uid).first()
            if run is None:
                raise ledger.NotFound
            done = self.intervene(run, by=self.principal, at=database_now(), **given) or run
            found = done.run if isinstance(done, Reached) else done
            shown = RunOutput(Run.objects.as_told().get(pk=found.pk)).data
            return self.status, {**shown, "called": done.called} if isinstance(done, Reached) else shown

        return self.answer_once(request, act)


def told(takes: type[StrictSerializer], answer: Any, summary: str, status: int = 200) -> Callable[[Any], Any]:
    """How the description of the API tells a door of this module."""
    said = extend_schema(request=takes, responses={status: answer}, parameters=[IDEMPOTENCY], summary=summary)
    return extend_schema_view(post=said)


@told(InterveningInput, RunReachedOutput, "Pause a run and those that it called")
class PauseRunView(RunActView):
    """Pause a run, and with it the runs that it called."""

    def intervene(self, run: Run, **given: Any) -> Reached:
        return operations.pause_run(run, **given)


@told(InterveningInput, RunReachedOutput, "Let a paused run and those that it called go on")
class ResumeRunView(RunActView):
    """Let a paused run go on, and with it the called runs that were paused with it."""

    def intervene(self, run: Run, **given: Any) -> Reached:
        return operations.resume_run(run, **given)


@told(InterveningInput, RunOutput, "Cancel a run")
class CancelRunView(RunActView):
    """Cancel a run."""

    def intervene(self, run: Run, **given: Any) -> None:
        operations.cancel(run, **given)


@told(VariableInput, RunOutput, "Change a value of a run")
class VariableView(RunActView):
    """Change what a run knows."""

    takes = VariableInput

    def intervene(self, run: Run, **given: Any) -> Run:
        return operations.change_variable(run, given.pop("variable"), given.pop("value"), **given)


@told(MoveInput, RunOutput, "Let a run go on at another element")
class MoveView(RunActView):
    """Move a token of a run."""

    takes = MoveInput

    def intervene(self, run: Run, **given: Any) -> Run:
        return operations.move_token(run, given.pop("token"), given.pop("to"), **given)


@told(RestartInput, RunOutput, "Begin a run again as a new one", 201)
class RestartView(RunActView):
    """Begin a run again."""

    takes = RestartInput
    status = 201

    def intervene(self, run: Run, **given: Any) -> Run:
        return operations.restart(run, **given)


class StepActView(ActingDoor):
    """One intervention in a step."""

    permission_classes = [PeopleOnly]
    takes: ClassVar[type[StrictSerializer]] = InterveningInput

    def intervene(self, step: Step, **given: Any) -> Step:
        """The step after it."""
        raise NotImplementedError

    def post(self, request: Request, uid: UUID) -> Response:
        """Do it once."""
        given = self.read(self.takes, request.data)

        def act(key: str) -> Answer:
            step = Step.objects.visible_to(self.principal).as_told().filter(uid=uid).first()
            if step is None:
                raise ledger.NotFound
            done = self.intervene(step, by=self.principal, at=database_now(), **given)
            return 200, StepStateOutput(Step.objects.as_told().get(pk=done.pk)).data

        return self.answer_once(request, act)


@told(InterveningInput, StepStateOutput, "Try a step again now")
class RetryView(StepActView):
    """Try a step again now."""

    def intervene(self, step: Step, **given: Any) -> Step:
        return operations.retry(step, **given)


@told(SkipInput, StepStateOutput, "Skip a step")
class SkipView(StepActView):
    """Skip a step, with the outputs it shall count as having left."""

    takes = SkipInput

    def intervene(self, step: Step, **given: Any) -> Step:
        return operations.skip(step, given.pop("output"), **given)


@told(ReassignInput, StepStateOutput, "Give a step to another role or agent")
class ReassignView(StepActView):
    """Give a step to somebody else."""

    takes = ReassignInput

    def intervene(self, step: Step, **given: Any) -> Step:
        return operations.reassign(step, **given)


@told(AssignStepInput, StepStateOutput, "Keep a ready step for one agent for a time")
class AssignStepView(StepActView):
    """Keep a ready step for one agent: the named one, or the one with the least in hand."""

    takes = AssignStepInput

    def intervene(self, step: Step, **given: Any) -> Step:
        code, lasts = given.pop("agent"), timedelta(minutes=given.pop("minutes"))
        agent = Agent.objects.visible_to(self.principal).filter(code=code).first() if code else None
        if code and agent is None:
            raise ledger.Invalid(fields={"agent": f"There is no agent {code} that you may see."})
        return operations.assign(step, agent, lasts=lasts, **given)


class RunsTogetherView(ActingDoor):
    """The same intervention in many runs."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        request=RunsTogetherInput, responses=RunsTogetherOutput, parameters=[IDEMPOTENCY],
        summary="Pause, resume, retry or cancel many runs",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Do it in each, and tell what became of each."""
        given = self.read(RunsTogetherInput, request.data)

        def act(key: str) -> Answer:
            outcomes = operations.act_together(
                given["act"], given["runs"], by=self.principal, at=database_now(), why=given["why"]
            )
            return 200, {"results": [outcome_of(each) for each in outcomes]}

        return self.answer_once(request, act)


class StepsView(Door):
    """Steps of runs that one may see."""

    permission_classes = [PeopleOnly]
    query = StepsQuery

    @extend_schema(parameters=[StepsQuery], responses=page_of(StepStateOutput), summary="List steps, newest first")
    def get(self, request: Request) -> Response:
        """Those that are asked for."""
        steps = Step.objects.visible_to(self.principal)
        plain = {"run__uid": "run", "run__workflow__code": "workflow", "role": "role"}
        steps = steps.filter(**{name: self.asked[given] for name, given in plain.items() if self.asked[given]})
        if self.asked["status"] == "stuck":
            steps = steps.stuck()
        elif self.asked["status"]:
            steps = steps.filter(status=self.asked["status"])
        return self.page(steps.as_told(), StepStateOutput, by="-pk")
