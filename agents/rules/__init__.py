"""Rules of identity: what people's roles may do and what a secret looks like. Plain values in, plain values out."""

from agents.rules.addresses import Network, client_address
from agents.rules.agents import AGENT_CODE, AUTONOMY, RESERVED_CODES
from agents.rules.blueprints import (
    BLUEPRINT_CODE,
    RATES,
    wrong_with_actions,
    wrong_with_capabilities,
    wrong_with_rates,
    wrong_with_work_limit,
)
from agents.rules.hours import DAY_NAMES, DAYS, HoursInvalid, WorkingHours, read_hours
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
from agents.rules.scopes import ALL_SCOPES, ANY, SCOPES
from agents.rules.sponsors import Watch, watch
from agents.rules.versions import Difference, differences, scope_in_words

__all__ = [
    "AGENT_CODE",
    "ALL_SCOPES",
    "ANY",
    "AUTONOMY",
    "BLUEPRINT_CODE",
    "COUNCIL",
    "DAYS",
    "DAY_NAMES",
    "IT",
    "KEY_START",
    "NEVER_EMPTY_ROLES",
    "PEOPLE_ROLES",
    "RATES",
    "RESERVED_CODES",
    "REVIEWING_ROLES",
    "RISK",
    "SCOPES",
    "SECOND_FACTOR_ROLES",
    "Difference",
    "HoursInvalid",
    "Network",
    "PeopleRole",
    "Watch",
    "WorkingHours",
    "client_address",
    "differences",
    "read_hours",
    "same_digest",
    "scope_in_words",
    "secret_digest",
    "split_key",
    "titles_of",
    "watch",
    "wrong_with_actions",
    "wrong_with_capabilities",
    "wrong_with_rates",
    "wrong_with_work_limit",
]
