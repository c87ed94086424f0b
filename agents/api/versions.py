"""Entity tags (RFC 9110, 8.8.3 and 13.1.1): nobody overwrites what he has not read."""

import hashlib

from rest_framework.request import Request

from observability import ledger


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


def require_match(request: Request, tag: str) -> None:
    """Raise MatchNeeded without an If-Match header, ChangedSince when it names another state. Call it in the
    transaction that changes the row, after the row is locked."""
    wanted = request.headers.get("If-Match", "")
    if not wanted.strip():
        raise MatchNeeded
    if wanted.strip() != "*" and tag not in [each.strip() for each in wanted.split(",")]:
        raise ChangedSince
