"""All paths: the pages, the API under /api/v1/, its description, the health check."""

from django.urls import include, path

from agents import urls as agents
from autonomy_site import views
from governance import urls as governance
from observability import urls as observability
from workflows import urls as workflows

urlpatterns = [
    *agents.urlpatterns,  # first: /agents/cards is no agent
    *workflows.urlpatterns,
    *governance.urlpatterns,
    *governance.decision_point,
    *workflows.telemetry,
    *observability.urlpatterns,
    path("search", views.Search.as_view(), name="search"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("service-worker.js", views.service_worker, name="service-worker"),
    path("offline", views.offline, name="offline"),
    path("health", views.health, name="health"),
    path("api/v1/", include([*workflows.api_urls, *governance.api_urls, *agents.api_urls, *observability.api_urls])),
    path("api/schema/", views.ApiSchema.as_view(), name="api-schema"),
    path("api/", views.ApiPage.as_view(), name="api-browse"),
]
handler400 = views.bad_request
handler404 = views.not_found
handler500 = views.failed
