"""The same client for coroutines: every verb of `Autonomy`, awaited."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar, cast, overload

import httpx

from autonomy_client import calls, queue
from autonomy_client.answers import Answer
from autonomy_client.calls import Call
from autonomy_client.connection import Connection, named
from autonomy_client.credentials import Credentials
from autonomy_client.errors import AutonomyError
from autonomy_client.keeping import AsyncKeeper
from autonomy_client.patience import Tries
from autonomy_client.questions import AccessRequest
from autonomy_client.shapes import Page, Work
from autonomy_client.wire import request_of, typed_errors

P = ParamSpec("P")
Result = TypeVar("Result")
Told = TypeVar("Told", covariant=True)
Item = TypeVar("Item")


class Verb(Protocol[P, Told]):
    """A method of `AsyncAutonomy` with the arguments of its call."""

    @overload
    def __get__(self, client: None, owner: type, /) -> Callable[Concatenate[AsyncAutonomy, P], Told]: ...
    @overload
    def __get__(self, client: AsyncAutonomy, owner: type, /) -> Callable[P, Told]: ...


def _verb(call: Callable[P, Call[Result]]) -> Verb[P, Coroutine[Any, Any, Result]]:
    async def method(client: AsyncAutonomy, *args: P.args, **kwargs: P.kwargs) -> Result:
        return await client.carry(call(*args, **kwargs))

    return cast("Verb[P, Coroutine[Any, Any, Result]]", named(method, call))


def _list(call: Callable[P, Call[Page[Item]]]) -> Verb[P, AsyncIterator[Item]]:
    def method(client: AsyncAutonomy, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[Item]:
        return client.each(call(*args, **kwargs))

    return cast("Verb[P, AsyncIterator[Item]]", named(method, call))


class AsyncAutonomy(Connection[httpx.AsyncBaseTransport]):
    """One agent's connection to the server at `base_url`, for coroutines; times are in seconds. Raises ValueError for
    an address or a key that cannot be one. A call that is cancelled stops at once; a step that a cancelled `claim` may
    have taken is offered again when its lease ends."""

    def __init__(
        self,
        base_url: str,
        key: str | Credentials,
        timeout: float = 30,
        retries: int = 5,
        *,
        backoff_seconds: float = 0.25,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(base_url, key, timeout, retries, backoff_seconds=backoff_seconds, transport=transport)
        self.http = httpx.AsyncClient(
            base_url=self.base_url + calls.BELOW,
            headers={"Accept": "application/json"},
            auth=self.credentials,
            transport=transport,
        )

    me = _verb(calls.me)
    boundaries = _verb(calls.boundaries)
    evidence = _verb(calls.evidence)
    rotate_key = _verb(calls.rotate_key)
    claim = _verb(calls.claim)
    finish = _verb(calls.finish)
    fail = _verb(calls.fail)
    heartbeat = _verb(calls.heartbeat)
    batch = _verb(queue.batch)
    claim_many = _verb(queue.claim_many)
    release = _verb(queue.release)
    extend = _verb(queue.extend)
    hand_off = _verb(queue.hand_off)
    hand_offs = _verb(queue.hand_offs)
    escalate = _verb(queue.escalate)
    tasks = _verb(queue.tasks)
    choose_task = _verb(queue.choose_task)
    ask = _verb(calls.ask)
    decision = _verb(calls.decision)
    outcome = _verb(calls.outcome)
    evaluate = _verb(calls.evaluate)
    evaluations = _verb(calls.evaluations)
    search_subjects = _verb(calls.search_subjects)
    search_resources = _verb(calls.search_resources)
    search_actions = _verb(calls.search_actions)
    request_access = _verb(calls.request_access)
    access_request = _verb(calls.access_request)
    cancel_access = _verb(calls.cancel_access)
    start_run = _verb(calls.start_run)
    start_runs = _verb(queue.start_runs)
    run = _verb(calls.run)
    send_message = _verb(calls.send_message)
    signal = _verb(calls.signal)
    message = _verb(calls.message)
    remember = _verb(calls.remember)
    recall = _verb(calls.recall)
    claim_fact = _verb(calls.claim_fact)
    release_claim = _verb(calls.release_claim)
    search_memory = _list(calls.search_memory)
    fact = _verb(calls.fact)
    confirm_fact = _verb(calls.confirm_fact)
    invalidate_fact = _verb(calls.invalidate_fact)
    agent = _verb(calls.agent)
    escalation = _verb(calls.escalation)
    inquiries = _list(calls.inquiries)
    inquiries_about = _list(calls.inquiries_about)
    answer = _verb(calls.answer)
    agents = _list(calls.agents)
    runs = _list(calls.runs)
    escalations = _list(calls.escalations)
    show = _verb(calls.show)
    send = _verb(calls.send)

    def working(self, work: Work) -> AsyncKeeper:
        """A context that keeps the lease alive while you work; `lost` tells when it went to somebody else."""
        return AsyncKeeper(work, self._beat)

    async def wait_for_access(
        self, request: AccessRequest, wait_seconds: float = 60, poll_seconds: float = 2
    ) -> AccessRequest:
        """The access request when a person has answered, or as it is after the wait."""
        until = time.monotonic() + wait_seconds
        while not request.is_settled and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(poll_seconds, left))
            request = await self.access_request(request.id)
        return request

    async def carry(self, call: Call[Result]) -> Result:
        """Send one call until it is answered, refused, or tried often enough."""
        call = await self._about_me(call)
        request = request_of(call, self.http, self.patience.timeout)
        tries = Tries(self.patience, self.patience.timeout + call.wait_seconds, time.monotonic())
        while True:
            try:
                return call.read(await self._sent(request))
            except AutonomyError as refused:
                # Jitter is no secret.
                pause = tries.pause_after(refused, time.monotonic(), random.random())  # noqa: S311
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    async def each(self, call: Call[Page[Item]]) -> AsyncIterator[Item]:
        """All items of a list, part by part."""
        following: Call[Page[Item]] | None = call
        while following:
            page = await self.carry(following)
            for item in page.items:
                yield item
            following = calls.page_after(call, page)

    async def aclose(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def _sent(self, request: httpx.Request) -> Answer:
        with typed_errors(request):
            response = await self.http.send(request)
        return self._heard(response)

    async def _about_me(self, call: Call[Result]) -> Call[Result]:
        if not calls.is_about_me(call):
            return call
        self._own_code = self._own_code or (await self.me()).code
        return calls.for_agent(call, self._own_code)

    async def _beat(self, work: Work, within_seconds: float) -> float:
        # Not repeated: the next beat is its repeat.
        call = calls.heartbeat(work)
        return call.read(await self._sent(request_of(call, self.http, min(within_seconds, self.patience.timeout))))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
