"""Paths of coordination, and of the pages that show work."""

from django.urls import URLPattern, path

from governance.models import Escalation
from workflows import api
from workflows.views import (
    agents,
    control,
    delegations,
    escalations,
    memory,
    overview,
    reviews,
    rights,
    runs,
    workflows,
)

api_urls = [
    path("work/claim", api.ClaimView.as_view(), name="api-claim"),
    path("steps/<uuid:uid>/heartbeat", api.HeartbeatView.as_view(), name="api-heartbeat"),
    path("steps/<uuid:uid>/finish", api.FinishView.as_view(), name="api-finish"),
    path("steps/<uuid:uid>/fail", api.FailView.as_view(), name="api-fail"),
    path("actions", api.ActionsView.as_view(), name="api-actions"),
    path("decisions/<uuid:uid>", api.DecisionView.as_view(), name="api-decision"),
    path("runs", api.RunsView.as_view(), name="api-runs"),
    path("runs/<uuid:uid>", api.RunView.as_view(), name="api-run"),
    path("memory/facts", api.FactsView.as_view(), name="api-facts"),
    path("escalations", api.EscalationsView.as_view(), name="api-escalations"),
    path("escalations/<uuid:uid>", api.EscalationView.as_view(), name="api-escalation"),
    path("escalations/<uuid:uid>/approve", api.AnswerView.as_view(), name="api-approve"),
    path("escalations/<uuid:uid>/reject", api.AnswerView.as_view(answer=Escalation.Status.REJECTED), name="api-reject"),
    path("workflows", api.WorkflowsView.as_view(), name="api-workflows"),
]
urlpatterns: list[URLPattern] = [
    path("", overview.Overview.as_view(), name="overview"),
    path("control", control.ControlPage.as_view(), name="control"),
    path("control/posture", control.Posture.as_view(), name="control-posture"),
    path("escalations", escalations.EscalationsPage.as_view(), name="escalations"),
    path("escalations/new", escalations.NewOnes.as_view(), name="escalations-new"),
    path("escalations/<uuid:uid>", escalations.EscalationPage.as_view(), name="escalation"),
    path("escalations/<uuid:uid>/answer", escalations.AnswerDoor.as_view(), name="escalation-answer"),
    path("runs", runs.RunsPage.as_view(), name="runs"),
    path("runs/<uuid:uid>", runs.RunPage.as_view(), name="run"),
    path("runs/<uuid:uid>/cancel", runs.CancelRun.as_view(), name="run-cancel"),
    path("runs/<uuid:uid>/diagram.json", runs.RunStates.as_view(), name="run-states"),
    path("agents", agents.AgentsPage.as_view(), name="agents"),
    path("agents/<str:code>", agents.AgentPage.as_view(), name="agent"),
    path("agents/<str:code>/pause", agents.PauseAgent.as_view(), name="agent-pause"),
    path("agents/<str:code>/resume", agents.PauseAgent.as_view(resume=True), name="agent-resume"),
    path("agents/<str:code>/keys", agents.IssueKey.as_view(), name="agent-key"),
    path("agents/<str:code>/keys/<str:prefix>/revoke", agents.RevokeKey.as_view(), name="agent-key-revoke"),
    path("workflows", workflows.WorkflowsPage.as_view(), name="workflows"),
    path("workflows/<slug:code>", workflows.WorkflowPage.as_view(), name="workflow"),
    path("workflows/<slug:code>/<int:number>.bpmn", workflows.WorkflowDrawing.as_view(), name="workflow-drawing"),
    path("workflows/<slug:code>/<int:number>.json", workflows.WorkflowStates.as_view(), name="workflow-states"),
    path("memory", memory.MemoryPage.as_view(), name="memory"),
    path("access", rights.ObjectsPage.as_view(), name="access"),
    path("access/objects/<str:kind>/<str:key>", rights.ObjectPage.as_view(), name="access-object"),
    path("access/principals", rights.PrincipalsPage.as_view(), name="access-principals"),
    path("access/principals/<str:username>", rights.PrincipalPage.as_view(), name="access-principal"),
    path("access/rights/<uuid:uid>/take", rights.TakeRight.as_view(), name="access-take"),
    path("access/rights/<uuid:uid>/prolong", rights.ProlongRight.as_view(), name="access-prolong"),
    path("access/delegations", delegations.DelegationsPage.as_view(), name="access-delegations"),
    path("access/delegations/<uuid:uid>/end", delegations.EndDelegation.as_view(), name="access-delegation-end"),
    path("access/reviews", reviews.ReviewsPage.as_view(), name="access-reviews"),
    path("access/reviews/new", reviews.StartReview.as_view(), name="access-review-new"),
    path("access/reviews/<uuid:uid>", reviews.ReviewPage.as_view(), name="access-review"),
    path("access/reviews/<uuid:uid>/answer", reviews.AnswerRights.as_view(), name="access-review-answer"),
    path("access/reviews/<uuid:uid>/items/<int:pk>/revoke", reviews.RevokeItem.as_view(), name="access-review-revoke"),
    path("access/reviews/<uuid:uid>/evidence.json", reviews.ReviewEvidence.as_view(), name="access-review-json"),
    path(
        "access/reviews/<uuid:uid>/evidence.csv", reviews.ReviewEvidence.as_view(form="csv"), name="access-review-csv"
    ),
]
