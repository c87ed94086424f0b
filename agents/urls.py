"""Paths of identity."""

from django.urls import path

from agents import views
from agents.api import access, blueprints, cards, credentials, hiring, oauth, registry, reviews
from agents.api import people as people_api
from agents.views import emergencies, invitations, people, second_factors, sessions, single_sign_on

api_urls = [
    path("me", registry.MeView.as_view(), name="api-me"),
    path("blueprints", blueprints.BlueprintsView.as_view(), name="api-blueprints"),
    path("blueprints/<str:code>", blueprints.BlueprintView.as_view(), name="api-blueprint"),
    path("agents", hiring.HiringView.as_view(), name="api-agents"),
    path("agents/<str:code>", hiring.AgentDoor.as_view(), name="api-agent"),
    path("agents/<str:code>/submit", hiring.SubmitView.as_view(), name="api-agent-submit"),
    path("agents/<str:code>/send-back", hiring.SendBackView.as_view(), name="api-agent-send-back"),
    path("agents/<str:code>/pause", hiring.PauseView.as_view(), name="api-agent-pause"),
    path("agents/<str:code>/versions", hiring.VersionsView.as_view(), name="api-agent-versions"),
    path("people", people_api.PeopleView.as_view(), name="api-people"),
    path("people/<str:username>", people_api.PersonView.as_view(), name="api-person"),
    path("people/<str:username>/disable", people_api.DisableView.as_view(), name="api-person-disable"),
    path("people/<str:username>/enable", people_api.DisableView.as_view(enables=True), name="api-person-enable"),
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
    path("access/objects/<str:kind>/<str:key>", access.ObjectAccessView.as_view(), name="api-access-object"),
    path("access/principals/<str:username>", access.PrincipalAccessView.as_view(), name="api-access-principal"),
    path("grants", access.GrantsView.as_view(), name="api-grants"),
    path("grants/<uuid:uid>", access.GrantView.as_view(), name="api-grant"),
    path("reviews", reviews.ReviewsView.as_view(), name="api-reviews"),
    path("reviews/<uuid:uid>", reviews.ReviewView.as_view(), name="api-review"),
    path("reviews/<uuid:uid>/items", reviews.ReviewItemsView.as_view(), name="api-review-items"),
    path("reviews/<uuid:uid>/items/<int:item>/certify", reviews.CertifyView.as_view(), name="api-review-certify"),
    path("reviews/<uuid:uid>/items/<int:item>/revoke", reviews.RevokeView.as_view(), name="api-review-revoke"),
]
for_programs = [
    path("oauth/token", oauth.TokenView.as_view(), name="oauth-token"),
    path("oauth/jwks", oauth.KeySet.as_view(), name="oauth-jwks"),
    path(".well-known/oauth-authorization-server", oauth.ServerMetadata.as_view(), name="oauth-server"),
    path(".well-known/oauth-protected-resource", oauth.ResourceMetadata.as_view(), name="oauth-resource"),
]
# The library of the sign-in looks its pages up by its own names; they stand beside ours where a page has both.
signing_in = [
    path("sign-in", views.SignIn.as_view(), name="sign-in"),
    path("sign-in", views.SignIn.as_view(), name="account_login"),
    path("sign-in/passkey", second_factors.PasskeySignIn.as_view(), name="mfa_login_webauthn"),
    path("sign-in/code", second_factors.EnterCode.as_view(), name="mfa_authenticate"),
    path("sign-in/service", single_sign_on.ToTheService.as_view(), name="sign-in-service"),
    path(
        "sign-in/<slug:provider_id>/back", single_sign_on.BackFromTheService.as_view(), name="openid_connect_callback"
    ),
    path("sign-out", views.SignOut.as_view(), name="sign-out"),
    path("sign-out", views.SignOut.as_view(), name="account_logout"),
    path("signed-out", views.SignedOut.as_view(), name="signed-out"),
    path("confirm/password", second_factors.ConfirmByPassword.as_view(), name="account_reauthenticate"),
    path("confirm/code", second_factors.ConfirmByCode.as_view(), name="mfa_reauthenticate"),
    path("confirm/passkey", second_factors.ConfirmByPasskey.as_view(), name="mfa_reauthenticate_webauthn"),
    path("confirm/service", single_sign_on.SignInAgainThere.as_view(), name="sign-in-again"),
    path("invitation/<str:who>/<str:token>", invitations.AcceptInvitation.as_view(), name="invitation"),
]
own_account = [
    path("password", views.PasswordChange.as_view(), name="password-change"),
    path("password/changed", views.PasswordChanged.as_view(), name="password-changed"),
    path("settings", views.Settings.as_view(), name="settings"),
    path("sessions", sessions.SessionsPage.as_view(), name="usersessions_list"),
    path("second-factor", second_factors.SecondFactors.as_view(), name="mfa_index"),
    path("second-factor/app", second_factors.AddApp.as_view(), name="mfa_activate_totp"),
    path("second-factor/app/remove", second_factors.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("second-factor/passkeys", second_factors.Passkeys.as_view(), name="mfa_list_webauthn"),
    path("second-factor/passkeys/add", second_factors.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("second-factor/passkeys/<int:pk>", second_factors.NamePasskey.as_view(), name="mfa_edit_webauthn"),
    path("second-factor/passkeys/<int:pk>/remove", second_factors.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("second-factor/codes", second_factors.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path("second-factor/codes/new", second_factors.NewRecoveryCodes.as_view(), name="mfa_generate_recovery_codes"),
    path("second-factor/codes.txt", second_factors.RecoveryCodesFile.as_view(), name="mfa_download_recovery_codes"),
    path("settings/agents", views.Consents.as_view(), name="settings-agents"),
    path("settings/agents/<uuid:uid>/withdraw", views.WithdrawConsent.as_view(), name="settings-agents-withdraw"),
]
others = [
    path("agents/cards", views.CardsPage.as_view(), name="agent-cards"),
    path("agents/cards/<uuid:uid>", views.CardPage.as_view(), name="agent-cards-one"),
    path("agents/cards/<uuid:uid>/accept", views.AcceptCard.as_view(), name="agent-cards-accept"),
    path("agents/cards/<uuid:uid>/withdraw", views.WithdrawCard.as_view(), name="agent-cards-withdraw"),
    path("people", people.PeoplePage.as_view(), name="people"),
    path("people/admit", people.Admit.as_view(), name="people-admit"),
    path("people/emergencies", emergencies.EmergenciesPage.as_view(), name="people-emergencies"),
    path("people/<str:username>", people.OnePerson.as_view(), name="people-person"),
    *(
        path(f"people/<str:username>/{act}", people.ChangePerson.as_view(act=act), name=f"people-{act}")
        for act in people.ACTS
    ),
]
urlpatterns = [*for_programs, *signing_in, *own_account, *others]
