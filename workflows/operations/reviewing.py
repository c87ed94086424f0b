"""A draft is reviewed: somebody asks, somebody else publishes it or sends it back."""

from datetime import datetime

from django.db import transaction

from agents.models import Principal
from agents.operations import require
from observability import ledger
from workflows.models import Workflow, WorkflowDraft, WorkflowVersion
from workflows.operations.definitions import graph_in, keep, lock_workflow, published_as
from workflows.operations.drafting import DraftChanged, begin_draft, locked_draft, readable, require_drafter

Status = WorkflowDraft.Status


class OwnDraft(ledger.NotAllowed):
    """You drew this draft, or a part of it: somebody else publishes it."""

    code = "own_draft"


class BaseMoved(ledger.Refused):
    """Another version was published since the draft began. Look at what differs, and say so in the draft, before it
    takes the place of that version."""

    code = "draft_behind"


@transaction.atomic
def ask_to_publish(draft: WorkflowDraft, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Put a draft that can run before a second person; until the answer it does not change. Raises BpmnRefused."""
    require_drafter(by, draft.workflow)
    draft = locked_draft(draft)
    graph_in(draft.bpmn.encode(), at=at, unit=draft.workflow.unit, workflow=draft.workflow)
    _require_base(draft)
    ledger.move(
        draft, Status.IN_REVIEW, by=by, verb="workflow.asked", at=at, why=why.strip(), asked_at=at,
        asked_by=by if isinstance(by, Principal) else None, data={"revision": draft.revision},
    )  # fmt: skip


@transaction.atomic
def propose(
    workflow: Workflow, bpmn: str, *, by: ledger.Acts, at: datetime, why: str = ""
) -> WorkflowVersion | WorkflowDraft:  # fmt: skip
    """Put a file before a second person, as a draft that begins with it and is in review. The file of the newest
    version gives that version, the file that is in review already gives that draft: a repeat changes nothing. Raises
    DraftOpen while another draft is drawn or reviewed, BpmnRefused for what cannot run."""
    require_drafter(by, workflow)
    lock_workflow(workflow)
    text = readable(bpmn)
    published = published_as(workflow, text.encode(), at=at)
    if published is not None:
        return published
    waiting = workflow.drafts.open().filter(status=Status.IN_REVIEW, bpmn=text).first()
    if waiting is not None:
        return waiting
    draft = begin_draft(workflow, bpmn=text, by=by, at=at)
    ask_to_publish(draft, by=by, at=at, why=why)
    return WorkflowDraft.objects.with_people().get(pk=draft.pk)


@transaction.atomic
def take_back(draft: WorkflowDraft, *, by: ledger.Acts, at: datetime, why: str = "") -> None:
    """Take a draft back from review, to go on with it."""
    require_drafter(by, draft.workflow)
    draft = locked_draft(draft)
    concerned = {draft.asked_by_id, *draft.editors.values_list("pk", flat=True)} - {None}
    if isinstance(by, Principal) and concerned and by.pk not in concerned:
        raise ledger.NotAllowed("Who drew it or asked for the review takes it back. Others can send it back.")
    ledger.move(draft, Status.DRAFT, by=by, verb="workflow.withdrawn", at=at, why=why.strip())


def may_publish(by: Principal, draft: WorkflowDraft) -> bool:
    """Whether this person may publish the draft or send it back: with the right, and not one of those who drew it."""
    has_right = by.is_person and by.may("workflows.publish_workflow", draft.workflow)
    return has_right and not draft.editors.filter(pk=by.pk).exists()


@transaction.atomic
def publish_draft(
    draft: WorkflowDraft, *, by: ledger.Acts, at: datetime, why: str = "", seen: int | None = None
) -> WorkflowVersion:
    """The next version of the workflow, with what the draft says. Never by one of those who drew it; what is published
    is the revision that was `seen`, when its number is given."""
    require(by, "workflows.publish_workflow", draft.workflow)
    draft = locked_draft(draft)
    _require_second(draft, by)
    if seen is not None and seen != draft.revision:
        raise DraftChanged(draft)
    _require_base(draft)
    bpmn, who = draft.bpmn.encode(), by if isinstance(by, Principal) else None
    graph = graph_in(bpmn, at=at, unit=draft.workflow.unit, workflow=draft.workflow)
    version = keep(draft.workflow, bpmn, graph, author=draft.author, approved_by=who, by=by, at=at, why=why.strip())
    ledger.move(
        draft, Status.PUBLISHED, by=by, verb="workflow.approved", at=at, why=why.strip(), approved_by=who,
        approved_at=at, version=version, data={"version": version.number},
    )  # fmt: skip
    return version


@transaction.atomic
def send_back(draft: WorkflowDraft, *, by: ledger.Acts, at: datetime, why: str) -> None:
    """Return a draft from review to those who drew it, with the reason."""
    require(by, "workflows.publish_workflow", draft.workflow)
    draft = locked_draft(draft)
    _require_second(draft, by)
    if not why.strip():
        said = "Say what has to change; who drew it reads it."
        raise ledger.Invalid("It was not sent back.", fields={"reason": said})
    ledger.move(draft, Status.DRAFT, by=by, verb="workflow.sent_back", at=at, why=why.strip())


def _require_second(draft: WorkflowDraft, by: ledger.Acts) -> None:
    if isinstance(by, Principal) and draft.editors.filter(pk=by.pk).exists():
        raise OwnDraft(about=draft)


def _require_base(draft: WorkflowDraft) -> None:
    newest = draft.workflow.versions.first()
    if newest is not None and newest.pk != draft.base_id:
        raise BaseMoved
