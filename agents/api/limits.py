"""How often a caller may ask: counted for each minute in the cache that all processes share. A limit protects the
server and is no permission: when the counter does not answer, requests pass and the log says so."""

import functools
import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from agents.models import Principal
from observability import ledger

log = logging.getLogger(__name__)
WINDOW_SECONDS = 60
TRIES = 3
SILENT_SECONDS = 5  # for how long a counter that failed is not asked again: each request would wait for it
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class TooMany(ledger.Refused):
    """There were too many requests in this minute. Wait for as many seconds as Retry-After says."""

    status = 429
    code = "rate_limited"

    def __init__(self, *, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


@dataclass(frozen=True)
class Used:
    """How much of a policy's quota a caller has used in this window."""

    policy: str
    quota: int
    count: int
    seconds_left: int

    @property
    def headers(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers."""
        left = max(0, self.quota - self.count)
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={WINDOW_SECONDS}',
            "RateLimit": f'"{self.policy}";r={left};t={self.seconds_left}',
        }


class Counter:
    """Counts in the shared cache; None while that does not answer."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    def count(self, policy: str, who: str, quota: int) -> Used | None:
        """Count one request of `who` under this policy."""
        if time.monotonic() < self._silent_until:
            return None
        window, passed = divmod(int(time.time()), WINDOW_SECONDS)
        try:
            return Used(policy, quota, _next(f"limit:{policy}:{who}:{window}"), WINDOW_SECONDS - passed)
        except (RedisError, OSError) as failure:
            self._silent_until = time.monotonic() + SILENT_SECONDS
            log.warning("the counter of requests did not answer; for %s s nobody is limited", SILENT_SECONDS,
                        exc_info=failure)  # fmt: skip
            return None


def _next(key: str) -> int:
    if hasattr(cache, "count"):  # a cache that counts by itself
        return int(cache.count(key, WINDOW_SECONDS * 2))
    # The first of a window makes the counter. It may be gone again at once, by its end or with an emptied cache: then
    # counting begins anew, and nobody is refused for it.
    for _ in range(TRIES):
        try:
            return cache.incr(key)
        except ValueError:
            if cache.add(key, 1, WINDOW_SECONDS * 2):
                return 1
    return 1


counter = Counter()


class ByPrincipal(BaseThrottle):
    """One request of whoever calls the API: each agent and each person has a quota, a stranger one for the address.
    A kind of requests that is counted apart names its own policy."""

    policy = "default"

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request once. Raises TooMany when it is over the quota."""
        if not hasattr(request._request, "limit_used"):
            user = request.user
            who = f"p{user.pk}" if isinstance(user, Principal) else f"a{_address(request._request)}"
            _take(request._request, self.policy, who, settings.RATE_LIMIT_PER_MINUTE)
        return True


def by_address(
    policy: str, *, field: str = "", quota: str = "SIGN_IN_LIMIT_PER_MINUTE"
) -> Callable[[View], View]:  # fmt: skip
    """A stricter quota for POSTs by which somebody proves who he is: for each address, and for each value of the form's
    `field` (as "client_id") from any address; `quota` names the setting. For a view, or with method_decorator for the
    `dispatch` of one."""

    def limited(view: View) -> View:
        @functools.wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST":
                given = request.POST.get(field, "") if field else ""
                for who in filter(None, (f"a{_address(request)}", given and f"f{_digest(given)}")):
                    _take(request, policy, who, getattr(settings, quota))
            return view(request, *args, **kwargs)

        return asked  # type: ignore[return-value]

    return limited


def answers_too_many(refused: Callable[[ledger.Refused], HttpResponseBase]) -> Callable[[View], View]:
    """For a view whose errors are not those of the API: TooMany is answered as `refused` answers every other refusal,
    with Retry-After. With method_decorator for `dispatch`, outside of `by_address`."""

    def answering(view: View) -> View:
        @functools.wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return view(request, *args, **kwargs)
            except TooMany as many:
                answer = refused(many)
                answer["Retry-After"] = str(many.retry_after)
                return answer

        return asked  # type: ignore[return-value]

    return answering


def told(request: HttpRequest) -> Mapping[str, str]:
    """The headers that tell this request's caller what is left."""
    used: Used | None = getattr(request, "limit_used", None)
    return used.headers if used else {}


def _take(request: HttpRequest, policy: str, who: str, quota: int) -> None:
    used = counter.count(policy, who, quota)
    request.limit_used = used  # type: ignore[attr-defined]
    if used is not None and used.count > quota:
        raise TooMany(retry_after=used.seconds_left)


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _digest(text: str) -> str:
    # A cache does not take every character, nor names of every length.
    return hashlib.sha256(text.encode()).hexdigest()[:32]
