"""What both clients are made of: address, credentials, patience, and what the last answer told about limits."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar

import httpx

from autonomy_client.answers import Answer, Limit, limits_in
from autonomy_client.credentials import CONSENT, Credentials, credentials_for
from autonomy_client.patience import Patience
from autonomy_client.wire import answer_of, checked_address

Transport = TypeVar("Transport", httpx.BaseTransport, httpx.AsyncBaseTransport)


class Connection(Generic[Transport]):
    """One agent's connection to the server at `base_url`; times are in seconds. Raises ValueError for an address or a
    key that cannot be one. `limits` is what the last answer told about how often one may ask."""

    def __init__(
        self,
        base_url: str,
        key: str | Credentials,
        timeout: float = 30,
        retries: int = 5,
        *,
        backoff_seconds: float = 0.25,
        transport: Transport | None = None,
    ) -> None:
        self.base_url = checked_address(base_url)
        self.credentials = credentials_for(key)
        self.patience = Patience(timeout, retries, backoff_seconds)
        self.limits: Mapping[str, Limit] = {}
        self._transport: Transport | None = transport
        self._own_code = ""

    @classmethod
    def from_environment(cls, **options: Any) -> Self:
        """The connection that AUTONOMY_SERVER and AUTONOMY_KEY name; ValueError when there is no key."""
        server = os.environ.get("AUTONOMY_SERVER", "http://127.0.0.1:8000")
        return cls(server, os.environ.get("AUTONOMY_KEY", ""), **options)

    def on_behalf_of(self, subject_token: str, subject_token_type: str = CONSENT) -> Self:
        """Another connection on which this agent acts for the person who gave this consent; close it as well."""
        timeout, retries, backoff = self.patience.timeout, self.patience.retries, self.patience.backoff_seconds
        credentials = self.credentials.on_behalf_of(subject_token, subject_token_type)
        return type(self)(
            self.base_url, credentials, timeout, retries, backoff_seconds=backoff, transport=self._transport
        )

    def _heard(self, response: httpx.Response) -> Answer:
        self.limits = limits_in(response.headers) or self.limits
        return answer_of(response)


def named(method: Callable[..., Any], call: Callable[..., Any]) -> Callable[..., Any]:
    """`method` with the name, docstring and signature of `call`, and with what the call gives as its result."""
    functools.update_wrapper(method, call)
    del method.__wrapped__  # type: ignore[attr-defined]
    signature = inspect.signature(call)
    client = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    result = str(signature.return_annotation).removeprefix("Call[").removesuffix("]")
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[client, *signature.parameters.values()], return_annotation=result
    )
    return method
