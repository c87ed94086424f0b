"""Pages of lists: a signed cursor says where the page before ended, for whom and of which list."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from rest_framework.request import Request

from observability import ledger

SALT = "observability.api.paging"


class CursorInvalid(ledger.Invalid):
    """This cursor belongs to another list, another filter or another caller, or it was changed. Begin with the first
    page."""

    code = "cursor_invalid"


@dataclass(frozen=True)
class Listing:
    """One caller's reading of one list under one set of filters."""

    request: Request
    asked: Mapping[str, Any]

    @property
    def limit(self) -> int:
        """How many rows the page has at most."""
        return int(self.asked["limit"])

    @property
    def start(self) -> list[Any] | None:
        """The key of the last row of the page before, None on the first page. Raises CursorInvalid."""
        text = self.asked["cursor"]
        if not text:
            return None
        try:
            bound, key = signing.loads(text, salt=SALT)
        except (signing.BadSignature, ValueError, TypeError) as wrong:
            raise CursorInvalid from wrong
        if bound != self._bound:
            raise CursorInvalid
        return list(key)

    def body(
        self, found: Sequence[Any], key: Callable[[Any], list[Any]], shown: Callable[[list[Any]], Any]
    ) -> dict[str, Any]:
        """The page of `found`, which is one row longer when another page follows."""
        rows = list(found[: self.limit])
        following = self.address(key(rows[-1])) if len(found) > self.limit else None
        return {"results": shown(rows), "next": following}

    def address(self, key: list[Any]) -> str:
        """The address of the page after the row with this key."""
        cursor = signing.dumps([self._bound, key], salt=SALT, compress=True)
        query = {name: values for name, values in self.request.query_params.lists() if name != "cursor"}
        return self.request.build_absolute_uri(
            f"{self.request.path}?{urlencode(query | {'cursor': cursor}, doseq=True)}"
        )

    @property
    def _bound(self) -> str:
        filters = {name: str(value) for name, value in self.asked.items() if name not in ("cursor", "limit")}
        told = json.dumps([self.request.user.pk, self.request.path, filters], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:24]
