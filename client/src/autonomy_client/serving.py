"""The loop of an agent program: claim a step, keep its lease, do it, report it, whatever happens in between."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from autonomy_client.aio import AsyncAutonomy
from autonomy_client.client import Autonomy
from autonomy_client.errors import AutonomyError, RateLimited, StaleLease, Unauthorized, Unavailable, Unreachable
from autonomy_client.tools import AsyncDesk, Desk

log = logging.getLogger(__name__)

REST_SECONDS = 2.0
LONGEST_REASON = 2000
WAITS, DONE = "waits for a person", "is done"

Output = Mapping[str, Any]


def serve(
    autonomy: Autonomy,
    handle: Callable[[Desk], Output],
    *,
    wait_seconds: int = 20,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Do one step after the other with `handle`, which gives a step's output; what it raises gives the step back with
    the reason. Ends only when the key is not accepted (Unauthorized) or the program is interrupted."""
    while True:
        try:
            work = autonomy.claim(wait_seconds)
            if work:
                attend(autonomy, Desk(autonomy, work), handle)
        except Unauthorized:
            raise
        except AutonomyError as refused:  # all work is paused, this agent is, or the server is away: it passes
            log.warning("%s", refused)
            sleep(max(REST_SECONDS, refused.retry_after))


def attend(autonomy: Autonomy, desk: Desk, handle: Callable[[Desk], Output]) -> None:
    """Do one step and report it; nothing is reported when a person decides, or when somebody else has the step."""
    try:
        with autonomy.working(desk.work):
            output = handle(desk)
        if not desk.waits:
            autonomy.finish(desk.work, output, desk.cost, note=desk.note, tokens=desk.tokens)
        log.info("%s of %s %s", desk.work.name, desk.work.run.key, WAITS if desk.waits else DONE)
    except StaleLease as late:
        log.warning("%s of %s went to somebody else: %s", desk.work.name, desk.work.run.key, late)
    except (RateLimited, Unauthorized, Unavailable, Unreachable):
        raise  # the step comes back by itself when its lease ends
    except Exception as broken:
        log.exception("%s of %s failed", desk.work.name, desk.work.run.key)
        if not desk.waits:
            autonomy.fail(desk.work, reason_of(broken))


async def aserve(
    autonomy: AsyncAutonomy,
    handle: Callable[[AsyncDesk], Awaitable[Output]],
    *,
    wait_seconds: int = 20,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """The same for coroutines; cancel it to end it."""
    while True:
        try:
            work = await autonomy.claim(wait_seconds)
            if work:
                await aattend(autonomy, AsyncDesk(autonomy, work), handle)
        except Unauthorized:
            raise
        except AutonomyError as refused:  # all work is paused, this agent is, or the server is away: it passes
            log.warning("%s", refused)
            await sleep(max(REST_SECONDS, refused.retry_after))


async def aattend(autonomy: AsyncAutonomy, desk: AsyncDesk, handle: Callable[[AsyncDesk], Awaitable[Output]]) -> None:
    """The same as `attend` for coroutines."""
    try:
        async with autonomy.working(desk.work):
            output = await handle(desk)
        if not desk.waits:
            await autonomy.finish(desk.work, output, desk.cost, note=desk.note, tokens=desk.tokens)
        log.info("%s of %s %s", desk.work.name, desk.work.run.key, WAITS if desk.waits else DONE)
    except StaleLease as late:
        log.warning("%s of %s went to somebody else: %s", desk.work.name, desk.work.run.key, late)
    except (RateLimited, Unauthorized, Unavailable, Unreachable):
        raise  # the step comes back by itself when its lease ends
    except Exception as broken:
        log.exception("%s of %s failed", desk.work.name, desk.work.run.key)
        if not desk.waits:
            await autonomy.fail(desk.work, reason_of(broken))


def reason_of(broken: Exception) -> str:
    """What is told about a step that failed."""
    return f"{type(broken).__name__}: {broken}"[:LONGEST_REASON]
