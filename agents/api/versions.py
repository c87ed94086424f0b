"""Entity tags (RFC 9110, 8.8.3 and 13.1.1): nobody overwrites what he has not read."""

import hashlib
import json

from django.core.serializers.json import DjangoJSONEncoder
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from observability import ledger

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True,
    description="The ETag of what you read; when it was changed since, nothing happens and the answer is 412.",
)  # fmt: skip
IF_MATCH_INSTEAD = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=False,
    description="The ETag of what you read, instead of the `request_sha256` in the body.",
)  # fmt: skip


class MatchNeeded(ledger.Refused):
    """Send an If-Match header with the ETag of what you read, so that nobody's change is overwritten."""

    status = 428
    code = "if_match_missing"


class ChangedSince(ledger.Refused):
    """It was changed since you read it. Nothing was changed now; read it again."""

    status = 412
    code = "changed_since"


def etag(*parts: object) -> str:
    """The strong entity tag of a row in the state that `parts` describe, in quotation marks."""
    told = "\x1f".join(str(part) for part in parts)
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'


def body_tag(body: object) -> str:
    """The strong entity tag of a resource that is shown as this body."""
    return etag(json.dumps(body, cls=DjangoJSONEncoder))


def matches(header: str, tag: str) -> bool:
    """Whether a list of tags, as If-Match and If-None-Match have it, holds this one; * holds every tag, and a weak tag
    counts as its strong one."""
    wanted = [each.strip().removeprefix("W/") for each in header.split(",")]
    return tag in wanted or wanted == ["*"]


def require_match(request: Request, tag: str) -> None:
    """Raise MatchNeeded without an If-Match header, ChangedSince when it names another state. Call it in the
    transaction that changes the row, after the row is locked."""
    wanted = request.headers.get("If-Match", "").strip()
    if not wanted:
        raise MatchNeeded
    # Compared as it is: for a change a weak tag never counts (RFC 9110, 13.1.1).
    if wanted != "*" and tag not in [each.strip() for each in wanted.split(",")]:
        raise ChangedSince
