"""Paths of identity."""

from django.urls import path

from agents import views
from agents.api import registry

api_urls = [
    path("me", registry.MeView.as_view(), name="api-me"),
    path("agents", registry.AgentsView.as_view(), name="api-agents"),
    path("agents/<str:code>", registry.AgentView.as_view(), name="api-agent"),
]
urlpatterns = [
    path("sign-in", views.SignIn.as_view(), name="sign-in"),
    path("sign-out", views.SignOut.as_view(), name="sign-out"),
    path("signed-out", views.SignedOut.as_view(), name="signed-out"),
    path("password", views.PasswordChange.as_view(), name="password-change"),
    path("password/changed", views.PasswordChanged.as_view(), name="password-changed"),
    path("settings", views.Settings.as_view(), name="settings"),
]
