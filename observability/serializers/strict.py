"""Input that says exactly what it is: no unknown field, no number where text belongs; and the pages of lists."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

ROWS, ROWS_AT_MOST = 50, 200
CURSOR_AT_MOST = 1000


class StrictSerializer(serializers.Serializer[Any]):
    """Input in which an unknown field, and a number where text belongs, is an error."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        if unknown:
            known = f"known are {', '.join(self.fields)}" if self.fields else "none is known here"
            raise serializers.ValidationError(dict.fromkeys(sorted(unknown), f"Unknown field; {known}."))
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """Text and nothing else: a number or true is not quietly made into text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Send text in quotation marks.")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number and nothing else: not text, not true, not 5.0."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            raise serializers.ValidationError("Send a whole number.")
        return super().to_internal_value(data)


class YesNo(serializers.BooleanField):
    """true or false and nothing else."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Send true or false.")
        return data


class Digits(serializers.IntegerField):
    """A whole number in an address: digits and nothing else."""

    def to_internal_value(self, data: Any) -> int:
        if not (isinstance(data, str) and data.isascii() and data.isdecimal()):
            raise serializers.ValidationError("Send a whole number.")
        return super().to_internal_value(data)


class NoQuery(StrictSerializer):
    """An address after which nothing is asked."""


class PageQuery(StrictSerializer):
    """Which page of a list: the first one without a cursor."""

    cursor = Text(
        max_length=CURSOR_AT_MOST, default="",
        help_text="What stands in `next` of the page before, as it is; another one is refused.",
    )  # fmt: skip
    limit = Digits(min_value=1, max_value=ROWS_AT_MOST, default=ROWS, help_text="How many rows a page has at most.")


def page_of(row: type[serializers.BaseSerializer[Any]]) -> type[serializers.Serializer[Any]]:
    """The shape of a page of a list of such rows."""
    fields = {
        "results": row(many=True),
        "next": serializers.URLField(allow_null=True, help_text="The address of the next page, null on the last one."),
        "__doc__": "A page of a list.",
    }
    return type(
        f"{row.__name__.removesuffix('Serializer').removesuffix('Output')}Page", (serializers.Serializer,), fields
    )
