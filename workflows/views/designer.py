"""What the pages of the designer share: the bar with the views of one workflow and what stands in its draft."""

import json
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from agents.models import Principal
from workflows import operations
from workflows.models import Workflow, WorkflowDraft
from workflows.views.workflows import path_names, role_names, visible_workflow

VIEWS = (
    ("design", "Design", "workflow-design"),
    ("live", "Live", "workflow-live"),
    ("heat", "Heat map", "workflow-heat"),
    ("outline", "Outline", "workflow-outline"),
)
"""The views of a workflow in the bar: key, word, name of the page."""


@dataclass(frozen=True)
class View:
    """One view of the switch."""

    word: str
    url: str
    current: bool


def bar_of(user: Principal, workflow: Workflow, draft: WorkflowDraft | None, current: str) -> dict[str, Any]:
    """What `workflows/_designer_bar.html` shows: the draft and what is live, the views, what comes next."""
    views = [View(word, reverse(name, args=[workflow.code]), key == current) for key, word, name in VIEWS]
    return {
        "workflow": workflow, "draft": draft, "live": workflow.versions.defer("bpmn", "graph").first(), "views": views,
        "may_draft": operations.may_draft(user, workflow),
        "may_publish": draft is not None and operations.may_publish(user, draft),
    }  # fmt: skip


def open_draft_of(user: Principal, code: str) -> tuple[Workflow, WorkflowDraft | None]:
    """The workflow, if this person may see it, and its draft, if it has one."""
    workflow = visible_workflow(user, code)
    return workflow, workflow.drafts.open().with_people().first()


def callable_by(user: Principal) -> list[tuple[str, str]]:
    """The workflows that a step may call, as (code, name)."""
    return list(Workflow.objects.visible_to(user).values_list("code", "name"))


def names_for(user: Principal) -> str:
    """The names of roles, paths and workflows by code, as JSON for the drawing."""
    return json.dumps({"roles": role_names(), "paths": path_names(), "workflows": dict(callable_by(user))})
