"""How the API is described (OpenAPI 3.1): every answer with its headers, and every error as the problem that it is."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from agents.api.doors import ActingDoor
from autonomy_site.problems import Problem
from observability.api.doors import ReadingDoor
from observability.serializers import NoQuery, PageQuery

ERRORS = {
    400: "The request has errors; `errors` names each wrong field.",
    401: "Nobody is known by this key, or no key was sent.",
    403: "The caller may not do this.",
    404: "There is no such thing, or the caller may not see it.",
    405: "This address does not take this method; `Allow` says which it takes.",
    406: "The answer is JSON and nothing else.",
    409: "The state of things does not allow it, or somebody else was faster.",
    412: "It was changed since it was read. Nothing was changed now.",
    413: "The body is larger than 1 MB.",
    422: "The Idempotency-Key was used for another request.",
    428: "The request has to say what was read: send If-Match.",
    429: "There were too many requests; `Retry-After` says for how many seconds to wait.",
    500: "Something went wrong here, and nothing was changed.",
    503: "The database does not answer, or work is held back; `Retry-After` says when to come again.",
}
ALWAYS = (400, 401, 403, 404, 405, 406, 413, 429, 500, 503)
CHANGING = (409, 412, 428)
ACTING = (409, 412, 422, 428)
COLUMN_SIZES = {2**15 - 1, 2**31 - 1, 2**63 - 1}
TEXT = {"type": "string"}
HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Request-ID": ("The id that the caller gave this request, or the id of its trace.", TEXT),
    "traceparent": ("The trace of this request (W3C Trace Context).", TEXT),
    "RateLimit-Policy": ("The caller's limit: q requests in w seconds.", TEXT),
    "RateLimit": ("What is left of it: r requests, and t seconds until it begins anew.", TEXT),
    "ETag": ("The state of what is shown, for If-None-Match and If-Match.", TEXT),
    "Link": ('The next page of the list, rel="next".', TEXT),
    "Retry-After": ("For how many seconds to wait.", {"type": "integer", "minimum": 0}),
}
EVERYWHERE = ("X-Request-ID", "traceparent", "RateLimit-Policy", "RateLimit")
PROBLEM = {
    "type": "object",
    "description": "An error (RFC 9457). `code` is stable; docs/problems.md lists all of them.",
    "properties": {
        "type": {"type": "string", "format": "uri", "pattern": "^urn:[a-z:-]+:[a-z0-9_]+$"},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT,
        "code": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object", "properties": {"field": TEXT, "message": TEXT}, "required": ["field", "message"],
            },
        },
        "instance": {"type": "string", "format": "uri-reference"},
        "trace_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    "required": ["type", "title", "status", "detail", "code", "errors", "instance", "trace_id"],
    "example": Problem(
        400, "invalid", "The request has errors; nothing was changed.", {"lease_token": "Send a whole number."}
    ).body
    | {"instance": "/api/v1/work/claim", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"},
}  # fmt: skip


class Described(AutoSchema):
    """The description of one operation: what the view says, and what holds for every answer."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The operation with the headers of its answers and with its errors."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        answers = operation["responses"]
        is_list = any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))
        is_one = self.method == "GET" and isinstance(self.view, ReadingDoor) and not is_list and self.view.shows_one
        own = ("ETag",) * is_one + ("Link",) * is_list
        for answer in answers.values():
            answer["headers"] = _headers(*EVERYWHERE, *own)
        if is_one:
            operation.setdefault("parameters", []).append(_if_none_match())
            answers["304"] = {"description": "It is as it was.", "headers": _headers(*EVERYWHERE, "ETag")}
        if "requestBody" in operation:
            example = getattr(self.get_request_serializer(), "example", None)
            for content in operation["requestBody"]["content"].values():
                content["example"] = example
        for status in sorted((*ALWAYS, *self._refusals())):
            answers.setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
        return operation

    def _refusals(self) -> tuple[int, ...]:
        """What else can be wrong with an act: only a POST carries an Idempotency-Key that another request may have."""
        if self.method in ("PATCH", "DELETE"):
            return CHANGING
        return ACTING if self.method == "POST" and isinstance(self.view, ActingDoor) else ()

    def get_operation_id(self) -> str:
        """The same name as long as the path is the same, with `list` for lists."""
        given: str = super().get_operation_id()
        is_list = self.method == "GET" and issubclass(getattr(self.view, "query", NoQuery), PageQuery)
        return f"{given.removesuffix('_retrieve')}_list" if is_list else given

    def get_tags(self) -> list[str]:
        """One group for each noun: the first part of the path below /api/v1/."""
        return [self.path.removeprefix("/api/v1/").removeprefix("/").partition("/")[0]]


def with_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The whole description with the shapes that all operations name."""
    parts = result.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = PROBLEM
    parts["headers"] = {
        name: {"description": meaning, "schema": shape} for name, (meaning, shape) in HEADERS.items()
    }  # fmt: skip
    _forget_columns(result)
    parts["responses"] = {f"Problem{status}": _problem(status, meaning) for status, meaning in ERRORS.items()}
    return result


def _forget_columns(part: Any) -> None:
    # How large a column of whole numbers is differs between databases, and is nothing that the API promises.
    if isinstance(part, dict):
        if part.get("maximum") in COLUMN_SIZES:
            del part["maximum"]
            part.pop("format", None)
        for inner in part.values():
            _forget_columns(inner)
    elif isinstance(part, list):
        for inner in part:
            _forget_columns(inner)


def _problem(status: int, meaning: str) -> dict[str, Any]:
    headers = _headers("X-Request-ID", "traceparent", *(("Retry-After",) if status in (429, 503) else ()))
    return {
        "description": meaning, "headers": headers,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }  # fmt: skip


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _if_none_match() -> dict[str, Any]:
    return {
        "in": "header", "name": "If-None-Match", "schema": TEXT,
        "description": "The ETag of what you have: when it still holds, the answer is 304 without a body.",
    }  # fmt: skip
