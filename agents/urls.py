"""Paths of identity."""

from django.urls import path

from agents import views
from agents.api import blueprints, hiring, registry

api_urls = [
    path("me", registry.MeView.as_view(), name="api-me"),
    path("blueprints", blueprints.BlueprintsView.as_view(), name="api-blueprints"),
    path("blueprints/<str:code>", blueprints.BlueprintView.as_view(), name="api-blueprint"),
    path("agents", hiring.HiringView.as_view(), name="api-agents"),
    path("agents/<str:code>", hiring.AgentDoor.as_view(), name="api-agent"),
    path("agents/<str:code>/submit", hiring.SubmitView.as_view(), name="api-agent-submit"),
    path("agents/<str:code>/send-back", hiring.SendBackView.as_view(), name="api-agent-send-back"),
    path("agents/<str:code>/pause", hiring.PauseView.as_view(), name="api-agent-pause"),
    path("agents/<str:code>/resume", hiring.ResumeView.as_view(), name="api-agent-resume"),
    path("agents/<str:code>/versions", hiring.VersionsView.as_view(), name="api-agent-versions"),
]
urlpatterns = [
    path("sign-in", views.SignIn.as_view(), name="sign-in"),
    path("sign-out", views.SignOut.as_view(), name="sign-out"),
    path("signed-out", views.SignedOut.as_view(), name="signed-out"),
    path("password", views.PasswordChange.as_view(), name="password-change"),
    path("password/changed", views.PasswordChanged.as_view(), name="password-changed"),
    path("settings", views.Settings.as_view(), name="settings"),
]
