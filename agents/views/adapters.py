"""What the sign-in library asks of us: who may come in, what a session remembers of it, how secrets are kept."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.account.internal.stagekit import clear_login
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.httpkit import deserialize_request
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib.auth import login as django_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import resolve, reverse
from django.utils.encoding import force_str

from agents.models import BreakGlass, Principal
from agents.operations import emergencies, sessions, signing_in, single_sign_on
from agents.rules import SECOND_FACTOR_ROLES
from agents.views.who import address_of
from observability import ledger
from observability.ledger import database_now

BACKEND = "agents.views.PeopleBackend"
PROVIDER = "sso"
METHODS = {"password": "password", "socialaccount": "single sign-on"}
FACTORS = {"totp": "code", "webauthn": "passkey", "recovery_codes": "recovery code", PROVIDER: "second factor there"}
REAUTHENTICATION = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}


class AccountAdapter(DefaultAccountAdapter):
    """Lets people in, and nobody else; what happens is in the ledger."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": "There were too many wrong codes. Wait 15 minutes and try again.",
        "rate_limited": "There were too many wrong codes. Wait 15 minutes and try again.",
        "incorrect_password": "This is not your password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up; IT admits people."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that the server saw; a proxy's header is read by the server in front, not here."""
        return address_of(request)

    def pre_login(self, request: HttpRequest, user: Any, **more: Any) -> HttpResponse | None:
        """Turn away who may not come in, before anything is asked of them."""
        return self._turned_away(request, user)

    def login(self, request: HttpRequest, user: Any) -> None:
        """Begin the session; its person may have been disabled since the password was typed."""
        if (response := self._turned_away(request, user)) is not None:
            raise ImmediateHttpResponse(response)
        user.backend = BACKEND
        django_login(request, user)
        at = database_now()
        request.session.pop(sessions.SECOND_FACTOR, None)
        sessions.lacks_second_factor(request.session, user)
        if user.username == emergencies.ACCOUNT:
            self._end_with_the_emergency(request, user)
        signing_in.record_sign_in(user, at=at, method=methods_of(request, user), address=address_of(request))

    def logout(self, request: HttpRequest) -> None:
        """End the session."""
        user = request.user
        super().logout(request)
        if isinstance(user, Principal):
            signing_in.record_sign_out(user, at=database_now())

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong password when a person was asked again who it is."""
        record_failure(request, request.user, method="password")

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Whether the person has to show again who it is; a recent sign-in counts."""
        return not sessions.is_recent(context.request.session, database_now())

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """How this person can show again who it is, the quickest first."""
        found = super().get_reauthentication_methods(user)
        methods = [{**method, "description": REAUTHENTICATION[method["id"]]} for method in found]
        if methods or not settings.OIDC:
            return methods
        description = f"Sign in again with {settings.OIDC.name}"
        return [{"id": "sign-in-again", "description": description, "url": reverse("sign-in-again")}]

    def _turned_away(self, request: HttpRequest, user: Any) -> HttpResponse | None:
        why = signing_in.refusal(user, at=database_now())
        if not why:
            return None
        record_failure(request, user, method=methods_of(request, user), why=why)
        clear_login(request)
        return render(request, "agents/turned_away.html", status=403)

    def _end_with_the_emergency(self, request: HttpRequest, user: Principal) -> None:
        use = BreakGlass.objects.filter(account=user, status=BreakGlass.Status.ARMED).first()
        if use is not None:
            request.session.set_expiry(max(1, int((use.expires_at - database_now()).total_seconds())))


