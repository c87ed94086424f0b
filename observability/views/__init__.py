"""The people's door to what happened: performance, the audit trail, and the live events for pages without a socket."""

from observability.views.audit import AuditExport, AuditTrail
from observability.views.live import LiveCounts, LiveEvents
from observability.views.performance import Performance, PerformanceChart
from observability.views.prices import Prices

__all__ = ["AuditExport", "AuditTrail", "LiveCounts", "LiveEvents", "Performance", "PerformanceChart", "Prices"]
