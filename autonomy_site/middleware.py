"""What holds for every request: a bounded body, pages for people only, refusals told as pages."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render

from observability.ledger import Refused

Respond = Callable[[HttpRequest], HttpResponseBase]


class BodyLimit:
    """Refuses a body over the limit, and a NUL character in the address, before anything reads them."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > settings.BODY_LIMIT_BYTES:
            return _problem(
                413, "too_large", "Too large", f"The body is larger than {settings.BODY_LIMIT_BYTES // 1024} kB."
            )
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return _problem(400, "unreadable", "Unreadable", "The address has a character that no name has.")
        return self.get_response(request)


def _problem(status: int, code: str, title: str, detail: str) -> JsonResponse:
    body = {"type": f"urn:autonomy-os:problem:{code}", "title": title, "status": status, "detail": detail, "code": code}
    return JsonResponse(body, status=status, content_type="application/problem+json")


class PeopleOnly:
    """Ends a session that is not an active person's: an agent's account never uses the pages."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.is_person:
            logout(request)
        return self.get_response(request)


class RefusedAsPage:
    """Tells a refusal that a page view raised as a page with the same status."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page for a Refused; anything else goes on."""
        if not isinstance(error, Refused):
            return None
        template = "404.html" if error.status == 404 else "refused.html"
        return render(request, template, {"refused": error}, status=error.status)
