"""Through the company's own sign-in service: there, back, and again for an act that asks who one is."""

from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.socialaccount.providers.openid_connect import views as oidc
from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import urlencode
from django.views import View
from requests.exceptions import RequestException

from agents.views.adapters import PROVIDER
from observability import ledger


class ServiceAway(ledger.Refused):
    """The sign-in service does not answer. Try again in a moment, or sign in with your password."""

    status = 502
    code = "service_away"


class ToTheService(View):
    """Send the browser to the sign-in service; only by POST, so that no other site does it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        if settings.OIDC is None:
            raise Http404
        answer = asked(request)
        if not isinstance(answer, HttpResponseRedirect):
            return answer
        # A page that goes on by itself: the policy for forms would not let a form lead to another site.
        return render(request, "agents/to_the_service.html", {"service": settings.OIDC, "address": answer.url})


class BackFromTheService(View):
    """The sign-in service sends the browser back, with a yes or without."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, provider_id: str) -> HttpResponseBase:
        if settings.OIDC is None or provider_id != PROVIDER:
            raise Http404
        try:
            answer: HttpResponseBase = oidc.callback(request, PROVIDER)
        except (RequestException, ValueError, KeyError) as away:
            raise ServiceAway from away
        return answer


class SignInAgainThere(LoginRequiredMixin, View):
    """For people without a password here: show the sign-in service again who one is."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if settings.OIDC is None:
            raise Http404
        return render(request, "agents/sign_in_again.html", {"service": settings.OIDC, "has_form": _kept(request)})


def asked(request: HttpRequest) -> HttpResponseBase:
    """What the library answers to somebody who wants to go to the service. Of what the browser sent only the page to
    come back to is passed on: the library would take other wishes too."""
    given = request.POST
    again = {"auth_params": "prompt=login&max_age=0"} if request.user.is_authenticated else {}
    request.POST, request.GET = (QueryDict(urlencode(wanted)) for wanted in ({"next": given.get("next", "")}, again))
    try:
        answer: HttpResponseBase = oidc.login(request, PROVIDER)
    except (RequestException, ValueError, KeyError) as away:
        raise ServiceAway from away
    return answer


def _kept(request: HttpRequest) -> bool:
    return STATE_SESSION_KEY in request.session
