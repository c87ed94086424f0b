"""Paths of governance."""

from django.urls import URLPattern, path

from governance.api import analysis as analysis_api
from governance.api import authzen
from governance.api import autonomy as autonomy_api
from governance.api import budgets as budgets_api
from governance.api import delegations as delegations_api
from governance.api import drafting as drafting_api
from governance.api import incidents as incidents_api
from governance.api import learning as learning_api
from governance.api import lists as lists_api
from governance.api import paths as paths_api
from governance.api import policies as policies_api
from governance.api import policy_versions as versions_api
from governance.api import replays as replays_api
from governance.api import safeguards as safeguards_api
from governance.views import (
    analysis,
    autonomy,
    bench,
    budgets,
    drafting,
    incidents,
    insights,
    lists,
    notices,
    paths,
    planted,
    policies,
    policy_editing,
    policy_life,
    replays,
    safeguards,
)

api_urls: list[URLPattern] = [
    path("policies", policies_api.PoliciesView.as_view(), name="api-policies"),
    path("policies/check", policies_api.CheckPolicyView.as_view(), name="api-policy-check"),
    path("policies/schema", drafting_api.PolicySchemaView.as_view(), name="api-policy-schema"),
    path("policies/bench", drafting_api.BenchView.as_view(), name="api-policy-bench"),
    path("policies/templates", versions_api.TemplatesView.as_view(), name="api-policy-templates"),
    path("policies/<str:key>", policies_api.PolicyView.as_view(), name="api-policy"),
    path("policies/<str:key>/activate", policies_api.ActivatePolicyView.as_view(), name="api-policy-activate"),
    path("policies/<str:key>/versions/<int:number>/replays", replays_api.ReplaysView.as_view(), name="api-replays"),
    path(
        "policies/<str:key>/versions/<int:number>/replays/<uuid:uid>",
        replays_api.ReplayView.as_view(),
        name="api-replay",
    ),
    path(
        "policies/<str:key>/versions/<int:number>/replays/<uuid:uid>/decisions",
        replays_api.ReplayDecisionsView.as_view(),
        name="api-replay-decisions",
    ),
    path(
        "policies/<str:key>/versions/<int:number>/in-shadow",
        replays_api.ShadowView.as_view(),
        name="api-in-shadow",
    ),
    path(
        "policies/<str:key>/versions/<int:number>/in-shadow/decisions",
        replays_api.ShadowDecisionsView.as_view(),
        name="api-in-shadow-decisions",
    ),
    path(
        "policies/<str:key>/versions/<int:number>/replays/<uuid:uid>/cancel",
        replays_api.CancelReplayView.as_view(),
        name="api-replay-cancel",
    ),
    path(
        "policies/<str:key>/versions/<int:number>/analysis",
        analysis_api.AnalysisView.as_view(),
        name="api-policy-analysis",
    ),
    path("value-lists", lists_api.ValueListsView.as_view(), name="api-value-lists"),
    path("value-lists/<str:name>", lists_api.ValueListView.as_view(), name="api-value-list"),
    path("policies/<str:key>/diff", versions_api.DiffView.as_view(), name="api-policy-diff"),
    path("policies/<str:key>/versions", versions_api.VersionsView.as_view(), name="api-policy-versions"),
    path("policies/<str:key>/versions/<int:number>", versions_api.VersionView.as_view(), name="api-policy-version"),
    *(
        path(f"policies/<str:key>/versions/<int:number>/{act}", view.as_view(), name=f"api-policy-{act}")
        for act, view in (
            ("gate", versions_api.GateView),
            ("comments", versions_api.CommentsView),
            ("ask-review", versions_api.AskReviewView),
            ("withdraw", versions_api.WithdrawReviewView),
            ("approve", versions_api.ApproveVersionView),
            ("send-back", versions_api.SendBackVersionView),
            ("shadow", versions_api.ShadowVersionView),
            ("retire", versions_api.RetireVersionView),
            ("restore", versions_api.RestoreVersionView),
        )
    ),
    path("agents/<str:code>/boundaries", autonomy_api.BoundariesView.as_view(), name="api-boundaries"),
    path("agents/<str:code>/evidence", autonomy_api.EvidenceView.as_view(), name="api-evidence"),
    path("agents/<str:code>/promotions", autonomy_api.PromotionsView.as_view(), name="api-promotions"),
    path("promotions/<uuid:uid>/approve", autonomy_api.PromotionAnswerView.as_view(), name="api-promotion-approve"),
    path("promotions/<uuid:uid>/reject", autonomy_api.RejectPromotionView.as_view(), name="api-promotion-reject"),
    path("promotions/<uuid:uid>/withdraw", autonomy_api.WithdrawPromotionView.as_view(), name="api-promotion-withdraw"),
    path("budgets", budgets_api.BudgetsView.as_view(), name="api-budgets"),
    path("budgets/<uuid:uid>", budgets_api.BudgetView.as_view(), name="api-budget"),
    path("budgets/<uuid:uid>/close", budgets_api.CloseBudgetView.as_view(), name="api-budget-close"),
    path("agents/<str:code>/budgets", budgets_api.AgentBudgetsView.as_view(), name="api-agent-budgets"),
    path("decisions/<uuid:uid>/outcome", budgets_api.OutcomeView.as_view(), name="api-outcome"),
    path("agents/<str:code>/resume", incidents_api.ResumeView.as_view(), name="api-agent-resume"),
    path("incidents", incidents_api.IncidentsView.as_view(), name="api-incidents"),
    path("incidents/<uuid:uid>", incidents_api.IncidentView.as_view(), name="api-incident"),
    path("incidents/<uuid:uid>/release", incidents_api.ReleaseView.as_view(), name="api-incident-release"),
    path("incidents/<uuid:uid>/keep", incidents_api.KeepView.as_view(), name="api-incident-keep"),
    path("safeguards", safeguards_api.SafeguardsView.as_view(), name="api-safeguards"),
    path("safeguards/<str:role>", safeguards_api.SafeguardView.as_view(), name="api-safeguard"),
    path("safeguards/<str:role>/drop", safeguards_api.DropSafeguardView.as_view(), name="api-safeguard-drop"),
    path("circuits", safeguards_api.CircuitsView.as_view(), name="api-circuits"),
    path("circuits/<str:code>", safeguards_api.CircuitView.as_view(), name="api-circuit"),
    path("escalation-paths", paths_api.PathsView.as_view(), name="api-paths"),
    path("escalation-paths/<str:key>", paths_api.PathView.as_view(), name="api-path"),
    path("calendars", paths_api.CalendarsView.as_view(), name="api-calendars"),
    path("calendars/<str:key>", paths_api.CalendarView.as_view(), name="api-calendar"),
    path("trainings", paths_api.TrainingsView.as_view(), name="api-trainings"),
    path("escalation-insights", learning_api.InsightsView.as_view(), name="api-insights"),
    path("learnt-rules", learning_api.LearntRulesView.as_view(), name="api-learnt-rules"),
    path("learnt-rules/<uuid:uid>/revoke", learning_api.RevokeLearntView.as_view(), name="api-learnt-revoke"),
    path("planted-cases", learning_api.PlantedCasesView.as_view(), name="api-planted"),
    path("planted-cases/<uuid:uid>/withdraw", learning_api.WithdrawPlantedView.as_view(), name="api-planted-withdraw"),
    path("delegations", delegations_api.DelegationsView.as_view(), name="api-delegations"),
    path("delegations/<uuid:uid>/end", delegations_api.EndDelegationView.as_view(), name="api-delegation-end"),
]
urlpatterns: list[URLPattern] = [
    path("escalations/insights", insights.InsightsPage.as_view(), name="insights"),
    path("escalations/insights/rows", insights.InsightRows.as_view(), name="insights-rows"),
    path("escalations/insights/pairs", insights.InsightPairs.as_view(), name="insights-pairs"),
    path("escalations/insights/suggestions/<str:group>/draft", insights.DraftRule.as_view(), name="insights-draft"),
    path(
        "escalations/insights/suggestions/<str:group>/turn-down",
        insights.TurnDownRule.as_view(),
        name="insights-turn-down",
    ),
    path("escalations/insights/learnt/<uuid:uid>/revoke", insights.RevokeLearnt.as_view(), name="insights-revoke"),
    path("escalations/insights/planted", planted.PlantedPage.as_view(), name="insights-planted"),
    path("escalations/insights/planted/like/<uuid:uid>", planted.NewPlantedPage.as_view(), name="insights-planted-new"),
    path(
        "escalations/insights/planted/<uuid:uid>/withdraw",
        planted.WithdrawPlanted.as_view(),
        name="insights-planted-withdraw",
    ),
    path("escalations/insights/planted/<uuid:uid>/seen", planted.SeenPlanted.as_view(), name="insights-planted-seen"),
    path("settings/notifications", notices.NotificationsPage.as_view(), name="settings-notifications"),
    path("settings/notifications/places", notices.AddPlace.as_view(), name="settings-notifications-add"),
    path(
        "settings/notifications/places/<uuid:uid>/remove",
        notices.RemovePlace.as_view(),
        name="settings-notifications-remove",
    ),
    path(
        "settings/notifications/places/<uuid:uid>/test", notices.TryPlace.as_view(), name="settings-notifications-test"
    ),
    path("escalations/open/<str:token>", notices.OpenLink.as_view(), name="escalation-open"),
    path("autonomy", autonomy.AutonomyPage.as_view(), name="agent-autonomy"),
    path("autonomy/rules/<int:pk>/drop", autonomy.DropRule.as_view(), name="agent-demotion-rule-drop"),
    path("agents/<str:code>/promotion", autonomy.PromotionPage.as_view(), name="agent-promotion"),
    path("agents/<str:code>/demotion", autonomy.DemotionPage.as_view(), name="agent-demotion"),
    path("promotions/<uuid:uid>/approve", autonomy.AnswerPromotion.as_view(), name="promotion-approve"),
    path("promotions/<uuid:uid>/reject", autonomy.AnswerPromotion.as_view(answer="reject"), name="promotion-reject"),
    path(
        "promotions/<uuid:uid>/withdraw", autonomy.AnswerPromotion.as_view(answer="withdraw"), name="promotion-withdraw"
    ),
    path("budgets", budgets.BudgetsPage.as_view(), name="budgets"),
    path("budgets/new", budgets.NewBudget.as_view(), name="budget-new"),
    path("budgets/<uuid:uid>", budgets.BudgetPage.as_view(), name="budget"),
    path("budgets/<uuid:uid>/edit", budgets.EditBudget.as_view(), name="budget-edit"),
    path("budgets/<uuid:uid>/close", budgets.CloseBudget.as_view(), name="budget-close"),
    path("incidents", incidents.IncidentsPage.as_view(), name="incidents"),
    path("incidents/<uuid:uid>", incidents.IncidentPage.as_view(), name="incident"),
    path("incidents/<uuid:uid>/release", incidents.ResolveIncident.as_view(), name="incident-release"),
    path("incidents/<uuid:uid>/keep", incidents.ResolveIncident.as_view(keep=True), name="incident-keep"),
    path("safeguards", safeguards.SafeguardsPage.as_view(), name="incidents-safeguards"),
    path("safeguards/limits/<str:role>", safeguards.LimitsPage.as_view(), name="incidents-limits"),
    path("safeguards/limits/<str:role>/drop", safeguards.DropLimits.as_view(), name="incidents-limits-drop"),
    path("safeguards/circuits/<str:code>", safeguards.CircuitPage.as_view(), name="incidents-circuit"),
    path("policies", policies.PoliciesPage.as_view(), name="policies"),
    path("policies/new/form", drafting.NewPolicyFormPage.as_view(), name="policy-new-form"),
    path("policies/bench", bench.BenchPage.as_view(), name="policy-bench"),
    path("policies/<str:key>/versions/<int:number>/form", drafting.PolicyFormPage.as_view(), name="policy-form"),
    path("policies/analysis", analysis.AnalysisPage.as_view(), name="policies-analysis"),
    path("policies/paths", paths.PathsPage.as_view(), name="policy-paths"),
    path("policies/paths/new", paths.NewPathPage.as_view(), name="policy-path-new"),
    path("policies/paths/<str:key>", paths.PathPage.as_view(), name="policy-path"),
    path("policies/calendars/new", paths.NewCalendarPage.as_view(), name="policy-calendar-new"),
    path("policies/calendars/<str:key>", paths.CalendarPage.as_view(), name="policy-calendar"),
    path("policies/lists", lists.ListsPage.as_view(), name="policy-lists"),
    path("policies/lists/new", lists.NewListPage.as_view(), name="policy-list-new"),
    path("policies/lists/<str:name>", lists.ListPage.as_view(), name="policy-list"),
    path("policies/lists/<str:name>/drop", lists.DropList.as_view(), name="policy-list-drop"),
    path(
        "policies/<str:key>/versions/<int:number>/analysis",
        analysis.VersionAnalysisPage.as_view(),
        name="policy-analysis",
    ),
    path("policies/new", policy_editing.NewPolicy.as_view(), name="policy-new"),
    path("policies/check", policy_editing.CheckPolicy.as_view(), name="policy-check"),
    path("policies/<str:key>/edit", policy_editing.EditPolicy.as_view(), name="policy-edit"),
    path("policies/<str:key>/diff", policy_life.PolicyDiff.as_view(), name="policy-diff"),
    *(
        path(f"policies/<str:key>/versions/<int:number>/{act}", view, name=f"policy-{act}")
        for act, view in (
            *((act, policy_life.PolicyAct.as_view(act=act)) for act in policy_life.ACTS),
            ("restore", policy_life.RestorePolicy.as_view()),
            ("comment", policy_life.CommentPolicy.as_view()),
            ("document.yaml", policy_life.PolicyDownload.as_view()),
            ("document.json", policy_life.PolicyDownload.as_view(kind="json")),
        )
    ),
    path("policies/<str:key>", policies.PolicyPage.as_view(), name="policy"),
    path("policies/<str:key>/versions/<int:number>/replay", replays.ReplayPage.as_view(), name="policy-replay"),
    path(
        "policies/<str:key>/versions/<int:number>/replay/cancel",
        replays.CancelReplay.as_view(),
        name="policy-replay-cancel",
    ),
    path(
        "policies/<str:key>/versions/<int:number>/replay/<uuid:uid>",
        replays.ReplayedDecision.as_view(),
        name="policy-replayed",
    ),
    path("policies/<str:key>/versions/<int:number>/in-shadow", replays.ShadowPage.as_view(), name="policy-in-shadow"),
    path(
        "policies/<str:key>/versions/<int:number>/in-shadow/<uuid:uid>",
        replays.ReplayedDecision.as_view(shadow=True),
        name="policy-in-shadow-decision",
    ),
]
decision_point: list[URLPattern] = [
    path("access/v1/evaluation", authzen.EvaluationView.as_view(), name="authzen-evaluation"),
    path("access/v1/evaluations", authzen.EvaluationsView.as_view(), name="authzen-evaluations"),
    path("access/v1/search/subject", authzen.SubjectSearchView.as_view(), name="authzen-subjects"),
    path("access/v1/search/resource", authzen.ResourceSearchView.as_view(), name="authzen-resources"),
    path("access/v1/search/action", authzen.ActionSearchView.as_view(), name="authzen-actions"),
    path("access/v1/requests", authzen.AccessRequestsView.as_view(), name="authzen-requests"),
    path("access/v1/requests/<uuid:uid>", authzen.AccessRequestView.as_view(), name="authzen-request"),
    path("access/v1/requests/<uuid:uid>/cancel", authzen.CancelAccessRequestView.as_view(), name="authzen-cancel"),
    path(".well-known/authzen-configuration", authzen.Metadata.as_view(), name="authzen-metadata"),
    path(".well-known/authzen-configuration/<path:tenant>", authzen.Metadata.as_view(), name="authzen-metadata-path"),
]
