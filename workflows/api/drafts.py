"""The programs' door to drafts of workflows: begin, read, rewrite, check, review, publish; versions and going back."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly, PeopleWrite, SignedIn
from agents.api.versions import IF_MATCH, body_tag, require_match
from agents.models import Principal, Unit
from governance.models import EscalationPath
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of
from workflows import operations
from workflows.api.shapes.drafts import (
    BeginDraftInput,
    DraftOutput,
    DraftReasonInput,
    DrawingCheckedOutput,
    DrawingInput,
    NewWorkflowInput,
    WorkflowTemplatesOutput,
    WorkflowVersionOutput,
    draft_of,
    template_data,
)
from workflows.models import Workflow, WorkflowDraft, WorkflowVersion
from workflows.operations import gallery
from workflows.plan import ElementProblem

Answer = tuple[int, Mapping[str, Any]]


class DraftDoor(ActingDoor):
    """What all doors to drafts share."""

    permission_classes = [PeopleOnly]

    def workflow(self, code: str) -> Workflow:
        """The workflow, if this caller may see it; not found otherwise."""
        found = Workflow.objects.visible_to(self.principal).select_related("unit").filter(code=code).first()
        if found is None:
            raise ledger.NotFound(f"There is no workflow {code}, or you may not see it.")
        return found

    def draft(self, code: str) -> WorkflowDraft:
        """Its open draft; not found without one."""
        found = draft_of(self.workflow(code))
        if found is None:
            raise ledger.NotFound("The workflow has no draft.")
        return found

    def version(self, code: str, number: int) -> WorkflowVersion:
        """One of its versions."""
        versions = self.workflow(code).versions.select_related("workflow__unit", "author", "approved_by")
        found = versions.filter(number=number).first()
        if found is None:
            raise ledger.NotFound(f"The workflow has no version {number}.")
        return found


class TemplatesView(Door):
    """Workflows to start from."""

    permission_classes = [SignedIn]
    scope = "read"
    shows_one = True

    @extend_schema(responses=WorkflowTemplatesOutput, summary="List the templates for workflows")
    def get(self, request: Request) -> Response:
        return self.tagged({"templates": [template_data(each) for each in gallery.gallery()]})


class BeginWorkflowView(DraftDoor):
    """Workflows that begin."""

    @extend_schema(
        request=NewWorkflowInput, responses={201: DraftOutput}, parameters=[IDEMPOTENCY],
        summary="Begin a workflow with its first draft",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(NewWorkflowInput, request.data)

        def act(key: str) -> Answer:
            terms = self.terms(given)
            drawing = given["bpmn"] or self.begun(given["template"], terms.incident_path)
            draft = operations.begin_workflow(terms, bpmn=drawing, by=self.principal, at=database_now())
            return 201, DraftOutput(draft).data

        return self.answer_once(request, act)

    def terms(self, given: Mapping[str, Any]) -> operations.NewWorkflow:
        """The rows that the codes name; all that is not there, or may not be seen, is named at once."""
        user = self.principal
        unit = Unit.objects.visible_to(user).filter(code=given["unit"]).first()
        owner = Principal.objects.people().visible_to(user).filter(username=given["owner"]).first()
        path = EscalationPath.objects.visible_to(user).filter(key=given["incident_path"]).first()
        if unit is None or owner is None or path is None:
            found = {"unit": unit, "owner": owner, "incident_path": path}
            said = "There is no {}, or you may not see it."
            raise ledger.Invalid(
                "Nothing was saved.",
                fields={name: said.format(given[name]) for name, row in found.items() if row is None},
            )
        return operations.NewWorkflow(
            code=given["code"], name=given["name"], unit=unit, owner=owner, incident_path=path
        )

    def begun(self, name: str, path: EscalationPath) -> str:
        """The drawing of a template, empty without one."""
        chosen = gallery.template(name) if name else None
        if name and chosen is None:
            raise ledger.Invalid("Nothing was saved.", fields={"template": f"There is no template {name}."})
        known = set(EscalationPath.objects.values_list("key", flat=True))
        return gallery.begun_from(chosen, known_paths=known, path=path.key) if chosen else ""


class DraftView(PeopleWrite, DraftDoor):
    """The draft of a workflow: read it, begin one, put another drawing in it."""

    permission_classes = [SignedIn]
    scope = "read"
    shows_one = True

    @extend_schema(responses=DraftOutput, summary="Show the draft of a workflow")
    def get(self, request: Request, code: str) -> Response:
        return self.tagged(DraftOutput(self.draft(code)).data)

    @extend_schema(
        request=BeginDraftInput, responses={201: DraftOutput}, parameters=[IDEMPOTENCY], summary="Begin a draft"
    )
    def post(self, request: Request, code: str) -> Response:
        given = self.read(BeginDraftInput, request.data)

        def act(key: str) -> Answer:
            version = self.version(code, given["version"]) if given["version"] else None
            draft = operations.begin_draft(
                self.workflow(code), bpmn=given["bpmn"], version=version, by=self.principal, at=database_now()
            )
            return 201, DraftOutput(draft).data

        return self.answer_once(request, act)

    @extend_schema(
        request=DrawingInput, responses=DraftOutput, parameters=[IF_MATCH], summary="Put another drawing in the draft"
    )
    def patch(self, request: Request, code: str) -> Response:
        given = self.read(DrawingInput, request.data)
        with transaction.atomic():
            draft = operations.locked_draft(self.draft(code))
            require_match(request, body_tag(DraftOutput(draft).data))
            saved = operations.save_draft(
                draft, given["bpmn"], revision=draft.revision, by=self.principal, at=database_now()
            )
        body = DraftOutput(saved).data
        return Response(body, headers={"ETag": body_tag(body)})


class CheckDraftView(DraftDoor):
    """What is wrong with a drawing, without saving it."""

    @extend_schema(request=DrawingInput, responses=DrawingCheckedOutput, summary="Check a drawing")
    def post(self, request: Request, code: str) -> Response:
        given = self.read(DrawingInput, request.data)
        workflow = self.workflow(code)
        operations.require_drafter(self.principal, workflow)
        found = operations.problems_of(given["bpmn"], workflow, at=database_now())
        return Response({"problems": [_problem(each) for each in found]})


def _problem(problem: ElementProblem) -> dict[str, str]:
    return {
        "element": problem.element_id, "name": problem.name, "reason": problem.reason, "severity": problem.severity,
    }  # fmt: skip


class DraftAct(DraftDoor):
    """One step in the life of a draft, if it is still as the caller read it."""

    loosens = False

    def act_on(self, draft: WorkflowDraft, why: str) -> object:
        """What happens to the draft."""
        raise NotImplementedError

    def move(
        self, request: Request, code: str, shown: Callable[[WorkflowDraft, object], Mapping[str, Any]]
    ) -> Response:
        """Act once on the draft."""
        given = self.read(DraftReasonInput, request.data)
        if self.loosens:
            self.require_recent()

        def act(key: str) -> Answer:
            draft = operations.locked_draft(self.draft(code))
            require_match(request, body_tag(DraftOutput(draft).data))
            made = self.act_on(draft, given["reason"])
            return 200, shown(draft, made)

        return self.answer_once(request, act)


def _draft_now(draft: WorkflowDraft, made: object) -> Mapping[str, Any]:
    told: Mapping[str, Any] = DraftOutput(WorkflowDraft.objects.with_people().get(pk=draft.pk)).data
    return told


def _draft_discarded(draft: WorkflowDraft, made: object) -> Mapping[str, Any]:
    told: Mapping[str, Any] = DraftOutput(made).data  # type: ignore[arg-type]
    return told


def _version_made(draft: WorkflowDraft, made: object) -> Mapping[str, Any]:
    told: Mapping[str, Any] = WorkflowVersionOutput(made).data  # type: ignore[arg-type]
    return told


class AskToPublishView(DraftAct):
    """Put the draft before a second person."""

    def act_on(self, draft: WorkflowDraft, why: str) -> object:
        """Ask."""
        operations.ask_to_publish(draft, by=self.principal, at=database_now(), why=why)
        return None

    @extend_schema(
        request=DraftReasonInput, responses=DraftOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Ask to publish the draft",
    )  # fmt: skip
    def post(self, request: Request, code: str) -> Response:
        return self.move(request, code, _draft_now)


class TakeBackView(DraftAct):
    """Take the draft back from review."""

    def act_on(self, draft: WorkflowDraft, why: str) -> object:
        """Take it back."""
        operations.take_back(draft, by=self.principal, at=database_now(), why=why)
        return None

    @extend_schema(
        request=DraftReasonInput, responses=DraftOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Take the draft back from review",
    )  # fmt: skip
    def post(self, request: Request, code: str) -> Response:
        return self.move(request, code, _draft_now)


class SendBackView(DraftAct):
    """Return the draft to those who drew it."""

    def act_on(self, draft: WorkflowDraft, why: str) -> object:
        """Send it back."""
        operations.send_back(draft, by=self.principal, at=database_now(), why=why)
        return None

    @extend_schema(
        request=DraftReasonInput,
        responses=DraftOutput,
        parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Send the draft back",
    )
    def post(self, request: Request, code: str) -> Response:
        return self.move(request, code, _draft_now)


class PublishDraftView(DraftAct):
    """Publish the draft of others."""

    loosens = True

    def act_on(self, draft: WorkflowDraft, why: str) -> object:
        """Publish it."""
        return operations.publish_draft(
            draft, by=self.principal, at=database_now(), why=why, seen=draft.revision
        )  # fmt: skip

    @extend_schema(
        request=DraftReasonInput, responses=WorkflowVersionOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Publish the draft as the next version",
    )  # fmt: skip
    def post(self, request: Request, code: str) -> Response:
        return self.move(request, code, _version_made)


class DiscardDraftView(DraftAct):
    """Put the draft away."""

    def act_on(self, draft: WorkflowDraft, why: str) -> object:
        """Discard it."""
        return operations.discard_draft(draft, by=self.principal, at=database_now(), why=why)

    @extend_schema(
        request=DraftReasonInput, responses=DraftOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Discard the draft, and a workflow of which nothing else is there",
    )  # fmt: skip
    def post(self, request: Request, code: str) -> Response:
        return self.move(request, code, _draft_discarded)


class VersionsView(DraftDoor):
    """The versions of a workflow."""

    permission_classes = [SignedIn]
    scope = "read"
    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(WorkflowVersionOutput), summary="List the versions of a workflow"
    )
    def get(self, request: Request, code: str) -> Response:
        versions = self.workflow(code).versions.select_related("workflow", "author", "approved_by")
        return self.page(versions.defer("bpmn", "graph"), WorkflowVersionOutput, by="-number")


class RestoreVersionView(DraftDoor):
    """Go back to an older version."""

    @extend_schema(
        request=DraftReasonInput, responses={201: WorkflowVersionOutput}, parameters=[IDEMPOTENCY],
        summary="Publish an older version again",
    )  # fmt: skip
    def post(self, request: Request, code: str, number: int) -> Response:
        given = self.read(DraftReasonInput, request.data)
        self.require_recent()

        def act(key: str) -> Answer:
            version = operations.roll_back(
                self.version(code, number), by=self.principal, at=database_now(), why=given["reason"]
            )
            return 201, WorkflowVersionOutput(version).data

        return self.answer_once(request, act)
