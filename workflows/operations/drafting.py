"""Workflows are drawn: a draft begins with nothing, with a version, a template or a file, is changed revision by
revision, and is put away or goes on to its review."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from agents.models import Grant, Principal, RoleGrant, Unit
from agents.operations import require
from agents.operations.access import take_away
from governance.models import EscalationPath
from observability import ledger
from workflows.models import Workflow, WorkflowDraft, WorkflowVersion
from workflows.operations.definitions import found_here, lock_workflow, refused_for, tables_missing
from workflows.plan import BpmnInvalid, ElementProblem, Severity, read_model
from workflows.plan.editing import CannotEdit
from workflows.plan.sheet import Sheet
from workflows.plan.texts import EMPTY, checked

Status = WorkflowDraft.Status
RESERVED = ("begin", "new", "templates", "import")
"""Codes that no workflow has, because pages and routes have them."""


class DraftChanged(ledger.Refused):
    """Somebody else changed the draft since you opened it. Nothing was saved and nothing of yours is lost: open the
    draft as it is now and add your change."""

    code = "drawing_changed"

    def __init__(self, draft: WorkflowDraft) -> None:
        self.draft = draft
        super().__init__()


class DraftOpen(ledger.Refused):
    """The workflow has a draft already. Go on with that one, or discard it first."""

    code = "draft_open"


@dataclass(frozen=True)
class NewWorkflow:
    """What a workflow is before anything is drawn: its code and name, whose it is, and who is asked when work fails."""

    code: str
    name: str
    unit: Unit
    owner: Principal
    incident_path: EscalationPath


def may_draft(by: ledger.Acts, workflow: Workflow) -> bool:
    """Whether this one may draw drafts of the workflow; who may publish it may."""
    if not isinstance(by, Principal) or not by.is_active:
        return False
    return by.may("workflows.draft_workflow", workflow) or by.may("workflows.publish_workflow", workflow)


def require_drafter(by: ledger.Acts, workflow: Workflow) -> None:
    """Raise NotAllowed unless this one may draw drafts of the workflow."""
    if not may_draft(by, workflow):
        require(by, "workflows.draft_workflow", workflow)


@transaction.atomic
def begin_workflow(terms: NewWorkflow, *, bpmn: str = "", by: ledger.Acts, at: datetime) -> WorkflowDraft:
    """A new workflow with its first draft: this drawing, or a start and an end. It runs when a version is published."""
    require(by, "workflows.draft_workflow")
    if isinstance(by, Principal) and not Unit.objects.visible_to(by).filter(pk=terms.unit.pk).exists():
        raise ledger.NotFound("There is no such unit, or you may not see it.")
    if terms.code in RESERVED:
        said = f"`{terms.code}` is an address here. Choose another code."
        raise ledger.Invalid("Nothing was saved.", fields={"code": said})
    text = readable(bpmn or EMPTY)
    workflow, is_new = Workflow.objects.get_or_create(
        code=terms.code,
        defaults={
            "name": terms.name, "unit": terms.unit, "owner": terms.owner, "incident_path": terms.incident_path,
        },
    )  # fmt: skip
    if not is_new:
        raise ledger.Invalid("Nothing was saved.", fields={"code": f"There is a workflow {terms.code} already."})
    ledger.record("workflow.begun", workflow, by=by, at=at)
    return _begun(workflow, text, None, by, at)


@transaction.atomic
def begin_draft(
    workflow: Workflow, *, bpmn: str = "", version: WorkflowVersion | None = None, by: ledger.Acts, at: datetime
) -> WorkflowDraft:
    """A draft of a workflow that is there: this drawing, else that of the version, else that of the newest one."""
    require_drafter(by, workflow)
    lock_workflow(workflow)
    if workflow.drafts.open().exists():
        raise DraftOpen
    base = workflow.versions.first()
    said = version or base
    text = readable(bpmn) if bpmn else said.bpmn if said is not None else EMPTY
    return _begun(workflow, text, base, by, at)


def _begun(workflow: Workflow, bpmn: str, base: WorkflowVersion | None, by: ledger.Acts, at: datetime) -> WorkflowDraft:
    who = by if isinstance(by, Principal) else None
    draft = WorkflowDraft.objects.create(
        workflow=workflow, base=base, bpmn=bpmn, author=who, edited_by=who, created_at=at, updated_at=at
    )
    _add_editor(draft, by)
    data = {"base": base.number} if base else {}
    ledger.record("workflow.drafted", draft, by=by, at=at, after=draft.status, data=data)
    return draft


def _add_editor(draft: WorkflowDraft, by: ledger.Acts) -> None:
    if isinstance(by, Principal):
        draft.editors.add(by)


@transaction.atomic
def save_draft(draft: WorkflowDraft, bpmn: str, *, revision: int, by: ledger.Acts, at: datetime) -> WorkflowDraft:
    """Put another drawing in the draft, if it is still at the `revision` that the drawing began with. The same drawing
    changes nothing. Raises DraftChanged, with the draft as it is now, and BpmnRefused for what is no BPMN."""
    require_drafter(by, draft.workflow)
    text = readable(bpmn)
    draft = locked_draft(draft)
    _require_drawable(draft)
    if draft.bpmn == text:
        return draft
    if draft.revision != revision:
        raise DraftChanged(draft)
    draft.bpmn, draft.revision, draft.updated_at = text, draft.revision + 1, at
    draft.edited_by = by if isinstance(by, Principal) else None
    draft.save(update_fields=["bpmn", "revision", "updated_at", "edited_by"])
    _add_editor(draft, by)
    ledger.record("workflow.redrawn", draft, by=by, at=at, data={"revision": draft.revision})
    return draft


@transaction.atomic
def edit_draft(
    draft: WorkflowDraft, change: Callable[[Sheet], str], *, revision: int, by: ledger.Acts, at: datetime
) -> str:
    """Change the drawing of the draft in place, if it is still at this revision; what `change` returns. Raises
    DraftChanged, and Invalid with the reason when the change does not fit the drawing."""
    if draft.revision != revision:
        raise DraftChanged(draft)
    sheet = Sheet(draft.bpmn)
    try:
        told = change(sheet)
    except CannotEdit as wrong:
        raise ledger.Invalid(str(wrong), fields={"step": str(wrong)}) from wrong
    save_draft(draft, sheet.text(), revision=revision, by=by, at=at)
    return told


@transaction.atomic
def take_base(draft: WorkflowDraft, *, by: ledger.Acts, at: datetime) -> WorkflowDraft:
    """Say that the draft takes the place of the newest version, although that one was published after it began: who
    says so looked at what differs."""
    require_drafter(by, draft.workflow)
    draft = locked_draft(draft)
    _require_drawable(draft)
    newest = draft.workflow.versions.first()
    if newest is None or newest.pk == draft.base_id:
        raise ledger.WrongStatus("No version was published since the draft began.")
    draft.base, draft.revision, draft.updated_at = newest, draft.revision + 1, at
    draft.save(update_fields=["base", "revision", "updated_at"])
    ledger.record("workflow.compared", draft, by=by, at=at, data={"version": newest.number})
    return draft


@transaction.atomic
def discard_draft(draft: WorkflowDraft, *, by: ledger.Acts, at: datetime, why: str = "") -> WorkflowDraft:
    """Put the draft away. What was drawn stays in the database and is shown no more. A workflow of which nothing else
    is there goes with its draft, see `went_with`, and its code is free again."""
    require_drafter(by, draft.workflow)
    draft = locked_draft(draft)
    ledger.move(draft, Status.DISCARDED, by=by, verb="workflow.discarded", at=at, why=why.strip())
    if _is_empty(draft.workflow):
        _remove(draft.workflow, by=by, at=at)
    return draft


def went_with(draft: WorkflowDraft) -> bool:
    """Whether the workflow went with this discarded draft."""
    return draft.workflow.pk is None


def _is_empty(workflow: Workflow) -> bool:
    """Whether there is nothing of a workflow but drafts that were discarded."""
    beside = (
        workflow.versions, workflow.runs, workflow.tables, workflow.spaces, workflow.schedules, workflow.hooks,
        workflow.follows, workflow.followed_by, workflow.messages,
    )  # fmt: skip
    return not any(each.exists() for each in beside)


def _remove(workflow: Workflow, *, by: ledger.Acts, at: datetime) -> None:
    why = "Its first draft was discarded."
    for table in (Grant, RoleGrant):
        for given in table.objects.on(workflow):
            take_away(given, verb="grant.revoked", by=by, at=at, why=why)
    ledger.record("workflow.removed", workflow, by=by, at=at, why=why)
    workflow.delete()


def locked_draft(draft: WorkflowDraft) -> WorkflowDraft:
    """The draft as it is now, its workflow held: who draws, reviews and publishes at once follow one another."""
    lock_workflow(draft.workflow)
    return WorkflowDraft.objects.with_people().get(pk=draft.pk)


def _require_drawable(draft: WorkflowDraft) -> None:
    if draft.status == Status.IN_REVIEW:
        raise ledger.WrongStatus("The draft is in review. Take it back before you change it.")
    if draft.status != Status.DRAFT:
        raise ledger.WrongStatus(f"The draft is {draft.get_status_display().lower()} and changes no more.")


def readable(bpmn: str) -> str:
    """The drawing as it is kept. Raises BpmnRefused for what is no BPMN 2.0."""
    try:
        return checked(bpmn)
    except BpmnInvalid as invalid:
        raise refused_for(invalid) from invalid


def problems_of(bpmn: str, workflow: Workflow, *, at: datetime) -> list[ElementProblem]:
    """Everything that is wrong with a drawing for this workflow, element by element, warnings too; `stops` tells what
    keeps it from being published."""
    try:
        model = read_model(bpmn.encode())
    except BpmnInvalid as invalid:
        return list(invalid.problems)
    if model.graph is None:
        return list(model.problems)
    here = found_here(model.graph, at=at, unit=workflow.unit, workflow=workflow)
    return [*model.problems, *here, *tables_missing(workflow, model.graph)]


def stops(problem: ElementProblem) -> bool:
    """Whether a problem keeps a drawing from being published."""
    return problem.severity is Severity.ERROR
