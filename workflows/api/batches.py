"""The agents' door to many steps at once: report on what is in hand and claim what comes next, in one request."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, Then
from observability import ledger
from observability.ledger import database_now
from observability.prepared import PreparedList
from workflows import operations
from workflows.api.shapes.work import BatchInput, BatchOutput, refusal_of
from workflows.api.work import Answer, WorkDoor
from workflows.models import Step, Workflow
from workflows.operations import Answered, Failure, Report, Result
from workflows.serializers import step_of

Given = Mapping[str, Any]


class BatchView(WorkDoor):
    """Report on many steps, claim the next ones."""

    @extend_schema(
        request=BatchInput, responses=BatchOutput, parameters=[IDEMPOTENCY], summary="Finish, fail and claim many steps"
    )
    def post(self, request: Request) -> Response:
        given = self.read(BatchInput, request.data)
        reports, claim, wait = [*given["finish"], *given["fail"]], given["claim"], given["wait_seconds"]

        def act(key: str) -> Answer:
            return 200, self._answered(reports, claim)

        def later(key: str) -> Answer:
            status, body = 200, self._answered([], claim)
            return status, {**body, "reports": told["reports"]}

        def first(key: str) -> Answer:
            status, body = act(key)
            told.update(body)
            return status, body

        told: dict[str, Any] = {}
        then = Then(later, self.stands_ready) if claim else None
        return self.answer_once(request, first, then=then, wait_seconds=wait)

    def _answered(self, given: Sequence[Given], claim: int) -> dict[str, Any]:
        at, known = database_now(), self._known(given)
        reports = [_report(known[each["step"]], each) for each in given if each["step"] in known]
        batch = operations.report_together(self.agent, reports, claim=claim, at=at)
        answers = iter(batch.reports)
        told = [_told(next(answers)) if each["step"] in known else _unknown(each) for each in given]
        work = [step_of(step, at) for step in batch.claimed.steps]
        return {"reports": told, "work": work, "why": batch.claimed.why}

    def _known(self, given: Sequence[Given]) -> dict[Any, Step]:
        if not given:
            return {}
        mine = self.agent.principal.granted("workflows.work_in_workflow", Workflow)
        found = _STEPS.all(uids=[each["step"] for each in given])
        return {step.uid: step for step in found if step.run.workflow_id in mine}


_STEPS = PreparedList(
    lambda uids: Step.objects.select_related("run").only("uid", "run__workflow").filter(uid__in=uids), uids=UUID
)  # fmt: skip


def _report(step: Step, given: Given) -> Report:
    said = {name: value for name, value in given.items() if name not in ("step", "lease_token")}
    return Report(step, given["lease_token"], Failure(**said) if "reason" in said else Result(**said))


def _told(answered: Answered) -> dict[str, Any]:
    refused = answered.refused
    status = None if refused else answered.step.status
    return {"step": answered.step.uid, "status": status, "problem": refused and refusal_of(refused)}


def _unknown(given: Given) -> dict[str, Any]:
    return {"step": given["step"], "status": None, "problem": refusal_of(ledger.NotFound())}
