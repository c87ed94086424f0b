"""What every API door reads with: a strict query, a strict body, a list page by page."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from observability.api.paging import Listing
from observability.api.tags import body_tag, matches
from observability.serializers import NoQuery, StrictSerializer


class ReadingDoor(APIView):
    """A view of the API. `query` is what may stand behind the address of a GET, or of the methods in `queried`; others
    have nothing there. `shows_one` says that a GET answers one thing with its entity tag."""

    query: type[StrictSerializer] = NoQuery
    shows_one = False
    queried: tuple[str, ...] = ("GET", "HEAD")
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The answer, with all times in UTC whatever zone the pages are shown in."""
        with timezone.override(UTC):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Turn away who may not come in, then what the address asks and nobody knows."""
        super().initial(request, *args, **kwargs)
        shape = self.query if request.method in self.queried else NoQuery
        self.asked = self.read(shape, _each_once(request))

    def read(self, shape: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
        """The checked input. Raises a validation error that names each wrong field."""
        given = shape(data=data)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def tagged(self, body: Any, tag: str = "") -> Response:
        """The answer of a GET with its entity tag, by default one of the body; 304 without a body for who has it."""
        tag = tag or body_tag(body)
        if matches(self.request.headers.get("If-None-Match", ""), tag):
            return Response(status=304, headers={"ETag": tag})
        return Response(body, headers={"ETag": tag})

    @property
    def listing(self) -> Listing:
        """The page that is asked for; for views whose query is a PageQuery."""
        return Listing(self.request, self.asked)

    def page(
        self, rows: QuerySet[Any], shape: type[serializers.BaseSerializer[Any]], *, by: str, **context: Any
    ) -> Response:
        """A page of `rows` in the order of the column `by` (or "-column"), which is unique: a row that comes meanwhile
        moves no other. The shape is given the context."""
        return self.page_under({}, rows, lambda some: shape(some, many=True, context=context).data, by=by)

    def page_under(
        self, head: Mapping[str, Any], rows: QuerySet[Any], shown: Callable[[list[Any]], Any], *, by: str
    ) -> Response:
        """The same below what is said about the list as a whole; `shown` makes the rows of one page into results."""
        listing, name, over = self.listing, by.removeprefix("-"), "lt" if by.startswith("-") else "gt"
        if listing.start is not None:
            rows = rows.filter(**{f"{name}__{over}": listing.start[0]})
        found = list(rows.order_by(by)[: listing.limit + 1])
        return linked({**head, **listing.body(found, lambda row: [getattr(row, name)], shown)})

    def paged(
        self, found: Sequence[Any], key: Callable[[Any], list[Any]], shown: Callable[[list[Any]], Any]
    ) -> Response:
        """The page of `found`, which is one row longer when another page follows; `key` goes into the cursor."""
        return linked(self.listing.body(found, key, shown))


def linked(body: Mapping[str, Any]) -> Response:
    """The page with the address of the next one as a Link (RFC 8288) too."""
    return Response(body, headers={"Link": f'<{body["next"]}>; rel="next"'} if body["next"] else None)


def _each_once(request: Request) -> dict[str, str]:
    given = dict(request.query_params.lists())
    twice = [name for name, values in given.items() if len(values) > 1]
    if twice:
        raise serializers.ValidationError(dict.fromkeys(twice, "This is given twice."))
    return {name: values[0] for name, values in given.items()}
