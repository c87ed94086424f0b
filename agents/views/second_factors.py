"""One's own second factors: the library's pages, with what they do in the ledger and counted for this session."""

import json
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.views import ReauthenticateView
from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from agents.forms import AppForm, CodeForm, ConfirmCodeForm, ConfirmPasswordForm, PasskeyForm, PasskeyNameForm
from agents.operations import sessions, signing_in
from agents.views.adapters import FACTORS, SecondFactorAdapter, record_failure
from agents.views.who import address_of, person
from observability.ledger import database_now

ADDED, REMOVED = "person.second_factor_added", "person.second_factor_removed"


def noted(request: HttpRequest, verb: str, kind: str) -> None:
    """Put a change of one's own second factors into the ledger."""
    signing_in.record_factor(verb, person(request), at=database_now(), kind=FACTORS[kind])


def counted(request: HttpRequest, kind: str) -> None:
    """Whoever has just shown a new factor has shown a factor: nothing more is asked in this session."""
    record_authentication(request, person(request), method="mfa", type=kind)
    request.session.pop(sessions.SECOND_FACTOR, None)


class WithOptions:
    """A page whose script talks to a passkey: `options` is what the device is asked, as JSON in an attribute,
    and empty when the person has no passkey to ask for."""

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """With the options as text."""
        shown: dict[str, Any] = super().get_context_data(**more)  # type: ignore[misc]
        asked = shown.get("js_data") or {}
        wanted = asked.get("request_options") or {}
        known = wanted if wanted.get("publicKey", {}).get("allowCredentials") else None
        options = asked.get("creation_options") or known
        return shown | {"options": json.dumps(options) if options else ""}


# --- at sign-in -----------------------------------------------------------------------------------------------
class EnterCode(WithOptions, base.AuthenticateView):
    """The second step of signing in: a code of the app, a recovery code or a passkey."""

    form_class = CodeForm

    def form_invalid(self, form: Any) -> HttpResponse:
        """Say what is wrong with it, and note it."""
        method = "code" if "code" in form.fields else "passkey"
        record_failure(self.request, self.stage.login.user, method=method)
        return super().form_invalid(form)


class PasskeySignIn(webauthn.LoginWebAuthnView):
    """Sign in with a passkey alone: the device has asked for its PIN or a finger."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """Note that nobody came in."""
        record_failure(self.request, None, method="passkey")
        return super().form_invalid(form)


# --- somebody who is signed in shows again who it is -----------------------------------------------------------
class Confirming:
    """What the ways to show again who one is have in common."""

    request: HttpRequest
    method = "password"

    def form_valid(self, form: Any) -> HttpResponse:
        """Note it, then go on with what was asked for."""
        signing_in.record_confirmation(
            person(self.request), at=database_now(), method=self.method, address=address_of(self.request)
        )
        answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        """Note it."""
        if self.method != "password":  # the adapter notes a wrong password
            record_failure(self.request, self.request.user, method=self.method)
        answer: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        return answer


class ConfirmByPassword(Confirming, ReauthenticateView):
    """With the password."""

    form_class = ConfirmPasswordForm


class ConfirmByCode(Confirming, base.ReauthenticateView):
    """With a code."""

    form_class = ConfirmCodeForm
    method = "code"


class ConfirmByPasskey(WithOptions, Confirming, webauthn.ReauthenticateWebAuthnView):
    """With a passkey."""

    method = "passkey"


# --- one's own factors ----------------------------------------------------------------------------------------
class SecondFactors(base.IndexView):
    """One's own second factors."""

    template_name = "mfa/index.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """With whether the person's role needs one, and whether this session waits for it."""
        user = person(self.request)
        return super().get_context_data(**more) | {
            "needed": sessions.needs_second_factor(user),
            "waits": sessions.lacks_second_factor(self.request.session, user),
        }


class AddApp(totp.ActivateTOTPView):
    """Add an authenticator app."""

    form_class = AppForm

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep its secret, and note it."""
        answer = super().form_valid(form)
        noted(self.request, ADDED, "totp")
        counted(self.request, "totp")
        return answer


class RemoveApp(totp.DeactivateTOTPView):
    """Remove the authenticator app."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Forget its secret, and note it."""
        answer = super().form_valid(form)
        noted(self.request, REMOVED, "totp")
        return answer


class Passkeys(webauthn.ListWebAuthnView):
    """One's own passkeys."""


class AddPasskey(WithOptions, webauthn.AddWebAuthnView):
    """Add a passkey."""

    form_class = PasskeyForm

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep it, and note it."""
        answer = super().form_valid(form)
        noted(self.request, ADDED, "webauthn")
        counted(self.request, "webauthn")
        return answer


class NamePasskey(webauthn.EditWebAuthnView):
    """Give a passkey another name."""

    form_class = PasskeyNameForm


class RemovePasskey(webauthn.RemoveWebAuthnView):
    """Remove a passkey."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Forget it unless it is the last factor of somebody who needs one, and note it."""
        adapter = SecondFactorAdapter()
        if not adapter.can_delete_authenticator(self.get_object()):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return redirect("mfa_list_webauthn")
        answer = super().form_valid(form)
        noted(self.request, REMOVED, "webauthn")
        return answer


class RecoveryCodes(recovery.ViewRecoveryCodesView):
    """One's own recovery codes, for the day on which phone or key is lost."""


class RecoveryCodesFile(recovery.DownloadRecoveryCodesView):
    """The recovery codes as a file."""


class NewRecoveryCodes(recovery.GenerateRecoveryCodesView):
    """Make new recovery codes; the old ones are void."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Make them, and note it."""
        answer = super().form_valid(form)
        noted(self.request, "person.recovery_codes_made", Authenticator.Type.RECOVERY_CODES)
        return answer
