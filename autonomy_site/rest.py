"""How the API reads and writes: strict JSON in, exact numbers out."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework import exceptions
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

DEPTH_AT_MOST = 32
TELEMETRY = "/v1/"
POWERS_OF_TEN = 100
EXACT_AT_MOST = 2**53 - 1
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def body_limit(path: str) -> int:
    """How many bytes of a body are taken at this path."""
    usual = settings.TELEMETRY_LIMIT_BYTES if path.startswith(TELEMETRY) else settings.BODY_LIMIT_BYTES
    return settings.BODY_LIMITS.get(path, usual)


class Unreadable(exceptions.ParseError):
    """The body is not the JSON that is asked for."""

    default_code = "unreadable"


class StrictJSONParser(BaseParser):
    """JSON with exact numbers. Refused by the name of the field: a name given twice, NaN, Infinity, whole numbers that
    not every reader of JSON keeps exactly, text that no database stores, numbers beyond measure, and deep nesting."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        body = stream.read(settings.BODY_LIMIT_BYTES + 1)
        if len(body) > settings.BODY_LIMIT_BYTES:
            raise RequestDataTooBig
        try:
            value = json.loads(
                body.decode("utf-8"), parse_float=Decimal, parse_constant=_NoNumber, object_pairs_hook=_once
            )  # fmt: skip
        except UnicodeDecodeError as wrong:
            raise Unreadable("The body is not UTF-8 text.") from wrong
        except (ValueError, RecursionError) as wrong:
            raise Unreadable(f"The body is not valid JSON: {wrong}") from wrong
        if not isinstance(value, dict):
            raise Unreadable("The body must be a JSON object.")
        _check(value, "", DEPTH_AT_MOST)
        return value


class _NoNumber(str):
    """NaN or Infinity, until the field it stands in is known."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for name, value in pairs:
        if name in names:
            raise exceptions.ValidationError({_storable(name): "This field is given twice."})
        names[name] = value
    return names


def _storable(name: str) -> str:
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", name)


def _check(value: Any, path: str, depth: int) -> None:
    if depth == 0:
        raise exceptions.ValidationError({path: f"The body is nested more than {DEPTH_AT_MOST} levels deep here."})
    wrong = _wrong(value)
    if wrong:
        raise exceptions.ValidationError({path: wrong})
    if isinstance(value, dict):
        for name, inner in value.items():
            if _wrong(name):
                raise exceptions.ValidationError(
                    {path or "body": "A name in here has a character that cannot be kept."}
                )
            _check(inner, f"{path}.{name}" if path else name, depth - 1)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _check(inner, f"{path}[{number}]", depth - 1)


def _wrong(value: Any) -> str:
    if isinstance(value, _NoNumber):
        return f"{value} is not a number here."
    if isinstance(value, str):
        return "This text has a character that cannot be kept." if UNSTORABLE.search(value) else ""
    if isinstance(value, int) and abs(value) > EXACT_AT_MOST:
        return "A whole number of this size is not exact in JSON; send it as text."
    if isinstance(value, Decimal) and abs(value.adjusted()) > POWERS_OF_TEN:
        return f"This number lies beyond {POWERS_OF_TEN} powers of ten, more than anything here is."
    return ""


class ExactEncoder(JSONEncoder):
    """Writes exact numbers as text, where the framework makes floats of them."""

    def default(self, obj: Any) -> Any:
        return str(obj) if isinstance(obj, Decimal) else super().default(obj)


class ExactJSONRenderer(JSONRenderer):
    """JSON in which exact numbers are text."""

    encoder_class = ExactEncoder
    charset = None
