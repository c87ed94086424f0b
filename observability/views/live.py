"""The doors for open pages: what they missed while their socket was down, and the numbers beside the navigation."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import View

from observability.consumers import missed
from observability.ledger import last_position

HIGHEST = 2**63 - 1
DIGITS_AT_MOST = len(str(HIGHEST))


class LiveEvents(View):
    """`/live/events?after=<position>`: {"events": [...], "position": n}; without `after`, from now on."""

    def get(self, request: HttpRequest) -> JsonResponse:
        if not request.user.is_authenticated:
            return JsonResponse({"detail": "Sign in again."}, status=401)
        after = request.GET.get("after", "")
        known = after.isascii() and after.isdecimal() and len(after) <= DIGITS_AT_MOST and int(after) <= HIGHEST
        events, position = missed(request.user, int(after) if known else last_position())
        answer = JsonResponse({"events": events, "position": position})
        answer["Cache-Control"] = "no-store"
        return answer


class LiveCounts(View):
    """`/live/counts`: the numbers beside the places of the navigation, as the frame of a page shows them."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return HttpResponse("Sign in again.", status=401, content_type="text/plain")
        answer = render(request, "components/_counts.html")
        answer["Cache-Control"] = "no-store"
        return answer
