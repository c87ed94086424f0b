"""The cache that all processes share: what is counted or remembered for minutes, never the truth."""

from functools import cached_property, lru_cache
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class _Client(RedisCacheClient):
    """Asks through one client for each pool of connections: to make one takes longer than to ask it."""

    _client: Any
    _get_connection_pool: Any

    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **options)
        self._made: dict[Any, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """The client of the server for this, made once; threads may share it."""
        pool = self._get_connection_pool(write)
        if pool not in self._made:
            self._made[pool] = self._client(connection_pool=pool)
        return self._made[pool]


@lru_cache(maxsize=8)
def _client(servers: tuple[str, ...], options: tuple[tuple[str, Any], ...]) -> _Client:
    return _Client(list(servers), **dict(options))


class SharedCache(RedisCache):
    """Redis, where emptying the cache removes what is the cache's own and leaves the queue beside it alone."""

    _servers: list[str]
    _options: dict[str, Any]

    @cached_property
    def _cache(self) -> _Client:
        # Django makes a cache for each request; the connections are those of the process.
        return _client(tuple(self._servers), tuple(sorted(self._options.items())))

    def clear(self) -> None:
        """Remove every key with our prefix."""
        client = self._cache.get_client(write=True)
        keys = list(client.scan_iter(match=f"{self.key_prefix}:*"))
        if keys:
            client.delete(*keys)

    def count(self, key: str, seconds: int) -> int:
        """Add one to a counter that is gone so many seconds after its first; how often it was counted. One call, where
        `incr` and `add` are two."""
        client = self._cache.get_client(write=True)
        name = self.make_and_validate_key(key)
        counted = int(client.incr(name))
        if counted == 1:
            client.expire(name, seconds)
        return counted
