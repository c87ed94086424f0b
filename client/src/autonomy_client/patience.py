"""When a refused request is sent again, and after how long: plain arithmetic, no clock, no luck of its own."""

from __future__ import annotations

from dataclasses import dataclass

from autonomy_client.errors import AutonomyError, InFlight, RateLimited, Unavailable, Unreachable

LONGEST_PAUSE_SECONDS = 10.0
# A server that wants to be left alone for longer than this is the caller's to wait for.
LONGEST_WISH_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 2.0
# Those who were told the same second do not all come back in it.
SPREAD = 0.1


@dataclass(frozen=True)
class Patience:
    """How long one try may take, how many follow it, and the first pause between them, all in seconds."""

    timeout: float
    retries: int
    backoff_seconds: float

    def pause(self, attempt: int, asked_seconds: float, luck: float) -> float:
        """The pause after the try `attempt`, counted from 0; `luck` is anything from 0 to 1 and keeps a crowd apart."""
        grown = min(self.backoff_seconds * float(2 ** min(attempt, 20)), LONGEST_PAUSE_SECONDS)
        return max(grown * (0.5 + luck / 2), asked_seconds * (1 + SPREAD * luck))


def may_retry(refused: AutonomyError) -> bool:
    """Whether another try can help: the server was busy, away, or still at the first one."""
    if refused.retry_after > LONGEST_WISH_SECONDS:
        return False
    return isinstance(refused, InFlight | RateLimited | Unavailable | Unreachable)


class Tries:
    """The tries of one request; `now` is any clock that only goes forward."""

    def __init__(self, patience: Patience, longest_seconds: float, now: float) -> None:
        self.patience = patience
        self.made = 0
        # The first one may have been cut off at its very end, and be under way for as long again.
        self.under_way_until = now + 2 * longest_seconds

    def pause_after(self, refused: AutonomyError, now: float, luck: float) -> float | None:
        """The seconds to wait before the next try, or None when there is to be none."""
        is_under_way = isinstance(refused, InFlight) and now < self.under_way_until
        if not is_under_way and (self.made >= self.patience.retries or not may_retry(refused)):
            return None
        pause = self.patience.pause(self.made, refused.retry_after, luck)
        self.made += 1
        return min(pause, LOOK_AGAIN_SECONDS) if is_under_way else pause
