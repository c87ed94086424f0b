"""Puts the parts of a server process together: HTTP, sockets, and with the lifespan the sealer and the worker."""

import asyncio
import gc
import importlib
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.auth import AuthMiddleware
from channels.db import database_sync_to_async
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier
from channels.sessions import SessionMiddlewareStack
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, re_path

from agents.models import Principal
from agents.operations import lacks_second_factor
from autonomy_site.worker import EmbeddedWorker
from observability import ledger
from observability.consumers import LiveConsumer
from observability.tasks import Sealer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
THREADS_KEPT = 32


class Pages(ASGIHandler):
    """Django's door for ASGI with everything inside it synchronous: a request crosses to its thread once. Django's own
    crosses back and forth for every view middleware, which here cost more than the pages themselves."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Chain the middleware and the view as under WSGI; `is_async` is what Django's own door asks for."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The response, made in the request's thread."""
        return await sync_to_async(self.get_response)(request)


def composed(pages: Any) -> Application:
    """The ASGI application of one server process."""
    live = URLRouter([path("ws/live", LiveConsumer.as_asgi()), re_path("", WebsocketDenier.as_asgi())])
    sockets = AllowedHostsOriginValidator(SessionMiddlewareStack(AuthMiddleware(second_factor_first(live))))
    doors = ProtocolTypeRouter({"http": bounded(in_kept_threads(pages)), "websocket": sockets})

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        else:
            await doors(scope, receive, send)

    return application


def second_factor_first(sockets: Application) -> Application:
    """`sockets` for sessions that wait for no second factor; the others hear as little as somebody who is not in."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if await database_sync_to_async(_waits)(scope):
            scope = {**scope, "user": AnonymousUser()}
        await sockets(scope, receive, send)

    return application


def _waits(scope: Scope) -> bool:
    user = scope.get("user")
    return isinstance(user, Principal) and lacks_second_factor(scope["session"], user)


def in_kept_threads(pages: Application) -> Application:
    """`pages` with their synchronous part in threads that are kept for later requests. By itself Django starts a thread
    for each request, and with it everything that it knows of the database: half of the work of a short request."""
    idle: list[ThreadPoolExecutor] = []

    def keep(thread: ThreadPoolExecutor) -> None:
        if len(idle) < THREADS_KEPT:
            idle.append(thread)
        else:
            thread.shutdown(wait=False)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        thread = idle.pop() if idle else ThreadPoolExecutor(1, thread_name_prefix="request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await pages(scope, receive, send)
        finally:
            # A caller that went away leaves its request to end by itself: the thread is free when this is reached.
            thread.submit(keep, thread)

    return application


def bounded(pages: Application) -> Application:
    """`pages` behind a reader that takes no more of a body than its limit, also of one that comes in pieces without a
    length. The pages are told the length that was found; the middleware BodyLimit then refuses what is too large."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        taken, most = 0, settings.BODY_LIMITS.get(scope["path"], settings.BODY_LIMIT_BYTES)

        async def read() -> Message:
            nonlocal taken
            message = await receive()
            # What comes after the limit is dropped; the pages may only hear that the caller went away.
            while taken > most and message["type"] == "http.request":
                message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                message = {**message, "body": b"", "more_body": False}
            if message["type"] == "http.request" and not message.get("more_body", False):
                others = [header for header in scope["headers"] if header[0] != b"content-length"]
                scope["headers"] = [*others, (b"content-length", b"%d" % taken)]
            return message

        await pages(scope, read, send)

    return application


async def lifespan(receive: Receive, send: Send) -> None:
    """Start the sealer, and the embedded worker when there is no Redis, with the server; end them with it. Without them
    the server does not start."""
    await receive()
    try:
        # In a thread: Celery closes database connections while it sets itself up, which Django refuses in the loop.
        worker = await asyncio.to_thread(EmbeddedWorker) if settings.EMBEDDED_WORKER else None
    except Exception as failure:
        await send({"type": "lifespan.startup.failed", "message": f"The embedded worker did not start: {failure}"})
        raise
    ledger.bell.is_closed = False
    sealer = Sealer(asyncio.get_running_loop(), settings.SEAL_EVERY_SECONDS)
    sealer.start()
    if worker:
        worker.start()
    importlib.import_module(settings.ROOT_URLCONF)
    gc.collect()
    gc.freeze()  # what every request needs is never garbage: looking through it again and again costs 0.1 s each time
    await send({"type": "lifespan.startup.complete"})
    await receive()
    ledger.bell.close()
    if worker:
        await asyncio.to_thread(worker.end)
    await asyncio.to_thread(sealer.end)
    await send({"type": "lifespan.shutdown.complete"})
