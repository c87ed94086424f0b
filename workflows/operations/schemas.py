"""Values against the JSON Schema that a workflow declares for them, and against the size that the server keeps."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

ERRORS_AT_MOST = 20


@lru_cache(maxsize=512)
def _validator(schema: str) -> Draft202012Validator:
    # An empty registry: nothing is fetched for a reference to another address.
    return Draft202012Validator(
        json.loads(schema), registry=Registry(), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def wrong_with_values(values: Mapping[str, Any], schema: str, *, root: str) -> dict[str, str]:
    """What does not fit the schema, by the path of the value below `root`; empty when everything fits or no schema is
    declared."""
    if not schema:
        return {}
    try:
        found = list(_validator(schema).iter_errors(dict(values)))[:ERRORS_AT_MOST]
    except (SchemaError, Unresolvable, ValueError) as broken:
        return {root: f"The workflow declares a schema that cannot be used: {broken}"[:400]}
    return {_path(root, error): error.message[:400] for error in reversed(found)}


def _path(root: str, error: ValidationError) -> str:
    return ".".join([root, *map(str, error.absolute_path)])


def too_large(values: Any, *, root: str) -> dict[str, str]:
    """That these values are larger than the server keeps; empty when they are not."""
    size = len(json.dumps(values, cls=DjangoJSONEncoder).encode())
    most = settings.OUTPUT_AT_MOST_KB * 1024
    if size <= most:
        return {}
    return {
        root: f"This is {size:,} bytes; at most {most:,} are kept. Put the document elsewhere and name where it is."
    }
