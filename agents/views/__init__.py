"""The people's door to identity: sign in and out, password, settings."""

from agents.views.settings import Settings
from agents.views.sign_in import PasswordChange, PasswordChanged, SignedOut, SignIn, SignOut, locked_out
from agents.views.who import PeopleBackend, person

__all__ = [
    "PasswordChange",
    "PasswordChanged",
    "PeopleBackend",
    "Settings",
    "SignIn",
    "SignOut",
    "SignedOut",
    "locked_out",
    "person",
]
