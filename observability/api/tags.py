"""Strong entity tags (RFC 9110, 8.8.3): the state of what is shown, so that nothing is sent twice."""

import hashlib
import json

from django.core.serializers.json import DjangoJSONEncoder


def etag(*parts: object) -> str:
    """The strong entity tag of a row in the state that `parts` describe, in quotation marks."""
    told = "\x1f".join(str(part) for part in parts)
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'


def body_tag(body: object) -> str:
    """The strong entity tag of a resource that is shown as this body."""
    return etag(json.dumps(body, cls=DjangoJSONEncoder))


def tag_over(state: str, body: object) -> str:
    """The strong entity tag of a resource that is shown as this body while what people decide about it has the tag
    `state`: a change needs to have read that state, not what else is shown."""
    return f"{state[:-1]}-{body_tag(body)[1:]}"


def matches(header: str, tag: str) -> bool:
    """Whether a list of tags, as If-Match and If-None-Match have it, holds this one; * holds every tag, and a weak tag
    counts as its strong one."""
    wanted = [each.strip().removeprefix("W/") for each in header.split(",")]
    return tag in wanted or wanted == ["*"]
