"""Paths of identity."""

from django.urls import path

from agents import views
from agents.api import access, registry, reviews
from agents.models import ReviewItem

api_urls = [
    path("me", registry.MeView.as_view(), name="api-me"),
    path("agents", registry.AgentsView.as_view(), name="api-agents"),
    path("agents/<str:code>", registry.AgentView.as_view(), name="api-agent"),
    path("access/objects/<str:kind>/<str:key>", access.ObjectAccessView.as_view(), name="api-access-object"),
    path("access/principals/<str:username>", access.PrincipalAccessView.as_view(), name="api-access-principal"),
    path("grants", access.GrantsView.as_view(), name="api-grants"),
    path("grants/<uuid:uid>", access.GrantView.as_view(), name="api-grant"),
    path("reviews", reviews.ReviewsView.as_view(), name="api-reviews"),
    path("reviews/<uuid:uid>", reviews.ReviewView.as_view(), name="api-review"),
    path("reviews/<uuid:uid>/items/<int:pk>/certify", reviews.AnswerItemView.as_view(), name="api-review-certify"),
    path(
        "reviews/<uuid:uid>/items/<int:pk>/revoke",
        reviews.AnswerItemView.as_view(answer=ReviewItem.Status.REVOKED),
        name="api-review-revoke",
    ),
]
urlpatterns = [
    path("sign-in", views.SignIn.as_view(), name="sign-in"),
    path("sign-out", views.SignOut.as_view(), name="sign-out"),
    path("signed-out", views.SignedOut.as_view(), name="signed-out"),
    path("password", views.PasswordChange.as_view(), name="password-change"),
    path("password/changed", views.PasswordChanged.as_view(), name="password-changed"),
    path("settings", views.Settings.as_view(), name="settings"),
]
