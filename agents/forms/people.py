"""People: admitted, moved, invited; and what a review of the emergency account found."""

from typing import Any

from django import forms

from agents.forms.written import reason
from agents.operations.reasons import WHY_AT_MOST
from agents.rules import PEOPLE_ROLES


class ReviewForm(forms.Form):
    """What a review of the emergency account found."""

    review = forms.CharField(
        label="What was done, and was it right?", help_text="A sentence or two; the audit trail keeps it.",
        max_length=WHY_AT_MOST, widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say what you found."},
    )  # fmt: skip


class RolesForm(forms.Form):
    """The roles and the unit of a person; `units` are those one may choose."""

    roles = forms.MultipleChoiceField(
        label="Roles", required=False, choices=[(role.name, role.title) for role in PEOPLE_ROLES],
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    unit = forms.TypedChoiceField(label="Unit", coerce=int)

    def __init__(self, *args: Any, units: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].choices = units  # type: ignore[attr-defined]


class MoverForm(RolesForm):
    """Other roles or another unit, with the reason."""

    why = reason("Your reason")


class AdmitForm(RolesForm):
    """A new person; the password is the person's own to set."""

    field_order = ["name", "username", "title", "email", "unit", "roles"]
    name = forms.CharField(label="Name", max_length=200)
    username = forms.CharField(
        label="Name to sign in with",
        max_length=60,
        help_text="Small letters, digits, dots and dashes: anna.berg.",
    )
    title = forms.CharField(label="Job title", max_length=120, required=False)
    email = forms.EmailField(label="E-mail", required=False)


class InvitationForm(forms.Form):
    """The password that an invited person chooses."""

    password = forms.CharField(
        label="New password", help_text="At least 12 characters. A password manager may make one.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False,
    )  # fmt: skip
    again = forms.CharField(
        label="New password once more", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )

    def clean(self) -> dict[str, Any] | None:
        """Both are the same."""
        given = super().clean() or {}
        if given.get("password") and given.get("again") and given["password"] != given["again"]:
            self.add_error("again", "The two passwords are not the same.")
        return given
