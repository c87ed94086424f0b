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