class SecondFactorAdapter(DefaultMFAAdapter):
    """Keeps secrets of second factors encrypted, and the last factor of those who need one."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is not right, or it was used already. Wait for the next one.",
        "cannot_delete_authenticator": "Your role needs a second factor. Add another one before you remove this one.",
    }

    def get_totp_issuer(self) -> str:
        """The name beside the code in the authenticator app."""
        return f"{settings.MFA_TOTP_ISSUER} {settings.ORGANISATION}"

    def get_totp_label(self, user: Any) -> str:
        """Whose code it is, in the authenticator app."""
        return str(user.username)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """What the passkey is for, as the browser shows it."""
        return {**super().get_public_key_credential_rp_entity(), "name": "Autonomy OS"}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        """The name that is offered for a new passkey."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Passkey {count + 1}"

    def encrypt(self, text: str) -> str:
        """The secret as it is stored; whoever reads only the database cannot make codes."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret itself."""
        return _box().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Whether the person may remove this factor: not the last one of council, IT and risk."""
        person = authenticator.user
        if SECOND_FACTOR_ROLES.isdisjoint(person.role_names):
            return True
        others = Authenticator.objects.filter(user_id=person.pk).exclude(pk=authenticator.pk)
        return bool(others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists())


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """People from the company's sign-in service: only with a mapped group, with the roles that the groups mean."""

    def list_apps(
        self, request: HttpRequest | None, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The one service that the environment names, without a question to the database."""
        service = settings.OIDC
        if service is None or provider not in (None, PROVIDER, "openid_connect"):
            return []
        return [
            SocialApp(
                provider="openid_connect", provider_id=PROVIDER, name=service.name, client_id=service.client_id,
                secret=service.client_secret, settings={"server_url": service.issuer, "oauth_pkce_enabled": True},
            )
        ]  # fmt: skip

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Nobody signs up by a form; pre_social_login has let in who may."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find or make the person, give it the roles of its groups, and count the second factor of the service."""
        try:
            person = self._person(request, sociallogin)
        except ledger.Refused as refused:
            known = sociallogin.user if sociallogin.is_existing else None
            record_failure(request, known, method="single sign-on", why=refused.code)
            page = render(request, "refused.html", {"refused": refused, "back": reverse("sign-in")}, status=403)
            raise ImmediateHttpResponse(page) from refused
        claims = claims_of(sociallogin)
        if request.user.is_authenticated and request.user.pk == person.pk:
            if not asked_just_now(claims.get("auth_time"), at=database_now()):
                raise ImmediateHttpResponse(render(request, "agents/not_confirmed.html", status=403))
            raise ImmediateHttpResponse(confirmed(request, person, method="socialaccount"))
        if _service().trusts_mfa and "mfa" in (claims.get("amr") or []):
            record_authentication(request, person, method="mfa", type=PROVIDER)

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """The service sent the person back without a yes."""
        record_failure(request, None, method="single sign-on", why=str(error or "error"))

    def _person(self, request: HttpRequest, sociallogin: SocialLogin) -> Principal:
        service, at, given = _service(), database_now(), claims_of(sociallogin)
        claims = single_sign_on.Claims(
            roles=single_sign_on.roles_in(given.get(service.groups_claim), service.group_map),
            unit=single_sign_on.unit_in(given.get(service.unit_claim) if service.unit_claim else None,
                                        otherwise=service.unit),
            username=str(given.get("preferred_username") or ""), name=str(given.get("name") or "")[:200],
            email=str(given.get("email") or "")[:254], email_is_verified=given.get("email_verified") is True,
        )  # fmt: skip
        if not claims.roles:
            raise single_sign_on.NotAdmitted
        if not sociallogin.is_existing:
            sociallogin.connect(
                request, single_sign_on.come_first_time(claims, links_by_email=service.links_by_email, at=at)
            )
        person = Principal.objects.get(pk=sociallogin.user.pk) if sociallogin.user else None
        if person is None or signing_in.refusal(person, at=at):
            raise single_sign_on.NotAdmitted("You may not sign in here any more. Ask IT.")
        if single_sign_on.follow(person, claims, at=at):
            person.refresh_from_db()
        sociallogin.user = person
        return person


def claims_of(sociallogin: SocialLogin) -> Mapping[str, Any]:
    """What the service says of the person: the signed token, with what only its user page tells."""
    told = sociallogin.account.extra_data
    return {**(told.get("userinfo") or {}), **(told.get("id_token") or {})}


def _service() -> Any:
    if settings.OIDC is None:
        raise ledger.NotFound
    return settings.OIDC


def asked_just_now(auth_time: Any, *, at: datetime) -> bool:
    """Whether the service asked the person anew, as it was told to; only the time in its token says so."""
    if not isinstance(auth_time, int | float):
        return False
    return bool(abs(at.timestamp() - auth_time) < settings.REAUTHENTICATE_AFTER_SECONDS)


def methods_of(request: HttpRequest, user: Any) -> str:
    """How the person came in, in words: password, code."""
    records = get_authentication_records(request, user)
    words = [METHODS.get(each["method"]) or FACTORS.get(each.get("type", ""), each["method"]) for each in records]
    return ", ".join(dict.fromkeys(words)) or "password"


def record_failure(request: HttpRequest, user: Any, *, method: str, why: str = "") -> None:
    """Put into the ledger that somebody did not come in."""
    person = user if isinstance(user, Principal) and user.is_person else None
    signing_in.record_failed_sign_in(person, at=database_now(), method=method, address=address_of(request), why=why)


def confirmed(request: HttpRequest, person: Principal, *, method: str) -> HttpResponse:
    """Note that the person showed again who it is through the sign-in service, then go on where it was asked."""
    record_authentication(request, person, method=method, provider=PROVIDER)
    signing_in.record_confirmation(
        person, at=database_now(), method=METHODS[method], address=address_of(request)
    )  # fmt: skip
    state = request.session.pop(STATE_SESSION_KEY, None)
    if not state or "request" not in state:
        return redirect("overview")
    kept = deserialize_request(state["request"], request)
    door = resolve(kept.path_info)
    answer: HttpResponse = door.func(kept, *door.args, **door.kwargs)
    return answer


def _box() -> MultiFernet:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    digests = [hashlib.sha256(f"agents.second-factor:{force_str(key)}".encode()).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
