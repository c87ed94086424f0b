"""What observability does: send something to an address that was checked, and have event logs read."""

from observability.operations.event_logs import (
    LogRefused,
    Upload,
    begin_reading,
    choose_columns,
    may_upload,
    read_log,
    release_log,
    remove_log,
    upload,
)
from observability.operations.sending import (
    BODY_AT_MOST,
    SECONDS_AT_MOST,
    NotDelivered,
    NowhereToSend,
    Received,
    Resolve,
    checked,
    looked_up,
    send,
)

__all__ = [
    "BODY_AT_MOST",
    "SECONDS_AT_MOST",
    "LogRefused",
    "NotDelivered",
    "NowhereToSend",
    "Received",
    "Resolve",
    "Upload",
    "begin_reading",
    "checked",
    "choose_columns",
    "looked_up",
    "may_upload",
    "read_log",
    "release_log",
    "remove_log",
    "send",
    "upload",
]
