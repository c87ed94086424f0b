"""Rules of governance, forms: a tree of the language as plain JSON, with the place of every part in the text."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

from governance.language.tree import Node


def as_json(node: Node) -> dict[str, Any]:
    """The tree as named parts: `node` says which part it is, `start` and `end` where it stands in the text."""
    return {
        "node": type(node).__name__.lower(),
        **{each.name: _plain(getattr(node, each.name)) for each in fields(node)},
    }


def _plain(value: object) -> Any:
    match value:
        case Node():
            return as_json(value)
        case tuple() | list():
            return [_plain(item) for item in value]
        case bool() | int() | None:
            return value
        case Decimal():
            return format(value, "f")
    return str(value)
