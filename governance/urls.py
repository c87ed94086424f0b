"""Paths of governance."""

from django.urls import URLPattern, path

from governance import api
from governance.views import autonomy, policies

api_urls: list[URLPattern] = [
    path("policies", api.PoliciesView.as_view(), name="api-policies"),
    path("policies/check", api.CheckPolicyView.as_view(), name="api-policy-check"),
    path("policies/<str:key>/activate", api.ActivatePolicyView.as_view(), name="api-policy-activate"),
    path("agents/<str:code>/boundaries", api.BoundariesView.as_view(), name="api-boundaries"),
    path("agents/<str:code>/evidence", api.EvidenceView.as_view(), name="api-evidence"),
    path("agents/<str:code>/promotions", api.PromotionsView.as_view(), name="api-promotions"),
    path("promotions/<uuid:uid>/approve", api.PromotionAnswerView.as_view(), name="api-promotion-approve"),
    path("promotions/<uuid:uid>/reject", api.RejectPromotionView.as_view(), name="api-promotion-reject"),
    path("promotions/<uuid:uid>/withdraw", api.WithdrawPromotionView.as_view(), name="api-promotion-withdraw"),
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
]
