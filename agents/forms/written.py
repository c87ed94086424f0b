"""What forms share whose values an operation writes: reasons, and what the operation said about them."""

from collections.abc import Mapping
from typing import ClassVar

from django import forms

from agents.operations.reasons import WHY_AT_MOST
from observability import ledger


def lines(rows: int, most: int) -> forms.Textarea:
    """A field for some lines of text, at most `most` characters."""
    return forms.Textarea(attrs={"rows": rows, "maxlength": most})


def reason(label: str = "Why") -> forms.CharField:
    """A field for the reason of an act that needs one."""
    return forms.CharField(
        label=label, help_text="The audit trail keeps your reason.", max_length=WHY_AT_MOST,
        widget=lines(2, WHY_AT_MOST), error_messages={"required": "A reason is needed."},
    )  # fmt: skip


class WrittenForm(forms.Form):
    """A form whose values are written by an operation; `refuse` puts what the operation said beside the fields."""

    places: ClassVar[Mapping[str, str]] = {}

    def refuse(self, refused: ledger.Refused) -> None:
        """Show what was wrong beside the field that it is about, and on top what is about none."""
        for name, message in (refused.fields or {"": refused.detail}).items():
            place = self.places.get(name, name)
            self.add_error(place if place in self.fields else None, message)


class WhyForm(WrittenForm):
    """A reason, for an act that needs one."""

    why = reason()
