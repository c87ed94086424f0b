"""Rules of governance, sampling: which decisions are looked at again, told by their ids alone."""

import hashlib
from decimal import Decimal
from uuid import UUID

_SPAN = 2**64


def is_sampled(uid: UUID, share: Decimal) -> bool:
    """Say whether the decision is in the sample of this share: the same id gives the same answer for ever, nobody who
    asks can choose it, and a larger sample holds all of a smaller one."""
    number = int.from_bytes(hashlib.sha256(uid.bytes).digest()[:8])
    return number < share * _SPAN
