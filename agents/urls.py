"""Paths of identity."""

from django.urls import path

from agents import views
from agents.api import cards, credentials, oauth, registry

api_urls = [
    path("me", registry.MeView.as_view(), name="api-me"),
    path("agents", registry.AgentsView.as_view(), name="api-agents"),
    path("agents/<str:code>", registry.AgentView.as_view(), name="api-agent"),
    path("agents/<str:code>/keys", credentials.KeysView.as_view(), name="api-keys"),
    path("agents/<str:code>/client-keys", credentials.ClientKeysView.as_view(), name="api-client-keys"),
    path("keys/<str:prefix>/rotate", credentials.RotateKeyView.as_view(), name="api-key-rotate"),
    path("keys/<str:prefix>/revoke", credentials.RevokeKeyView.as_view(), name="api-key-revoke"),
    path("client-keys/<uuid:uid>/revoke", credentials.RevokeClientKeyView.as_view(), name="api-client-key-revoke"),
    path("me/key/rotate", credentials.RotateOwnKeyView.as_view(), name="api-own-key-rotate"),
    path("me/delegated-tokens", credentials.ConsentsView.as_view(), name="api-consents"),
    path(
        "me/delegated-tokens/<uuid:uid>/withdraw",
        credentials.WithdrawConsentView.as_view(),
        name="api-consent-withdraw",
    ),
    path("foreign-cards", cards.ForeignCardsView.as_view(), name="api-foreign-cards"),
    path("foreign-cards/<uuid:uid>", cards.ForeignCardView.as_view(), name="api-foreign-card"),
    path("foreign-cards/<uuid:uid>/accept", cards.AcceptCardView.as_view(), name="api-foreign-card-accept"),
    path("foreign-cards/<uuid:uid>/withdraw", cards.WithdrawCardView.as_view(), name="api-foreign-card-withdraw"),
]
urlpatterns = [
    path("oauth/token", oauth.TokenView.as_view(), name="oauth-token"),
    path("oauth/jwks", oauth.KeySet.as_view(), name="oauth-jwks"),
    path(".well-known/oauth-authorization-server", oauth.ServerMetadata.as_view(), name="oauth-server"),
    path(".well-known/oauth-protected-resource", oauth.ResourceMetadata.as_view(), name="oauth-resource"),
    path("sign-in", views.SignIn.as_view(), name="sign-in"),
    path("sign-out", views.SignOut.as_view(), name="sign-out"),
    path("signed-out", views.SignedOut.as_view(), name="signed-out"),
    path("password", views.PasswordChange.as_view(), name="password-change"),
    path("password/changed", views.PasswordChanged.as_view(), name="password-changed"),
    path("settings", views.Settings.as_view(), name="settings"),
    path("settings/agents", views.Consents.as_view(), name="settings-agents"),
    path("settings/agents/<uuid:uid>/withdraw", views.WithdrawConsent.as_view(), name="settings-agents-withdraw"),
    path("agents/cards", views.CardsPage.as_view(), name="agent-cards"),
    path("agents/cards/<uuid:uid>", views.CardPage.as_view(), name="agent-cards-one"),
    path("agents/cards/<uuid:uid>/accept", views.AcceptCard.as_view(), name="agent-cards-accept"),
    path("agents/cards/<uuid:uid>/withdraw", views.WithdrawCard.as_view(), name="agent-cards-withdraw"),
]
