"""What observability does beside the ledger: send to other servers, keep what programs tell, keep prices, have event
logs read."""

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
from observability.operations.keeping import Claim, Heard, Kept, Place, Sender, keep_figures, keep_spans
from observability.operations.prices import PriceInvalid, prices, set_price
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
    "Claim",
    "Heard",
    "Kept",
    "LogRefused",
    "NotDelivered",
    "NowhereToSend",
    "Place",
    "PriceInvalid",
    "Received",
    "Resolve",
    "Sender",
    "Upload",
    "begin_reading",
    "checked",
    "choose_columns",
    "keep_figures",
    "keep_spans",
    "looked_up",
    "may_upload",
    "prices",
    "read_log",
    "release_log",
    "remove_log",
    "send",
    "set_price",
    "upload",
]
