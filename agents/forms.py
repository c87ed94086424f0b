"""Input shapes of the pages of identity."""

from typing import Any

from allauth.account.forms import ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ReauthenticateWithCodeForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm

from agents.rules import PEOPLE_ROLES

WHY_AT_MOST = 2000
CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}


class SignInForm(AuthenticationForm):
    """Name and password; the browser may offer a passkey in the field of the name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs["autocomplete"] = "username webauthn"
        self.fields["username"].label = "Name"


class PasswordForm(PasswordChangeForm):
    """One's own new password; what is wrong with it stands beside it, not beside its repetition."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password2"].label = "New password once more"
        self.fields["new_password2"].help_text = ""

    def validate_password_for_user(self, user: Any, *args: Any, **kwargs: Any) -> None:
        """Name the first field, where Django names the second."""
        super().validate_password_for_user(user, "new_password1")


class CodeForm(AuthenticateForm):
    """The second factor at sign-in: a code of the app, or a recovery code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        as_code(self.fields["code"])


class ConfirmCodeForm(ReauthenticateWithCodeForm):
    """The second factor of somebody who is signed in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        as_code(self.fields["code"])


class ConfirmPasswordForm(ReauthenticateForm):
    """The password of somebody who is signed in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
        self.fields["password"].help_text = ""


class AppForm(ActivateTOTPForm):
    """The first code of a new authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        as_code(self.fields["code"])
        self.fields["code"].label = "Code"
        self.fields["code"].help_text = "Six digits that the app shows now."


class PasskeyForm(AddWebAuthnForm):
    """A new passkey, with a name to tell it from others."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name of the passkey"
        self.fields["name"].help_text = "So that you can tell it from others, as in “My laptop”."
        # Each one also signs in by itself: the device asks for its PIN or a finger.
        self.fields["passwordless"].widget = forms.HiddenInput()
        self.initial["passwordless"] = True


class PasskeyNameForm(EditWebAuthnForm):
    """Another name for a passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name of the passkey"


def as_code(field: Any) -> None:
    """Make a field one for codes: the phone shows digits, nothing is corrected."""
    field.widget = forms.TextInput(attrs=CODE)
    field.label = "Code"
    field.help_text = "Six digits of your authenticator app, or a recovery code."


class WhyForm(forms.Form):
    """A reason."""

    why = forms.CharField(
        label="Your reason", help_text="The audit trail keeps it.", max_length=WHY_AT_MOST,
        widget=forms.Textarea(attrs={"rows": 2}), error_messages={"required": "A reason is needed."},
    )  # fmt: skip


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

    why = WhyForm.base_fields["why"]


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
