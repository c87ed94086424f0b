"""The live socket: a page says where it stopped and gets every later event it may see, in order, once."""

import asyncio
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import get_user_model

from observability import ledger
from observability.models import Event
from observability.tasks import GROUP

PAGE = 200
SESSION_ENDED = 4401


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """`/ws/live?after=<position>`: sends {"events": [...], "position": n}; n is what to resume from."""

    position = 0

    async def connect(self) -> None:
        """Let a signed-in person in, then send what was missed."""
        self.sending = asyncio.Lock()
        await self.accept()
        if not await self._still_here():
            await self.close(SESSION_ENDED)
            return
        self.position = await self._start()
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.catch_up()

    async def disconnect(self, code: int) -> None:
        """Stop listening."""
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """A page may ask to look again from a position: {"after": 17}."""
        if isinstance(content, dict) and isinstance(content.get("after"), int) and content["after"] >= 0:
            self.position = content["after"]
            await self.catch_up()

    async def ledger_reached(self, message: dict[str, Any]) -> None:
        """The doorbell: look into the ledger."""
        if message["position"] > self.position:
            await self.catch_up()

    async def catch_up(self) -> None:
        """Send everything after our position that this person may see, in pages."""
        async with self.sending:
            while True:
                page = await database_sync_to_async(self._next_page)()
                if page is None:
                    await self.close(SESSION_ENDED)
                    return
                events, reached = page
                if reached == self.position:
                    return
                self.position = reached
                await self.send_json({"events": events, "position": reached})

    async def _start(self) -> int:
        after = parse_qs(self.scope["query_string"].decode()).get("after", [""])[0]
        return int(after) if after.isdecimal() else await database_sync_to_async(ledger.last_position)()

    async def _still_here(self) -> bool:
        return await database_sync_to_async(self._check)()

    def _next_page(self) -> tuple[list[dict[str, Any]], int] | None:
        return missed(self.scope["user"], self.position) if self._check() else None

    def _check(self) -> bool:
        user, session = self.scope.get("user"), self.scope.get("session")
        if user is None or not user.is_authenticated or not user.is_person or session is None:
            return False
        fresh = get_user_model()._default_manager.filter(pk=user.pk, is_active=True).first()
        if fresh is None or not session.exists(session.session_key):
            return False
        self.scope["user"] = fresh
        return True


def missed(reader: Any, after: int) -> tuple[list[dict[str, Any]], int]:
    """(messages, position): the next page of events after `after` that the reader may see, and how far it reaches."""
    reached = min(ledger.last_position(), after + PAGE * 5)
    seen = Event.objects.visible_to(reader).sealed_after(after).filter(position__lte=reached)[:PAGE]
    messages = [event.as_message() for event in seen]
    if len(messages) == PAGE:
        reached = messages[-1]["position"]
    return messages, max(reached, after)
