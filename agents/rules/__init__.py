"""Rules of identity: what people's roles may do and what a secret looks like. Plain values in, plain values out."""

from agents.rules.agents import AGENT_CODE, AUTONOMY
from agents.rules.keys import KEY_START, same_digest, secret_digest, split_key
from agents.rules.people import (
    COUNCIL,
    IT,
    NEVER_EMPTY_ROLES,
    PEOPLE_ROLES,
    REVIEWING_ROLES,
    RISK,
    SECOND_FACTOR_ROLES,
    PeopleRole,
    titles_of,
)

__all__ = [
    "AGENT_CODE",
    "AUTONOMY",
    "COUNCIL",
    "IT",
    "KEY_START",
    "NEVER_EMPTY_ROLES",
    "PEOPLE_ROLES",
    "REVIEWING_ROLES",
    "RISK",
    "SECOND_FACTOR_ROLES",
    "PeopleRole",
    "same_digest",
    "secret_digest",
    "split_key",
    "titles_of",
]
