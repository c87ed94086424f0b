"""The agents' door to what else one says about a step in hand: an escalation, and tasks to be done beside it."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY
from observability.ledger import database_now
from workflows import operations
from workflows.api.shapes.work import (
    ChoosableTaskOutput,
    ChooseTaskInput,
    EscalateInput,
    HeardOutput,
    TasksOutput,
)
from workflows.api.work import Answer, WorkDoor


class EscalateView(WorkDoor):
    """Tell the surroundings of a step something."""

    @extend_schema(
        request=EscalateInput, responses=HeardOutput, parameters=[IDEMPOTENCY], summary="Tell an escalation of a step"
    )
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(EscalateInput, request.data)

        def act(key: str) -> Answer:
            heard = operations.escalate(self.step(uid), agent=self.agent, at=database_now(), **given)
            return 200, {"status": heard.step.status, "heard_by": heard.by}

        return self.answer_once(request, act)


class TasksView(WorkDoor):
    """What can be done beside a step of an ad-hoc sub-process."""

    @extend_schema(responses=TasksOutput, summary="Show the tasks that can be chosen beside a step")
    def get(self, request: Request, uid: UUID) -> Response:
        found = operations.tasks_beside(self.step(uid), agent=self.agent)
        return Response({"sub_process": found.node_id, "tasks": ChoosableTaskOutput(found.tasks, many=True).data})

    @extend_schema(
        request=ChooseTaskInput, responses=ChoosableTaskOutput, parameters=[IDEMPOTENCY],
        summary="Choose a task to be done beside a step",
    )  # fmt: skip
    def post(self, request: Request, uid: UUID) -> Response:
        given = self.read(ChooseTaskInput, request.data)
        task = given.pop("task")

        def act(key: str) -> Answer:
            chosen = operations.choose_task(self.step(uid), task, agent=self.agent, at=database_now(), **given)
            return 200, ChoosableTaskOutput(chosen).data

        return self.answer_once(request, act)
