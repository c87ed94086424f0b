"""The live socket: a page says where it stopped and gets every later event it may see, in order, once."""

import asyncio
import json
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, InterfaceError

from observability import ledger
from observability.consumers.feed import Feed
from observability.consumers.standing import RIGHT_LOST, SESSION_ENDED, Listener, Reach, listener_of, standing_of
from observability.models import Event

PAGE = 200
POSITION_AT_MOST, DIGITS_AT_MOST = 2**63 - 1, 19
UNREADABLE, TOO_SLOW = 4400, 4408
SLOW_AFTER_SECONDS = 10.0
WITH_THE_OTHERS_SECONDS = 1.0  # who took longer for a message reads the ledger alone, so that nobody waits for it


class LiveConsumer(AsyncWebsocketConsumer):
    """`/ws/live?after=<position>`: sends {"events": [...], "position": n}; n is what to resume from. A page that does
    not read for ten seconds is closed with 4408 and resumes by its position."""

    listener: Listener
    position = 0
    reach = Reach()
    looks_again = False

    async def connect(self) -> None:
        """Let a signed-in person in, then send what was missed."""
        self.sending, self.under_way = asyncio.Lock(), set[asyncio.Task[None]]()
        await self.accept()
        listener = listener_of(self.scope)
        if listener is None:
            await self.close(SESSION_ENDED)
            return
        self.listener = listener
        self.position = await self._start()
        Feed.here().join(self)
        await self.catch_up()

    async def disconnect(self, code: int) -> None:
        """Stop listening."""
        Feed.here().leave(self)
        for task in self.under_way:
            task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A page may ask to look again from a position: {"after": 17}. Anything else ends this socket."""
        position = _asked_for(text_data)
        if position is None:
            await self._end(UNREADABLE)
            return
        self.position = position
        await self.catch_up()

    # --- what the feed asks for -------------------------------------------------------------------------------
    @property
    def is_busy(self) -> bool:
        """Whether something is being sent to the page, or looked up for it."""
        return self.sending.locked() or bool(self.under_way)

    def look(self) -> None:
        """Look into the ledger, once what is under way is done."""
        self.looks_again = True
        if not self.is_busy:
            self._soon(self.catch_up())

    def hand(self, text: str, *, after: int, reached: int) -> None:
        """Send the page what was read for all, if it still stands at `after`."""
        self._soon(self._hand(text, after, reached))

    def judge(self, reach: Reach | None) -> bool:
        """Whether the page may go on; it is closed when its session ended or it may see less than before."""
        code = self._code_for(reach)
        if code:
            Feed.here().leave(self)
            self._soon(self._end(code))
        return not code

    # --- sending ----------------------------------------------------------------------------------------------
    async def catch_up(self) -> None:
        """Send everything after our position that this person may see, in pages, up to the ledger's last position."""
        async with self.sending:
            try:
                await self._send_missed()
            except (DatabaseError, InterfaceError):
                self.looks_again = True  # an outage ends no socket; the next round of the feed tells

    async def _send_missed(self) -> None:
        self.looks_again = True
        while self.looks_again:
            self.looks_again = False
            while True:
                page = await database_sync_to_async(self._next_page)()
                if isinstance(page, int):
                    await self._end(page)
                    return
                events, reached = page
                if reached == self.position:
                    break
                self.position = reached
                if not await self._out(json.dumps({"events": events, "position": reached}, cls=DjangoJSONEncoder)):
                    return

    async def _hand(self, text: str, after: int, reached: int) -> None:
        if self.sending.locked() or self.position != after:
            await self.catch_up()
            return
        async with self.sending:
            began, self.position = time.monotonic(), reached
            if not await self._out(text) or not self.looks_again:
                return
            self.looks_again = False
        if time.monotonic() - began < WITH_THE_OTHERS_SECONDS:
            Feed.here().ring()
        else:
            await self.catch_up()

    async def _out(self, text: str) -> bool:
        """Whether the page took it in time."""
        try:
            async with asyncio.timeout(SLOW_AFTER_SECONDS):
                await self.send(text_data=text)
        except TimeoutError:
            await self._end(TOO_SLOW)
            return False
        except (OSError, RuntimeError):  # the page has gone; its disconnect is on the way
            return False
        return True

    async def _end(self, code: int) -> None:
        Feed.here().leave(self)
        with suppress(OSError, RuntimeError):  # the page may have gone, or another look closed it
            await self.close(code)

    def _soon(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(act)
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    # --- reading ----------------------------------------------------------------------------------------------
    async def _start(self) -> int:
        after = parse_qs(self.scope["query_string"].decode()).get("after", [""])[0]
        is_position = after.isdecimal() and len(after) < DIGITS_AT_MOST
        return int(after) if is_position else await database_sync_to_async(ledger.last_position)()

    def _next_page(self) -> tuple[list[dict[str, Any]], int] | int:
        reach = standing_of([self.listener]).get(self.listener)
        return self._code_for(reach) or _page(
            Event.objects.within(self.reach.units, everything=self.reach.everything), self.position
        )

    def _code_for(self, reach: Reach | None) -> int:
        """The code to close with: the session has ended, or less may be seen than before; 0 for neither."""
        if reach is None:
            return SESSION_ENDED
        if not self.reach.units <= reach.units:
            return RIGHT_LOST
        self.reach = reach
        return 0


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
    return _page(Event.objects.visible_to(reader), after, known)


def _page(visible: Any, after: int, known: int | None = None) -> tuple[list[dict[str, Any]], int]:
    reached = min(ledger.last_position() if known is None else known, after + PAGE * 5)
    seen = visible.sealed_after(after).filter(position__lte=reached)[:PAGE]
    messages = [event.as_message() for event in seen]
    if len(messages) == PAGE:
        reached = messages[-1]["position"]
    return messages, max(reached, after)
