"""Entity tags (RFC 9110, 8.8.3 and 13.1.1): nobody overwrites what he has not read."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from observability import ledger
from observability.api.tags import body_tag, etag, matches, tag_over

__all__ = ["IF_MATCH", "IF_MATCH_INSTEAD", "body_tag", "etag", "matches", "require_match", "tag_over"]

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


def require_match(request: Request, tag: str) -> None:
    """Raise MatchNeeded without an If-Match header, ChangedSince when it names another state. Call it in the
    transaction that changes the row, after the row is locked."""
    wanted = request.headers.get("If-Match", "").strip()
    if not wanted:
        raise MatchNeeded
    # Compared as it is: for a change a weak tag never counts (RFC 9110, 13.1.1).
    given = [each.strip() for each in wanted.split(",")]
    if wanted != "*" and not any(each == tag or each.startswith(f"{tag[:-1]}-") for each in given):
        raise ChangedSince
