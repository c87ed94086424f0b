"""Paths of observability."""

from django.urls import URLPattern, path

from observability import views
from observability.api import events

api_urls: list[URLPattern] = [
    path("events", events.EventsView.as_view(), name="api-events"),
    path("events/<uuid:uid>", events.EventView.as_view(), name="api-event"),
]
urlpatterns: list[URLPattern] = [
    path("performance", views.Performance.as_view(), name="performance"),
    path("performance/charts/<slug:name>.json", views.PerformanceChart.as_view(), name="performance-chart"),
    path("event-logs", views.EventLogs.as_view(), name="event-logs"),
    path("event-logs/new", views.NewEventLog.as_view(), name="event-log-new"),
    path("event-logs/<uuid:uid>", views.EventLogPage.as_view(), name="event-log"),
    path("event-logs/<uuid:uid>/columns", views.EventLogColumns.as_view(), name="event-log-columns"),
    path("event-logs/<uuid:uid>/remove", views.RemoveEventLog.as_view(), name="event-log-remove"),
    path("event-logs/<uuid:uid>/charts/<slug:name>.json", views.EventLogChart.as_view(), name="event-log-chart"),
    path("event-logs/<uuid:uid>/<slug:name>.csv", views.EventLogTable.as_view(), name="event-log-table"),
    path("audit", views.AuditTrail.as_view(), name="audit"),
    path("audit/export.csv", views.AuditExport.as_view(), name="audit-export"),
    path("prices", views.Prices.as_view(), name="prices"),
    path("live/counts", views.LiveCounts.as_view(), name="live-counts"),
    path("live/events", views.LiveEvents.as_view(), name="live-events"),
]
