"""The people's door to identity: sign in and out, password, settings, agents that act for a person, foreign cards."""

from agents.views.cards import AcceptCard, CardPage, CardsPage, WithdrawCard
from agents.views.consents import Consents, WithdrawConsent
from agents.views.settings import Settings
from agents.views.sign_in import PasswordChange, PasswordChanged, SignedOut, SignIn, SignOut, locked_out
from agents.views.who import PeopleBackend, person

__all__ = [
    "AcceptCard",
    "CardPage",
    "CardsPage",
    "Consents",
    "PasswordChange",
    "PasswordChanged",
    "PeopleBackend",
    "Settings",
    "SignIn",
    "SignOut",
    "SignedOut",
    "WithdrawCard",
    "WithdrawConsent",
    "locked_out",
    "person",
]
