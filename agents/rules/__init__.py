"""Rules of identity: what people's roles may do and what a secret looks like. Plain values in, plain values out."""

from agents.rules.addresses import Network, client_address
from agents.rules.agents import AGENT_CODE, AUTONOMY
from agents.rules.keys import KEY_START, same_digest, secret_digest, split_key
from agents.rules.people import PEOPLE_ROLES, PeopleRole
from agents.rules.scopes import ALL_SCOPES, ANY, SCOPES

__all__ = [
    "AGENT_CODE",
    "ALL_SCOPES",
    "ANY",
    "AUTONOMY",
    "KEY_START",
    "PEOPLE_ROLES",
    "SCOPES",
    "Network",
    "PeopleRole",
    "client_address",
    "same_digest",
    "secret_digest",
    "split_key",
]
