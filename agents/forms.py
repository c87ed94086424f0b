"""Input shapes of the pages of identity."""

from typing import Any

from django.contrib.auth.forms import PasswordChangeForm


class PasswordForm(PasswordChangeForm):
    """One's own new password; what is wrong with it stands beside it, not beside its repetition."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password2"].label = "New password once more"
        self.fields["new_password2"].help_text = ""

    def validate_password_for_user(self, user: Any, *args: Any, **kwargs: Any) -> None:
        """Name the first field, where Django names the second."""
        super().validate_password_for_user(user, "new_password1")
