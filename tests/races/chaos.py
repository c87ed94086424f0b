"""A channel layer that loses messages, as a network does: every one of 30 % of its group_send is dropped, by a seed."""

import random
from typing import Any

from channels.layers import InMemoryChannelLayer


class LossyChannelLayer(InMemoryChannelLayer):
    """Django's setting CHANNEL_LAYERS takes it with `lost` (a share) and `seed`."""

    def __init__(self, *, lost: float = 0.3, seed: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self._lost, self._chance = lost, random.Random(seed)
        self.dropped = self.passed = 0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Send it, or lose it in silence."""
        if self._chance.random() < self._lost:
            self.dropped += 1
            return
        self.passed += 1
        await super().group_send(group, message)
