"""What observability does beside the ledger: send to other servers, keep what programs tell, keep prices."""

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
    "BODY_AT_MOST", "SECONDS_AT_MOST", "Claim", "Heard", "Kept", "NotDelivered", "NowhereToSend", "Place",
    "PriceInvalid", "Received", "Resolve", "Sender", "checked", "keep_figures", "keep_spans", "looked_up", "prices",
    "send", "set_price",
]  # fmt: skip
