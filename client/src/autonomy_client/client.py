"""The agent's side of the agents' API: claim work, ask permission, report, and share what was learnt."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Concatenate, ParamSpec, Protocol, Self, TypeVar, cast, overload

import httpx

from autonomy_client import calls, queue
from autonomy_client.answers import Answer
from autonomy_client.calls import Call
from autonomy_client.connection import Connection, named
from autonomy_client.credentials import Credentials
from autonomy_client.errors import AutonomyError
from autonomy_client.keeping import Keeper
from autonomy_client.patience import Tries
from autonomy_client.questions import AccessRequest
from autonomy_client.shapes import Page, Work
from autonomy_client.wire import request_of, typed_errors

P = ParamSpec("P")
Result = TypeVar("Result")
Told = TypeVar("Told", covariant=True)
Item = TypeVar("Item")


class Verb(Protocol[P, Told]):
    """A method of `Autonomy` with the arguments of its call."""

    @overload
    def __get__(self, client: None, owner: type, /) -> Callable[Concatenate[Autonomy, P], Told]: ...
    @overload
    def __get__(self, client: Autonomy, owner: type, /) -> Callable[P, Told]: ...


def _verb(call: Callable[P, Call[Result]]) -> Verb[P, Result]:
    def method(client: Autonomy, *args: P.args, **kwargs: P.kwargs) -> Result:
        return client.carry(call(*args, **kwargs))

    return cast("Verb[P, Result]", named(method, call))


def _list(call: Callable[P, Call[Page[Item]]]) -> Verb[P, Iterator[Item]]:
    def method(client: Autonomy, *args: P.args, **kwargs: P.kwargs) -> Iterator[Item]:
        return client.each(call(*args, **kwargs))

    return cast("Verb[P, Iterator[Item]]", named(method, call))


class Autonomy(Connection[httpx.BaseTransport]):
    """One agent's connection to the server at `base_url`; times are in seconds. Raises ValueError for an address or a
    key that cannot be one. Threads may share it."""

    def __init__(
        self,
        base_url: str,
        key: str | Credentials,
        timeout: float = 30,
        retries: int = 5,
        *,
        backoff_seconds: float = 0.25,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(base_url, key, timeout, retries, backoff_seconds=backoff_seconds, transport=transport)
        self._hurried = threading.Event()
        self.http = httpx.Client(
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

    def working(self, work: Work) -> Keeper:
        """A context that keeps the lease alive while you work; `lost` tells when it went to somebody else."""
        return Keeper(work, self._beat)

    keeping = working  # its name in 0.1.0

    def wait_for_access(
        self, request: AccessRequest, wait_seconds: float = 60, poll_seconds: float = 2
    ) -> AccessRequest:
        """The access request when a person has answered, or as it is after the wait."""
        until = time.monotonic() + wait_seconds
        while not request.is_settled and (left := until - time.monotonic()) > 0:
            if self._hurried.wait(min(poll_seconds, left)):
                break
            request = self.access_request(request.id)
        return request

    def carry(self, call: Call[Result]) -> Result:
        """Send one call until it is answered, refused, or tried often enough."""
        call = self._about_me(call)
        request = request_of(call, self.http, self.patience.timeout)
        tries = Tries(self.patience, self.patience.timeout + call.wait_seconds, time.monotonic())
        while True:
            try:
                return call.read(self._sent(request))
            except AutonomyError as refused:
                # Jitter is no secret.
                pause = tries.pause_after(refused, time.monotonic(), random.random())  # noqa: S311
                if pause is None or self._hurried.wait(pause):
                    raise

    def each(self, call: Call[Page[Item]]) -> Iterator[Item]:
        """All items of a list, part by part."""
        following: Call[Page[Item]] | None = call
        while following:
            page = self.carry(following)
            yield from page.items
            following = calls.page_after(call, page)

    def hurry(self) -> None:
        """Stop waiting between retries: a call under way raises its last error instead."""
        self._hurried.set()

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def _sent(self, request: httpx.Request) -> Answer:
        with typed_errors(request):
            response = self.http.send(request)
        return self._heard(response)

    def _about_me(self, call: Call[Result]) -> Call[Result]:
        if not calls.is_about_me(call):
            return call
        self._own_code = self._own_code or self.me().code
        return calls.for_agent(call, self._own_code)

    def _beat(self, work: Work, within_seconds: float) -> float:
        # Not repeated: the next beat is its repeat.
        call = calls.heartbeat(work)
        return call.read(self._sent(request_of(call, self.http, min(within_seconds, self.patience.timeout))))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
