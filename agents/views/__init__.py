"""The people's door to identity: sign in and out, second factors, sessions, the people themselves, settings."""

from agents.views.cards import AcceptCard, CardPage, CardsPage, WithdrawCard
from agents.views.consents import Consents, WithdrawConsent
from agents.views.settings import Settings
from agents.views.sign_in import PasswordChange, PasswordChanged, SignedOut, SignIn, SignOut, locked_out
from agents.views.who import GrantBackend, PeopleBackend, address_of, person, require_recent

__all__ = [
    "AcceptCard",
    "CardPage",
    "CardsPage",
    "Consents",
    "GrantBackend",
    "PasswordChange",
    "PasswordChanged",
    "PeopleBackend",
    "Settings",
    "SignIn",
    "SignOut",
    "SignedOut",
    "WithdrawCard",
    "WithdrawConsent",
    "address_of",
    "locked_out",
    "person",
    "require_recent",
]
