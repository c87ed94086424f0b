"""Paths of governance."""

from django.urls import URLPattern, path

from governance import api
from governance.views import policies

api_urls: list[URLPattern] = [
    path("policies", api.PoliciesView.as_view(), name="api-policies"),
    path("policies/check", api.CheckPolicyView.as_view(), name="api-policy-check"),
    path("policies/<str:key>", api.PolicyView.as_view(), name="api-policy"),
    path("policies/<str:key>/activate", api.ActivatePolicyView.as_view(), name="api-policy-activate"),
]
urlpatterns: list[URLPattern] = [
    path("policies", policies.PoliciesPage.as_view(), name="policies"),
    path("policies/<str:key>", policies.PolicyPage.as_view(), name="policy"),
]
