"""What holds for every request: a trace, told limits, a bounded body, pages for people only, refusals told as pages."""

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import suspend_request
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from agents.api import limits
from agents.api.authentication import caller_of_person
from agents.operations import SignInAgain, lacks_second_factor
from autonomy_site import problems, traces
from observability.ledger import Invalid, Refused, record_refusal

Respond = Callable[[HttpRequest], HttpResponseBase]
DIGITS_AT_MOST = 18  # of a body's length; what is longer is too large, whatever it says


class Traced:
    """Gives each request its trace: `request.trace_id` (32 hex digits) and `request.request_id`. The answer, the log
    and every problem name it, so that a caller's question can be followed to what happened here."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers
        trace = traces.begun(given.get("Traceparent", ""), given.get("X-Request-Id", ""), request.path)
        request.trace_id, request.request_id = trace.trace_id, trace.request_id  # type: ignore[attr-defined]
        before = traces.current.set(trace)
        try:
            response = self.get_response(request)
        finally:
            traces.current.reset(before)
        response["X-Request-ID"], response["traceparent"] = trace.request_id, trace.traceparent
        return response


class LimitsTold:
    """Tells a caller in each answer how much of its limit is left."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in limits.told(request).items():
            response[name] = value
        return response


class BodyLimit:
    """Refuses a body over the limit, and a NUL character in the address, before anything reads them."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        most = settings.BODY_LIMITS.get(request.path, settings.BODY_LIMIT_BYTES)
        if len(length) > DIGITS_AT_MOST or (length.isdecimal() and int(length) > most):
            return problems.TOO_LARGE.as_json()
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return problems.UNREADABLE.as_json()
        return self.get_response(request)


class PeopleOnly:
    """Ends a session that is not an active person's: an agent's account never uses the pages. What a person was shown
    stays in no cache, so that the browser does not show it after signing out."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.is_person:
            logout(request)
        response = self.get_response(request)
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class SecondFactorFirst:
    """Leads a session that must set up a second factor to where one does, and nowhere else. The API tells it itself."""

    OPEN = frozenset({
        "mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "mfa_download_recovery_codes",
        "mfa_list_webauthn", "account_reauthenticate", "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn", "sign-in-again", "sign-in-service", "openid_connect_callback",
        "sign-out", "account_logout", "signed-out", "health",
    })  # fmt: skip

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        """The way to the second factors, for a page that is not among those."""
        user, match = request.user, request.resolver_match
        if problems.concerns_api(request) or not user.is_authenticated or (match and match.url_name in self.OPEN):
            return None
        return redirect("mfa_index") if lacks_second_factor(request.session, user) else None


class CallerOfPeople:
    """Tells the ledger how a signed-in person came in: with which session, from which address, in which trace."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            request.user.caller = caller_of_person(request)
        return self.get_response(request)


class RefusedAsPage:
    """Tells a refusal that a page view raised as a page with the same status, and refuses a form with a NUL. Who has to
    show again who it is gets to the page for it, and then on with the form as it was sent."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        """The page for a form with a character that PostgreSQL does not keep; the API's parser looks for itself."""
        if not problems.concerns_api(request):
            for name, values in request.POST.lists():
                if "\0" in name or any("\0" in value for value in values):
                    wrong = Invalid("The form has a character that cannot be kept.", fields={name: "Remove it."})
                    return self.process_exception(request, wrong)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page for a Refused; anything else goes on."""
        if not isinstance(error, Refused):
            return None
        if isinstance(error, SignInAgain):
            return confirm_first(request)
        if error.about is not None and request.user.is_authenticated:
            record_refusal(error, by=request.user)
        template = "404.html" if error.status == 404 else "refused.html"
        return render(request, template, {"refused": error}, status=error.status)


def confirm_first(request: HttpRequest) -> HttpResponse:
    """Keep the form that was sent, and ask for password, second factor or the sign-in service."""
    methods = get_adapter().get_reauthentication_methods(request.user)
    if not methods:
        return render(request, "refused.html", {"refused": SignInAgain(), "sign_in_again": True}, status=403)
    return suspend_request(request, methods[0]["url"])
