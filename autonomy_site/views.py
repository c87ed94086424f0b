"""Pages that belong to no single app: search, health, errors."""

import sys
from typing import Any

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.views import View
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from agents.api.authentication import CsrfFailed
from agents.models import Agent, Principal
from autonomy_site import problems
from autonomy_site.context import GROUPS
from governance.models import Policy
from observability.ledger import NotFound
from workflows.models import Run, Workflow

EACH_AT_MOST = 6
SIZES = (192, 512)


class Search(LoginRequiredMixin, View):
    """What the command palette and the search field find, only what the person may see."""

    def get(self, request: HttpRequest) -> HttpResponse:
        words = request.GET.get("q", "").strip()[:100]
        return render(
            request,
            "search.html",
            {"query": words, "groups": [group for group in _found(request.user, words) if group["hits"]]},
        )


def _found(user: Any, words: str) -> list[dict[str, Any]]:
    return [
        {"title": "Go to", "hits": _places(words)},
        {"title": "Agents", "hits": _agents(user, words)},
        {"title": "Runs", "hits": _runs(user, words)},
        {"title": "Workflows", "hits": _workflows(user, words)},
        {"title": "Policies", "hits": _policies(user, words)},
    ]


def _places(words: str) -> list[dict[str, Any]]:
    places = [place for _, group in GROUPS for place in group if words.casefold() in place.label.casefold()]
    return [
        {"label": place.label, "icon": place.icon, "url": reverse(place.url_name), "key": place.key} for place in places
    ]


def _agents(user: Principal, words: str) -> list[dict[str, Any]]:
    visible = Agent.objects.visible_to(user)
    hits = (
        (visible.filter(name__icontains=words) | visible.filter(code__icontains=words))[:EACH_AT_MOST] if words else []
    )
    return [{"label": str(agent), "icon": agent.icon, "url": reverse("agent", args=[agent.code])} for agent in hits]


def _runs(user: Principal, words: str) -> list[dict[str, Any]]:
    hits = Run.objects.visible_to(user).filter(key__icontains=words).newest_first()[:EACH_AT_MOST] if words else []
    return [{"label": f"Run {run.key}", "icon": "list", "url": reverse("run", args=[run.uid])} for run in hits]


def _workflows(user: Principal, words: str) -> list[dict[str, Any]]:
    hits = Workflow.objects.visible_to(user).filter(name__icontains=words)[:EACH_AT_MOST] if words else []
    return [
        {"label": workflow.name, "icon": "workflow", "url": reverse("workflow", args=[workflow.code])}
        for workflow in hits
    ]


def _policies(user: Principal, words: str) -> list[dict[str, Any]]:
    hits = Policy.objects.visible_to(user).filter(title__icontains=words)[:EACH_AT_MOST] if words else []
    return [{"label": policy.title, "icon": "scale", "url": reverse("policy", args=[policy.key])} for policy in hits]


class ApiSchema(SpectacularAPIView):
    """The description of the API."""

    http_method_names = ["get", "head"]


class ApiPage(SpectacularSwaggerSplitView):
    """The API to look at and to try out."""

    url_name = "api-schema"
    http_method_names = ["get", "head"]


def health(request: HttpRequest) -> JsonResponse:
    """200 when this process serves and its database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


def manifest(request: HttpRequest) -> JsonResponse:
    """What a phone needs to keep the site among its apps."""
    icons = [
        {"src": static("aos/img/icon.svg"), "sizes": "any", "type": "image/svg+xml"},
        *(
            {"src": static(f"aos/img/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
            for size in SIZES
        ),
        {
            "src": static("aos/img/icon-maskable-512.png"),
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ]
    told = {
        "name": f"Autonomy OS · {settings.ORGANISATION}", "short_name": "Autonomy OS", "id": "/",
        "start_url": reverse("escalations"), "scope": "/", "display": "standalone",
        "background_color": "#FFFFFF", "theme_color": "#0B65A0", "icons": icons,
    }  # fmt: skip
    return JsonResponse(
        told, content_type="application/manifest+json", headers={"Cache-Control": "public, max-age=3600"}
    )


def service_worker(request: HttpRequest) -> HttpResponse:
    """The script that shows what is pushed, and a notice while there is no connection."""
    script = render_to_string("service-worker.js")
    return HttpResponse(script, content_type="text/javascript", headers={"Cache-Control": "no-cache"})


def offline(request: HttpRequest) -> HttpResponse:
    """The notice for a device without connection; the same for everybody."""
    return HttpResponse(render_to_string("offline.html"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What is told about a request that Django itself refuses: a strange host, far too many fields."""
    return _told(request, problems.problem_of(exception))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What is told about a form that was sent without the token of its page."""
    return _told(request, problems.problem_of(CsrfFailed()))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What is told about what is not there, or may not be seen."""
    return _told(request, problems.NOT_FOUND)


def failed(request: HttpRequest) -> HttpResponse:
    """What is told about an error outside the API's views: a database that does not answer, or one nobody foresaw."""
    return _told(request, problems.problem_of(sys.exc_info()[1]))


def _told(request: HttpRequest, problem: problems.Problem) -> HttpResponse:
    if problems.concerns_api(request):
        return problem.as_json()
    # Without the request: the frame of a page would ask the database, which may be what failed.
    own = {
        CsrfFailed.code: "403_csrf.html",
        NotFound.code: "404.html",
        "internal": "500.html",
        "unavailable": "503.html",
    }
    template = own.get(problem.code, "400.html")
    page = render_to_string(template, {"problem": problem})
    return HttpResponse(page, status=problem.status, headers=problem.headers)
