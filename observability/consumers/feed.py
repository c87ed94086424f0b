"""The feed of one server process: what was sealed is read once, and who may hear of it is asked once for all sockets.

A socket that is busy, because it catches up or because its page reads slowly, is left alone: it reads the ledger itself
afterwards. So nothing waits in memory for anybody, and no page waits for another one."""

import asyncio
import json
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Protocol
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, InterfaceError

from observability import ledger
from observability.consumers.standing import Listener, Reach, standing_of
from observability.models import Event
from observability.tasks import GROUP

log = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 3.0
EVENTS_AT_ONCE = 200
LISTEN_AGAIN_SECONDS = 1.0


class Follower(Protocol):
    """One open socket as the feed sees it."""

    listener: Listener
    position: int

    @property
    def is_busy(self) -> bool:
        """Whether something is being sent to the page, or looked up for it."""

    def look(self) -> None:
        """Read the ledger yourself as soon as you can."""

    def hand(self, text: str, *, after: int, reached: int) -> None:
        """Send this to the page, if it still stands at `after`."""

    def judge(self, reach: Reach | None) -> bool:
        """Whether the page may go on with this reach; it is closed otherwise."""


class Feed:
    """Hands what happens to all open sockets of this process. Rings may get lost: it looks by itself every few seconds,
    so that every page catches up and every ended session is found although nothing happens."""

    _of_loops: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, "Feed"]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._followers: set[Follower] = set()
        self._rung = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    @classmethod
    def here(cls) -> "Feed":
        """The feed of the running loop."""
        return cls._of_loops.setdefault(asyncio.get_running_loop(), cls())

    def join(self, follower: Follower) -> None:
        """Hand this socket what is sealed from now on; what was sealed before it reads itself."""
        self._followers.add(follower)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())

    def leave(self, follower: Follower) -> None:
        """Hand this socket nothing more."""
        self._followers.discard(follower)
        if not self._followers and self._running is not None:
            self._running.cancel()
            self._running = None

    def ring(self) -> None:
        """Look again: somebody was busy while the others were told."""
        self._rung.set()

    async def _run(self) -> None:
        ear = asyncio.create_task(self._listen())
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_SECONDS):
                        await self._rung.wait()
                self._rung.clear()
                try:
                    await self._round()
                except (DatabaseError, InterfaceError) as error:
                    log.info("open pages wait for the database: %s", error)  # an outage ends no session
        finally:
            ear.cancel()

    async def _listen(self) -> None:
        layer = get_channel_layer()
        while layer is not None:
            try:
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
                while True:
                    await layer.receive(channel)
                    self.ring()
            except OSError as error:  # Redis is away; the rounds go on by the clock
                log.info("nobody rings for open pages: %s", error)
                await asyncio.sleep(LISTEN_AGAIN_SECONDS)

    async def _round(self) -> None:
        followers = list(self._followers)
        after = min((each.position for each in followers if not each.is_busy), default=None)
        if not followers:
            return
        listeners = [each.listener for each in followers]
        standing, events, reached = await database_sync_to_async(_read)(listeners, after)
        going_on = [each for each in followers if each.judge(standing.get(each.listener))]
        if after is None or reached > after:
            _hand_out(going_on, standing, _News(after, reached, events))
        if after is not None and len(events) == EVENTS_AT_ONCE:
            self.ring()  # there is more


def _read(
    listeners: Sequence[Listener], after: int | None
) -> tuple[dict[Listener, Reach], list[tuple[Event, str]], int]:
    # The rights are read after the events: what is sent was still allowed when nothing newer was known.
    reached = ledger.last_position()
    events: list[tuple[Event, str]] = []
    if after is not None and reached > after:
        found = Event.objects.sealed_after(after).filter(position__lte=reached)[:EVENTS_AT_ONCE]
        events = [(event, json.dumps(event.as_message(), cls=DjangoJSONEncoder)) for event in found]
        if len(events) == EVENTS_AT_ONCE:
            reached = events[-1][0].position or reached
    return standing_of(listeners), events, reached


@dataclass(frozen=True)
class _News:
    """What was read for all: every event after `after`, None for none, up to `reached`."""

    after: int | None
    reached: int
    events: Sequence[tuple[Event, str]]

    def message(self, reach: Reach, after: int) -> str:
        """What a page that stands at `after` is told."""
        may_hear = [
            text
            for event, text in self.events
            if (event.position or 0) > after and event.is_visible_within(reach.units, everything=reach.everything)
        ]
        return f'{{"events": [{", ".join(may_hear)}], "position": {self.reached}}}'


def _hand_out(followers: Iterable[Follower], standing: dict[Listener, Reach], news: _News) -> None:
    written: dict[tuple[Reach, int], str] = {}
    for follower in followers:
        # Meanwhile one may have become free that was not asked where it stands, or have gone back.
        if follower.is_busy or news.after is None or follower.position < news.after:
            follower.look()
        elif follower.position < news.reached:
            reach, after = standing[follower.listener], follower.position
            if (reach, after) not in written:
                written[reach, after] = news.message(reach, after)
            follower.hand(written[reach, after], after=after, reached=news.reached)
