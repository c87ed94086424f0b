"""The live socket: a page says where it stopped and gets every later event it may see, in order, once."""

import asyncio
import json
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.db import DatabaseError, InterfaceError
from django.db.models import Exists
from django.db.models.functions import Now

from observability import ledger
from observability.models import Event
from observability.tasks import GROUP

PAGE = 200
POSITION_AT_MOST, DIGITS_AT_MOST = 2**63 - 1, 19
SESSION_ENDED, RIGHT_LOST, UNREADABLE = 4401, 4403, 4400
LOOK_EVERY_SECONDS = 3.0


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """`/ws/live?after=<position>`: sends {"events": [...], "position": n}; n is what to resume from."""

    position = 0
    reach: frozenset[int] = frozenset()
    watching: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Let a signed-in person in, then send what was missed."""
        self.sending = asyncio.Lock()
        await self.accept()
        if code := await database_sync_to_async(self._over)():
            await self.close(code)
            return
        self.watching = asyncio.create_task(self._watch())
        self.position = await self._start()
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.catch_up()

    async def disconnect(self, code: int) -> None:
        """Stop listening."""
        if self.watching is not None:
            self.watching.cancel()
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        """A page may ask to look again from a position: {"after": 17}. Anything else ends this socket."""
        position = _asked_for(text_data)
        if position is None:
            await self.close(UNREADABLE)
            return
        self.position = position
        await self.catch_up()

    async def ledger_reached(self, message: dict[str, Any]) -> None:
        """The doorbell: look into the ledger."""
        if message["position"] > self.position:
            await self.catch_up(message["position"])

    async def catch_up(self, known: int | None = None) -> None:
        """Send everything after our position that this person may see, in pages, up to the position that is `known`
        to be sealed or else to the ledger's last one."""
        async with self.sending:
            while True:
                page = await database_sync_to_async(self._next_page)(known)
                if isinstance(page, int):
                    await self.close(page)
                    return
                events, reached = page
                if reached == self.position:
                    return
                self.position = reached
                await self.send_json({"events": events, "position": reached})
                if reached == known:
                    return

    async def _start(self) -> int:
        after = parse_qs(self.scope["query_string"].decode()).get("after", [""])[0]
        is_position = after.isdecimal() and len(after) < DIGITS_AT_MOST
        return int(after) if is_position else await database_sync_to_async(ledger.last_position)()

    async def _watch(self) -> None:
        # Nothing need happen in the company for a session to end: an ended one is found within seconds all the same.
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            try:
                code = await database_sync_to_async(self._over)()
            except (DatabaseError, InterfaceError):
                continue  # an outage ends no session; the next look tells
            if code:
                with suppress(OSError, RuntimeError):  # the page may have gone, or another look closed it
                    await self.close(code)
                return

    def _next_page(self, known: int | None) -> tuple[list[dict[str, Any]], int] | int:
        return self._over() or missed(self.scope["user"], self.position, known)

    def _over(self) -> int:
        """The code to close with: the session has ended, or less may be seen than before; 0 for neither."""
        fresh = self._fresh_user()
        if fresh is None:
            return SESSION_ENDED
        self.scope["user"] = fresh
        seen = frozenset(fresh.unit_ids())
        if not self.reach <= seen:
            return RIGHT_LOST
        self.reach = seen
        return 0

    def _fresh_user(self) -> Any:
        user, session = self.scope.get("user"), self.scope.get("session")
        if user is None or not user.is_authenticated or not user.is_person or session is None:
            return None
        signed_in = Session.objects.filter(session_key=session.session_key, expire_date__gt=Now())
        fresh = get_user_model()._default_manager.filter(Exists(signed_in), pk=user.pk, is_active=True).first()
        # All sessions of a person end by a new digest, with none of them looked for.
        fits = fresh is not None and session.get(HASH_SESSION_KEY) == fresh.get_session_auth_hash()
        return fresh if fits else None


def _asked_for(text: str | None) -> int | None:
    try:
        message = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    after = message.get("after") if isinstance(message, dict) else None
    return after if type(after) is int and 0 <= after <= POSITION_AT_MOST else None


def missed(reader: Any, after: int, known: int | None = None) -> tuple[list[dict[str, Any]], int]:
    """(messages, position): the next page of events after `after` that the reader may see, and how far it reaches;
    `known` is a position that is sealed, None to look for the last one."""
    reached = min(ledger.last_position() if known is None else known, after + PAGE * 5)
    seen = Event.objects.visible_to(reader).sealed_after(after).filter(position__lte=reached)[:PAGE]
    messages = [event.as_message() for event in seen]
    if len(messages) == PAGE:
        reached = messages[-1]["position"]
    return messages, max(reached, after)
