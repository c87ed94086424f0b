"""The cache that all processes share: what is counted or remembered for minutes, never the truth."""

from typing import Any

from django.core.cache.backends.redis import RedisCache


class SharedCache(RedisCache):
    """Redis, where emptying the cache removes what is the cache's own and leaves the queue beside it alone."""

    def clear(self) -> None:
        """Remove every key with our prefix."""
        client: Any = self._cache.get_client(None, write=True)
        keys = list(client.scan_iter(match=f"{self.key_prefix}:*"))
        if keys:
            client.delete(*keys)

    def count(self, key: str, seconds: int) -> int:
        """Add one to a counter that is gone so many seconds after its first; how often it was counted. One call, where
        `incr` and `add` are two."""
        client: Any = self._cache.get_client(None, write=True)
        name = self.make_and_validate_key(key)
        counted = int(client.incr(name))
        if counted == 1:
            client.expire(name, seconds)
        return counted
