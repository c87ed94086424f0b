"""Signing in, second factors, one's own password."""

from typing import Any

from allauth.account.forms import ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ReauthenticateWithCodeForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm

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
