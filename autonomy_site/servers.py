"""Puts the parts of a server process together: HTTP, sockets, and with the lifespan the sealer and the worker."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from channels.auth import AuthMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import SessionMiddlewareStack
from django.conf import settings
from django.urls import path

from autonomy_site.worker import EmbeddedWorker
from observability import ledger
from observability.consumers import LiveConsumer
from observability.tasks import Sealer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def composed(pages: Any) -> Application:
    """The ASGI application of one server process."""
    sockets = AllowedHostsOriginValidator(
        SessionMiddlewareStack(AuthMiddleware(URLRouter([path("ws/live", LiveConsumer.as_asgi())])))
    )
    doors = ProtocolTypeRouter({"http": pages, "websocket": sockets})

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        else:
            await doors(scope, receive, send)

    return application


async def lifespan(receive: Receive, send: Send) -> None:
    """Start the sealer, and the embedded worker when there is no Redis, with the server; end them with it."""
    await receive()
    ledger.bell.is_closed = False
    sealer = Sealer(asyncio.get_running_loop(), settings.SEAL_EVERY_SECONDS)
    # In a thread: Celery closes database connections while it sets itself up, which Django refuses in the loop.
    worker = await asyncio.to_thread(EmbeddedWorker) if settings.EMBEDDED_WORKER else None
    sealer.start()
    if worker:
        worker.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    ledger.bell.close()
    if worker:
        await asyncio.to_thread(worker.end)
    await asyncio.to_thread(sealer.end)
    await send({"type": "lifespan.shutdown.complete"})
