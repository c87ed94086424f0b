"""One page of a long list, by key: the list may grow meanwhile and no row is shown twice or left out."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

SIZE = 50
LONGEST_KEY = 18


@dataclass(frozen=True)
class Page:
    """The rows of a page, newest first, and the queries of the pages beside it ("" where there is none)."""

    rows: list[Any]
    newer: str
    older: str


def page_of(
    found: QuerySet[Any], request: HttpRequest, *, shown: QuerySet[Any] | None = None, size: int = SIZE
) -> Page:
    """The page that `?before=` or `?after=` asks for, the newest one without them. The keys are looked up in `found`
    alone, then the rows of the page in `shown` (by default `found`), which may join and annotate as it likes."""
    after, before = _key(request, "after"), _key(request, "before")
    rows = found if shown is None else shown
    if after:
        keys = list(found.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[: size + 1])
        if len(keys) > size:
            keys = keys[:size][::-1]
            return Page(_rows(rows, keys), _query(request, after=keys[0]), _query(request, before=keys[-1]))
    # The page above has less than a page's rows: then it is the newest one.
    bounded = found.filter(pk__lt=before) if before and not after else found
    keys = list(bounded.order_by("-pk").values_list("pk", flat=True)[: size + 1])
    more, keys = len(keys) > size, keys[:size]
    newer = _query(request, after=before - 1) if before and not after else ""
    return Page(_rows(rows, keys), newer, _query(request, before=keys[-1]) if more else "")


def _rows(rows: QuerySet[Any], keys: list[int]) -> list[Any]:
    return list(rows.filter(pk__in=keys).order_by("-pk"))


def _key(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_KEY else 0


def _query(request: HttpRequest, **change: int) -> str:
    query: QueryDict = request.GET.copy()
    for name in ("before", "after"):
        query.pop(name, None)
    for name, value in change.items():
        query[name] = str(value)
    return f"?{query.urlencode()}"
