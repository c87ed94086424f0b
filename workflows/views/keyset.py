"""One page of a long list, by key: the list may grow meanwhile and no row is shown twice or left out."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

SIZE = 50
LONGEST_KEY = 18


@dataclass(frozen=True)
class Page:
    """The rows of a page in their order, and the queries of the pages beside it ("" where there is none)."""

    rows: list[Any]
    newer: str
    older: str


def page_of(
    found: QuerySet[Any],
    request: HttpRequest,
    *,
    shown: QuerySet[Any] | None = None,
    size: int = SIZE,
    oldest_first: bool = False,
) -> Page:
    """The page that `?before=` or `?after=` asks for, without them the newest one, or the oldest with `oldest_first`.
    The keys are looked up in `found` alone, then the rows of the page in `shown` (by default `found`), which may join
    and annotate as it likes."""
    after, before = _key(request, "after"), _key(request, "before")
    rows = found if shown is None else shown
    if oldest_first:
        return _oldest_first(found, rows, request, after=after, before=before, size=size)
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


def _oldest_first(
    found: QuerySet[Any], rows: QuerySet[Any], request: HttpRequest, *, after: int, before: int, size: int
) -> Page:
    if before and not after:
        keys = list(found.filter(pk__lt=before).order_by("-pk").values_list("pk", flat=True)[: size + 1])
        if len(keys) > size:
            keys = keys[:size][::-1]
            listed = list(rows.filter(pk__in=keys).order_by("pk"))
            return Page(listed, _query(request, after=keys[-1]), _query(request, before=keys[0]))
    # The page below has less than a page's rows: then it is the oldest one.
    keys = list(found.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[: size + 1])
    more, keys = len(keys) > size, keys[:size]
    older = _query(request, before=after + 1) if after else ""
    return Page(list(rows.filter(pk__in=keys).order_by("pk")), _query(request, after=keys[-1]) if more else "", older)


def page_in_order(keys: list[int], rows: QuerySet[Any], request: HttpRequest, size: int = SIZE) -> Page:
    """The page of a list whose keys are all known in their order: what follows the row of `?before=`, what comes before
    the row of `?after=`; from the beginning if that row is gone."""
    places = {key: place for place, key in enumerate(keys)}
    before, after = _key(request, "before"), _key(request, "after")
    if after in places and before not in places:
        start = max(places[after] - size, 0)
    else:
        start = places[before] + 1 if before in places else 0
    chosen = keys[start : start + size]
    found = {row.pk: row for row in rows.filter(pk__in=chosen)}
    newer = _query(request, after=chosen[0]) if chosen and start else ""
    older = _query(request, before=chosen[-1]) if start + size < len(keys) else ""
    return Page([found[key] for key in chosen if key in found], newer, older)


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
