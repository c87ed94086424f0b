"""The people's door to what happened: performance, event logs of manual work, the audit trail, and the live events for
pages without a socket."""

from observability.views.audit import AuditExport, AuditTrail
from observability.views.event_logs import (
    EventLogChart,
    EventLogColumns,
    EventLogPage,
    EventLogs,
    EventLogTable,
    NewEventLog,
    RemoveEventLog,
    visible_log,
)
from observability.views.live import LiveCounts, LiveEvents
from observability.views.performance import Performance, PerformanceChart
from observability.views.prices import Prices

__all__ = [
    "AuditExport",
    "AuditTrail",
    "EventLogChart",
    "EventLogColumns",
    "EventLogPage",
    "EventLogTable",
    "EventLogs",
    "LiveCounts",
    "LiveEvents",
    "NewEventLog",
    "Performance",
    "PerformanceChart",
    "Prices",
    "RemoveEventLog",
    "visible_log",
]
