"""Rules of identity: what people's roles may do and what a secret looks like. Plain values in, plain values out."""

from agents.rules.agents import AGENT_CODE, AUTONOMY
from agents.rules.keys import KEY_START, same_digest, secret_digest, split_key
from agents.rules.people import PEOPLE_ROLES, PeopleRole

__all__ = [
    "AGENT_CODE",
    "AUTONOMY",
    "KEY_START",
    "PEOPLE_ROLES",
    "PeopleRole",
    "same_digest",
    "secret_digest",
    "split_key",
]
