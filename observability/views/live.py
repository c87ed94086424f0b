"""The door for open pages whose socket is down: what they missed, by the same rule."""

from django.http import HttpRequest, JsonResponse
from django.views import View

from observability.consumers import missed
from observability.ledger import last_position

HIGHEST = 2**63 - 1


class LiveEvents(View):
    """`/live/events?after=<position>`: {"events": [...], "position": n}; without `after`, from now on."""

    def get(self, request: HttpRequest) -> JsonResponse:
        if not request.user.is_authenticated:
            return JsonResponse({"detail": "Sign in again."}, status=401)
        after = request.GET.get("after", "")
        known = after.isascii() and after.isdecimal() and int(after) <= HIGHEST
        events, position = missed(request.user, int(after) if known else last_position())
        answer = JsonResponse({"events": events, "position": position})
        answer["Cache-Control"] = "no-store"
        return answer
