"""Paths of governance."""

from django.urls import URLPattern, path

from governance.api import autonomy as autonomy_api
from governance.api import delegations as delegations_api
from governance.api import policies as policies_api
from governance.api import replays as replays_api
from governance.views import autonomy, policies, replays

api_urls: list[URLPattern] = [
    path("policies", policies_api.PoliciesView.as_view(), name="api-policies"),
    path("policies/check", policies_api.CheckPolicyView.as_view(), name="api-policy-check"),
    path("policies/<str:key>", policies_api.PolicyView.as_view(), name="api-policy"),
    path("policies/<str:key>/activate", policies_api.ActivatePolicyView.as_view(), name="api-policy-activate"),
    path("policies/<str:key>/versions/<int:number>/replays", replays_api.ReplaysView.as_view(), name="api-replays"),
    path(
        "policies/<str:key>/versions/<int:number>/replays/<uuid:uid>",
        replays_api.ReplayView.as_view(),
        name="api-replay",
    ),
    path(
        "policies/<str:key>/versions/<int:number>/replays/<uuid:uid>/cancel",
        replays_api.CancelReplayView.as_view(),
        name="api-replay-cancel",
    ),
    path("agents/<str:code>/boundaries", autonomy_api.BoundariesView.as_view(), name="api-boundaries"),
    path("agents/<str:code>/evidence", autonomy_api.EvidenceView.as_view(), name="api-evidence"),
    path("agents/<str:code>/promotions", autonomy_api.PromotionsView.as_view(), name="api-promotions"),
    path("promotions/<uuid:uid>/approve", autonomy_api.PromotionAnswerView.as_view(), name="api-promotion-approve"),
    path("promotions/<uuid:uid>/reject", autonomy_api.RejectPromotionView.as_view(), name="api-promotion-reject"),
    path("promotions/<uuid:uid>/withdraw", autonomy_api.WithdrawPromotionView.as_view(), name="api-promotion-withdraw"),
    path("delegations", delegations_api.DelegationsView.as_view(), name="api-delegations"),
    path("delegations/<uuid:uid>/end", delegations_api.EndDelegationView.as_view(), name="api-delegation-end"),
]
urlpatterns: list[URLPattern] = [
    path("autonomy", autonomy.AutonomyPage.as_view(), name="agent-autonomy"),
    path("autonomy/rules/<int:pk>/drop", autonomy.DropRule.as_view(), name="agent-demotion-rule-drop"),
    path("agents/<str:code>/promotion", autonomy.PromotionPage.as_view(), name="agent-promotion"),
    path("agents/<str:code>/demotion", autonomy.DemotionPage.as_view(), name="agent-demotion"),
    path("promotions/<uuid:uid>/approve", autonomy.AnswerPromotion.as_view(), name="promotion-approve"),
    path("promotions/<uuid:uid>/reject", autonomy.AnswerPromotion.as_view(answer="reject"), name="promotion-reject"),
    path(
        "promotions/<uuid:uid>/withdraw", autonomy.AnswerPromotion.as_view(answer="withdraw"), name="promotion-withdraw"
    ),
    path("policies", policies.PoliciesPage.as_view(), name="policies"),
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
